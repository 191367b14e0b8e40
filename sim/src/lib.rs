//! Cycle-accurate simulation of the Spandrel card.
