//! How are all sequences of one text summed? Forward, backward and Viterbi recursions in 64 bits.
//!
//! Sums run over products of exponentials relative to the step's largest score, which takes `tags` exponentials a step
//! rather than `tags²`. Where such a sum is so small that underflow could have touched it, it is taken again term by term.

use super::Crf;

/// Below this a sum of products may have lost terms to underflow that matter.
const TINY: f64 = 1e-250;
/// Above this logarithm a common factor could lift underflowed terms to where they matter.
const LARGE: f64 = 500.0;

/// The parameters, ready for the recursions; illegal scores are minus infinity.
pub(super) struct Chain {
    count: usize,
    forward: Step,
    backward: Step,
    start: Vec<f64>,
    end: Vec<f64>,
}

/// One step from sources to targets, `[source, target]`.
struct Step {
    log: Vec<f64>,
    /// `exp(log - largest)`.
    weight: Vec<f64>,
    largest: f64,
}

impl Step {
    fn new(log: Vec<f64>) -> Self {
        let largest = largest(&log);
        let largest = if largest.is_finite() { largest } else { 0.0 };
        Self { weight: log.iter().map(|score| (score - largest).exp()).collect(), log, largest }
    }

    /// `out[target] = log Σ_source exp(scores[source] + log[source, target])`.
    fn propagate(&self, scores: &[f64], out: &mut [f64]) {
        let (count, base) = (scores.len(), largest(scores));
        out.fill(0.0);
        if base > f64::NEG_INFINITY {
            for (score, weights) in scores.iter().zip(self.weight.chunks_exact(count)) {
                let source = (score - base).exp();
                out.iter_mut().zip(weights).for_each(|(out, weight)| *out += source * weight);
            }
        }
        for (target, out) in out.iter_mut().enumerate() {
            // The comparison sends NaN, too, to where it stays NaN.
            *out = if *out < TINY { self.exact(scores, target) } else { out.ln() + base + self.largest };
        }
    }

    fn exact(&self, scores: &[f64], target: usize) -> f64 {
        log_sum(scores.iter().zip(self.log.iter().skip(target).step_by(scores.len())).map(|(a, b)| a + b))
    }
}

impl Chain {
    pub(super) fn new(crf: &Crf) -> Self {
        let score = |scores: &[f32], legal: &[bool]| -> Vec<f64> {
            let pairs = scores.iter().zip(legal);
            pairs.map(|(score, legal)| if *legal { f64::from(*score) } else { f64::NEG_INFINITY }).collect()
        };
        let (count, legal) = (crf.start.len(), crf.allowed);
        let by_from = score(crf.transitions, &legal.transitions);
        let by_to = (0..count * count).map(|at| by_from[at % count * count + at / count]).collect();
        let (start, end) = (score(crf.start, &legal.start), score(crf.end, &legal.end));
        Self { count, forward: Step::new(by_from), backward: Step::new(by_to), start, end }
    }

    /// The score of a gold sequence, or the position at which it is illegal.
    pub(super) fn gold_score(&self, emissions: &[f32], tags: &[u32]) -> Result<f64, usize> {
        let (mut score, mut before) = (0.0, None);
        for (position, (tag, emissions)) in tags.iter().zip(emissions.chunks_exact(self.count)).enumerate() {
            let tag = *tag as usize;
            if tag >= self.count {
                return Err(position);
            }
            let mut step = before.map_or(self.start[tag], |before: usize| self.forward.log[before * self.count + tag]);
            if position + 1 == tags.len() {
                step += self.end[tag];
            }
            if step == f64::NEG_INFINITY {
                return Err(position);
            }
            score += step + f64::from(emissions[tag]);
            before = Some(tag);
        }
        Ok(score)
    }

    /// `[time, tag]`: log-sum of all beginnings that end in a tag at a position; and the log-partition.
    pub(super) fn forward(&self, emissions: &[f32]) -> (Vec<f64>, f64) {
        let count = self.count;
        let mut alpha = vec![0.0; emissions.len()];
        if emissions.is_empty() {
            return (alpha, 0.0);
        }
        alpha[..count].copy_from_slice(&self.start);
        for (position, emissions) in emissions.chunks_exact(count).enumerate() {
            let (before, here) = alpha.split_at_mut(position * count);
            if position > 0 {
                self.forward.propagate(&before[(position - 1) * count..], &mut here[..count]);
            }
            here.iter_mut().zip(emissions).for_each(|(alpha, emission)| *alpha += f64::from(*emission));
        }
        let last = &alpha[emissions.len() - count..];
        let log_z = log_sum(last.iter().zip(&self.end).map(|(alpha, end)| alpha + end));
        (alpha, log_z)
    }

