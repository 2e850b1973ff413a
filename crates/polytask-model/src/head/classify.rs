//! One label of several: a linear layer, softmax and cross-entropy, weighted, smoothed or focal where asked.

use burn::tensor::Tensor;
use polytask_kernels::activation::Activation;
use polytask_kernels::loss::{self, ClassLoss, Normalizer};
use polytask_kernels::ops;
use polytask_spec::network::Pool;
use polytask_spec::task::{ClassifyTask, Task};

use super::{Head, HeadSite, LossSum, Prediction, Scores};
use crate::encoder::Affine;
use crate::judge::{Judge, LabelJudge};
use crate::parameters::{Group, Init, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation};
use crate::targets::TargetBatch;

/// The classification head.
#[derive(Debug)]
pub struct Classify {
    affine: Affine,
    labels: Vec<String>,
    loss: ClassLoss,
    pool: Pool,
    dropout: f64,
}

impl Classify {
    /// Adds `PREFIX.weight [d, classes]` and `PREFIX.bias [classes]`.
    pub fn build(
        (prefix, owner): HeadSite<'_>,
        task: &Task,
        spec: &ClassifyTask,
        (labels, weights): (&[String], &[f32]),
        form: Form,
        parameters: &mut Parameters,
        init: Init,
    ) -> Classify {
        let sharing = (Group::Heads, owner);
        let affine = Affine::build(prefix, [form.dim(), labels.len()], Activation::None, sharing, parameters, init);
        let loss = ClassLoss {
            weights: weights.to_vec(),
            smoothing: spec.label_smoothing as f32,
            gamma: spec.focal_gamma as f32,
        };
        Classify { affine, labels: labels.to_vec(), loss, pool: spec.pool, dropout: task.dropout }
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
        let logits = self.logits(pass, x);
        Some(match self.loss.is_plain() {
            true => ops::cross_entropy(logits, labels),
            false => ops::class_loss(logits, labels, self.loss.clone()),
        })
    }

    fn infer(&self, pass: &Pass<'_>, x: Representation) -> Scores {
        let values = self.logits(pass, x).into_data().try_into_vec().expect("scores are f32");
        Scores { values, lengths: Vec::new() }
    }

    fn loss_of(&self, _pass: &Pass<'_>, scores: &Scores, targets: TargetBatch<'_>) -> LossSum {
        let (classes, labels) = (self.labels.len(), targets.labels());
        if self.loss.is_plain() {
            return super::cross_entropy_of(&scores.values, classes, &labels);
        }
        let mut gradient = vec![0.0; scores.values.len()];
        loss::class_loss((&scores.values, classes), &labels, &self.loss, Normalizer::Present, &mut gradient).into()
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
