//! What tests of single blocks need.
