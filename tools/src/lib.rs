//! Pinned, checksummed third-party tools, fetched into the checkout.
//!
//! Everything fetched or built lands below `.spandrel/` of the checkout, which git ignores: tools in
//! `.spandrel/tools`, compiled simulation models in `.spandrel/models`. Nothing outside the checkout is written
//! (package managers keep their own caches). Two processes that want the same thing at once wait for each other.

mod cargo;
mod debian;
mod error;
mod formal;
mod lock;
mod node;
mod open_fpga_loader;
mod paths;
mod python;
mod run;
mod skip;
mod snarkjs;
mod toolchain;
mod verilator;
mod wheel;
mod yosys;

pub use cargo::cargo_build;
pub use debian::{
    FpgaTools, GUEST_MODULES, GuestPackages, fpga_tools, guest_packages, osu018_liberty, update_fpga_lock,
    update_guest_lock,
};
pub use error::ToolError;
pub use formal::{ModelChecker, Solver, model_checker};
pub use lock::FileLock;
pub use node::{NodePackages, npm_ci};
pub use open_fpga_loader::{
    OPEN_FPGA_LOADER_VERSION, OpenFpgaLoader, installed_open_fpga_loader, open_fpga_loader,
};
pub use paths::{checkout_root, models_dir, tools_dir};
pub use python::{PythonPackages, python_packages};
pub use run::{find_program, last_lines, run};
pub use skip::{SKIP_LOG, skip};
pub use toolchain::{Cxx, cxx_compiler};
pub use verilator::{VERILATOR_VERSION, Verilator, verilator};
pub use yosys::{YOSYS_VERSION, Yosys, yosys};
