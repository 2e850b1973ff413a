//! Which examples does each step train on? A pure function of (seed, epoch), so that a run resumes exactly.
//!
//! | sampling | what a step draws from |
//! |---|---|
//! | `proportional` | one source; every example once an epoch, or as often as the source's `passes` say |
//! | `uniform` | one source, all equally often, in random order |
//! | `round-robin` | one source, all in turns |
//! | `temperature` | one source of `n` training examples with probability `p ∝ n^(1 / T)` |
//! | `annealed` | one source with `p ∝ n^α`, `α = 1 - 0.8 (e - 1) / (E - 1)` in epoch `e` of `E` |
//! | `joint` | every source |
//!
//! Annealed: Stickland and Murray, "BERT and PALs: projected attention layers for efficient adaptation in multi-task
//! learning", ICML 2019; with `T = 2`, temperature sampling is their square root sampling.
//!
//! An epoch holds as many examples as all active training sets together, each times its `passes`. A *pass* visits every
//! example of one source once: the examples are shuffled, sorted by length within pools of 50 batches so that padding
//! is small, cut into batches, and the batches are shuffled.

use crate::rng::Rng;
use polytask_spec::training::{Sampling, Train};

/// Batches in a pool whose examples are sorted by length: padding gets small, yet batches differ from pass to pass.
const POOL_BATCHES: usize = 50;

/// The training examples of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The dataset's name; the order of its examples depends on it, not on the other sources.
    pub name: String,
    /// Tokens of each example, for batches of similar length.
    pub lengths: Vec<u32>,
    /// Examples in a batch, at least 1.
    pub batch_size: usize,
    /// Passes over the examples in an epoch of proportional sampling, above 0; other samplings have 1.
    pub passes: f64,
}

/// What one step trains on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// One batch, or under joint sampling one batch of each active source, in the order of the sources.
    pub batches: Vec<BatchRef>,
}

/// Examples of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRef {
    /// Index of the source.
    pub source: usize,
    /// Indices of the examples within the source, never empty.
    pub examples: Vec<u32>,
}

/// In which order sources that are drawn equally often come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Random,
    Fixed,
}

/// Decides which examples each step of an epoch trains on.
#[derive(Debug, Clone)]
pub struct Sampler {
    seed: u64,
    sources: Vec<Source>,
    sampling: Sampling,
    temperature: f64,
    epochs: usize,
}

impl Sampler {
    /// Makes the sampler of these sources; sources without examples are never drawn from.
    pub fn new(seed: u64, sources: Vec<Source>, train: &Train) -> Sampler {
        let sources = sources.into_iter().map(|s| Source { batch_size: s.batch_size.max(1), ..s }).collect();
        let temperature = train.temperature();
        Sampler { seed, sources, sampling: train.sampling, temperature, epochs: train.epochs }
    }

    /// Number of steps in the first epoch while every source is active; under `annealed` sampling of datasets with
    /// different batch sizes others may differ, and under `proportional` sampling by a fraction of a pass.
    pub fn steps_in_epoch(&self) -> usize {
        self.steps_with(0, &vec![true; self.sources.len()])
    }

    /// Number of steps in all epochs while every source is active.
    pub fn steps_in_run(&self) -> usize {
        match self.sampling {
            Sampling::Annealed | Sampling::Proportional => {
                let active = vec![true; self.sources.len()];
                (0..self.epochs).map(|epoch| self.steps_with(epoch, &active)).sum()
            }
            _ => self.steps_in_epoch() * self.epochs,
        }
    }

