//! Which elementary functions run inside kernels? Branch-free `exp`, `tanh` and sigmoid that vectorise.
//!
//! The polynomials are those of Cephes (Moshier, 1989). No fused multiply-add is used, so a result has the same
//! bits on every instruction set. NaN stays NaN. Largest relative errors, where the result is a normal number,
//! are stated at each function and tested against `f64`.

/// Runs `f`, compiled for the best instruction set of the machine it runs on.
///
/// What `f` calls is compiled anew only where it is inlined, so loops call `#[inline(always)]` functions, and the
/// closure itself is best written `vectorize(#[inline(always)] || ...)`. Work handed to another thread inside `f`
/// is not affected: call this inside the task.
#[inline(always)]
pub fn vectorize<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

/// Returns `e^x` within a relative error of 2e-7; zero below about -104 and infinite above about 88.7.
#[inline(always)]
pub fn exp1(x: f32) -> f32 {
    // Comparisons rather than `clamp`, `min` and `max`, so that NaN passes through.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.5 { -104.5 } else { x };
    let (e, n) = parts(x);
    // 2^n in two factors: n reaches from -151 to 128, beyond the exponents of one normal number.
    let half = n >> 1;
    e * power(half) * power(n.wrapping_sub(half))
}

/// Returns `e^x` for a place where what is below 1e-38 may count as that, and what is above 2e38 as infinite.
#[inline(always)]
fn exp_coarse_ends(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let (e, n) = parts(x);
    // At n = 128 the exponent is that of infinity.
    e * power(n)
}

/// Returns `2^n` for `n` from -126 to 127.
#[inline(always)]
fn power(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// Returns `e` and `n` with `e^x = e * 2^n`, the first between 0.7 and 1.5.
#[inline(always)]
fn parts(x: f32) -> (f32, i32) {
    /// Adding it rounds to an integer, which is then in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, the first exact in few bits.
    let r = (x - n * 0.693_359_4) - n * -2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    (p * (r * r) + r + 1.0, (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32))
}

/// Returns `1 / (1 + e^-x)` within a relative error of 3e-7.
#[inline(always)]
pub fn sigmoid1(x: f32) -> f32 {
    1.0 / (1.0 + exp_coarse_ends(-x))
}

/// Returns the hyperbolic tangent within a relative error of 2e-7, near zero too.
#[inline(always)]
pub fn tanh1(x: f32) -> f32 {
    let magnitude = x.abs();
    let z = x * x;
    let p = -5.704_988_7e-3;
    let p = p * z + 2.063_908_8e-2;
    let p = p * z - 5.373_971_5e-2;
    let p = p * z + 1.333_144_2e-1;
    let p = p * z - 3.333_328e-1;
    let near = p * z * magnitude + magnitude;
    let far = 1.0 - 2.0 / (exp_coarse_ends(2.0 * magnitude) + 1.0);
    let value = if magnitude < 0.625 { near } else { far };
    value.copysign(x)
}

/// Replaces every value by its [`exp1`].
pub fn exp(values: &mut [f32]) {
    vectorize(
        #[inline(always)]
        || values.iter_mut().for_each(|value| *value = exp1(*value)),
    );
}

/// Replaces every value by its [`sigmoid1`].
pub fn sigmoid(values: &mut [f32]) {
    vectorize(
        #[inline(always)]
        || values.iter_mut().for_each(|value| *value = sigmoid1(*value)),
    );
}

/// Replaces every value by its [`tanh1`].
pub fn tanh(values: &mut [f32]) {
    vectorize(
        #[inline(always)]
        || values.iter_mut().for_each(|value| *value = tanh1(*value)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Floats of every size up to `limit`, both signs, with a fine sweep between -10 and 10.
    fn sweep(limit: f32) -> Vec<f32> {
        let fine = (-100_000..=100_000).map(|i| i as f32 * 1e-4);
        let coarse = (0..400_000u32).map(|i| f32::from_bits(i * 5003)).filter(|x| *x <= limit);
        let mut values: Vec<f32> = fine.chain(coarse).collect();
        values.extend(values.clone().iter().map(|x| -x));
        values
    }

    fn largest_error(limit: f32, kernel: impl Fn(&mut [f32]), exact: impl Fn(f64) -> f64) -> f64 {
        let inputs = sweep(limit);
        let mut got = inputs.clone();
        kernel(&mut got);
        let normal = |want: f64| want.abs() >= f64::from(f32::MIN_POSITIVE);
        let errors = inputs.iter().zip(&got).map(|(x, got)| {
            let want = exact(f64::from(*x));
            if normal(want) { ((f64::from(*got) - want) / want).abs() } else { f64::from(*got) - want }
        });
        errors.fold(0.0, |largest: f64, error| if error.is_nan() { error } else { largest.max(error) })
    }

    #[test]
    fn errors_stay_below_those_stated() {
        let errors = [
            (largest_error(88.7, exp, f64::exp), 2e-7),
            (largest_error(f32::MAX, sigmoid, |x| 1.0 / (1.0 + (-x).exp())), 3e-7),
            (largest_error(f32::MAX, tanh, f64::tanh), 2e-7),
        ];
        assert!(errors.iter().all(|(error, stated)| error <= stated), "{errors:?}");
    }

    #[test]
    fn ends_saturate() {
        let (inf, max) = (f32::INFINITY, f32::MAX);
        assert_eq!(
            [exp1(inf), exp1(max), exp1(89.0), exp1(-104.5), exp1(-max), exp1(-inf)],
            [inf, inf, inf, 0., 0., 0.]
        );
        assert_eq!(exp1(0.0), 1.0);
        assert_eq!(
            [sigmoid1(inf), sigmoid1(max), sigmoid1(0.0), sigmoid1(-max), sigmoid1(-inf)],
            [1., 1., 0.5, 0., 0.]
        );
        assert_eq!([tanh1(inf), tanh1(max), tanh1(-max), tanh1(-inf)], [1., 1., -1., -1.]);
        assert_eq!([tanh1(0.0).to_bits(), tanh1(-0.0).to_bits()], [0.0f32.to_bits(), (-0.0f32).to_bits()]);
        assert!(exp1(-100.0) > 0.0, "denormal results are kept");
    }

    #[test]
    fn nan_stays_nan() {
        for nan in [f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001)] {
            let mut values = [[nan; 19]; 3];
            exp(&mut values[0]);
            sigmoid(&mut values[1]);
            tanh(&mut values[2]);
            assert!(values.as_flattened().iter().all(|x| x.is_nan()));
        }
    }

    #[test]
    fn slices_and_scalars_agree_to_the_bit() {
        let mut values = sweep(100.0);
        let scalars: Vec<u32> = values.iter().map(|x| tanh1(*x).to_bits()).collect();
        tanh(&mut values);
        assert!(values.iter().map(|x| x.to_bits()).eq(scalars));
    }
}
