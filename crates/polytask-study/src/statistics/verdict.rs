//! Did a task gain, or lose, by what was changed?
//!
//! - **helped**, **hurt**: the paired t test over seeds, corrected over tasks by Holm, has `p <= 0.05`.
//! - **unchanged**: not so, and the whole 95 % interval lies within the margin that the user calls no difference.
//! - **undecided**: else, and always with fewer than five seeds.
//!
//! Error rates, where differences between seeds are normal: in at most 5 % of studies any task is called helped or hurt that is
//! neither, and a task whose true difference is at or beyond the margin is called unchanged in at most 2.5 % of studies.

use serde::{Deserialize, Serialize};

use super::bootstrap::paired_bootstrap;
use super::{Interval, Paired, holm, sign_flip, t_interval};

/// Seeds below which nothing is decided.
pub const SEEDS_MIN: usize = 5;

const LEVEL: f64 = 0.05;
const DRAWS: usize = 10_000;

/// What is said of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is better.
    Helped,
    /// It is the same, up to the margin.
    Unchanged,
    /// It is worse: negative transfer.
    Hurt,
    /// There is too little to tell.
    Undecided,
}

impl Verdict {
    /// The verdict as a word.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Helped => "helped",
            Verdict::Unchanged => "unchanged",
            Verdict::Hurt => "hurt",
            Verdict::Undecided => "undecided",
        }
    }
}

/// What paired gains of a task say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Gains by seed, positive where the task is better.
    pub gains: Vec<f64>,
    /// Mean gain with the 95 % t interval and its p value; absent with fewer than two seeds.
    pub paired: Option<Paired>,
    /// The p value after Holm's correction over tasks.
    pub p_holm: Option<f64>,
    /// The p value of the exact sign-flip test, uncorrected.
    pub p_sign_flip: Option<f64>,
    /// The 95 % bootstrap interval over seeds.
    pub bootstrap: Option<Interval>,
    /// What is said.
    pub verdict: Verdict,
}

/// Compares tasks by their gains over seeds; `margins` are the differences, one a task and at least 0, up to which a task counts
/// as unchanged.
///
/// The bootstrap draws by `seed`.
pub fn compare(gains: &[Vec<f64>], margins: &[f64], seed: u64) -> Vec<Comparison> {
    let paired: Vec<Option<Paired>> = gains.iter().map(|gains| t_interval(gains, 1.0 - LEVEL)).collect();
    // A task that cannot be tested still counts among those that are looked at.
    let p_values: Vec<f64> = paired.iter().map(|paired| paired.map_or(1.0, |paired| paired.p)).collect();
    let adjusted = holm(&p_values);
    let each = gains.iter().zip(margins).zip(paired).zip(adjusted);
    each.map(|(((gains, &margin), paired), adjusted)| {
        let rows: Vec<Vec<f64>> = gains.iter().map(|&gain| vec![gain]).collect();
        Comparison {
            gains: gains.clone(),
            paired,
            p_holm: paired.map(|_| adjusted),
            p_sign_flip: sign_flip(gains),
            bootstrap: paired_bootstrap(&rows, 1.0 - LEVEL, DRAWS, seed),
            verdict: verdict(gains.len(), paired, adjusted, margin),
        }
    })
    .collect()
}

fn verdict(seeds: usize, paired: Option<Paired>, adjusted: f64, margin: f64) -> Verdict {
    match paired {
        Some(paired) if seeds >= SEEDS_MIN => {
            let within = paired.interval.low >= -margin && paired.interval.high <= margin;
            match (adjusted <= LEVEL, paired.mean > 0.0) {
                (true, true) => Verdict::Helped,
                (true, false) => Verdict::Hurt,
                (false, _) if within => Verdict::Unchanged,
                (false, _) => Verdict::Undecided,
            }
        }
        _ => Verdict::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use polytask_data::rng::Rng;

    use super::*;

    /// A normal number of mean 0 and deviation 1 (Box and Muller).
    fn normal(random: &mut Rng) -> f64 {
        let (u, v) = (1.0 - random.uniform(), random.uniform());
        (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
    }

    /// Whether a study of `tasks` tasks claims anything, where both arms are drawn from one distribution.
    fn claims(study: u64, tasks: usize, seeds: usize) -> bool {
        let mut random = Rng::derive(41, "study without a difference", study);
        let mut gains = || -> Vec<f64> {
            (0..seeds).map(|_| (0.8 + 0.02 * normal(&mut random)) - (0.8 + 0.02 * normal(&mut random))).collect()
        };
        let gains: Vec<Vec<f64>> = (0..tasks).map(|_| gains()).collect();
        let found = compare(&gains, &vec![0.0; tasks], 0);
        found.iter().any(|task| matches!(task.verdict, Verdict::Helped | Verdict::Hurt))
    }

    #[test]
    fn studies_without_a_difference_claim_one_as_rarely_as_promised() {
        // Of 200 studies at 5 %, between 4 and 18 claim one with probability 98.5 % (binomial, mean 10, deviation 3.08).
        for (tasks, seeds) in [(1, 5), (3, 5), (3, 8)] {
            let claims = (0..200).filter(|&study| claims(study, tasks, seeds)).count();
            assert!((4..=18).contains(&claims), "{tasks} tasks, {seeds} seeds: {claims} of 200 claim a difference");
        }
    }

    #[test]
    fn clear_differences_are_called_what_they_are() {
        let up = vec![0.030, 0.034, 0.028, 0.031, 0.033];
        let down: Vec<f64> = up.iter().map(|gain| -gain).collect();
        let none = vec![0.001, -0.001, 0.0005, -0.0005, 0.0];
        let wide = vec![0.05, -0.04, 0.03, -0.06, 0.01];
        let found = compare(&[up.clone(), down, none, wide, up[..4].to_vec()], &[0.005; 5], 1);
        let verdicts: Vec<Verdict> = found.iter().map(|task| task.verdict).collect();
        use Verdict::{Helped, Hurt, Unchanged, Undecided};
        assert_eq!(verdicts, [Helped, Hurt, Unchanged, Undecided, Undecided]);
        assert_eq!(found[0].p_sign_flip, Some(0.0625));
        assert!(found[0].bootstrap.unwrap().holds(0.0312) && !found[0].bootstrap.unwrap().holds(0.0));
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        let found = compare(&[vec![], vec![0.1]], &[0.0; 2], 0);
        assert!(found.iter().all(|task| task.verdict == Verdict::Undecided && task.paired.is_none()));
        assert_eq!(found[0].p_sign_flip, None);
    }
}
