//! The methods, one a file.

mod equal;
mod fixed;
mod uncertainty;

pub use equal::{Equal, Normalize};
pub use fixed::{Fixed, FixedWeights};
pub use uncertainty::{Form, Uncertainty};
