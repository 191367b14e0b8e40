//! From a card's Verilog to a program that simulates it under cocotb, cached by everything that it depends on.

use super::packages::Cocotb;
use super::verilog::Verilog;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use spandrel_tools::{Cxx, FileLock, Verilator, cxx_compiler, models_dir, run, verilator};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Changed whenever the way a model is built changes without any of the hashed inputs changing.
const FORMAT: &str = "1";
/// Name of the program in a model's folder.
const PROGRAM: &str = "card";
/// The name of the class, which cocotb's main program knows.
const PREFIX: &str = "Vtop";
const VERILATOR_FLAGS: &[&str] = &[
    "--cc",
    "--exe",
    "--vpi",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    // What RustHDL writes: words of SystemVerilog may be names in it.
    "+1364-2005ext+v",
    "--no-timing",
    "--no-assert",
    "--threads",
    "1",
    // The tests count time in nanoseconds.
    "--timescale",
    "1ns/1ps",
    "--output-split",
    "15000",
    "--output-split-cfuncs",
    "2000",
    "-Wno-lint",
    "-Wno-style",
    "-Wno-fatal",
];
const CXX_FLAGS: &[&str] = &[
    "-std=gnu++17",
    "-faligned-new",
    "-fcf-protection=none",
    "-w",
    "-DVERILATOR=1",
    "-DVM_COVERAGE=0",
    "-DVM_SC=0",
    "-DVM_TIMING=0",
    "-DVM_TRACE_FST=0",
    "-DVM_TRACE_SAIF=0",
];
/// Verilator's runtime: what a model with VPI needs of it, and what one with waveforms needs besides.
const RUNTIME: &[&str] = &["verilated", "verilated_threads", "verilated_vpi", "verilated_dpi"];
const WAVES_RUNTIME: &str = "verilated_vcd_c";

/// Finds the program for a card in the cache of models, or builds it there.
///
/// Only the top module's ports can be seen by the tests, so that everything else is optimised as in any other model. With
/// `waves` it can write a waveform (VCD).
pub fn build(verilog: &Verilog, cocotb: &Cocotb, waves: bool) -> Result<PathBuf> {
    let job = Job { verilog, cocotb, waves, verilator: verilator()?, cxx: cxx_compiler()? };
    let key = format!("cocotb-{}", job.key());
    let home = models_dir().join(&key);
    let program = home.join(PROGRAM);
    if program.is_file() {
        return Ok(program);
    }
    let lock = models_dir().join(format!("{key}.lock"));
    let _lock = FileLock::acquire(&lock, &format!("build the model of {} for cocotb", verilog.profile))?;
    if program.is_file() {
        return Ok(program);
    }
    // Built beside its final place and renamed, so that a model in the cache is always whole.
    let scratch = models_dir().join(format!("{key}.{}.partial", std::process::id()));
    let result = job.build_in(&scratch).and_then(|()| {
        if home.exists() {
            std::fs::remove_dir_all(&home).with_context(|| format!("cannot remove {}", home.display()))?;
        }
        std::fs::rename(&scratch, &home).with_context(|| format!("cannot create {}", home.display()))
    });
    if result.is_err() {
        let _ = std::fs::remove_dir_all(&scratch);
    }
    result.map(|()| program)
}

struct Job<'a> {
    verilog: &'a Verilog,
    cocotb: &'a Cocotb,
    waves: bool,
    verilator: Verilator,
    cxx: Cxx,
}