    /// Number of steps in an epoch, counted from 0, of the sources whose flag in `active` is set.
    ///
    /// # Panics
    /// If there are not as many flags as sources.
    pub fn steps_with(&self, epoch: usize, active: &[bool]) -> usize {
        let drawn = self.drawn(active);
        let examples: usize = drawn.iter().map(|&source| self.sources[source].lengths.len()).sum();
        let round: usize = drawn.iter().map(|&source| self.sources[source].full_batch()).sum();
        match self.sampling {
            Sampling::Proportional => {
                let of = |&source: &usize| self.sources[source].share(epoch).count();
                drawn.iter().map(of).sum()
            }
            _ if round == 0 => 0,
            // A step holds `round / drawn` examples on average.
            Sampling::Uniform | Sampling::RoundRobin => (examples * drawn.len()).div_ceil(round),
            Sampling::Joint => examples.div_ceil(round),
            Sampling::Temperature | Sampling::Annealed => {
                let chances = self.chances(epoch, &drawn);
                let batches = drawn.iter().map(|&source| self.sources[source].full_batch() as f64);
                let in_step: f64 = chances.iter().zip(batches).map(|(chance, batch)| chance * batch).sum();
                // Rounding of the chances must not add a step.
                (examples as f64 / in_step - 1e-6).ceil() as usize
            }
        }
    }

    /// The steps of epoch `epoch`, drawn from the sources whose flag in `active` is set.
    ///
    /// `taken` is the number of batches that earlier epochs drew from each source (a counter that belongs in the
    /// checkpoint): every sampling but the proportional one goes on from there, so that a source is visited evenly while
    /// other sources come and go. Under proportional sampling the epoch alone says where in its passes a source is.
    ///
    /// # Panics
    /// If there are not as many flags or counters as sources.
    pub fn epoch(&self, epoch: usize, active: &[bool], taken: &[u64]) -> Vec<Step> {
        assert_eq!(taken.len(), self.sources.len(), "one counter of taken batches a source");
        match self.sampling {
            Sampling::Proportional => self.proportional(epoch, active),
            Sampling::Uniform => self.in_turns(epoch, active, taken, Order::Random),
            Sampling::RoundRobin => self.in_turns(epoch, active, taken, Order::Fixed),
            Sampling::Temperature | Sampling::Annealed => self.by_chance(epoch, active, taken),
            Sampling::Joint => self.joint(epoch, active, taken),
        }
    }

    fn proportional(&self, epoch: usize, active: &[bool]) -> Vec<Step> {
        let mut steps = Vec::new();
        for source in self.drawn(active) {
            let share = self.sources[source].share(epoch);
            let mut stream = self.stream(source, share.start);
            steps.extend(share.map(|_| Step { batches: vec![stream.next_batch()] }));
        }
        Rng::derive(self.seed, "order of steps", epoch as u64).shuffle(&mut steps);
        steps
    }

    fn in_turns(&self, epoch: usize, active: &[bool], taken: &[u64], turns: Order) -> Vec<Step> {
        let drawn = self.drawn(active);
        let steps = self.steps_with(epoch, active);
        // Where steps cannot be shared out evenly, the extra ones go round the sources from epoch to epoch.
        let extra = steps.checked_rem(drawn.len()).unwrap_or(0);
        let mut order: Vec<usize> = (0..steps).map(|step| drawn[(epoch * extra + step) % drawn.len()]).collect();
        if turns == Order::Random {
            Rng::derive(self.seed, "order of steps", epoch as u64).shuffle(&mut order);
        }
        self.next_batches(order, taken)
    }

    fn by_chance(&self, epoch: usize, active: &[bool], taken: &[u64]) -> Vec<Step> {
        let drawn = self.drawn(active);
        let chances = self.chances(epoch, &drawn);
        let mut rng = Rng::derive(self.seed, "sources of steps", epoch as u64);
        let mut draw = || {
            let mut rest = rng.uniform();
            let below = |chance: &f64| {
                rest -= chance;
                rest < 0.0
            };
            // The chances may sum to a little less than one.
            drawn[chances.iter().position(below).unwrap_or(drawn.len() - 1)]
        };
        let order = (0..self.steps_with(epoch, active)).map(|_| draw()).collect();
        self.next_batches(order, taken)
    }

