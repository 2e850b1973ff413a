//! How are tasks traded off?
//!
//! A balancer turns what a step showed (the losses, and for some methods how the tasks' gradients lie to each other)
//! into one weight a task. Here is plain `f64` arithmetic and no tensor: the gradient of a step is `Σ w_t g_t`, and who
//! computes it is the trainer's business.
//!
//! Each method is one file under `methods`: a struct of options and a function of its inputs. What it remembers between
//! steps is a [`State`], an ordinary value that a checkpoint stores. [`all`] lists the methods. Methods that are
//! defined by a small optimisation problem take its exact solution from [`solve`].
//!
//! With the feature `burn`, the module `burn` does the trainer's part for any burn model.
//!
//! ```
//! use polytask_balance::{Seen, find};
//!
//! let tasks = ["ner".to_owned(), "chunk".to_owned()];
//! let balancer = (find("uncertainty").unwrap().build)(&serde_json::Map::new(), &tasks)?;
//! let mut state = balancer.init(tasks.len());
//! let weights = balancer.weigh(&mut state, &Seen::new(vec![Some(0.7), None])?)?;
//! assert_eq!(weights.as_slice(), [0.5, 0.0]);
//! # Ok::<(), polytask_balance::Error>(())
//! ```

mod adam;
mod balancer;
#[cfg(feature = "burn")]
pub mod burn;
mod catalogue;
mod error;
mod gradients;
mod gramian;
#[cfg(test)]
mod laws;
pub mod methods;
mod random;
mod seen;
pub mod solve;
mod state;
mod weights;

pub use balancer::{AnyBalancer, Balancer, Laws, Needs, Scale, erase};
pub use catalogue::{Build, Entry, all, find, schema};
pub use error::{Error, Result};
pub use gradients::{Keeps, TensorGradients};
pub use gramian::Gramian;
pub use seen::Seen;
pub use state::State;
pub use weights::Weights;

/// The examples of the README are run as tests.
#[cfg(all(doctest, feature = "burn"))]
#[doc = include_str!("../README.md")]
struct Readme;