impl Job<'_> {
    fn cxx_flags(&self) -> Vec<&'static str> {
        let mut flags = CXX_FLAGS.to_vec();
        flags.extend(if self.waves {
            ["-DVM_TRACE=1", "-DVM_TRACE_VCD=1"]
        } else {
            ["-DVM_TRACE=0", "-DVM_TRACE_VCD=0"]
        });
        flags
    }

    /// SHA-256 over whatever the program depends on, in hexadecimal, cut to 128 bits.
    fn key(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        part(FORMAT);
        part(&self.verilator.version);
        part(&self.cxx.version);
        part(&self.cocotb.version);
        VERILATOR_FLAGS.iter().chain(&self.cxx_flags()).for_each(|flag| part(flag));
        part(&self.verilog.top);
        part(&self.verilog.text);
        hex::encode(&hash.finalize()[..16])
    }

    fn build_in(&self, scratch: &Path) -> Result<()> {
        let start = Instant::now();
        eprintln!(
            "xtask: building the model of {} for cocotb, once for every change of it",
            self.verilog.profile
        );
        std::fs::create_dir_all(scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
        let work = scratch.join("work");
        self.verilate(scratch, &work)?;
        let mut sources = cpp_files(&work)?;
        let include = self.verilator.root.join("include");
        let runtime = RUNTIME.iter().chain(self.waves.then_some(&WAVES_RUNTIME));
        sources.extend(runtime.map(|name| include.join(name).with_extension("cpp")));
        sources.push(self.cocotb.main_program.clone());
        let objects = self.compile_all(&sources, &work)?;
        self.link(&objects, &scratch.join(PROGRAM))?;
        std::fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))?;
        eprintln!("xtask: built it in {:.0} s", start.elapsed().as_secs_f64());
        Ok(())
    }

    fn verilate(&self, scratch: &Path, work: &Path) -> Result<()> {
        let (source, control) = (scratch.join("card.v"), scratch.join("ports.vlt"));
        let top = &self.verilog.top;
        let ports = self.verilog.ports()?;
        let public = ports.iter().map(|port| format!("public_flat_rw -module \"{top}\" -var \"{port}\"\n"));
        let write = |path: &Path, text: &str| {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        write(&source, &self.verilog.text)?;
        write(&control, &format!("`verilator_config\n{}", public.collect::<String>()))?;
        let mut command = Command::new(&self.verilator.bin);
        command
            .env("VERILATOR_ROOT", &self.verilator.root)
            .args(VERILATOR_FLAGS)
            .args(self.waves.then_some("--trace-vcd"))
            .args(["--prefix", PREFIX, "--top-module", top, "--Mdir"])
            .arg(work)
            .args([control, source]);
        run(&mut command, &format!("translating {} with Verilator", self.verilog.profile), "")?;
        Ok(())
    }

    /// Compiles every source to an object in `work`; the machine's processors share the work.
    fn compile_all(&self, sources: &[PathBuf], work: &Path) -> Result<Vec<PathBuf>> {
        let jobs = std::thread::available_parallelism().map_or(2, usize::from).min(sources.len().max(1));
        let next = AtomicUsize::new(0);
        let objects = Mutex::new(Vec::new());
        let work_through = || -> Result<()> {
            while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
                // After a failure, the other threads find nothing left to do.
                let object = self
                    .compile(source, work)
                    .inspect_err(|_| next.store(sources.len(), Ordering::Relaxed))?;
                if let Ok(mut objects) = objects.lock() {
                    objects.push(object);
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(work_through)).collect();
            threads.into_iter().try_for_each(|thread| match thread.join() {
                Ok(result) => result,
                Err(_) => bail!("a thread that compiled a model panicked"),
            })
        })?;
        Ok(objects.into_inner().unwrap_or_default())
    }

    fn compile(&self, source: &Path, work: &Path) -> Result<PathBuf> {
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        let object = work.join(name.as_ref()).with_extension("o");
        // Verilator calls "slow" what runs once: construction, first settling, descriptions of signals.
        let level = if name.contains("Slow") || name.contains("Syms") { "-O1" } else { "-O3" };
        let include = self.verilator.root.join("include");
        let mut command = Command::new(&self.cxx.bin);
        command.arg(level).args(self.cxx_flags());
        for folder in [work, &include, &include.join("vltstd")] {
            command.arg("-I").arg(folder);
        }
        command.arg("-c").arg(source).arg("-o").arg(&object);
        run(&mut command, &format!("compiling {name} of the model of {}", self.verilog.profile), "")?;
        Ok(object)
    }

    fn link(&self, objects: &[PathBuf], to: &Path) -> Result<()> {
        let mut command = Command::new(&self.cxx.bin);
        command.arg("-o").arg(to).args(objects);
        // Where the library lies is said when the program is run: the cache outlives an environment.
        command.arg("-L").arg(&self.cocotb.libraries).args(["-lcocotbvpi_verilator", "-pthread", "-latomic"]);
        run(&mut command, &format!("linking the model of {}", self.verilog.profile), "")?;
        Ok(())
    }
}

/// The C++ files of a folder, the largest first, so that no processor ends up alone with it.
fn cpp_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut files: Vec<(u64, PathBuf)> = entries
        .filter_map(Result::ok)
        .map(|entry| (entry.metadata().map_or(0, |meta| meta.len()), entry.path()))
        .filter(|(_, path)| path.extension().is_some_and(|extension| extension == "cpp"))
        .collect();
    files.sort_by(|a, b| b.cmp(a));
    Ok(files.into_iter().map(|(_, path)| path).collect())
}
