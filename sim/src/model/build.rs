//! From Verilog to a shared object, cached by everything that its content depends on.

use super::object::is_whole;
use super::{hierarchy, shim};
use crate::SimError;
use sha2::{Digest, Sha256};
use spandrel_hdl::emit::Emitted;
use spandrel_tools::{Cxx, FileLock, Verilator, cxx_compiler, find_program, models_dir, run, verilator};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Changed whenever the way a model is built changes without any of the hashed inputs changing.
const FORMAT: &str = "1";
/// Name of the shared object in a model's folder.
const OBJECT: &str = "model.so";
/// What RustHDL writes: words of SystemVerilog may be names in it.
const LANGUAGE: [&str; 2] = ["--language", "1364-2005"];
const VERILATOR_FLAGS: &[&str] = &[
    "--cc",
    "-O3",
    "--x-assign",
    "fast",
    LANGUAGE[0],
    LANGUAGE[1],
    "--no-timing",
    "--no-assert",
    "--threads",
    "1",
    // Files small enough that two compilers share the work evenly, functions large enough to be optimised well.
    "--output-split",
    "15000",
    "--output-split-cfuncs",
    "2000",
    // RustHDL's text is full of widths that differ on purpose; faults of its own it reports by its checks.
    "-Wno-lint",
    "-Wno-style",
    "-Wno-fatal",
];
const CXX_FLAGS: &[&str] = &[
    "-std=gnu++17",
    "-fPIC",
    "-fvisibility=hidden",
    "-faligned-new",
    "-fcf-protection=none",
    "-w",
    "-DVERILATOR=1",
    "-DVM_COVERAGE=0",
    "-DVM_SC=0",
    "-DVM_TIMING=0",
    "-DVL_USER_FATAL",
    "-DVL_USER_FINISH",
    "-DVL_USER_STOP",
];

/// How a model is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// Make waveforms possible: slower to build and, also where none is written, a little slower to run.
    pub trace: bool,
    /// Start whatever the design does not initialise with values drawn from the instance's seed instead of zeros: for
    /// tests that a reset, not luck, brings a block into its first state.
    pub randomize: bool,
    /// Modules to Verilate on their own, each once however often it is instantiated; empty for a flat model. Costs and
    /// gains are measured in [the module's documentation](crate::model#hierarchical-models). A module in here that is
    /// itself inside another of them is translated for its instances outside that one only. Waveforms do not show what is
    /// inside of these modules.
    pub hierarchy: Vec<String>,
}

/// What kind of waveform a model writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceFormat {
    /// GTKWave's compressed format.
    Fst,
    /// Value change dump, large, where the headers that FST needs are not installed.
    Vcd,
}

impl TraceFormat {
    /// The file name extension.
    pub fn extension(self) -> &'static str {
        match self {
            TraceFormat::Fst => "fst",
            TraceFormat::Vcd => "vcd",
        }
    }
}

/// A model's shared object in the cache.
pub(super) struct Built {
    pub object: PathBuf,
    pub trace: Option<TraceFormat>,
}

/// Finds the model in the cache or builds it there.
pub(super) fn build(emitted: &Emitted, options: &BuildOptions) -> Result<Built, SimError> {
    hierarchy::check(emitted, &options.hierarchy)?;
    let (verilator, cxx) = (verilator()?, cxx_compiler()?);
    let trace = if options.trace { Some(trace_format(&cxx)) } else { None };
    let job = Job { emitted, options, trace, verilator, cxx };
    let key = job.key();
    let home = models_dir().join(&key);
    let built = Built { object: home.join(OBJECT), trace };
    if is_whole(&built.object) {
        return Ok(built);
    }
    let _lock = FileLock::acquire(
        &models_dir().join(format!("{key}.lock")),
        &format!("build the model of {}", emitted.top),
    )?;
    if is_whole(&built.object) {
        return Ok(built);
    }
    // Built beside its final place and renamed, so that a model in the cache is always whole.
    let scratch = scratch_folder(&key);
    let result = job.build_in(&scratch).and_then(|()| {
        if home.exists() {
            std::fs::remove_dir_all(&home).map_err(SimError::io("remove", &home))?;
        }
        std::fs::rename(&scratch, &home).map_err(SimError::io("create", &home))
    });
    if result.is_err() {
        let _ = std::fs::remove_dir_all(&scratch);
    }
    result.map(|()| built)
}

