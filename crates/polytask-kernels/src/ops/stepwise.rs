//! How is a CRF said in burn's own operations? One step at a time, over the whole batch.

use burn::tensor::{Bool, Tensor, TensorData};

use super::crf::CrfTargets;
use super::plain::{clear, indices, within};
use super::recurrent::steps;
use crate::crf::{CrfError, Legal};

/// The score of a forbidden step of a chain: its exponential is zero in `f32`.
const FORBIDDEN: f32 = -1e4;

pub fn crf(
    emissions: Tensor<3>,
    transitions: Tensor<2>,
    start: Tensor<1>,
    end: Tensor<1>,
    targets: &CrfTargets,
) -> Tensor<1> {
    let [batch, time, _] = emissions.dims();
    let gold = Gold::new(targets, time);
    if batch * time == 0 {
        return Tensor::zeros([1], &emissions.device());
    }
    let emissions = within(emissions, &targets.lengths, 0.0);
    let score = gold.score(emissions.clone(), transitions.clone(), start.clone(), end.clone());
    let total = partition(emissions, transitions, start, end, targets);
    let tokens = targets.lengths.iter().sum::<usize>().max(1);
    (total - score).sum().mul_scalar(1.0 / tokens as f32)
}

/// The logarithm of the sum over all legal sequences of the exponential of their score: `[batch, 1]`, 0 for no tokens.
fn partition(
    emissions: Tensor<3>,
    transitions: Tensor<2>,
    start: Tensor<1>,
    end: Tensor<1>,
    targets: &CrfTargets,
) -> Tensor<2> {
    let ([batch, time, tags], lengths) = (emissions.dims(), &targets.lengths);
    let transitions = forbid(transitions, &targets.legal.transitions).unsqueeze::<3>();
    let (start, end) = (forbid(start, &targets.legal.start), forbid(end, &targets.legal.end));
    let mut emitted = steps(emissions.swap_dims(0, 1).reshape([time * batch, tags]), batch).into_iter();
    let Some(first) = emitted.next() else { unreachable!("there is at least one step") };
    let mut alpha = start.unsqueeze::<2>() + first;
    // What was taken off `alpha` so far: small numbers keep their digits where the score of a long text does not.
    let mut level = Tensor::<2>::zeros([batch, 1], &alpha.device());
    for (at, emission) in (1..).zip(emitted) {
        let largest = alpha.clone().max_dim(1).detach();
        (alpha, level) = (alpha - largest.clone(), level + largest);
        let arriving = alpha.clone().reshape([batch, tags, 1]) + transitions.clone();
        let next = log_sum_exp(arriving, 1).reshape([batch, tags]) + emission;
        let ended: Vec<bool> = lengths.iter().map(|length| at >= *length).collect();
        alpha = match ended.contains(&true) {
            true => {
                let ended = Tensor::<2, Bool>::from_data(TensorData::new(ended, [batch, 1]), &next.device());
                next.mask_where(ended.expand([batch, tags]), alpha)
            }
            false => next,
        };
    }
    clear(log_sum_exp(alpha + end.unsqueeze::<2>(), 1) + level, lengths.iter().map(|length| *length == 0))
}

/// Scores with [`FORBIDDEN`] where a step is not allowed.
fn forbid<const D: usize>(scores: Tensor<D>, allowed: &[bool]) -> Tensor<D> {
    if allowed.iter().all(|allowed| *allowed) {
        return scores;
    }
    let forbidden: Vec<bool> = allowed.iter().map(|allowed| !allowed).collect();
    let forbidden = Tensor::<D, Bool>::from_data(TensorData::new(forbidden, scores.dims()), &scores.device());
    scores.mask_fill(forbidden, FORBIDDEN)
}

/// The logarithm of the sum of exponentials over dimension `dim`, which stays with extent 1.
fn log_sum_exp<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    let largest = x.clone().max_dim(dim).detach();
    (x - largest.clone()).exp().sum_dim(dim).log() + largest
}

/// The gold sequences of a batch, checked.
struct Gold<'a> {
    targets: &'a CrfTargets,
    time: usize,
}

impl<'a> Gold<'a> {
    fn new(targets: &'a CrfTargets, time: usize) -> Gold<'a> {
        assert_eq!(targets.tags.len(), targets.lengths.len() * time, "CRF: tags of another shape");
        assert!(targets.lengths.iter().all(|length| *length <= time), "CRF: a length above {time}");
        let gold = Gold { targets, time };
        for (text, tags) in gold.texts().enumerate() {
            if let Some(position) = illegal(&targets.legal, tags) {
                panic!("CRF: {}", CrfError::IllegalGold { text, position });
            }
        }
        gold
    }

    /// The tags of each text, without its padding.
    fn texts(&self) -> impl Iterator<Item = &'a [u32]> {
        let (targets, time) = (self.targets, self.time);
        targets.lengths.iter().enumerate().map(move |(text, &length)| &targets.tags[text * time..][..length])
    }

    /// The score of each gold sequence, `[batch, 1]`.
    fn score(&self, emissions: Tensor<3>, transitions: Tensor<2>, start: Tensor<1>, end: Tensor<1>) -> Tensor<2> {
        let ([batch, time, tags], device) = (emissions.dims(), emissions.device());
        // A tag past the end reads an emission that is zero there.
        let padded = self.texts().flat_map(|text| (0..time).map(|at| text.get(at).map_or(0, |&tag| tag as usize)));
        let at = indices(padded, &device).reshape([batch, time, 1]);
        let emitted = emissions.gather(2, at).reshape([batch, time]).sum_dim(1);
        // How often a text takes each score of the model: its transitions, its first and its last tag.
        let scores = Tensor::cat(vec![transitions.reshape([tags * tags]), start, end], 0);
        let each = scores.dims()[0];
        let mut taken = vec![0.0f32; batch * each];
        for (text, taken) in self.texts().zip(taken.chunks_mut(each)) {
            let tag = |at: usize| text[at] as usize;
            (1..text.len()).for_each(|at| taken[tag(at - 1) * tags + tag(at)] += 1.0);
            if let Some(last) = text.len().checked_sub(1) {
                taken[tags * tags + tag(0)] += 1.0;
                taken[tags * (tags + 1) + tag(last)] += 1.0;
            }
        }
        let taken = Tensor::<2>::from_data(TensorData::new(taken, [batch, each]), &device);
        emitted + (taken * scores.unsqueeze::<2>()).sum_dim(1)
    }
}

/// The first position of a text whose tag may not stand there.
fn illegal(legal: &Legal, text: &[u32]) -> Option<usize> {
    let count = legal.start.len();
    let allowed = |at: usize| {
        let tag = text[at] as usize;
        tag < count
            && (at > 0 || legal.start[tag])
            && (at == 0 || legal.transitions[text[at - 1] as usize * count + tag])
            && (at + 1 < text.len() || legal.end[tag])
    };
    (0..text.len()).find(|at| !allowed(*at))
}
