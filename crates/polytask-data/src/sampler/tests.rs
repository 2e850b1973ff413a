//! Are sources drawn as often as promised, and is a step the same whenever it is asked for?

use super::*;
use std::collections::BTreeSet;

const SAMPLINGS: [Sampling; 6] = [
    Sampling::Proportional,
    Sampling::Uniform,
    Sampling::Joint,
    Sampling::Temperature,
    Sampling::Annealed,
    Sampling::RoundRobin,
];

fn sampler(sizes: &[(usize, usize)], sampling: Sampling) -> Sampler {
    with_options(sizes, Train { sampling, ..Train::default() })
}

fn with_options(sizes: &[(usize, usize)], train: Train) -> Sampler {
    let mut rng = Rng::new(11);
    let source = |(index, &(len, batch_size)): (usize, &(usize, usize))| Source {
        name: format!("source {index}"),
        lengths: (0..len).map(|_| 1 + rng.below(60) as u32).collect(),
        batch_size,
        passes: 1.0,
    };
    Sampler::new(5, sizes.iter().enumerate().map(source).collect(), &train)
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
    assert_eq!((steps.len(), sampler.steps_with(0, &active)), (12, 12));
    assert!(examples(&steps, 3).is_empty());
}

#[test]
fn a_source_is_passed_over_as_often_as_asked() {
    let mut sampler = sampler(&[(100, 10), (90, 10), (20, 10)], Sampling::Proportional);
    for (source, passes) in sampler.sources.iter_mut().zip([2.0, 0.5, 0.1]) {
        source.passes = passes;
    }
    let steps: Vec<Vec<Step>> = (0..20).map(|epoch| sampler.epoch(epoch, &[true; 3], &[0; 3])).collect();
    for (epoch, steps) in steps.iter().enumerate() {
        assert_eq!(steps.len(), sampler.steps_with(epoch, &[true; 3]));
        let twice: Vec<u32> = (0..100).flat_map(|example| [example; 2]).collect();
        assert_eq!(examples(steps, 0), twice);
    }
    for pair in steps.chunks(2) {
        assert_eq!(examples(&pair.concat(), 1), (0..90).collect::<Vec<u32>>(), "two halves are a whole");
        assert!(pair.iter().all(|steps| examples(steps, 1).len().abs_diff(45) <= 5));
    }
    for ten in steps.chunks(10) {
        assert_eq!(examples(&ten.concat(), 2), (0..20).collect::<Vec<u32>>());
    }
    assert_eq!(sampler.steps_in_run(), steps.iter().map(Vec::len).sum::<usize>());
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
    for sampling in SAMPLINGS.into_iter().filter(|sampling| *sampling != Sampling::Proportional) {
        let sampler = sampler(&[(35, 10), (200, 10)], sampling);
        let mut taken = [0; 2];
        let mut drawn: Vec<Vec<u32>> = Vec::new();
        for epoch in 0..12 {
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

/// Steps of each source over some epochs, in which all sources but the last are drawn from.
fn steps_of(sampler: &Sampler, epochs: std::ops::Range<usize>) -> Vec<u64> {
    let mut taken = vec![0; sampler.sources.len()];
    let mut active = vec![true; taken.len()];
    *active.last_mut().unwrap() = false;
    epochs.for_each(|epoch| count(&sampler.epoch(epoch, &active, &taken.clone()), &mut taken));
    taken
}

/// Panics unless the shares of the steps are these, as far as chance allows.
#[track_caller]
fn assert_shares(steps: &[u64], expected: &[f64]) {
    let total = steps.iter().sum::<u64>() as f64;
    for (&steps, share) in steps.iter().zip(expected) {
        let deviation = (share * (1.0 - share) / total).sqrt();
        let found = steps as f64 / total;
        assert!((found - share).abs() <= 4.0 * deviation, "{found} of {total} steps instead of {share}");
    }
}

/// The share of each source where it is drawn in proportion to its size to a power.
fn shares(sizes: &[f64], power: f64) -> Vec<f64> {
    let total: f64 = sizes.iter().map(|size| size.powf(power)).sum();
    sizes.iter().map(|size| size.powf(power) / total).collect()
}

const SIZES: [(usize, usize); 4] = [(8000, 10), (500, 10), (20, 10), (77, 10)];

#[test]
fn temperature_draws_by_a_power_of_the_size() {
    let examples = [8000.0, 500.0, 20.0];
    for (temperature, power) in [(None, 0.5), (Some(2.0), 0.5), (Some(1.0), 1.0), (Some(5.0), 0.2)] {
        let train = Train { sampling: Sampling::Temperature, temperature, ..Train::default() };
        let sampler = with_options(&SIZES, train);
        // 8,520 examples of the first three at 10 a step.
        assert_eq!((sampler.steps_with(0, &[true, true, true, false]), sampler.steps_in_epoch()), (852, 860));
        assert_shares(&steps_of(&sampler, 0..12), &[shares(&examples, power), vec![0.0]].concat());
    }
    // The square roots of 10,000 and 100 are as 10 to 1.
    let train = Train { sampling: Sampling::Temperature, ..Train::default() };
    assert_shares(
        &steps_of(&with_options(&[(10_000, 10), (100, 10), (0, 10)], train), 0..9),
        &[10.0 / 11.0, 1.0 / 11.0],
    );
}

#[test]
fn annealed_draws_more_and_more_evenly() {
    let sampler = with_options(&SIZES, Train { sampling: Sampling::Annealed, epochs: 5, ..Train::default() });
    let examples = [8000.0, 500.0, 20.0];
    // 1 - 0.8 (e - 1) / 4 in epochs 1 to 5.
    for (epoch, power) in [1.0, 0.8, 0.6, 0.4, 0.2].into_iter().enumerate() {
        assert_shares(&steps_of(&sampler, epoch..epoch + 1), &[shares(&examples, power), vec![0.0]].concat());
    }
    let once = with_options(&SIZES, Train { sampling: Sampling::Annealed, epochs: 1, ..Train::default() });
    assert_shares(&steps_of(&once, 0..1), &[shares(&examples, 1.0), vec![0.0]].concat());
}

#[test]
fn what_is_drawn_by_chance_still_makes_an_epoch_of_all_examples() {
    // 400 in batches of 40 and 100 in batches of 5, 500 in all.
    let sizes = [(400, 40), (100, 5)];
    let square_root = with_options(&sizes, Train { sampling: Sampling::Temperature, ..Train::default() });
    // Two thirds of the steps hold 40 examples, one third 5: 28.33 on average.
    assert_eq!(square_root.steps_in_epoch(), 18);
    let annealed = with_options(&sizes, Train { sampling: Sampling::Annealed, epochs: 2, ..Train::default() });
    // 0.8 * 40 + 0.2 * 5 = 33; then 4^0.2 = 1.3195 to 1: 24.911.
    assert_eq!([0, 1].map(|epoch| annealed.steps_with(epoch, &[true; 2])), [16, 21]);
    assert_eq!((annealed.steps_in_epoch(), annealed.steps_in_run()), (16, 37));
    assert_eq!(
        sampler(&sizes, Sampling::Uniform).steps_in_run(),
        sampler(&sizes, Sampling::Uniform).steps_in_epoch() * 20
    );
}

#[test]
fn round_robin_takes_turns_over_epochs() {
    // 370 examples at 10 a step: 37 steps, after which the next epoch goes on where this one ended.
    let sampler = sampler(&[(100, 10), (20, 10), (250, 10), (0, 10)], Sampling::RoundRobin);
    let mut taken = [0; 4];
    let mut order = Vec::new();
    for epoch in 0..4 {
        let steps = sampler.epoch(epoch, &[true; 4], &taken);
        count(&steps, &mut taken);
        order.extend(steps.iter().map(|step| step.batches[0].source));
    }
    assert_eq!(order, (0..4 * 37).map(|step| step % 3).collect::<Vec<_>>());
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
    let alone = Sampler::new(5, both.sources[..1].to_vec(), &Train { sampling: Sampling::Joint, ..Train::default() });
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