/// A folder to build in, for whoever holds the lock of `key`.
///
/// It is this process's own: the compilers of a killed one may live on for a while and write into theirs. What such
/// a process left goes.
fn scratch_folder(key: &str) -> PathBuf {
    let ours = |name: &str| name.starts_with(key) && name.ends_with(".partial");
    for entry in std::fs::read_dir(models_dir()).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(ours) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    models_dir().join(format!("{key}.{}.partial", std::process::id()))
}

/// FST where its writer's headers are installed, else VCD, with a line that says so.
fn trace_format(cxx: &Cxx) -> TraceFormat {
    const PROBE: &str = "echo '#include <lz4.h>\n#include <zlib.h>' | \"$0\" -E -x c++ - -o /dev/null";
    let found =
        Command::new("sh").args(["-c", PROBE]).arg(&cxx.bin).output().is_ok_and(|out| out.status.success());
    if found {
        return TraceFormat::Fst;
    }
    eprintln!(
        "spandrel: waveforms are written as VCD, since the headers lz4.h and zlib.h that FST needs are not installed \
         (on Debian and Ubuntu: apt-get install liblz4-dev zlib1g-dev)"
    );
    TraceFormat::Vcd
}

pub(super) struct Job<'a> {
    pub(super) emitted: &'a Emitted,
    pub(super) options: &'a BuildOptions,
    trace: Option<TraceFormat>,
    verilator: Verilator,
    cxx: Cxx,
}

