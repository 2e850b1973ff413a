//! A fully connected layer with its activation.

use burn::tensor::Tensor;

use super::host::{HostOp, Keep, Operand, Outcome, apply};
use super::plain;
use super::switch::uses_kernels;
use crate::activation::Activation;
use crate::linear::{self, Linear};

/// `activation(x w + bias)`: `x` `[rows, inputs]`, `weight` `[inputs, outputs]`, `bias` `[outputs]`.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>, activation: Activation) -> Tensor<2> {
    if !uses_kernels(&x) {
        return plain::linear(x, weight, bias, activation);
    }
    apply(LinearOp { activation }, vec![x.into(), weight.into(), bias.into()])
}

/// `x w`: `x` `[rows, inputs]`, `weight` `[inputs, outputs]`.
pub fn product(x: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    let nothing = Tensor::zeros([weight.dims()[1]], &x.device());
    linear(x, weight, nothing, Activation::None)
}

struct LinearOp {
    activation: Activation,
}

impl LinearOp {
    fn layer<'a>(&self, inputs: &[Operand<'a>]) -> Linear<'a> {
        Linear {
            inputs: inputs[1].dim(0),
            outputs: inputs[1].dim(1),
            weights: inputs[1].data,
            bias: inputs[2].data,
            activation: self.activation,
        }
    }
}

impl HostOp for LinearOp {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn forward(&self, inputs: &[Operand<'_>], _keep: Keep) -> Outcome {
        let layer = self.layer(inputs);
        let rows = inputs[0].dim(0);
        let mut data = vec![0.0; rows * layer.outputs];
        linear::forward(&layer, inputs[0].data, &mut data);
        Outcome { data, shape: vec![rows, layer.outputs] }
    }

    fn backward(&self, inputs: &[Operand<'_>], y: &[f32], dy: &[f32], needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        let mut dx = needs[0].then(|| vec![0.0; inputs[0].data.len()]);
        let gradients = linear::backward(&self.layer(inputs), inputs[0].data, y, dy, dx.as_deref_mut());
        vec![dx, Some(gradients.weights), Some(gradients.bias)]
    }
}
