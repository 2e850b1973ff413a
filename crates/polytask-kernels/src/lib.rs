//! What must be fast? Fused forward and backward kernels for text networks on a CPU.
//!
//! Every kernel is a plain function over `f32` slices, in row-major order, with a forward and a backward part.
//! A batch of sequences is padded to `[batch, time, d]` and comes with `lengths`, one a sequence, each at most
//! `time` and possibly zero: positions past a length are never read as data, and outputs and input gradients
//! are zero there.
//!
//! Work is split into pieces whose sizes depend on the shapes alone, and sums are taken in a fixed order, so a
//! result has the same bits for any number of rayon threads. Kernels run on rayon's current pool.
//!
//! Shapes are checked with assertions: a slice of the wrong size is a mistake of the calling code, and panics.

pub mod activation;
mod bands;
mod buffers;
pub mod conv;
pub mod conv_max;
pub mod crf;
pub mod dropout;
pub mod filters;
pub mod gather;
pub mod linear;
pub mod lookup;
pub mod loss;
pub mod lstm;
pub mod math;
pub mod matrix;
#[cfg(feature = "burn")]
pub mod ops;
pub mod optim;
mod packed;
pub mod padded;
pub mod pool;
pub mod products;
mod rng;
pub mod rows;
pub mod threads;
pub mod word_conv;

#[cfg(test)]
mod testing;