    /// The probability that a step of an epoch draws from each of some sources; they sum to one.
    fn chances(&self, epoch: usize, drawn: &[usize]) -> Vec<f64> {
        let exponent = match self.sampling {
            Sampling::Annealed => 1.0 - 0.8 * epoch as f64 / self.epochs.saturating_sub(1).max(1) as f64,
            _ => 1.0 / self.temperature,
        };
        let examples: Vec<f64> = drawn.iter().map(|&source| self.sources[source].lengths.len() as f64).collect();
        // Shares of the largest source, so that no power overflows.
        let largest = examples.iter().copied().fold(1.0, f64::max);
        let weights: Vec<f64> = examples.iter().map(|examples| (examples / largest).powf(exponent)).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect()
    }

    /// A step with the next batch of each of these sources.
    fn next_batches(&self, order: Vec<usize>, taken: &[u64]) -> Vec<Step> {
        let mut streams = self.streams(taken);
        order.into_iter().map(|source| Step { batches: vec![streams[source].next_batch()] }).collect()
    }

    fn joint(&self, epoch: usize, active: &[bool], taken: &[u64]) -> Vec<Step> {
        let drawn = self.drawn(active);
        let mut streams = self.streams(taken);
        let mut step = || Step { batches: drawn.iter().map(|&source| streams[source].next_batch()).collect() };
        (0..self.steps_with(epoch, active)).map(|_| step()).collect()
    }

    /// Indices of the active sources that hold examples.
    fn drawn(&self, active: &[bool]) -> Vec<usize> {
        assert_eq!(active.len(), self.sources.len(), "one flag a source");
        (0..active.len()).filter(|&source| active[source] && !self.sources[source].lengths.is_empty()).collect()
    }

    fn streams(&self, taken: &[u64]) -> Vec<Stream<'_>> {
        taken.iter().enumerate().map(|(index, &taken)| self.stream(index, taken)).collect()
    }

    /// The batches of a source after the first `taken`.
    fn stream(&self, index: usize, taken: u64) -> Stream<'_> {
        Stream { seed: self.seed, index, source: &self.sources[index], taken, pass: None }
    }
}

impl Source {
    /// Number of batches in a pass.
    fn batches(&self) -> usize {
        self.lengths.len().div_ceil(self.batch_size)
    }

    /// Which of its endless batches an epoch of proportional sampling takes: `passes` times as many as a pass has, so that
    /// epochs follow each other without a gap. A set of which an epoch takes less than half a batch is left out of some.
    fn share(&self, epoch: usize) -> std::ops::Range<u64> {
        let until = |epoch: usize| (epoch as f64 * self.passes * self.batches() as f64).round() as u64;
        until(epoch)..until(epoch + 1)
    }

    /// Examples in the largest batch.
    fn full_batch(&self) -> usize {
        self.batch_size.min(self.lengths.len())
    }

    /// The batches of pass `number`.
    fn pass(&self, seed: u64, number: u64) -> Vec<Vec<u32>> {
        let mut rng = Rng::derive(seed, &format!("examples of {}", self.name), number);
        let mut order: Vec<u32> = (0..self.lengths.len() as u32).collect();
        rng.shuffle(&mut order);
        let pool = self.batch_size.saturating_mul(POOL_BATCHES);
        // The sort is stable: examples of one length stay in random order.
        order.chunks_mut(pool).for_each(|pool| pool.sort_by_key(|&example| self.lengths[example as usize]));
        let mut batches: Vec<Vec<u32>> = order.chunks(self.batch_size).map(<[u32]>::to_vec).collect();
        rng.shuffle(&mut batches);
        batches
    }
}

/// The endless sequence of a source's batches, pass after pass.
struct Stream<'a> {
    seed: u64,
    index: usize,
    source: &'a Source,
    taken: u64,
    /// The current pass and its number.
    pass: Option<(u64, Vec<Vec<u32>>)>,
}

impl Stream<'_> {
    fn next_batch(&mut self) -> BatchRef {
        let length = self.source.batches() as u64;
        let (number, position) = (self.taken / length, (self.taken % length) as usize);
        self.taken += 1;
        let current = self.pass.take().filter(|(known, _)| *known == number);
        let (_, batches) = self.pass.insert(current.unwrap_or_else(|| (number, self.source.pass(self.seed, number))));
        BatchRef { source: self.index, examples: std::mem::take(&mut batches[position]) }
    }
}

#[cfg(test)]
mod tests;
