//! How often would chance signs give a mean difference as large?
//!
//! Without a difference between arms, each paired difference has either sign alike. All `2^n` ways of signs are counted, so
//! that the test is exact whatever the distribution: `p <= a` comes up in at most a share `a` of studies without a
//! difference. Its least value is `2 / 2^n`, 0.0625 of five seeds, so that it decides from six seeds on. Reference: Fisher, "The
//! Design of Experiments", 1935, chapter 3.

use polytask_data::rng::Rng;

/// Differences up to which all ways of signs are counted; beyond, a million ways are drawn.
const EXACT_MAX: usize = 20;
const DRAWS: u64 = 1_000_000;

/// The two-sided p value of paired differences.
///
/// `None` without differences, or with one that is no finite number.
pub fn sign_flip(differences: &[f64]) -> Option<f64> {
    let n = differences.len();
    if n == 0 || differences.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let scale: f64 = differences.iter().map(|value| value.abs()).sum();
    let seen = differences.iter().sum::<f64>().abs();
    // Sums of the same numbers in another order may differ in their last digits.
    let reaches = |sum: f64| sum.abs() >= seen - 1e-12 * scale;
    if n <= EXACT_MAX {
        let ways = 1u64 << n;
        let sum = |signs: u64| {
            differences.iter().enumerate().map(|(at, value)| if signs >> at & 1 == 1 { -value } else { *value }).sum()
        };
        let count = (0..ways).filter(|&signs| reaches(sum(signs))).count();
        return Some(count as f64 / ways as f64);
    }
    let mut random = Rng::derive(0, "sign flip", n as u64);
    let mut count = 1;
    for _ in 0..DRAWS {
        let sum = differences.iter().map(|value| if random.below(2) == 1 { -value } else { *value }).sum();
        count += u64::from(reaches(sum));
    }
    // The seen way counts as one of those drawn, which keeps the test valid.
    Some(count as f64 / (DRAWS + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        // 1 + 2 + 3 = 6 is reached by all pluses and all minuses only.
        assert_eq!(sign_flip(&[1.0, 2.0, 3.0]), Some(0.25));
        // |1 + 1 - 1| = 1 is reached by every way of signs.
        assert_eq!(sign_flip(&[1.0, 1.0, -1.0]), Some(1.0));
        // 3 + 2 - 1 = 4: reached by 6, 4 and their opposites.
        assert_eq!(sign_flip(&[3.0, 2.0, -1.0]), Some(0.5));
        assert_eq!(sign_flip(&[0.3; 5]), Some(0.0625));
        assert_eq!(sign_flip(&[0.0; 4]), Some(1.0));
        assert_eq!((sign_flip(&[]), sign_flip(&[f64::INFINITY])), (None, None));
    }

    #[test]
    fn drawn_signs_agree_with_the_normal_limit() {
        // 64 differences of +-1, of which 40 are +: the sum 16 is 2 deviations of 8; with a step of 2 from one sum to the
        // next, P(|sum| >= 16) = 2 * P(X >= 40) = 0.05994 for X binomial of 64 halves.
        let differences: Vec<f64> = (0..64).map(|at| if at < 40 { 1.0 } else { -1.0 }).collect();
        let exact: f64 = 2.0 * (40..=64).map(|k| binomial(64, k)).sum::<f64>();
        assert!((sign_flip(&differences).unwrap() - exact).abs() < 0.002);
    }

    fn binomial(n: u32, k: u32) -> f64 {
        let log: f64 = (1..=k).map(|i| (f64::from(n - k + i) / f64::from(i)).ln()).sum();
        (log - f64::from(n) * 2.0_f64.ln()).exp()
    }
}
