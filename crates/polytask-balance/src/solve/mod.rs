//! Small problems solved exactly: which weights does a method's definition ask for?
//!
//! Each is a function of a [`Gramian`](crate::Gramian) in a file of its own. All work on the cosines of the gradients
//! and treat their lengths apart, so that lengths from 1e-10 to 1e15 lose no digits.

mod ball;
mod dual_cone;
mod eigen;
mod equiangular;
mod factor;
mod fair;
mod min_norm;
mod nonneg;
#[cfg(test)]
pub(crate) mod samples;
mod simplex;

pub use ball::best_in_ball;
pub use dual_cone::{project, project_each};
pub use eigen::{Eigen, eigen};
pub use equiangular::equiangular;
pub use fair::fair;
pub use min_norm::min_norm;
pub use simplex::nearest_on_simplex;
