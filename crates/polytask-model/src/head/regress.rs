//! One number: a linear layer and mean squared error on the standardised target.

use burn::tensor::Tensor;
use polytask_kernels::activation::Activation;
use polytask_kernels::loss::{self, Normalizer};
use polytask_kernels::ops;
use polytask_spec::network::Pool;
use polytask_spec::task::{RegressTask, Task};

use super::{Head, LossSum, Prediction, Scores};
use crate::encoder::Affine;
use crate::judge::{Judge, NumberJudge};
use crate::parameters::{Group, Init, Owner, Parameters, TaskId};
use crate::pass::Pass;
use crate::representation::{Form, Representation};
use crate::targets::TargetBatch;

/// The regression head.
#[derive(Debug)]
pub struct Regress {
    affine: Affine,
    mean: f64,
    deviation: f64,
    pool: Pool,
    dropout: f64,
}

impl Regress {
    /// Adds `PREFIX.weight [d, 1]` and `PREFIX.bias [1]`.
    pub fn build(
        (id, prefix): (TaskId, &str),
        task: &Task,
        spec: &RegressTask,
        [mean, deviation]: [f64; 2],
        form: Form,
        parameters: &mut Parameters,
        init: Init,
    ) -> Regress {
        let sharing = (Group::Heads, Owner::Task(id));
        let affine = Affine::build(prefix, [form.dim(), 1], Activation::None, sharing, parameters, init);
        Regress { affine, mean, deviation, pool: spec.pool, dropout: task.dropout }
    }

    fn output(&self, pass: &Pass<'_>, x: Representation) -> Tensor<2> {
        self.affine.on_vectors(pass, pass.dropout(x.pooled(self.pool), self.dropout))
    }

    fn standardised(&self, targets: TargetBatch<'_>) -> Vec<f32> {
        targets.numbers().iter().map(|&y| ((f64::from(y) - self.mean) / self.deviation) as f32).collect()
    }
}

impl Head for Regress {
    fn loss(&self, pass: &Pass<'_>, x: Representation, targets: TargetBatch<'_>) -> Option<Tensor<1>> {
        let targets = self.standardised(targets);
        if targets.iter().all(|y| y.is_nan()) {
            return None;
        }
        Some(ops::squared_error(self.output(pass, x), targets))
    }

    fn infer(&self, pass: &Pass<'_>, x: Representation) -> Scores {
        let values = self.output(pass, x).into_data().try_into_vec().expect("scores are f32");
        Scores { values, lengths: Vec::new() }
    }

    fn loss_of(&self, _pass: &Pass<'_>, scores: &Scores, targets: TargetBatch<'_>) -> LossSum {
        let mut gradient = vec![0.0; scores.values.len()];
        let targets = self.standardised(targets);
        let loss = loss::squared_error(&scores.values, &targets, Normalizer::Present, &mut gradient);
        LossSum { sum: loss.sum, count: loss.count }
    }

    fn predict(&self, _pass: &Pass<'_>, scores: &Scores) -> Vec<Prediction> {
        scores.values.iter().map(|&y| Prediction::Number(f64::from(y) * self.deviation + self.mean)).collect()
    }

    fn judge(&self) -> Box<dyn Judge> {
        Box::new(NumberJudge::default())
    }
}
