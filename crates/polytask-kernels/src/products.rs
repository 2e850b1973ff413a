//! How do long vectors stand to each other? The products of all pairs, in 64 bits.

use crate::math::vectorize;
use rayon::prelude::*;

/// Entries of all vectors that are worked on at a time, so that they stay in the second-level cache.
const ENTRIES: usize = 1024;

/// Returns the products of every pair of vectors `a`, `b` with `b <= a`, `[a (a + 1) / 2 + b]`, each rounded once an addition.
///
/// A vector that is empty stands for zeros. The sums do not depend on the number of threads.
///
/// # Panics
/// If two vectors that are not empty differ in length.
pub fn products(vectors: &[&[f32]]) -> Vec<f64> {
    let entries = vectors.iter().map(|vector| vector.len()).max().unwrap_or(0);
    assert!(vectors.iter().all(|vector| vector.is_empty() || vector.len() == entries), "vectors of different lengths");
    let of_block = |block: usize| {
        let first = block * ENTRIES;
        let part = |vector: &&'_ [f32]| -> std::ops::Range<usize> {
            first.min(vector.len())..(first + ENTRIES).min(vector.len())
        };
        let parts: Vec<&[f32]> = vectors.iter().map(|vector| &vector[part(vector)]).collect();
        vectorize(
            #[inline(always)]
            || pairs(&parts),
        )
    };
    let mut total = vec![0.0; vectors.len() * (vectors.len() + 1) / 2];
    let blocks: Vec<Vec<f64>> = (0..entries.div_ceil(ENTRIES)).into_par_iter().map(of_block).collect();
    for block in blocks {
        total.iter_mut().zip(block).for_each(|(total, product)| *total += product);
    }
    total
}

#[inline(always)]
fn pairs(vectors: &[&[f32]]) -> Vec<f64> {
    // Widened once, not once a pair.
    let wide: Vec<Vec<f64>> = vectors.iter().map(|vector| vector.iter().copied().map(f64::from).collect()).collect();
    let mut products = Vec::with_capacity(vectors.len() * (vectors.len() + 1) / 2);
    for (place, a) in wide.iter().enumerate() {
        for b in &wide[..=place] {
            products.push(product(a, b));
        }
    }
    products
}

/// Returns the product of two vectors, in sixteen running sums; as far as the shorter one goes.
#[inline(always)]
fn product<T: Copy + Into<f64>>(a: &[T], b: &[T]) -> f64 {
    let mut sums = [0.0_f64; 16];
    let len = a.len().min(b.len());
    let ((a, a_rest), (b, b_rest)) = (a[..len].as_chunks::<16>(), b[..len].as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += (*a).into() * (*b).into();
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| (*a).into() * (*b).into()).sum();
    sums.iter().sum::<f64>() + rest
}

/// Returns the product of two vectors in 64 bits.
///
/// # Panics
/// If they differ in length.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "vectors of different lengths");
    vectorize(
        #[inline(always)]
        || product(a, b),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Lcg, same_on_all_pools};

    fn exact(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    #[test]
    fn products_are_those_of_all_pairs() {
        let mut random = Lcg::new(3);
        for entries in [0, 1, 7, 8, 9, 2047, 2048, 2049, 5000] {
            let vectors: Vec<Vec<f32>> = (0..4).map(|_| random.vec(entries)).collect();
            let mut views: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
            views[2] = &[];
            let found = products(&views);
            for a in 0..4 {
                for b in 0..=a {
                    let expected = exact(views[a], views[b]);
                    let value = found[a * (a + 1) / 2 + b];
                    assert!((value - expected).abs() <= 1e-12 * (1.0 + entries as f64), "{value}, {expected}");
                }
            }
            assert!((dot(views[0], views[1]) - exact(views[0], views[1])).abs() < 1e-12 * (1.0 + entries as f64));
        }
        assert!(products(&[]).is_empty());
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let mut random = Lcg::new(4);
        let vectors: Vec<Vec<f32>> = (0..3).map(|_| random.vec(10_000)).collect();
        same_on_all_pools(|| {
            let views: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
            products(&views).into_iter().map(|value| value as f32).collect::<Vec<f32>>()
        });
    }

    #[test]
    #[should_panic(expected = "different lengths")]
    fn vectors_of_different_lengths_panic() {
        products(&[&[1.0], &[1.0, 2.0]]);
    }
}