    /// `[time, tag]`: log-sum of all continuations after a tag at a position.
    pub(super) fn backward(&self, emissions: &[f32]) -> Vec<f64> {
        let count = self.count;
        let (mut beta, mut next) = (vec![0.0; emissions.len()], vec![0.0; count]);
        for position in (0..emissions.len() / count.max(1)).rev() {
            let (here, after) = beta[position * count..].split_at_mut(count);
            if after.is_empty() {
                here.copy_from_slice(&self.end);
                continue;
            }
            next.copy_from_slice(&after[..count]);
            let emissions = &emissions[(position + 1) * count..][..count];
            next.iter_mut().zip(emissions).for_each(|(next, emission)| *next += f64::from(*emission));
            self.backward.propagate(&next, here);
        }
        beta
    }

    /// Adds `weight` times the expected number of each transition to `sums` `[from, to]`.
    pub(super) fn add_transitions(&self, emissions: &[f32], text: &Posterior, weight: f64, sums: &mut [f64]) {
        let count = self.count;
        let (mut sources, mut targets) = (vec![0.0; count], vec![0.0; count]);
        for position in 1..emissions.len() / count.max(1) {
            sources.copy_from_slice(&text.alpha[(position - 1) * count..][..count]);
            targets.copy_from_slice(&text.beta[position * count..][..count]);
            let emissions = &emissions[position * count..][..count];
            targets.iter_mut().zip(emissions).for_each(|(target, emission)| *target += f64::from(*emission));
            let (source_base, target_base) = (largest(&sources), largest(&targets));
            let factor = source_base + target_base + self.forward.largest - text.log_z;
            if factor > LARGE || !factor.is_finite() {
                for (at, sum) in sums.iter_mut().enumerate() {
                    let log = sources[at / count] + self.forward.log[at] + targets[at % count] - text.log_z;
                    *sum += weight * log.exp();
                }
                continue;
            }
            targets.iter_mut().for_each(|target| *target = (*target - target_base).exp());
            let rows = sums.chunks_exact_mut(count).zip(self.forward.weight.chunks_exact(count));
            for ((sums, weights), source) in rows.zip(&sources) {
                let source = weight * (source - source_base + factor).exp();
                for ((sum, weight), target) in sums.iter_mut().zip(weights).zip(&targets) {
                    *sum += source * (weight * target);
                }
            }
        }
    }

    /// The best sequence and its score, minus infinity if there is none.
    pub(super) fn best(&self, emissions: &[f32]) -> (Vec<u32>, f64) {
        let count = self.count;
        if emissions.is_empty() {
            return (Vec::new(), 0.0);
        }
        let (mut score, mut next) = (self.start.clone(), vec![0.0; count]);
        let mut origins = vec![0_u32; emissions.len()];
        for (position, emissions) in emissions.chunks_exact(count).enumerate() {
            if position > 0 {
                next.fill(f64::NEG_INFINITY);
                let origins = &mut origins[position * count..][..count];
                for (from, (score, log)) in (0..).zip(score.iter().zip(self.forward.log.chunks_exact(count))) {
                    for ((next, origin), log) in next.iter_mut().zip(origins.iter_mut()).zip(log) {
                        let better = score + log > *next;
                        *next = if better { score + log } else { *next };
                        *origin = if better { from } else { *origin };
                    }
                }
                std::mem::swap(&mut score, &mut next);
            }
            score.iter_mut().zip(emissions).for_each(|(score, emission)| *score += f64::from(*emission));
        }
        let (mut tag, mut best) = (0, f64::NEG_INFINITY);
        for (at, (score, end)) in (0..).zip(score.iter().zip(&self.end)) {
            if score + end > best {
                (tag, best) = (at, score + end);
            }
        }
        let mut tags = vec![0; emissions.len() / count];
        for position in (0..tags.len()).rev() {
            tags[position] = tag;
            tag = origins[position * count + tag as usize];
        }
        (tags, best)
    }
}

/// The recursions' results on one text.
pub(super) struct Posterior {
    alpha: Vec<f64>,
    beta: Vec<f64>,
    pub(super) log_z: f64,
}

impl Posterior {
    pub(super) fn new(chain: &Chain, emissions: &[f32]) -> Self {
        let (alpha, log_z) = chain.forward(emissions);
        Self { alpha, beta: chain.backward(emissions), log_z }
    }

    /// Probabilities `[time, tag]` in row-major order.
    pub(super) fn probabilities(&self) -> impl Iterator<Item = f64> + '_ {
        self.alpha.iter().zip(&self.beta).map(|(alpha, beta)| (alpha + beta - self.log_z).exp())
    }
}

fn largest(scores: &[f64]) -> f64 {
    scores.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn log_sum(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let base = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if base == f64::NEG_INFINITY { base } else { terms.map(|term| (term - base).exp()).sum::<f64>().ln() + base }
}
