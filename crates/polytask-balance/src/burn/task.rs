//! What does one task want? Its loss, and the gradient of its loss alone.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Gradients, Tensor};

use crate::{Error, Result};

/// One task's loss in a step, and the gradient of that loss alone.
#[derive(Debug)]
pub struct TaskGradient {
    /// The loss.
    pub loss: f64,
    /// Its gradient in the model's parameters.
    pub gradients: GradientsParams,
}

impl TaskGradient {
    /// Takes what one call of burn's `backward` gave.
    pub fn from_backward<M: Module>(model: &M, loss: f64, gradients: Gradients) -> Self {
        TaskGradient { loss, gradients: GradientsParams::from_grads(gradients, model) }
    }

    /// Walks a loss back. `task` is its number in messages.
    ///
    /// # Errors
    /// Where the loss is not one number, is NaN or infinite, or no parameter that asks for a gradient has gone into it.
    ///
    /// # Panics
    /// Where another loss was walked back through a part of its graph: burn cannot do that twice.
    pub fn of_loss<M: Module>(model: &M, task: usize, loss: &Tensor<1>) -> Result<Self> {
        let value = value_of(task, loss)?;
        if !value.is_finite() {
            return Err(Error::Loss { task, value });
        }
        tracked(task, loss)?;
        Ok(Self::from_backward(model, value, loss.backward()))
    }
}

/// The loss as a number, finite or not.
pub(super) fn value_of(task: usize, loss: &Tensor<1>) -> Result<f64> {
    let found = loss.shape().num_elements();
    if found != 1 {
        return Err(Error::LossShape { task, found });
    }
    loss.clone().try_into_scalar::<f64>().map_err(|error| Error::Read { message: error.to_string() })
}

/// Checks that there is a graph to walk back.
pub(super) fn tracked(task: usize, loss: &Tensor<1>) -> Result<()> {
    if loss.is_tracked() { Ok(()) } else { Err(Error::Untracked { task }) }
}
