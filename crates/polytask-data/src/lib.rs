//! Where do batches come from?
//!
//! Readers turn files into records, [`load`](load::load) turns records into examples: words become numbers, labels
//! become positions in a sorted list, and the examples are divided into train, valid and test.

pub mod batches;
pub mod characters;
pub mod duplicates;
pub mod error;
pub mod guard;
mod hash;
pub mod inspect;
pub mod interner;
pub mod load;
pub mod open;
pub mod readers;
pub mod recognise;
pub mod record;
pub mod rng;
pub mod sampler;
pub mod shapes;
pub mod split;
pub mod subwords;
pub mod table;
pub mod tokenize;
pub mod vectors;
pub mod vocabulary;

pub use error::{Error, Result};
