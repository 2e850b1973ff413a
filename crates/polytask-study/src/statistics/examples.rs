//! How far does a mean gain depend on the examples that it was measured on?
//!
//! The networks stay as they are. Examples are drawn with replacement, the same for both arms and all seeds, and the metric is
//! computed anew on those that were drawn; the interval is that of the percentiles of the drawn mean gains. It says nothing
//! about other seeds, which the interval over seeds does. Reference: Koehn, "Statistical significance tests for machine translation
//! evaluation", EMNLP 2004.

use polytask_data::rng::Rng;
use polytask_metrics::Tally;

use super::Interval;
use super::bootstrap::percentiles;

/// What the same examples came to before and after a change, under one seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// In the arm that is compared with.
    pub before: Tally,
    /// In the arm that is compared.
    pub after: Tally,
}

/// The percentile interval of the mean over seeds of `after - before` in the metric `key`.
///
/// Draw `i` is a function of `(seed, i)`. `None` where there is nothing to draw, arms or seeds differ in the number of examples,
/// or the metric does not follow from sums over examples or is undefined in a draw.
pub fn example_bootstrap(pairs: &[Pair], key: &str, confidence: f64, draws: usize, seed: u64) -> Option<Interval> {
    let examples = pairs.first()?.before.len();
    let alike = pairs.iter().all(|pair| pair.before.len() == examples && pair.after.len() == examples);
    if !alike || examples == 0 || draws == 0 {
        return None;
    }
    let gain = |draw: usize| {
        let mut random = Rng::derive(seed, "bootstrap over examples", draw as u64);
        let mut times = vec![0; examples];
        (0..examples).for_each(|_| times[random.below(examples as u64) as usize] += 1);
        let gains = pairs.iter().map(|pair| Some(pair.after.score(key, &times)? - pair.before.score(key, &times)?));
        Some(gains.sum::<Option<f64>>()? / pairs.len() as f64)
    };
    let gains: Option<Vec<f64>> = (0..draws).map(gain).collect();
    Some(percentiles(gains?, confidence))
}

#[cfg(test)]
mod tests {
    use polytask_metrics::Outcomes;

    use super::*;

    fn tally(right: impl Fn(usize) -> bool) -> Tally {
        Outcomes::Classify((0..1000).map(|at| Some([1, u32::from(right(at))])).collect()).tally()
    }

    #[test]
    fn of_an_accuracy_it_is_the_normal_interval_of_a_large_sample() {
        // Gains of 0.3 in 300 of 1,000 examples under one seed and of none under the other: 300 mean gains of 0.5, the others 0.
        // Mean 0.15, standard error 0.5 sqrt(0.3 * 0.7 / 1000) = 0.0072457.
        let one = Pair { before: tally(|at| at % 10 < 5), after: tally(|at| at % 10 < 8) };
        let other = Pair { before: tally(|at| at % 2 == 0), after: tally(|at| at % 2 == 0) };
        let found = example_bootstrap(&[one, other], "accuracy", 0.95, 4000, 1).unwrap();
        let half = 1.959_964 * 0.007_245_7;
        assert!((found.low - (0.15 - half)).abs() < 0.001 && (found.high - (0.15 + half)).abs() < 0.001, "{found:?}");
    }

    #[test]
    fn what_cannot_be_drawn_is_none() {
        let same = Pair { before: tally(|_| true), after: tally(|_| true) };
        let none = Interval { low: 0.0, high: 0.0 };
        let twice = [same.clone(), same.clone()];
        assert_eq!(example_bootstrap(&twice, "accuracy", 0.95, 10, 0), Some(none));
        assert_eq!(example_bootstrap(&twice, "auroc", 0.95, 10, 0), None);
        assert_eq!(example_bootstrap(&[], "accuracy", 0.95, 10, 0), None);
        let shorter = Outcomes::Classify(vec![Some([1, 1])]).tally();
        let unlike = Pair { after: shorter, ..same };
        assert_eq!(example_bootstrap(&[unlike], "accuracy", 0.95, 10, 0), None);
    }
}
