//! How long is a gradient? Sums of squares that do not depend on the number of threads.

use rayon::prelude::*;

use super::CHUNK;
use crate::math::vectorize;

/// Sums the squares in 64 bits, in an order that does not depend on the number of threads.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    let of_chunk = |chunk: &[f32]| {
        vectorize(
            #[inline(always)]
            || squares(chunk),
        )
    };
    if values.len() <= CHUNK {
        return of_chunk(values);
    }
    let sums: Vec<f64> = values.par_chunks(CHUNK).map(of_chunk).collect();
    sums.iter().sum()
}

#[inline(always)]
fn squares(chunk: &[f32]) -> f64 {
    // Sixteen running sums, so that the loop vectorises without reordering a sum.
    let mut sums = [0.0_f64; 16];
    let (blocks, rest) = chunk.as_chunks::<16>();
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += f64::from(*value) * f64::from(*value);
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Lcg;

    #[test]
    fn sum_of_squares_is_exact_and_the_same_for_any_threads() {
        let values = Lcg::new(8).uniform(5 * CHUNK + 77, -1.0, 1.0);
        let naive: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
        let sums: Vec<u64> = [1, 2, 5]
            .map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| sum_of_squares(&values)).to_bits()
            })
            .to_vec();
        assert!((f64::from_bits(sums[0]) / naive - 1.0).abs() < 1e-12);
        assert!(sums.iter().all(|sum| *sum == sums[0]));
        assert_eq!(sum_of_squares(&[]), 0.0);
        assert_eq!(sum_of_squares(&[3e38]), f64::from(3e38_f32).powi(2));
        assert!(sum_of_squares(&[1.0, f32::NAN]).is_nan());
    }
}
