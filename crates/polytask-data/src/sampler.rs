//! Which examples does each step train on? A pure function of (seed, epoch), so that a run resumes exactly.
//!
//! An epoch holds as many examples as all active training sets together, whatever the sampling. A *pass* visits every
//! example of one source once: the examples are shuffled, sorted by length within pools of 50 batches so that padding
//! is small, cut into batches, and the batches are shuffled.

use crate::rng::Rng;
use polytask_spec::training::Sampling;

/// Batches in a pool whose examples are sorted by length: padding gets small, yet batches differ from pass to pass.
const POOL_BATCHES: usize = 50;

/// The training examples of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The dataset's name; the order of its examples depends on it, not on the other sources.
    pub name: String,
    /// Tokens of each example, for batches of similar length.
    pub lengths: Vec<u32>,
    /// Examples in a batch, at least 1.
    pub batch_size: usize,
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

/// Decides which examples each step of an epoch trains on.
#[derive(Debug, Clone)]
pub struct Sampler {
    seed: u64,
    sources: Vec<Source>,
    sampling: Sampling,
}

impl Sampler {
    /// Makes the sampler of these sources; sources without examples are never drawn from.
    pub fn new(seed: u64, sources: Vec<Source>, sampling: Sampling) -> Sampler {
        let sources = sources.into_iter().map(|s| Source { batch_size: s.batch_size.max(1), ..s }).collect();
        Sampler { seed, sources, sampling }
    }

    /// Number of steps in an epoch while every source is active.
    pub fn steps_in_epoch(&self) -> usize {
        self.steps_with(&vec![true; self.sources.len()])
    }

    /// Number of steps in an epoch of the sources whose flag in `active` is set.
    ///
    /// # Panics
    /// If there are not as many flags as sources.
    pub fn steps_with(&self, active: &[bool]) -> usize {
        let drawn = self.drawn(active);
        let examples: usize = drawn.iter().map(|&source| self.sources[source].lengths.len()).sum();
        let round: usize = drawn.iter().map(|&source| self.sources[source].full_batch()).sum();
        match self.sampling {
            Sampling::Proportional => drawn.iter().map(|&source| self.sources[source].batches()).sum(),
            _ if round == 0 => 0,
            // A step holds `round / drawn` examples on average.
            Sampling::Uniform => (examples * drawn.len()).div_ceil(round),
            Sampling::Joint => examples.div_ceil(round),
        }
    }

    /// The steps of epoch `epoch`, drawn from the sources whose flag in `active` is set.
    ///
    /// `taken` is the number of batches that earlier epochs drew from each source (a counter that belongs in the
    /// checkpoint): uniform and joint sampling go on from there, so that a source is visited evenly while other sources
    /// come and go. Proportional sampling starts a new pass every epoch and does not look at it.
    ///
    /// # Panics
    /// If there are not as many flags or counters as sources.
    pub fn epoch(&self, epoch: usize, active: &[bool], taken: &[u64]) -> Vec<Step> {
        assert_eq!(taken.len(), self.sources.len(), "one counter of taken batches a source");
        match self.sampling {
            Sampling::Proportional => self.proportional(epoch, active),
            Sampling::Uniform => self.uniform(epoch, active, taken),
            Sampling::Joint => self.joint(active, taken),
        }
    }

    fn proportional(&self, epoch: usize, active: &[bool]) -> Vec<Step> {
        let mut steps = Vec::new();
        for source in self.drawn(active) {
            let batches = self.sources[source].pass(self.seed, epoch as u64);
            steps.extend(batches.into_iter().map(|examples| Step { batches: vec![BatchRef { source, examples }] }));
        }
        Rng::derive(self.seed, "order of steps", epoch as u64).shuffle(&mut steps);
        steps
    }

    fn uniform(&self, epoch: usize, active: &[bool], taken: &[u64]) -> Vec<Step> {
        let drawn = self.drawn(active);
        let steps = self.steps_with(active);
        // Where steps cannot be shared out evenly, the extra ones go round the sources from epoch to epoch.
        let extra = steps.checked_rem(drawn.len()).unwrap_or(0);
        let mut order: Vec<usize> = (0..steps).map(|step| drawn[(epoch * extra + step) % drawn.len()]).collect();
        Rng::derive(self.seed, "order of steps", epoch as u64).shuffle(&mut order);
        let mut streams = self.streams(taken);
        order.into_iter().map(|source| Step { batches: vec![streams[source].next_batch()] }).collect()
    }

