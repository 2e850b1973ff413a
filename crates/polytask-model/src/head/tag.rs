//! One tag a token: a linear layer, then softmax for each token or a linear-chain CRF for the sentence.
//!
//! CRF: Lafferty, McCallum and Pereira, ICML 2001; over a BiLSTM: Lample et al., NAACL 2016. Only transitions that the
//! span encoding allows take part, in training and in decoding. The loss is the mean over tokens under both decoders,
//! so that a change of decoder leaves the task's weight among the others as it was.

use std::sync::Arc;

use burn::tensor::Tensor;
use polytask_kernels::activation::Activation;
use polytask_kernels::crf::{self, Crf, Emissions, Legal};
use polytask_kernels::{loss, ops};
use polytask_spec::task::{Decoder, TagTask, Task};

use super::classify::argmax;
use super::{Head, HeadSite, LossSum, Prediction, Scores};
use crate::encoder::Affine;
use crate::judge::{Judge, TagJudge};
use crate::parameters::{Group, Init, ParameterId, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation, Sequence};
use crate::tags::TagSet;
use crate::targets::TargetBatch;

/// The tagging head.
#[derive(Debug)]
pub struct Tag {
    affine: Affine,
    tags: TagSet,
    chain: Option<Chain>,
    dropout: f64,
}

/// The CRF's parameters.
#[derive(Debug)]
struct Chain {
    transitions: ParameterId,
    start: ParameterId,
    end: ParameterId,
    legal: Arc<Legal>,
}

impl Tag {
    /// Adds `PREFIX.weight [d, tags]`, `PREFIX.bias [tags]` and, for a CRF, `PREFIX.transitions [tags, tags]` (from, to),
    /// `PREFIX.start [tags]` and `PREFIX.end [tags]`, all three zero at first.
    pub fn build(
        (prefix, owner): HeadSite<'_>,
        task: &Task,
        spec: &TagTask,
        tags: &TagSet,
        form: Form,
        parameters: &mut Parameters,
        init: Init,
    ) -> Tag {
        let count = tags.names.len();
        let sharing = (Group::Heads, owner);
        let affine = Affine::build(prefix, [form.dim(), count], Activation::None, sharing, parameters, init);
        let chain = (spec.decoder == Decoder::Crf).then(|| {
            let mut add = |part: &str, shape: &[usize]| {
                let values = vec![0.0; shape.iter().product()];
                parameters.add(format!("{prefix}.{part}"), shape, sharing.0, sharing.1, values)
            };
            Chain {
                transitions: add("transitions", &[count, count]),
                start: add("start", &[count]),
                end: add("end", &[count]),
                legal: Arc::new(tags.legal()),
            }
        });
        Tag { affine, tags: tags.clone(), chain, dropout: task.dropout }
    }

    fn emissions(&self, pass: &Pass<'_>, x: Representation) -> (Tensor<3>, Arc<Vec<usize>>) {
        let Sequence { values, lengths } = x.into_sequence();
        (self.affine.on_tokens(pass, pass.dropout(values, self.dropout)), lengths)
    }

    /// Tags in the padded layout of the scores, and the lengths of those sentences that have all their tags.
    fn padded(&self, targets: TargetBatch<'_>, lengths: &[usize]) -> (Vec<u32>, Vec<usize>) {
        let time = padded_time(lengths);
        let mut padded = vec![u32::MAX; lengths.len() * time];
        let mut known = Vec::with_capacity(lengths.len());
        for ((tags, &length), slots) in targets.tags().into_iter().zip(lengths).zip(padded.chunks_mut(time)) {
            slots[..length].copy_from_slice(&tags[..length]);
            known.push(if tags.contains(&u32::MAX) { 0 } else { length });
        }
        (padded, known)
    }

    /// Hands the CRF with its current weights to `use_field`.
    fn with_field<R>(&self, pass: &Pass<'_>, chain: &Chain, use_field: impl FnOnce(&Crf<'_>) -> R) -> R {
        let [transitions, start, end] =
            [chain.transitions, chain.start, chain.end].map(|id| pass.parameters().get(id).to_vec());
        use_field(&Crf { transitions: &transitions, start: &start, end: &end, allowed: &chain.legal })
    }
}

