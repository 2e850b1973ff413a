//! What share of a beta distribution lies below a point?
//!
//! Reference: Press et al., "Numerical Recipes", 3rd edition, 2007, section 6.4 (the continued fraction, evaluated by
//! Lentz's method); Lanczos, "A precision approximation of the gamma function", SIAM J. Numer. Anal., 1964.

/// The regularised incomplete beta function `I_x(a, b)` of `a, b > 0` and `x` in `[0, 1]`, to some 14 digits.
pub(super) fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let log_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln();
    // The fraction converges quickly below the mean; above it the symmetric one does.
    if x < (a + 1.0) / (a + b + 2.0) {
        log_front.exp() * fraction(a, b, x) / a
    } else {
        1.0 - log_front.exp() * fraction(b, a, 1.0 - x) / b
    }
}

/// The continued fraction of the incomplete beta function.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const TERMS_MAX: u32 = 10_000;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for term in 1..=TERMS_MAX {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / away(1.0 + coefficient * d);
            c = away(1.0 + coefficient / c);
            change = c * d;
            result *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    result
}

/// The logarithm of the gamma function of `x > 0`.
fn ln_gamma(x: f64) -> f64 {
    // Lanczos with g = 7 and nine terms.
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let z = x - 1.0;
    let series = COEFFICIENTS.iter().enumerate().map(|(at, coefficient)| coefficient / (z + at as f64 + 1.0));
    let sum = 0.999_999_999_999_809_9 + series.sum::<f64>();
    let t = z + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (z + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_of_whole_and_half_numbers() {
        let factorial: f64 = (1..=9).map(f64::from).product();
        assert!((ln_gamma(10.0) - factorial.ln()).abs() < 1e-12);
        assert!((ln_gamma(0.5) - 0.5 * std::f64::consts::PI.ln()).abs() < 1e-13);
    }

    #[test]
    fn closed_forms_of_the_incomplete_beta() {
        for step in 1..100 {
            let x = f64::from(step) / 100.0;
            // I_x(a, 1) = x^a, I_x(1, b) = 1 - (1 - x)^b, I_x(2, 2) = x^2 (3 - 2 x).
            assert!((incomplete_beta(3.5, 1.0, x) - x.powf(3.5)).abs() < 1e-13);
            assert!((incomplete_beta(1.0, 0.5, x) - (1.0 - (1.0 - x).sqrt())).abs() < 1e-13);
            assert!((incomplete_beta(2.0, 2.0, x) - x * x * (3.0 - 2.0 * x)).abs() < 1e-13);
        }
        assert_eq!((incomplete_beta(2.0, 3.0, 0.0), incomplete_beta(2.0, 3.0, 1.0)), (0.0, 1.0));
    }
}