    fn joint(&self, active: &[bool], taken: &[u64]) -> Vec<Step> {
        let drawn = self.drawn(active);
        let mut streams = self.streams(taken);
        let mut step = || Step { batches: drawn.iter().map(|&source| streams[source].next_batch()).collect() };
        (0..self.steps_with(active)).map(|_| step()).collect()
    }

    /// Indices of the active sources that hold examples.
    fn drawn(&self, active: &[bool]) -> Vec<usize> {
        assert_eq!(active.len(), self.sources.len(), "one flag a source");
        (0..active.len()).filter(|&source| active[source] && !self.sources[source].lengths.is_empty()).collect()
    }

    fn streams(&self, taken: &[u64]) -> Vec<Stream<'_>> {
        let stream = |(index, source)| Stream { seed: self.seed, index, source, taken: taken[index], pass: None };
        self.sources.iter().enumerate().map(stream).collect()
    }
}

impl Source {
    /// Number of batches in a pass.
    fn batches(&self) -> usize {
        self.lengths.len().div_ceil(self.batch_size)
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
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SAMPLINGS: [Sampling; 3] = [Sampling::Proportional, Sampling::Uniform, Sampling::Joint];

    fn sampler(sizes: &[(usize, usize)], sampling: Sampling) -> Sampler {
        let mut rng = Rng::new(11);
        let source = |(index, &(len, batch_size)): (usize, &(usize, usize))| Source {
            name: format!("source {index}"),
            lengths: (0..len).map(|_| 1 + rng.below(60) as u32).collect(),
            batch_size,
        };
        Sampler::new(5, sizes.iter().enumerate().map(source).collect(), sampling)
    }

    fn count(steps: &[Step], taken: &mut [u64]) {
        steps.iter().flat_map(|step| &step.batches).for_each(|batch| taken[batch.source] += 1);
    }

    /// The examples of a source, sorted.
    fn examples(steps: &[Step], source: usize) -> Vec<u32> {
        let batches = steps.iter().flat_map(|step| &step.batches).filter(|batch| batch.source == source);
        let mut all: Vec<u32> = batches.flat_map(|batch| batch.examples.iter().copied()).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn proportional_visits_every_active_example_once() {
        let sampler = sampler(&[(103, 10), (0, 10), (7, 32), (1000, 16)], Sampling::Proportional);
        assert_eq!(sampler.steps_in_epoch(), 11 + 1 + 63);
        for epoch in 0..3 {
            let steps = sampler.epoch(epoch, &[true; 4], &[9, 0, 1, 4]);
            assert_eq!(steps.len(), sampler.steps_in_epoch());
            assert!(steps.iter().all(|step| step.batches.len() == 1 && !step.batches[0].examples.is_empty()));
            for (source, len) in [(0, 103), (1, 0), (2, 7), (3, 1000)] {
                assert_eq!(examples(&steps, source), (0..len).collect::<Vec<u32>>());
            }
        }
        let active = [true, true, true, false];
        let steps = sampler.epoch(0, &active, &[0; 4]);
        assert_eq!((steps.len(), sampler.steps_with(&active)), (12, 12));
        assert!(examples(&steps, 3).is_empty());
    }

    #[test]
    fn uniform_gives_every_source_the_same_number_of_steps() {
        let sampler = sampler(&[(100, 10), (37, 10), (250, 10), (0, 10)], Sampling::Uniform);
        // 387 examples at 10 a step.
        assert_eq!(sampler.steps_in_epoch(), 39);
        let mut taken = [0; 4];
        for epoch in 0..6 {
            let steps = sampler.epoch(epoch, &[true; 4], &taken);
            let before = taken;
            count(&steps, &mut taken);
            assert_eq!([taken[0] - before[0], taken[1] - before[1], taken[2] - before[2]], [13; 3]);
        }
        // 137 examples of the first two: 14 steps; then 350 of the first and third: 35 steps, one extra in turns.
        let steps = sampler.epoch(6, &[true, true, false, true], &taken);
        assert_eq!(steps.len(), 14);
        let mut extra = [0; 4];
        for epoch in 0..10 {
            count(&sampler.epoch(epoch, &[true, false, true, true], &taken), &mut extra);
        }
        assert_eq!(extra, [175, 0, 175, 0]);
    }

    #[test]
    fn passes_go_on_over_epochs_and_wrap_around() {
        for sampling in [Sampling::Uniform, Sampling::Joint] {
            let sampler = sampler(&[(35, 10), (200, 10)], sampling);
            let mut taken = [0; 2];
            let mut drawn: Vec<Vec<u32>> = Vec::new();
            for epoch in 0..4 {
                // The second source pauses in one epoch; the first must not notice.
                let steps = sampler.epoch(epoch, &[true, epoch != 2], &taken);
                count(&steps, &mut taken);
                let batches = steps.into_iter().flat_map(|step| step.batches).filter(|batch| batch.source == 0);
                drawn.extend(batches.map(|batch| batch.examples));
            }
            assert_eq!(drawn.len() as u64, taken[0]);
            let passes: Vec<&[Vec<u32>]> = drawn.chunks_exact(4).collect();
            assert!(passes.len() >= 8, "{sampling:?} {}", passes.len());
            for pass in &passes {
                let mut all = pass.concat();
                all.sort_unstable();
                assert_eq!(all, (0..35).collect::<Vec<u32>>(), "{sampling:?}");
            }
            assert_eq!(passes.iter().collect::<BTreeSet<_>>().len(), passes.len(), "a pass came twice");
        }
    }

    #[test]
    fn joint_steps_hold_a_batch_of_every_active_source() {
        let sampler = sampler(&[(100, 10), (37, 5), (0, 8), (250, 10)], Sampling::Joint);
        // 387 examples at 25 a step.
        assert_eq!(sampler.steps_in_epoch(), 16);
        let steps = sampler.epoch(0, &[true; 4], &[0; 4]);
        assert_eq!(steps.len(), 16);
        for step in &steps {
            assert_eq!(step.batches.iter().map(|batch| batch.source).collect::<Vec<_>>(), [0, 1, 3]);
        }
        let steps = sampler.epoch(1, &[false, true, true, true], &[16; 4]);
        assert_eq!(steps.len(), 20);
        assert!(steps.iter().all(|step| step.batches.iter().all(|batch| batch.source != 0)));
    }

    #[test]
    fn a_source_below_one_batch_counts_with_what_it_holds() {
        // 1,004 examples; a step holds 4 + 32.
        assert_eq!(sampler(&[(4, 32), (1000, 32)], Sampling::Joint).steps_in_epoch(), 28);
        assert_eq!(sampler(&[(4, 32), (1000, 32)], Sampling::Uniform).steps_in_epoch(), 56);
    }

    #[test]
    fn same_seed_same_steps_and_every_epoch_differs() {
        for sampling in SAMPLINGS {
            let one = sampler(&[(60, 10), (90, 10)], sampling);
            let mut taken = [0; 2];
            let mut epochs = BTreeSet::new();
            for epoch in 0..5 {
                let steps = one.epoch(epoch, &[true; 2], &taken);
                assert_eq!(steps, one.clone().epoch(epoch, &[true; 2], &taken));
                count(&steps, &mut taken);
                epochs.insert(format!("{steps:?}"));
            }
            assert_eq!(epochs.len(), 5);
            let other = Sampler { seed: 6, ..one.clone() };
            assert_ne!(one.epoch(0, &[true; 2], &[0; 2]), other.epoch(0, &[true; 2], &[0; 2]));
        }
    }

    #[test]
    fn the_order_of_a_source_does_not_depend_on_the_others() {
        let both = sampler(&[(60, 10), (90, 10)], Sampling::Joint);
        let alone = Sampler::new(5, both.sources[..1].to_vec(), Sampling::Joint);
        let (both, alone) = (both.epoch(0, &[true; 2], &[0; 2]), alone.epoch(0, &[true], &[0]));
        assert!(both.iter().zip(&alone).all(|(with, without)| with.batches[0] == without.batches[0]));
    }

    #[test]
    fn batches_hold_examples_of_similar_length() {
        let sampler = sampler(&[(5000, 20)], Sampling::Proportional);
        let lengths = &sampler.sources[0].lengths;
        let padded = |batch: &[u32]| {
            let longest = batch.iter().map(|&example| lengths[example as usize]).max().unwrap_or(0);
            longest as usize * batch.len()
        };
        let tokens: u32 = lengths.iter().sum();
        let steps = sampler.epoch(0, &[true], &[0]);
        let area: usize = steps.iter().map(|step| padded(&step.batches[0].examples)).sum();
        assert!((area as f64) < 1.05 * f64::from(tokens), "{area} for {tokens} tokens");
    }

    #[test]
    fn nothing_to_draw_from_is_no_step() {
        for sampling in SAMPLINGS {
            assert_eq!(sampler(&[(0, 4)], sampling).epoch(0, &[true], &[0]), []);
            assert_eq!(sampler(&[(9, 4)], sampling).epoch(0, &[false], &[0]), []);
            assert_eq!(sampler(&[], sampling).steps_in_epoch(), 0);
        }
    }
}
