//! `spandrel card`, and the opening of cards.
use super::args::CardArgs;
use super::error::CliError;
use super::progress::Progress;
use crate::backend::Backend;
use std::sync::Arc;

impl CardArgs {
    pub(super) fn open(&self, _: &Arc<Progress>) -> Result<Box<dyn Backend>, CliError> {
        Err(CliError::Usage("this build can open no card: use --backend cpu".to_owned()))
    }
}
