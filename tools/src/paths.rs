//! Where things lie in the checkout.

use std::path::{Path, PathBuf};

/// The checkout: the environment variable `SPANDREL_HOME` if it is set, else the workspace this was built from.
pub fn checkout_root() -> PathBuf {
    match std::env::var_os("SPANDREL_HOME") {
        Some(home) if !home.is_empty() => PathBuf::from(home),
        _ => {
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
