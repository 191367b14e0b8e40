//! A compiled model in this process.

use super::build::{self, BuildOptions, TraceFormat};
use super::instance::Model;
use crate::SimError;
use spandrel_hdl::emit::{Emitted, Port};
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void};
use std::path::Path;
use std::sync::Arc;

/// The C interface of the shared object; see the template in `shim.rs`.
pub(super) struct Functions {
    pub new: unsafe extern "C" fn(c_int, u32) -> *mut c_void,
    pub delete: unsafe extern "C" fn(*mut c_void),
    pub eval: unsafe extern "C" fn(*mut c_void) -> c_int,
    pub fault: unsafe extern "C" fn(*mut c_void) -> *const c_char,
    pub port: unsafe extern "C" fn(*mut c_void, usize, *mut *mut c_void, *mut usize) -> c_int,
    pub trace_open: unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int,
    pub trace_dump: unsafe extern "C" fn(*mut c_void, u64),
    pub trace_close: unsafe extern "C" fn(*mut c_void),
}

/// A design compiled to native code, from which any number of [`Model`]s are made.
pub struct ModelLibrary {
    pub(super) functions: Functions,
    pub(super) top: String,
    pub(super) ports: Vec<Port>,
    pub(super) by_name: HashMap<String, u32>,
    pub(super) trace: Option<TraceFormat>,
    randomize: bool,
    // Dropped last: `functions` point into it.
    _object: libloading::Library,
}

impl std::fmt::Debug for ModelLibrary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelLibrary").field("top", &self.top).finish_non_exhaustive()
    }
}

impl ModelLibrary {
    /// Builds the model of a design, or finds it in `.spandrel/models`, and loads it.
    ///
    /// The first call for a design takes as long as the C++ compiler does (seconds to minutes) and says so on standard
    /// error. Another process that builds the same model is waited for.
    pub fn build(emitted: &Emitted, options: &BuildOptions) -> Result<Arc<ModelLibrary>, SimError> {
        let built = build::build(emitted, options)?;
        let (object, functions) = load(&built.object)?;
        let by_name = (0..).zip(&emitted.ports).map(|(index, port)| (port.name.clone(), index)).collect();
        Ok(Arc::new(ModelLibrary {
            functions,
            top: emitted.top.clone(),
            ports: emitted.ports.clone(),
            by_name,
            trace: built.trace,
            randomize: options.randomize,
            _object: object,
        }))
    }

    /// A new instance, in the state the design's initial values give it; every input is zero.
    pub fn instance(self: &Arc<Self>) -> Model {
        self.instance_with_seed(0)
    }

    /// As [`instance`](ModelLibrary::instance); for a library built with
    /// [`randomize`](BuildOptions::randomize), `seed` decides what uninitialised state starts as.
    pub fn instance_with_seed(self: &Arc<Self>, seed: u32) -> Model {
        // Verilator takes 0 for "a seed of your choice": that would be another one every time.
        Model::new(self.clone(), if self.randomize { 2 } else { 0 }, seed.wrapping_mul(2) | 1)
    }

    /// Name of the top module.
    pub fn top(&self) -> &str {
        &self.top
    }

    /// Ports of the top module.
    pub fn ports(&self) -> &[Port] {
        &self.ports
    }

    /// What kind of waveform instances can write, if any.
    pub fn trace_format(&self) -> Option<TraceFormat> {
        self.trace
    }
}

fn load(path: &Path) -> Result<(libloading::Library, Functions), SimError> {
    let failed =
        |error: libloading::Error| SimError::Load { path: path.to_path_buf(), reason: error.to_string() };
    // SAFETY: the object was built by this crate from its own shim; its initialisers are those of Verilator's runtime
    // and of libstdc++, which may run at any time and on any thread.
    let object = unsafe { libloading::Library::new(path) }.map_err(failed)?;
    // SAFETY: the types are those of the functions of the same names in the shim.
    let functions = unsafe {
        Functions {
            new: *object.get(b"spandrel_new\0").map_err(failed)?,
            delete: *object.get(b"spandrel_delete\0").map_err(failed)?,
            eval: *object.get(b"spandrel_eval\0").map_err(failed)?,
            fault: *object.get(b"spandrel_fault\0").map_err(failed)?,
            port: *object.get(b"spandrel_port\0").map_err(failed)?,
            trace_open: *object.get(b"spandrel_trace_open\0").map_err(failed)?,
            trace_dump: *object.get(b"spandrel_trace_dump\0").map_err(failed)?,
            trace_close: *object.get(b"spandrel_trace_close\0").map_err(failed)?,
        }
    };
    Ok((object, functions))
}
