//! User-space driver of the Spandrel card.
