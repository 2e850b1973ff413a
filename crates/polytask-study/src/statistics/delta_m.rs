//! How good is a multi-task network on average, next to one network a task?
//!
//! ```text
//! delta_m = 1/T sum_t (-1)^l_t (M_t - B_t) / B_t,   l_t = 1 where lower is better
//! ```
//!
//! `M_t` is the multi-task network's score of task `t`, `B_t` the single-task network's. Reference: Maninis, Radosavovic and
//! Kokkinos, "Attentive single-tasking of multiple tasks", CVPR 2019.

/// A task's score in two arms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// What it is compared with: the score of the task alone.
    pub baseline: f64,
    /// The score together with others.
    pub score: f64,
    /// Whether more is better.
    pub higher_is_better: bool,
}

/// The gain of one task relative to its baseline, positive where it is better; `None` where the baseline is zero.
///
/// The baseline's size is what counts: a negative one (a correlation, R²) does not turn gains into losses.
pub fn relative_gain(measured: &Measured) -> Option<f64> {
    let sign = if measured.higher_is_better { 1.0 } else { -1.0 };
    let gain = sign * (measured.score - measured.baseline) / measured.baseline.abs();
    gain.is_finite().then_some(gain)
}

/// The mean relative gain over tasks, 0.01 for one percent; `None` without tasks or where a baseline is zero.
pub fn delta_m(tasks: &[Measured]) -> Option<f64> {
    let gains: Vec<f64> = tasks.iter().map(relative_gain).collect::<Option<_>>()?;
    (!gains.is_empty()).then(|| gains.iter().sum::<f64>() / gains.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_by_hand() {
        let task = |baseline, score, higher_is_better| Measured { baseline, score, higher_is_better };
        // 5 % better of an F1, 10 % better of an error, 3 % worse of an F1: (5 + 10 - 3) / 3 = 4 %.
        let tasks = [task(0.8, 0.84, true), task(2.0, 1.8, false), task(0.5, 0.485, true)];
        assert!((delta_m(&tasks).unwrap() - 0.04).abs() < 1e-12);
        assert!((relative_gain(&task(-0.5, -0.4, true)).unwrap() - 0.2).abs() < 1e-12);
        assert_eq!((delta_m(&[]), delta_m(&[task(0.0, 0.1, true)])), (None, None));
    }
}
