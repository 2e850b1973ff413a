//! Which elements are dropped? A pure function of a key and the element's index.
//!
//! The mask is never stored: backward regenerates it from the key. It does not depend on the number of threads, and a
//! checkpoint that holds the seed and the step reproduces it. Kept elements are scaled by `1 / (1 - rate)`, so that
//! prediction needs no change (inverted dropout).
//!
//! Reference: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 2014.

use rayon::prelude::*;

use crate::math::vectorize;
use crate::rng::{derive, mix};

/// Elements that share a pair of 32-bit keys; part of the definition of the mask.
const CHUNK: usize = 1 << 14;

/// Makes the key of one dropout layer at one step.
pub fn key(seed: u64, purpose: &str, step: u64) -> u64 {
    derive(seed, purpose, step)
}

/// Drops elements of `x` with probability `rate`, scales the others, and writes the result to `out`.
///
/// A rate of 0 or less (or NaN) copies; a rate of 1 or more gives zeros. A dropped element is zero whatever it was.
///
/// # Panics
/// If the lengths differ.
pub fn dropout_forward(x: &[f32], rate: f32, key: u64, out: &mut [f32]) {
    assert_eq!(x.len(), out.len(), "dropout: lengths differ");
    let mask = Mask::new(rate, key);
    out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).enumerate().for_each(|(chunk, (out, x))| {
        let keys = mask.keys(chunk);
        vectorize(
            #[inline(always)]
            || {
                for (index, (out, x)) in out.iter_mut().zip(x).enumerate() {
                    *out = mask.apply(keys, index as u32, *x);
                }
            },
        );
    });
}

/// Drops and scales in place, as [`dropout_forward`] does.
pub fn dropout_in_place(x: &mut [f32], rate: f32, key: u64) {
    let mask = Mask::new(rate, key);
    x.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, x)| {
        let keys = mask.keys(chunk);
        vectorize(
            #[inline(always)]
            || {
                for (index, x) in x.iter_mut().enumerate() {
                    *x = mask.apply(keys, index as u32, *x);
                }
            },
        );
    });
}

/// Carries the gradient `dout` back to `dx` through the same mask, regenerated from the same rate and key.
///
/// # Panics
/// If the lengths differ.
pub fn dropout_backward(dout: &[f32], rate: f32, key: u64, dx: &mut [f32]) {
    dropout_forward(dout, rate, key, dx);
}

/// What decides on an element: it is kept if its 32 random bits reach the threshold.
#[derive(Clone, Copy)]
struct Mask {
    key: u64,
    threshold: u32,
    scale: f32,
}

impl Mask {
    fn new(rate: f32, key: u64) -> Self {
        if rate >= 1.0 {
            // No scale of kept elements exists; a factor of zero drops the few that reach the threshold.
            return Self { key, threshold: u32::MAX, scale: 0.0 };
        }
        let rate = if rate > 0.0 { f64::from(rate) } else { 0.0 };
        Self { key, threshold: (rate * 2_f64.powi(32)) as u32, scale: (1.0 / (1.0 - rate)) as f32 }
    }

    fn keys(&self, chunk: usize) -> [u32; 2] {
        let bits = mix(self.key ^ mix(chunk as u64));
        [bits as u32, (bits >> 32) as u32]
    }

    #[inline(always)]
    fn apply(&self, keys: [u32; 2], index: u32, value: f32) -> f32 {
        let kept = bits(keys, index) >= self.threshold && self.scale > 0.0;
        if kept { value * self.scale } else { 0.0 }
    }
}

/// Random bits of an element: two rounds of a 32-bit mixer, one key each. All 32-bit arithmetic, so that it vectorises.
#[inline(always)]
fn bits(keys: [u32; 2], index: u32) -> u32 {
    mix32(mix32(index.wrapping_add(keys[0])) ^ keys[1])
}

