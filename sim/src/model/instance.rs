//! A running instance of a model.

use super::library::ModelLibrary;
use crate::SimError;
use spandrel_hdl::emit::PortDirection;
use std::ffi::{CStr, CString, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;

/// A port of a model, resolved once by [`Model::port`]; good for every instance of the same library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortHandle(u32);

/// Where the Verilated class keeps a port.
struct Storage {
    address: NonNull<u8>,
    /// Bytes of the class member: 1, 2, 4, 8 or a multiple of 4.
    bytes: usize,
    /// Width of the port in bits.
    width: usize,
}

/// An instance of a Verilated design.
///
/// Inputs are written with the `set` methods and take effect at the next [`settle`](Model::settle),
/// [`rise`](Model::rise), [`eval`](Model::eval) or [`clock_cycle`](Model::clock_cycle). For designs with a port
/// `clock`, a cycle is: set inputs, `settle` (clock low: combinational outputs follow the inputs), look at outputs and
/// decide, `rise` (clock high: registers take their new values, outputs follow).
pub struct Model {
    library: Arc<ModelLibrary>,
    handle: NonNull<c_void>,
    ports: Vec<Storage>,
    clock: Option<PortHandle>,
    cycles: u64,
    trace: Option<Trace>,
}

struct Trace {
    path: PathBuf,
    /// Half clock cycles since the file was opened.
    time: u64,
}

// SAFETY: an instance owns its Verilated context and class; nothing in them is tied to the thread that made them, since
// models are built with `--threads 1`. All access goes through `&mut self` or reads memory that only `&mut self` changes.
unsafe impl Send for Model {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("top", &self.library.top)
            .field("cycles", &self.cycles)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Makes an instance; `random_reset` and `seed` are Verilator's.
    pub(super) fn new(library: Arc<ModelLibrary>, random_reset: c_int, seed: u32) -> Model {
        // SAFETY: the function is the shim's; it takes any arguments and returns null if it cannot allocate.
        let handle = unsafe { (library.functions.new)(random_reset, seed) };
        let Some(handle) = NonNull::new(handle) else {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<u64>())
        };
        let ports = (0..library.ports.len()).map(|index| storage(&library, handle, index)).collect();
        let clock = library.by_name.get("clock").copied().map(PortHandle);
        let mut model = Model { library, handle, ports, clock, cycles: 0, trace: None };
        // The first evaluation runs the initial blocks; a fault stays with the instance and shows at the next one.
        let _ = model.try_eval();
        model
    }

    /// The library this is an instance of.
    pub fn library(&self) -> &Arc<ModelLibrary> {
        &self.library
    }

    /// Looks a port up by name.
    pub fn port(&self, name: &str) -> Result<PortHandle, SimError> {
        self.library.by_name.get(name).copied().map(PortHandle).ok_or_else(|| SimError::NoSuchPort {
            top: self.library.top.clone(),
            port: name.to_owned(),
            known: self.library.ports.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// Width of a port in bits.
    pub fn width(&self, port: PortHandle) -> usize {
        self.ports[port.0 as usize].width
    }

    /// Which way a port goes.
    pub fn direction(&self, port: PortHandle) -> PortDirection {
        self.library.ports[port.0 as usize].direction
    }

    /// Sets an input; bits above the port's width are dropped, bits of the port above the 64th become zero.
    #[inline]
    pub fn set_u64(&mut self, port: PortHandle, value: u64) {
        let Storage { address, bytes, width } = self.ports[port.0 as usize];
        let value = if width < 64 { value & ((1 << width) - 1) } else { value };
        // SAFETY: `address` points to `bytes` bytes of the class that this instance owns, aligned to their size (wide
        // ports to 4 bytes), and `&mut self` excludes everybody else.
        unsafe {
            match bytes {
                1 => address.write(value as u8),
                2 => address.cast::<u16>().write(value as u16),
                4 => address.cast::<u32>().write(value as u32),
                8 => address.cast::<u64>().write_unaligned(value),
                _ => {
                    address.cast::<u64>().write_unaligned(value);
                    address.add(8).write_bytes(0, bytes - 8);
                }
            }
        }
    }

    /// The low 64 bits of a port.
    #[inline]
    pub fn get_u64(&self, port: PortHandle) -> u64 {
        let Storage { address, bytes, .. } = self.ports[port.0 as usize];
        // SAFETY: as in `set_u64`; `&self` excludes writers.
        unsafe {
            match bytes {
                1 => address.read().into(),
                2 => address.cast::<u16>().read().into(),
                4 => address.cast::<u32>().read().into(),
                _ => address.cast::<u64>().read_unaligned(),
            }
        }
    }

    /// Whether any of a port's low 64 bits is set: for the one-bit ports of handshakes.
    #[inline]
    pub fn is_high(&self, port: PortHandle) -> bool {
        self.get_u64(port) != 0
    }

    /// Sets an input from little-endian bytes; missing bytes are zero, bits above the port's width are dropped.
    #[inline]
    pub fn set_bytes(&mut self, port: PortHandle, value: &[u8]) {
        let Storage { address, bytes, width } = self.ports[port.0 as usize];
        let used = value.len().min(width.div_ceil(8));
        // SAFETY: `address` points to `bytes` >= ceil(width / 8) bytes of the class that this instance owns; `value` is
        // Rust's and cannot overlap them. Storage is little-endian as the machine is (x86-64, checked where it is built).
        unsafe {
            address.copy_from_nonoverlapping(NonNull::from(value).cast(), used);
            address.add(used).write_bytes(0, bytes - used);
            if width % 8 != 0 && used == width.div_ceil(8) {
                *address.add(used - 1).as_mut() &= (1u8 << (width % 8)) - 1;
            }
        }
    }

    /// Copies a port's little-endian bytes; bytes of `value` past the port's width become zero.
    #[inline]
    pub fn get_bytes(&self, port: PortHandle, value: &mut [u8]) {
        let Storage { address, width, .. } = self.ports[port.0 as usize];
        let (used, rest) = value.split_at_mut(value.len().min(width.div_ceil(8)));
        // SAFETY: as in `set_bytes`; `&self` excludes writers.
        unsafe { NonNull::from(&mut *used).cast().copy_from_nonoverlapping(address, used.len()) };
        rest.fill(0);
    }

    /// A port's value as little-endian bytes, `ceil(width / 8)` of them.
    pub fn bytes(&self, port: PortHandle) -> Vec<u8> {
        let mut value = vec![0; self.width(port).div_ceil(8)];
        self.get_bytes(port, &mut value);
        value
    }

    /// Lets the design follow its inputs.
    ///
    /// # Panics
    /// If the model stops itself (its logic does not settle): a fault of the design that no test should overlook.
    /// Use [`try_eval`](Model::try_eval) outside tests.
    #[inline]
    pub fn eval(&mut self) {
        if let Err(error) = self.try_eval() {
            panic!("{error}");
        }
    }

    /// Lets the design follow its inputs; an error if the model stopped itself, now or before.
    #[inline]
    pub fn try_eval(&mut self) -> Result<(), SimError> {
        // SAFETY: the handle is this library's and alive.
        if unsafe { (self.library.functions.eval)(self.handle.as_ptr()) } == 0 {
            Ok(())
        } else {
            Err(self.stopped())
        }
    }

    #[cold]
    fn stopped(&self) -> SimError {
        // SAFETY: the shim returns a C string that lives until the next call with this handle.
        let message = unsafe { CStr::from_ptr((self.library.functions.fault)(self.handle.as_ptr())) };
        SimError::Stopped { top: self.library.top.clone(), message: message.to_string_lossy().into_owned() }
    }

    /// First half of a clock cycle: clock low, combinational outputs follow the inputs.
    ///
    /// # Panics
    /// As [`eval`](Model::eval).
    #[inline]
    pub fn settle(&mut self) {
        if let Err(error) = self.try_settle() {
            panic!("{error}");
        }
    }

    /// Second half of a clock cycle: clock high, registers take their new values.
    ///
    /// # Panics
    /// As [`eval`](Model::eval).
    #[inline]
    pub fn rise(&mut self) {
        if let Err(error) = self.try_rise() {
            panic!("{error}");
        }
    }

    /// A whole clock cycle: [`settle`](Model::settle), then [`rise`](Model::rise).
    ///
    /// # Panics
    /// As [`eval`](Model::eval).
    #[inline]
    pub fn clock_cycle(&mut self) {
        self.settle();
        self.rise();
    }

    /// As [`settle`](Model::settle), with the model's fault as an error.
    #[inline]
    pub fn try_settle(&mut self) -> Result<(), SimError> {
        self.half_cycle(0)
    }

    /// As [`rise`](Model::rise), with the model's fault as an error.
    #[inline]
    pub fn try_rise(&mut self) -> Result<(), SimError> {
        self.half_cycle(1)?;
        self.cycles += 1;
        Ok(())
    }

    #[inline]
    fn half_cycle(&mut self, level: u64) -> Result<(), SimError> {
        if let Some(clock) = self.clock {
            self.set_u64(clock, level);
        }
        self.try_eval()?;
        if let Some(trace) = &mut self.trace {
            // SAFETY: the handle is this library's and alive; the shim ignores the call where no file is open.
            unsafe { (self.library.functions.trace_dump)(self.handle.as_ptr(), trace.time) };
            trace.time += 1;
        }
        Ok(())
    }

    /// Clock cycles so far.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Starts a waveform of the whole design; one step of its time is half a clock cycle.
    ///
    /// Returns the file that is written: the same name with the extension `vcd` where FST is not to be had on this
    /// machine (see [`BuildOptions::trace`](super::BuildOptions::trace), which the library must have been built with).
    pub fn open_trace(&mut self, path: &Path) -> Result<PathBuf, SimError> {
        let failed = |reason: &str| SimError::Trace { path: path.to_path_buf(), reason: reason.to_owned() };
        let format = self.library.trace.ok_or_else(|| failed("the model was built without waveforms"))?;
        self.close_trace();
        let path = path.with_extension(format.extension());
        let name = CString::new(path.as_os_str().as_encoded_bytes())
            .map_err(|_| failed("its name has a zero byte"))?;
        // SAFETY: the handle is this library's and alive, the name a C string.
        if unsafe { (self.library.functions.trace_open)(self.handle.as_ptr(), name.as_ptr()) } != 0 {
            return Err(failed("the file could not be opened"));
        }
        self.trace = Some(Trace { path: path.clone(), time: 0 });
        Ok(path)
    }

    /// Ends the waveform; returns its file. Dropping the model ends it too.
    pub fn close_trace(&mut self) -> Option<PathBuf> {
        let trace = self.trace.take()?;
        // SAFETY: the handle is this library's and alive.
        unsafe { (self.library.functions.trace_close)(self.handle.as_ptr()) };
        Some(trace.path)
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.close_trace();
        // SAFETY: the handle came from this library's `new` and is not used again.
        unsafe { (self.library.functions.delete)(self.handle.as_ptr()) };
    }
}

fn storage(library: &ModelLibrary, handle: NonNull<c_void>, index: usize) -> Storage {
    let (mut address, mut bytes) = (std::ptr::null_mut(), 0);
    // SAFETY: the handle is this library's and alive; the shim writes both results or returns non-zero.
    let missing = unsafe { (library.functions.port)(handle.as_ptr(), index, &mut address, &mut bytes) } != 0;
    let width = library.ports[index].width;
    let address = NonNull::new(address.cast::<u8>()).filter(|_| !missing);
    match address {
        Some(address) if bytes * 8 >= width && (bytes <= 8 || bytes % 4 == 0) => {
            Storage { address, bytes, width }
        }
        // The shim was generated from the same list of ports: only a damaged cache can lead here.
        _ => panic!("the compiled model of {} does not have the port list it was built from", library.top),
    }
}