impl Job<'_> {
    fn verilator_flags(&self) -> Vec<&'static str> {
        let mut flags = VERILATOR_FLAGS.to_vec();
        if !self.options.hierarchy.is_empty() {
            // The wrappers of the blocks are SystemVerilog: there the ending of the file's name is to decide.
            flags.retain(|flag| !LANGUAGE.contains(flag));
            flags.push("+1364-2005ext+v");
        }
        flags.extend(["--x-initial", if self.options.randomize { "unique" } else { "fast" }]);
        match self.trace {
            Some(TraceFormat::Fst) => flags.push("--trace-fst"),
            Some(TraceFormat::Vcd) => flags.push("--trace-vcd"),
            None => {}
        }
        flags
    }

    fn cxx_flags(&self) -> Vec<&'static str> {
        let mut flags = CXX_FLAGS.to_vec();
        // Unique symbols would be shared between all models of the process, which all have the same class names.
        if !self.cxx.is_clang {
            flags.push("-fno-gnu-unique");
        }
        let (any, fst, vcd) = match self.trace {
            Some(TraceFormat::Fst) => ("-DVM_TRACE=1", "-DVM_TRACE_FST=1", "-DVM_TRACE_VCD=0"),
            Some(TraceFormat::Vcd) => ("-DVM_TRACE=1", "-DVM_TRACE_FST=0", "-DVM_TRACE_VCD=1"),
            None => ("-DVM_TRACE=0", "-DVM_TRACE_FST=0", "-DVM_TRACE_VCD=0"),
        };
        flags.extend([any, fst, vcd, "-DVM_TRACE_SAIF=0"]);
        flags
    }

    /// SHA-256 over whatever the shared object depends on, in hexadecimal, cut to 128 bits.
    fn key(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        part(FORMAT);
        part(&self.verilator.version);
        part(&self.cxx.version);
        self.verilator_flags().into_iter().chain(self.cxx_flags()).for_each(&mut part);
        part(&self.emitted.top);
        self.emitted.ports.iter().for_each(|port| part(&format!("{port:?}")));
        part(&self.verilog());
        self.options.hierarchy.iter().for_each(|module| part(module));
        hex::encode(&hash.finalize()[..16])
    }

    pub(super) fn verilog(&self) -> Cow<'_, str> {
        match self.trace {
            Some(_) => self.emitted.verilog_for_waveforms().into(),
            None => self.emitted.verilog.as_str().into(),
        }
    }

    fn build_in(&self, scratch: &Path) -> Result<(), SimError> {
        let start = Instant::now();
        std::fs::create_dir_all(scratch).map_err(SimError::io("create", scratch))?;
        let source = scratch.join("model.v");
        std::fs::write(&source, self.verilog().as_bytes()).map_err(SimError::io("write", &source))?;
        let work = scratch.join("work");
        let blocks = if self.options.hierarchy.is_empty() {
            self.verilate(&[&source], &self.emitted.top, shim::PREFIX, &work, &[])?;
            Vec::new()
        } else {
            hierarchy::verilate(self, scratch, &work)?
        };
        let header_path = work.join(format!("{}.h", shim::PREFIX));
        let header = std::fs::read_to_string(&header_path).map_err(SimError::io("read", &header_path))?;
        let shim = work.join("spandrel_shim.cpp");
        std::fs::write(&shim, shim::render(self.emitted, &header, self.trace)?)
            .map_err(SimError::io("write", &shim))?;
        let verilated = start.elapsed();
        let folders = || std::iter::once(&work).chain(&blocks);
        let mut objects = self.compile_all(sources(folders())?, start)?;
        objects.extend(self.runtime()?);
        self.link(&objects, &scratch.join(OBJECT))?;
        for folder in folders() {
            std::fs::remove_dir_all(folder).map_err(SimError::io("remove", folder))?;
        }
        tracing::info!(top = self.emitted.top, ?verilated, total = ?start.elapsed(), "built a model");
        if start.elapsed().as_secs() >= 2 {
            eprintln!(
                "spandrel: built the model of {} in {:.0} s",
                self.emitted.top,
                start.elapsed().as_secs_f64()
            );
        }
        Ok(())
    }

    /// One run of Verilator: `files` to a C++ class called `prefix` in the folder `work`.
    pub(super) fn verilate(
        &self,
        files: &[&Path],
        top: &str,
        prefix: &str,
        work: &Path,
        more: &[String],
    ) -> Result<(), SimError> {
        let what = format!("translating {top} with Verilator");
        let mut command = Command::new(&self.verilator.bin);
        command
            .env("VERILATOR_ROOT", &self.verilator.root)
            .args(self.verilator_flags())
            .args(["--prefix", prefix, "--top-module", top, "--Mdir"])
            .arg(work)
            .args(more)
            .args(files);
        run(&mut command, &what, "")?;
        Ok(())
    }

    /// Compiles every source to an object beside it; the machine's processors share the work.
    fn compile_all(&self, sources: Vec<PathBuf>, start: Instant) -> Result<Vec<PathBuf>, SimError> {
        let jobs = std::thread::available_parallelism().map_or(2, usize::from).min(sources.len().max(1));
        let next = AtomicUsize::new(0);
        let failure: Mutex<Option<SimError>> = Mutex::new(None);
        let announced = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(|| {
                    while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if start.elapsed().as_secs() >= 2 && announced.swap(1, Ordering::Relaxed) == 0 {
                            eprintln!(
                                "spandrel: compiling {} C++ files for the model of {}, once for every change of it",
                                sources.len(),
                                self.emitted.top
                            );
                        }
                        if let Err(error) = self.compile(source) {
                            // The first failure is the one to show; the other jobs stop at their next file.
                            if let Ok(mut failure) = failure.lock() {
                                failure.get_or_insert(error);
                            }
                            next.store(sources.len(), Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        match failure.into_inner() {
            Ok(None) => Ok(sources.iter().map(|source| source.with_extension("o")).collect()),
            Ok(Some(error)) => Err(error),
            Err(poisoned) => Err(poisoned.into_inner().unwrap_or_else(|| SimError::Stopped {
                top: self.emitted.top.clone(),
                message: "a build thread panicked".to_owned(),
            })),
        }
    }

    fn compile(&self, source: &Path) -> Result<(), SimError> {
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        // Verilator calls "slow" what runs once: construction, first settling, descriptions of waveforms.
        let level = if name.contains("Slow") || name.contains("Syms") { "-O1" } else { "-O3" };
        let mut command = Command::new(&self.cxx.bin);
        command
            .arg(level)
            .args(self.cxx_flags())
            .arg("-I")
            .arg(source.parent().unwrap_or(source))
            .arg("-I")
            .arg(self.verilator.root.join("include"))
            .arg("-I")
            .arg(self.verilator.root.join("include").join("vltstd"))
            .arg("-c")
            .arg(source)
            .arg("-o")
            .arg(source.with_extension("o"));
        run(&mut command, &format!("compiling {name} of the model of {}", self.emitted.top), "")?;
        Ok(())
    }

    /// Objects of Verilator's runtime, compiled once for all models of one kind.
    fn runtime(&self) -> Result<Vec<PathBuf>, SimError> {
        let include = self.verilator.root.join("include");
        let mut names = vec!["verilated", "verilated_threads"];
        names.extend(self.trace.map(|format| match format {
            TraceFormat::Fst => "verilated_fst_c",
            TraceFormat::Vcd => "verilated_vcd_c",
        }));
        let mut hash = Sha256::new();
        if !self.options.hierarchy.is_empty() {
            // The parts of a hierarchical model call each other through the foreign function interface of SystemVerilog.
            names.push("verilated_dpi");
            hash.update("dpi");
        }
        hash.update(FORMAT);
        hash.update(&self.verilator.version);
        hash.update(&self.cxx.version);
        self.cxx_flags().into_iter().for_each(|flag| hash.update(flag));
        let key = format!("runtime-{}", hex::encode(&hash.finalize()[..8]));
        let home = models_dir().join(&key);
        let objects =
            |folder: &Path| names.iter().map(|name| folder.join(name).with_extension("o")).collect();
        if home.is_dir() {
            return Ok(objects(&home));
        }
        let _lock =
            FileLock::acquire(&models_dir().join(format!("{key}.lock")), "build Verilator's runtime")?;
        if home.is_dir() {
            return Ok(objects(&home));
        }
        let scratch = scratch_folder(&key);
        std::fs::create_dir_all(&scratch).map_err(SimError::io("create", &scratch))?;
        let mut sources = Vec::new();
        for name in &names {
            let (from, to) =
                (include.join(name).with_extension("cpp"), scratch.join(name).with_extension("cpp"));
            std::fs::copy(&from, &to).map_err(SimError::io("copy", from))?;
            sources.push(to);
        }
        let result = self
            .compile_all(sources, Instant::now())
            .and_then(|_| std::fs::rename(&scratch, &home).map_err(SimError::io("create", &home)));
        if result.is_err() {
            let _ = std::fs::remove_dir_all(&scratch);
        }
        result.map(|()| objects(&home))
    }

    fn link(&self, objects: &[PathBuf], to: &Path) -> Result<(), SimError> {
        let mut command = Command::new(&self.cxx.bin);
        // Bound to its own symbols, so that the equal names of several models in a process stay apart.
        command.args(["-shared", "-Wl,-Bsymbolic", "-pthread", "-o"]).arg(to).args(objects);
        if self.trace == Some(TraceFormat::Fst) {
            command.args(["-lz", "-llz4"]);
        }
        if self.cxx.is_clang && find_program("ld.lld").is_some() {
            command.arg("-fuse-ld=lld");
        }
        run(&mut command, &format!("linking the model of {}", self.emitted.top), "")?;
        Ok(())
    }
}

/// The C++ files of the folders.
fn sources<'a>(folders: impl Iterator<Item = &'a PathBuf>) -> Result<Vec<PathBuf>, SimError> {
    let mut sources: Vec<(u64, PathBuf)> = Vec::new();
    for folder in folders {
        let entries = std::fs::read_dir(folder).map_err(SimError::io("list", folder))?;
        let files = entries
            .filter_map(Result::ok)
            .map(|entry| (entry.metadata().map_or(0, |meta| meta.len()), entry.path()))
            .filter(|(_, path)| path.extension().is_some_and(|extension| extension == "cpp"));
        sources.extend(files);
    }
    // The largest first, so that no processor ends up alone with it.
    sources.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Ok(sources.into_iter().map(|(_, path)| path).collect())
}