/// The bijection `lowbias32` of C. Wellons' hash prospector, found by search for the least bias.
#[inline(always)]
fn mix32(value: u32) -> u32 {
    let value = (value ^ (value >> 16)).wrapping_mul(0x7feb_352d);
    let value = (value ^ (value >> 15)).wrapping_mul(0x846c_a68b);
    value ^ (value >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(n: usize, rate: f32, key: u64) -> Vec<bool> {
        let mut out = vec![0.0; n];
        dropout_forward(&vec![1.0; n], rate, key, &mut out);
        out.iter().map(|value| *value != 0.0).collect()
    }

    #[test]
    fn mask_has_its_rate_and_mean_and_no_memory() {
        let n = 1 << 18;
        for rate in [0.1_f32, 0.5, 0.9] {
            for step in 0..4 {
                let mask = kept(n, rate, key(7, "dropout", step));
                let share = mask.iter().filter(|kept| **kept).count() as f64 / n as f64;
                let expected = 1.0 - f64::from(rate);
                let deviation = (expected * (1.0 - expected) / n as f64).sqrt();
                assert!((share - expected).abs() < 4.5 * deviation, "{share} kept of {expected}");
                for lag in [1, 2, 16, 100, CHUNK] {
                    let both = mask.iter().zip(&mask[lag..]).filter(|(a, b)| **a && **b).count() as f64;
                    assert!((both / (n - lag) as f64 - expected * expected).abs() < 0.006, "lag {lag}");
                }
            }
        }
    }

    #[test]
    fn masks_of_different_keys_are_unrelated() {
        let n = 1 << 16;
        let first = kept(n, 0.5, key(7, "dropout", 1));
        for other in [key(7, "dropout", 2), key(8, "dropout", 1), key(7, "embedding", 1)] {
            let same = first.iter().zip(kept(n, 0.5, other)).filter(|(a, b)| **a == *b).count();
            assert!((same as f64 / n as f64 - 0.5).abs() < 0.01);
        }
    }

    #[test]
    fn bytes_of_the_bits_are_even() {
        for byte in 0..4 {
            let mut counts = [0_u32; 256];
            (0..1 << 16).for_each(|index| counts[(bits([3, 4], index) >> (8 * byte) & 255) as usize] += 1);
            let chi: f64 = counts.iter().map(|count| (f64::from(*count) - 256.0).powi(2) / 256.0).sum();
            assert!(chi < 348.0, "255 degrees of freedom, p = 1e-4: {chi}");
        }
    }

    #[test]
    fn backward_and_in_place_use_the_same_mask() {
        let n = 2 * CHUNK + 13;
        let x: Vec<f32> = (0..n).map(|index| index as f32 + 1.0).collect();
        let (mut out, mut dx, mut place) = (vec![0.0; n], vec![0.0; n], x.clone());
        dropout_forward(&x, 0.25, 9, &mut out);
        dropout_backward(&vec![3.0; n], 0.25, 9, &mut dx);
        dropout_in_place(&mut place, 0.25, 9);
        assert_eq!(out, place);
        for ((x, out), dx) in x.iter().zip(&out).zip(&dx) {
            assert!((*out == 0.0 && *dx == 0.0) || (*out == x * (1.0 / 0.75) && *dx == 4.0));
        }
    }

    #[test]
    fn mask_does_not_depend_on_threads_or_the_length() {
        let n = 5 * CHUNK + 1;
        let masks = [1, 2, 5].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| kept(n, 0.5, 1))
        });
        assert!(masks[0] == masks[1] && masks[1] == masks[2]);
        assert_eq!(kept(CHUNK + 7, 0.5, 1), masks[0][..CHUNK + 7]);
        assert_eq!(
            PINNED,
            kept(32, 0.5, key(7, "dropout", 1)).iter().fold(0, |bits, kept| bits << 1 | u32::from(*kept))
        );
    }

    /// The first 32 elements of a mask; a change breaks the reproduction of old runs.
    const PINNED: u32 = 715_585_881;

    #[test]
    fn rates_outside_the_open_interval_copy_or_clear() {
        let x = [1.0, -2.0, f32::INFINITY, f32::NAN];
        let mut out = [5.0; 4];
        for rate in [1.0, 2.0, f32::INFINITY] {
            dropout_forward(&x, rate, 3, &mut out);
            assert_eq!(out, [0.0; 4]);
        }
        for rate in [0.0, -1.0, f32::NAN] {
            dropout_forward(&x[..3], rate, 3, &mut out[..3]);
            assert_eq!(out[..3], x[..3]);
        }
        dropout_forward(&[], 0.5, 3, &mut []);
    }
}
