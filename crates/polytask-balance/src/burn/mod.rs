//! How does a burn model get a balancer? From the tasks' losses to one gradient that any burn optimizer takes.
//!
//! [`Balance`] is a balancer for the tasks of a burn [`Module`](burn::module::Module), with all that it remembers. A loop
//! that works with every method is:
//!
//! ```
//! use burn::module::{Module, Param};
//! use burn::optim::SgdConfig;
//! use burn::tensor::{Device, Tensor};
//! use polytask_balance::burn::Balance;
//!
//! #[derive(Module, Debug)]
//! struct Point {
//!     place: Param<Tensor<1>>,
//! }
//!
//! let device = Device::flex().autodiff();
//! let mut model = Point { place: Param::from_tensor(Tensor::from_data([3.0, 0.0], &device)) };
//! // Each task wants the point somewhere else. Each loss needs a graph of its own: walking back consumes it.
//! let distance = |model: &Point, to: [f32; 2]| (model.place.val() - Tensor::from_data(to, &device)).square().sum();
//! let losses = |model: &Point| [distance(model, [0.0, 1.0]), distance(model, [0.0, -1.0])];
//!
//! let mut balance = Balance::new("mgda", &["up", "down"])?;
//! let mut optimizer = SgdConfig::new().init();
//! for _ in 0..50 {
//!     balance.compare(&model, || losses(&model), || losses(&model))?; // only for modo and sdmgrad: two other batches
//!     let balanced = balance.step(&model, losses(&model))?;
//!     model = optimizer.step(0.1, model, balanced.gradients);
//!     balance.observe_after(|| losses(&model))?; // only for famo: the same batch again
//! }
//! let place = model.place.val().into_data().try_into_vec::<f32>().unwrap();
//! assert!(place[0].abs() < 1e-3 && place[1].abs() < 1e-6); // between the two, where no direction helps both
//! # Ok::<(), polytask_balance::Error>(())
//! ```
//!
//! # What is balanced
//!
//! Methods on gradients balance the parameters that at least two tasks have reached, in this step or before; a parameter
//! that one task alone reaches follows that task's gradient, unweighted. So a task's head learns at its own pace, whatever
//! the weights. Methods on losses ([`Needs::Losses`](crate::Needs), `LossesAfter`) minimise `Σ w_t L_t`, as their papers
//! do: their weights hold for every parameter. polytask's own trainer does both alike.
//!
//! # What it costs
//!
//! A method on losses takes one backward walk through the sum. A method on gradients takes one a task, and holds the
//! gradients of all tasks until they are combined, but nothing more: products are summed in 64 bits tensor by tensor,
//! from a copy of one tensor's gradients in main memory. On a device with memory of its own, every gradient is read from
//! there once (twice by methods that rewrite gradients).

mod balance;
mod compare;
mod memory;
mod task;
mod visit;

pub use balance::{Balance, Balanced};
pub use memory::Memory;
pub use task::TaskGradient;
