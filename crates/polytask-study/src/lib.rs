//! What should be shared? What differences between arms mean, and what tasks have in common.
//!
//! [`statistics`] says what differences mean, [`relatedness`] what tasks have in common; both are plain functions of
//! numbers.

pub mod relatedness;
pub mod statistics;
