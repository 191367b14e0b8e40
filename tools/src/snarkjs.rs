//! snarkjs as a judge of proofs.

use crate::{NodePackages, ToolError, last_lines};
use std::path::Path;
use std::process::{Command, Stdio};

impl NodePackages {
    /// Asks `snarkjs groth16 verify`: `true` when it accepts the proof, `false` when it refuses it.
    ///
    /// An error means that it did not judge, for example because a file could not be read or is not JSON.
    pub fn snarkjs_verify(&self, vk: &Path, public: &Path, proof: &Path) -> Result<bool, ToolError> {
        let output = Command::new(&self.node)
            .arg(self.command("snarkjs"))
            .args(["groth16", "verify"])
            .args([vk, public, proof])
            .stdin(Stdio::null())
            .output()
            .map_err(ToolError::io("run", &self.node))?;
        // The command's own contract: 0 accepted, 1 refused, 99 an exception.
        match output.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => {
                let text = [output.stdout, output.stderr].concat();
                Err(ToolError::Failed {
                    what: "snarkjs groth16 verify".to_owned(),
                    status: output.status.to_string(),
                    remedy: String::new(),
                    last_lines: last_lines(&String::from_utf8_lossy(&text), 20),
                })
            }
        }
    }
}
