//! Hierarchical Verilation: chosen modules translated on their own, as Verilator's `--hierarchical` does with make.
//!
//! Verilator's own way plans the runs and has make start them, through a launcher that the pinned wheel lacks. The plan
//! for blocks without parameters is always the same, so the runs are started here: one for each block, which gives a C++
//! class and a wrapper in SystemVerilog that calls it, then one for the whole design with the wrappers in the blocks'
//! places.

use super::build::Job;
use super::shim;
use crate::SimError;
use spandrel_hdl::emit::Emitted;
use std::path::{Path, PathBuf};

/// Whether the design has these modules below its top.
pub(super) fn check(emitted: &Emitted, modules: &[String]) -> Result<(), SimError> {
    // Without any mark the text is the same but for its last line's end.
    let unmarked = emitted.verilog_with_hierarchy(&[]).len();
    let missing = |module: &&String| {
        **module == emitted.top || emitted.verilog_with_hierarchy(&[module]).len() == unmarked
    };
    match modules.iter().find(missing) {
        None => Ok(()),
        Some(module) => Err(SimError::NoSuchModule { top: emitted.top.clone(), module: module.clone() }),
    }
}

/// Translates the blocks and the design around them, the latter into `work`; gives the folders of the blocks.
pub(super) fn verilate(job: &Job<'_>, scratch: &Path, work: &Path) -> Result<Vec<PathBuf>, SimError> {
    let text = Emitted { verilog: job.verilog().into_owned(), ..job.emitted.clone() };
    let write = |file: &str, modules: &[&str]| {
        let path = scratch.join(file);
        std::fs::write(&path, text.verilog_with_hierarchy(modules))
            .map(|()| path.clone())
            .map_err(SimError::io("write", &path))
    };
    let modules = &job.options.hierarchy;
    let (mut folders, mut wrappers, mut flags) = (Vec::new(), Vec::new(), Vec::new());
    for module in modules {
        // Only this one is marked: blocks inside it become part of it.
        let source = write(&format!("block_{module}.v"), &[module])?;
        let folder = scratch.join(format!("block_{module}"));
        let block = ["--hierarchical-block".to_owned(), format!("{module},{module}")];
        let child = ["--lib-create", module, "--hierarchical-child", "1"].map(str::to_owned);
        let prefix = format!("Vblock_{module}");
        job.verilate(&[&source], module, &prefix, &folder, &[&block[..], &child[..]].concat())?;
        std::fs::remove_file(&source).map_err(SimError::io("remove", &source))?;
        wrappers.push(folder.join(module).with_extension("sv"));
        folders.push(folder);
        flags.extend(block);
    }
    let names: Vec<&str> = modules.iter().map(String::as_str).collect();
    let marked = write("marked.v", &names)?;
    let files: Vec<&Path> = wrappers.iter().map(PathBuf::as_path).chain([marked.as_path()]).collect();
    job.verilate(&files, &job.emitted.top, shim::PREFIX, work, &flags)?;
    std::fs::remove_file(&marked).map_err(SimError::io("remove", &marked))?;
    Ok(folders)
}
