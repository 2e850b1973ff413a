//! How is a parameter updated? In one pass over weight, gradient and moments, or over the rows that a batch touched.
//!
//! A method is a struct of its hyper-parameters, whose defaults are its paper's; `rule` makes it the [`Rule`] of one step,
//! and [`apply`] walks the rule over all elements or some rows. `lamb` and `muon` look at a parameter as a whole and are
//! functions. Definitions are those of PyTorch where it has the method.
//!
//! Weight decay has two forms ([`WeightDecay`]): in the gradient, before the moments see it, or beside them. The gradient
//! scale is where clipping by a global norm enters.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adan;
mod average;
mod lamb;
mod lion;
mod muon;
mod nadam;
mod radam;
mod rmsprop;
mod sgd;
mod squares;
mod step;
mod walk;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::{Adam, WeightDecay};
pub use adamax::Adamax;
pub use adan::Adan;
pub use average::average;
pub use lamb::{Lamb, lamb};
pub use lion::Lion;
pub use muon::{Momentum, Muon, RateMatch, muon};
pub use nadam::Nadam;
pub use radam::Radam;
pub use rmsprop::Rmsprop;
pub use sgd::{Nesterov, Sgd};
pub use squares::sum_of_squares;
pub use step::Step;
pub use walk::{Reach, Rule, apply};

/// Elements a task updates; fixed, so that the result never depends on the number of threads.
const CHUNK: usize = 1 << 15;

#[cfg(test)]
mod tests;
