//! The laws that every method of the catalogue is held to.

mod directions;
mod steps;
mod weights;
