//! Rows of a matrix by their indices.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::host::{HostOp, Keep, Operand, Outcome, apply};
use super::plain;
use super::switch::uses_kernels;
use crate::gather;

/// Rows of `table` `[rows, d]`: `[index.len(), d]`; a row of zeros where an index is `u32::MAX`.
///
/// # Panics
///
/// Where an index is no row.
pub fn gather(table: Tensor<2>, index: Arc<Vec<u32>>) -> Tensor<2> {
    if !uses_kernels(&table) {
        return plain::gather(table, &index);
    }
    apply(Gather { index }, vec![table.into()])
}

struct Gather {
    index: Arc<Vec<u32>>,
}

impl HostOp for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn forward(&self, inputs: &[Operand<'_>], _keep: Keep) -> Outcome {
        let d = inputs[0].dim(1);
        let mut data = vec![0.0; self.index.len() * d];
        gather::gather(inputs[0].data, d, &self.index, &mut data);
        Outcome { data, shape: vec![self.index.len(), d] }
    }

    fn backward(&self, inputs: &[Operand<'_>], _y: &[f32], dy: &[f32], _needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        let mut gradient = vec![0.0; inputs[0].data.len()];
        gather::scatter_add(dy, inputs[0].dim(1), &self.index, &mut gradient);
        vec![Some(gradient)]
    }
}
