//! One number: a linear layer and a loss on the standardised target.
//!
//! Targets are standardised by mean and deviation of training, so that `huber_delta`, `variance_min` and the loss itself
//! have training deviations as their unit. Under `gaussian-nll` a second output makes the variance of a normal
//! distribution whose mean is the first.

use burn::tensor::Tensor;
use polytask_kernels::activation::Activation;
use polytask_kernels::loss::{self, Normalizer};
use polytask_kernels::ops;
use polytask_spec::network::Pool;
use polytask_spec::task::{RegressLoss, RegressTask, Task};

use super::{Head, HeadSite, LossSum, Prediction, Scores};
use crate::encoder::Affine;
use crate::judge::{Judge, NumberJudge};
use crate::parameters::{Group, Init, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation};
use crate::targets::TargetBatch;

/// The regression head.
#[derive(Debug)]
pub struct Regress {
    affine: Affine,
    mean: f64,
    deviation: f64,
    loss: RegressLoss,
    huber_delta: f32,
    variance_min: f32,
    pool: Pool,
    dropout: f64,
}

impl Regress {
    /// Adds `PREFIX.weight [d, 1]` and `PREFIX.bias [1]`, two columns where the variance is predicted too.
    pub fn build(
        (prefix, owner): HeadSite<'_>,
        task: &Task,
        spec: &RegressTask,
        [mean, deviation]: [f64; 2],
        form: Form,
        parameters: &mut Parameters,
        init: Init,
    ) -> Regress {
        let sharing = (Group::Heads, owner);
        let outputs = if spec.loss == RegressLoss::GaussianNll { 2 } else { 1 };
        let affine = Affine::build(prefix, [form.dim(), outputs], Activation::None, sharing, parameters, init);
        let (huber_delta, variance_min) = (spec.huber_delta as f32, spec.variance_min as f32);
        let (loss, pool, dropout) = (spec.loss, spec.pool, task.dropout);
        Regress { affine, mean, deviation, loss, huber_delta, variance_min, pool, dropout }
    }

    fn output(&self, pass: &Pass<'_>, x: Representation) -> Tensor<2> {
        self.affine.on_vectors(pass, pass.dropout(x.pooled(self.pool), self.dropout))
    }

    fn standardised(&self, targets: TargetBatch<'_>) -> Vec<f32> {
        targets.numbers().iter().map(|&y| ((f64::from(y) - self.mean) / self.deviation) as f32).collect()
    }

    /// A standardised number in the target's own units.
    fn restored(&self, y: f32) -> f64 {
        f64::from(y) * self.deviation + self.mean
    }

    fn normal(&self, output: &[f32]) -> Prediction {
        let variance = loss::softplus(f64::from(output[1])).max(f64::from(self.variance_min));
        Prediction::Normal { mean: self.restored(output[0]), deviation: variance.sqrt() * self.deviation }
    }
}

impl Head for Regress {
    fn loss(&self, pass: &Pass<'_>, x: Representation, targets: TargetBatch<'_>) -> Option<Tensor<1>> {
        let targets = self.standardised(targets);
        if targets.iter().all(|y| y.is_nan()) {
            return None;
        }
        let output = self.output(pass, x);
        Some(match self.loss {
            RegressLoss::Mse => ops::squared_error(output, targets),
            RegressLoss::Mae => ops::absolute_error(output, targets),
            RegressLoss::Huber => ops::huber(output, targets, self.huber_delta),
            RegressLoss::GaussianNll => ops::gaussian_nll(output, targets, self.variance_min),
        })
    }

    fn infer(&self, pass: &Pass<'_>, x: Representation) -> Scores {
        let values = self.output(pass, x).into_data().try_into_vec().expect("scores are f32");
        Scores { values, lengths: Vec::new() }
    }

    fn loss_of(&self, _pass: &Pass<'_>, scores: &Scores, targets: TargetBatch<'_>) -> LossSum {
        let mut gradient = vec![0.0; scores.values.len()];
        let (values, targets, mean) = (&scores.values, self.standardised(targets), Normalizer::Present);
        match self.loss {
            RegressLoss::Mse => loss::squared_error(values, &targets, mean, &mut gradient),
            RegressLoss::Mae => loss::absolute_error(values, &targets, mean, &mut gradient),
            RegressLoss::Huber => loss::huber(values, &targets, self.huber_delta, mean, &mut gradient),
            RegressLoss::GaussianNll => loss::gaussian_nll(values, &targets, self.variance_min, mean, &mut gradient),
        }
        .into()
    }

    fn predict(&self, _pass: &Pass<'_>, scores: &Scores) -> Vec<Prediction> {
        match self.loss {
            RegressLoss::GaussianNll => scores.values.chunks(2).map(|output| self.normal(output)).collect(),
            _ => scores.values.iter().map(|&y| Prediction::Number(self.restored(y))).collect(),
        }
    }

    fn judge(&self) -> Box<dyn Judge> {
        Box::new(NumberJudge::default())
    }
}
