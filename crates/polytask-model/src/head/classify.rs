//! One label of several: a linear layer, softmax and cross-entropy.

use burn::tensor::Tensor;
use polytask_kernels::activation::Activation;
use polytask_kernels::{loss, ops};
use polytask_spec::network::Pool;
use polytask_spec::task::{ClassifyTask, Task};

use super::{Head, LossSum, Prediction, Scores};
use crate::encoder::Affine;
use crate::judge::{Judge, LabelJudge};
use crate::parameters::{Group, Init, Owner, Parameters, TaskId};
use crate::pass::Pass;
use crate::representation::{Form, Representation};
use crate::targets::TargetBatch;

/// The classification head.
#[derive(Debug)]
pub struct Classify {
    affine: Affine,
    labels: Vec<String>,
    pool: Pool,
    dropout: f64,
}

impl Classify {
    /// Adds `PREFIX.weight [d, classes]` and `PREFIX.bias [classes]`.
    pub fn build(
        (id, prefix): (TaskId, &str),
        task: &Task,
        spec: &ClassifyTask,
        labels: &[String],
        form: Form,
        parameters: &mut Parameters,
        init: Init,
    ) -> Classify {
        let sharing = (Group::Heads, Owner::Task(id));
        let affine = Affine::build(prefix, [form.dim(), labels.len()], Activation::None, sharing, parameters, init);
        Classify { affine, labels: labels.to_vec(), pool: spec.pool, dropout: task.dropout }
    }

    fn logits(&self, pass: &Pass<'_>, x: Representation) -> Tensor<2> {
        self.affine.on_vectors(pass, pass.dropout(x.pooled(self.pool), self.dropout))
    }
}

impl Head for Classify {
    fn loss(&self, pass: &Pass<'_>, x: Representation, targets: TargetBatch<'_>) -> Option<Tensor<1>> {
        let labels = targets.labels();
        if labels.iter().all(|&label| label == u32::MAX) {
            return None;
        }
        Some(ops::cross_entropy(self.logits(pass, x), labels))
    }

    fn infer(&self, pass: &Pass<'_>, x: Representation) -> Scores {
        let values = self.logits(pass, x).into_data().try_into_vec().expect("scores are f32");
        Scores { values, lengths: Vec::new() }
    }

    fn loss_of(&self, _pass: &Pass<'_>, scores: &Scores, targets: TargetBatch<'_>) -> LossSum {
        super::cross_entropy_of(&scores.values, self.labels.len(), &targets.labels())
    }

    fn predict(&self, _pass: &Pass<'_>, scores: &Scores) -> Vec<Prediction> {
        let mut probabilities = scores.values.clone();
        loss::softmax(&mut probabilities, self.labels.len());
        probabilities
            .chunks(self.labels.len())
            .map(|row| Prediction::Label { label: argmax(row), probabilities: row.to_vec() })
            .collect()
    }

    fn judge(&self) -> Box<dyn Judge> {
        Box::new(LabelJudge::new(&self.labels))
    }
}

/// Index of the largest value, the first of equal ones.
pub fn argmax(values: &[f32]) -> u32 {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best as u32
}
