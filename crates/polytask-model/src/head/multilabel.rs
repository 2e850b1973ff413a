//! Any number of labels: a linear layer, and for each label a logistic function and binary cross-entropy.

use burn::tensor::Tensor;
use polytask_kernels::activation::Activation;
use polytask_kernels::loss::{self, Normalizer};
use polytask_kernels::ops;
use polytask_spec::network::Pool;
use polytask_spec::task::{MultilabelTask, Task};

use super::{Head, HeadSite, LossSum, Prediction, Scores};
use crate::encoder::Affine;
use crate::judge::{Judge, MultilabelJudge};
use crate::parameters::{Group, Init, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation};
use crate::targets::TargetBatch;

/// The head that predicts sets of labels.
#[derive(Debug)]
pub struct Multilabel {
    affine: Affine,
    labels: Vec<String>,
    weights: Vec<f32>,
    threshold: f64,
    pool: Pool,
    dropout: f64,
}

impl Multilabel {
    /// Adds `PREFIX.weight [d, labels]` and `PREFIX.bias [labels]`.
    pub fn build(
        (prefix, owner): HeadSite<'_>,
        task: &Task,
        spec: &MultilabelTask,
        (labels, weights): (&[String], &[f32]),
        form: Form,
        parameters: &mut Parameters,
        init: Init,
    ) -> Multilabel {
        let sharing = (Group::Heads, owner);
        let affine = Affine::build(prefix, [form.dim(), labels.len()], Activation::None, sharing, parameters, init);
        let (labels, weights) = (labels.to_vec(), weights.to_vec());
        Multilabel { affine, labels, weights, threshold: spec.threshold, pool: spec.pool, dropout: task.dropout }
    }

    fn logits(&self, pass: &Pass<'_>, x: Representation) -> Tensor<2> {
        self.affine.on_vectors(pass, pass.dropout(x.pooled(self.pool), self.dropout))
    }

    /// `[batch * labels]`: 1 for each label that is there, 0 for the others, NaN where an example has no target.
    fn indicators(&self, targets: TargetBatch<'_>) -> Vec<f32> {
        let row = |set: &[u32]| {
            let mut row = vec![if set.contains(&u32::MAX) { f32::NAN } else { 0.0 }; self.labels.len()];
            set.iter().filter(|&&label| label != u32::MAX).for_each(|&label| row[label as usize] = 1.0);
            row
        };
        targets.label_sets().into_iter().flat_map(row).collect()
    }
}

impl Head for Multilabel {
    fn loss(&self, pass: &Pass<'_>, x: Representation, targets: TargetBatch<'_>) -> Option<Tensor<1>> {
        let targets = self.indicators(targets);
        if targets.iter().all(|target| target.is_nan()) {
            return None;
        }
        Some(ops::binary_cross_entropy(self.logits(pass, x), targets, self.weights.clone()))
    }

    fn infer(&self, pass: &Pass<'_>, x: Representation) -> Scores {
        let values = self.logits(pass, x).into_data().try_into_vec().expect("scores are f32");
        Scores { values, lengths: Vec::new() }
    }

    fn loss_of(&self, _pass: &Pass<'_>, scores: &Scores, targets: TargetBatch<'_>) -> LossSum {
        let mut gradient = vec![0.0; scores.values.len()];
        let (logits, targets) = ((scores.values.as_slice(), self.labels.len()), self.indicators(targets));
        loss::binary_cross_entropy(logits, &targets, &self.weights, Normalizer::Present, &mut gradient).into()
    }

    /// A label is predicted from the threshold on.
    fn predict(&self, _pass: &Pass<'_>, scores: &Scores) -> Vec<Prediction> {
        let probability = |&logit: &f32| (1.0 / (1.0 + (-f64::from(logit)).exp())) as f32;
        let rows = scores.values.chunks(self.labels.len());
        rows.map(|row| {
            let probabilities: Vec<f32> = row.iter().map(probability).collect();
            let chosen = probabilities.iter().enumerate().filter(|(_, p)| f64::from(**p) >= self.threshold);
            Prediction::Labels { labels: chosen.map(|(label, _)| label as u32).collect(), probabilities }
        })
        .collect()
    }

    fn judge(&self) -> Box<dyn Judge> {
        Box::new(MultilabelJudge::new(&self.labels))
    }
}
