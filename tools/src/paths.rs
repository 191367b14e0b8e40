//! Where things lie in the checkout.

use std::path::{Path, PathBuf};

/// The checkout: the environment variable `SPANDREL_HOME` if it is set, else the workspace this is run from by cargo,
/// else the one it was built from.
pub fn checkout_root() -> PathBuf {
    if let Some(home) = std::env::var_os("SPANDREL_HOME").filter(|home| !home.is_empty()) {
        return PathBuf::from(home);
    }
    // Checkouts that share a target folder share binaries too, and what is baked into one may be another checkout's
    // path. `cargo run` and `cargo test` say at run time which package they run.
    let run_by_cargo = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let workspace = run_by_cargo.as_deref().and_then(Path::parent);
    match workspace.filter(|root| root.join("tools/src/paths.rs").is_file()) {
        Some(root) => root.to_path_buf(),
        None => {
            let here = Path::new(env!("CARGO_MANIFEST_DIR"));
            here.parent().unwrap_or(here).to_path_buf()
        }
    }
}

/// The folder of fetched tools, `.spandrel/tools` of the checkout; it need not exist yet.
pub fn tools_dir() -> PathBuf {
    checkout_root().join(".spandrel").join("tools")
}

/// The folder of compiled simulation models, `.spandrel/models` of the checkout; it need not exist yet.
pub fn models_dir() -> PathBuf {
    checkout_root().join(".spandrel").join("models")
}