/// The token extent of a padded batch: its longest text, at least one.
fn padded_time(lengths: &[usize]) -> usize {
    lengths.iter().copied().max().unwrap_or(0).max(1)
}

impl Head for Tag {
    fn loss(&self, pass: &Pass<'_>, x: Representation, targets: TargetBatch<'_>) -> Option<Tensor<1>> {
        let (emissions, lengths) = self.emissions(pass, x);
        let (tags, known) = self.padded(targets, &lengths);
        match &self.chain {
            None if tags.iter().all(|&tag| tag == u32::MAX) => None,
            None => {
                let [batch, time, count] = emissions.dims();
                Some(ops::cross_entropy(emissions.reshape([batch * time, count]), tags))
            }
            Some(_) if known.iter().sum::<usize>() == 0 => None,
            Some(chain) => Some(ops::crf(
                emissions,
                pass.get(chain.transitions),
                pass.get(chain.start),
                pass.get(chain.end),
                ops::CrfTargets { lengths: known, tags, legal: chain.legal.clone() },
            )),
        }
    }

    fn infer(&self, pass: &Pass<'_>, x: Representation) -> Scores {
        let (emissions, lengths) = self.emissions(pass, x);
        let values = emissions.into_data().try_into_vec().expect("scores are f32");
        Scores { values, lengths: lengths.to_vec() }
    }

    fn loss_of(&self, pass: &Pass<'_>, scores: &Scores, targets: TargetBatch<'_>) -> LossSum {
        let (tags, known) = self.padded(targets, &scores.lengths);
        match &self.chain {
            None => super::cross_entropy_of(&scores.values, self.tags.names.len(), &tags),
            Some(chain) => self.with_field(pass, chain, |field| {
                let emissions =
                    Emissions { scores: &scores.values, time: padded_time(&scores.lengths), lengths: &known };
                let sum = crf::nll(field, &emissions, &tags).map_or(f64::NAN, |losses| losses.iter().sum());
                let count: usize = known.iter().sum();
                LossSum { sum, count, weight: count as f64 }
            }),
        }
    }

    fn predict(&self, pass: &Pass<'_>, scores: &Scores) -> Vec<Prediction> {
        let count = self.tags.names.len();
        let time = padded_time(&scores.lengths);
        let mut predictions = self.decide(pass, scores);
        let posterior = match &self.chain {
            None => {
                let mut probabilities = scores.values.clone();
                loss::softmax(&mut probabilities, count);
                probabilities
            }
            Some(chain) => self.with_field(pass, chain, |field| {
                let emissions = Emissions { scores: &scores.values, time, lengths: &scores.lengths };
                crf::marginals(field, &emissions)
                    .map_or_else(|_| vec![0.0; scores.values.len()], |found| found.posterior)
            }),
        };
        for (prediction, rows) in predictions.iter_mut().zip(posterior.chunks(time * count)) {
            if let Prediction::Tags { tags, probabilities } = prediction {
                *probabilities = tags.iter().zip(rows.chunks(count)).map(|(&tag, row)| row[tag as usize]).collect();
            }
        }
        predictions
    }

    fn decide(&self, pass: &Pass<'_>, scores: &Scores) -> Vec<Prediction> {
        let count = self.tags.names.len();
        let time = padded_time(&scores.lengths);
        let tags = |tags| Prediction::Tags { tags, probabilities: Vec::new() };
        match &self.chain {
            None => {
                let texts = scores.lengths.iter().zip(scores.values.chunks(time * count));
                texts.map(|(&length, rows)| tags(rows.chunks(count).take(length).map(argmax).collect())).collect()
            }
            Some(chain) => self.with_field(pass, chain, |field| {
                let emissions = Emissions { scores: &scores.values, time, lengths: &scores.lengths };
                match crf::viterbi(field, &emissions) {
                    Ok(best) => best.into_iter().map(|path| tags(path.tags)).collect(),
                    // Scores that are no numbers have no best sequence; training stops long before a model has any.
                    Err(_) => scores.lengths.iter().map(|&length| tags(vec![0; length])).collect(),
                }
            }),
        }
    }

    fn judge(&self) -> Box<dyn Judge> {
        Box::new(TagJudge::new(&self.tags))
    }
}
