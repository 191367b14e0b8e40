//! From a profile to the card's compiled model.

use crate::SimError;
use crate::model::{BuildOptions, ModelLibrary};
use spandrel_hdl::emit::Emitted;
use spandrel_hdl::pcie::emit_card;
use spandrel_hdl::profile::Profile;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Stack of the thread that elaborates a card.
const STACK_BYTES: usize = 64 << 20;

type Libraries = HashMap<String, Arc<ModelLibrary>>;
/// The models of this process, by profile and kind.
static LIBRARIES: LazyLock<Mutex<Libraries>> = LazyLock::new(Mutex::default);

/// The compiled model of a profile's card, elaborated and loaded once in a process.
pub(super) fn library(profile: &Profile, trace: bool) -> Result<Arc<ModelLibrary>, SimError> {
    let key = format!("{trace} {profile:?}");
    // Held while the model is built: another thread that wants the same card would only build it too.
    let mut libraries = LIBRARIES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(library) = libraries.get(&key) {
        return Ok(library.clone());
    }
    let library = ModelLibrary::build(&elaborate(profile)?, &BuildOptions { trace, ..Default::default() })?;
    libraries.insert(key, library.clone());
    Ok(library)
}

/// The compiled model of a profile's card on PCI Express.
pub(crate) fn pcie_library(profile: &Profile, trace: bool) -> Result<Arc<ModelLibrary>, SimError> {
    match profile.pcie {
        Some(_) => library(profile, trace),
        None => Err(SimError::NoEndpoint { profile: profile.name.clone() }),
    }
}

/// The compiled model of a profile's card behind a serial line.
pub(crate) fn serial_library(profile: &Profile, trace: bool) -> Result<Arc<ModelLibrary>, SimError> {
    match profile.serial {
        Some(_) => library(profile, trace),
        None => Err(SimError::NoSerialLine { profile: profile.name.clone() }),
    }
}

fn elaborate(profile: &Profile) -> Result<Emitted, SimError> {
    // The revision is left out: a model is kept for as long as its Verilog stays the same, and so should be. A card is one
    // large value, larger than the stack of a thread that nobody made for it.
    let emitted = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
        builder.spawn_scoped(scope, || emit_card(profile, 0)).map(std::thread::ScopedJoinHandle::join)
    });
    match emitted.map_err(SimError::io("start a thread to elaborate", &profile.name))? {
        Ok(emitted) => Ok(emitted?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
