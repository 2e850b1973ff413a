//! The negative log-likelihood of a linear-chain CRF over a batch.

use std::sync::{Arc, Mutex};

use burn::tensor::Tensor;

use super::host::{HostOp, Keep, Operand, Outcome, apply};
use super::stepwise;
use super::switch::uses_kernels;
use crate::crf::{self, Crf, CrfGradients, Emissions, Legal};

/// Gold tags of a batch.
#[derive(Debug, Clone)]
pub struct CrfTargets {
    /// Tokens of each text; 0 leaves a text out.
    pub lengths: Vec<usize>,
    /// `[batch, time]`, legal sequences; not read past a length.
    pub tags: Vec<u32>,
    /// Which tags may start, follow each other and end.
    pub legal: Arc<Legal>,
}

/// The negative log-likelihood of the gold tags divided by the number of tokens, `[1]`.
///
/// `emissions` is `[batch, time, tags]`, `transitions` `[tags, tags]` (from, to), `start` and `end` `[tags]`. Emissions
/// that are no numbers, or so large that no sequence has a finite score, give NaN.
///
/// # Panics
///
/// Where a gold sequence is illegal: targets are encoded by the same rules as `legal`.
pub fn crf(
    emissions: Tensor<3>,
    transitions: Tensor<2>,
    start: Tensor<1>,
    end: Tensor<1>,
    targets: CrfTargets,
) -> Tensor<1> {
    if !uses_kernels(&emissions) {
        return stepwise::crf(emissions, transitions, start, end, &targets);
    }
    let inputs = vec![emissions.into(), transitions.into(), start.into(), end.into()];
    apply(CrfOp { targets, gradients: Mutex::default() }, inputs)
}

struct CrfOp {
    targets: CrfTargets,
    gradients: Mutex<Option<CrfGradients>>,
}

impl HostOp for CrfOp {
    fn name(&self) -> &'static str {
        "crf"
    }

    fn forward(&self, inputs: &[Operand<'_>], _keep: Keep) -> Outcome {
        let CrfTargets { lengths, tags, legal } = &self.targets;
        let [emissions, transitions, start, end] = [0, 1, 2, 3].map(|index| inputs[index].data);
        let field = Crf { transitions, start, end, allowed: legal };
        let emissions = Emissions { scores: emissions, time: inputs[0].dim(1), lengths };
        let tokens = lengths.iter().sum::<usize>().max(1) as f64;
        let weights = vec![(1.0 / tokens) as f32; lengths.len()];
        let loss = match crf::nll_gradients(&field, &emissions, tags, &weights) {
            Ok((losses, gradients)) => {
                *self.gradients.lock().expect("no panic while it is held") = Some(gradients);
                (losses.iter().sum::<f64>() / tokens) as f32
            }
            Err(error @ crf::CrfError::IllegalGold { .. }) => panic!("CRF: {error}"),
            Err(crf::CrfError::NoSequence { .. }) => f32::NAN,
        };
        Outcome { data: vec![loss], shape: vec![1] }
    }

    fn backward(&self, inputs: &[Operand<'_>], _y: &[f32], dy: &[f32], _needs: &[bool]) -> Vec<Option<Vec<f32>>> {
        let scale = |mut values: Vec<f32>| {
            values.iter_mut().for_each(|value| *value *= dy[0]);
            Some(values)
        };
        match self.gradients.lock().expect("no panic while it is held").take() {
            Some(CrfGradients { emissions, transitions, start, end }) => {
                [emissions, transitions, start, end].into_iter().map(scale).collect()
            }
            None => inputs.iter().map(|input| Some(vec![f32::NAN; input.data.len()])).collect(),
        }
    }
}
