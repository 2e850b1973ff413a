//! Aligned-MTL: the gradients made orthogonal and equally strong, with as little change as possible.
//!
//! ```text
//! G = V Λ Vᵀ,    w = √λ_min V Λ^(-1/2) Vᵀ 1/T          (over the eigenvalues that are not 0)
//! ```
//!
//! The matrix of gradients is replaced by the nearest one with condition number 1, scaled to the smallest singular
//! value, and its rows are averaged. Dominance and conflict both disappear, and it converges to a minimum of the mean
//! loss. Where gradients are almost dependent the direction is short, since the smallest singular value is.
//!
//! Cost a step: O(T³), the eigenvalues of the Gramian.
//! Reference: Senushkin, Patakin, Kuznetsov and Konushin, "Independent component alignment for multi-task learning",
//! CVPR 2023.
//!
//! The paper's preference is a point of the simplex, here the middle, 1/T; the authors' code and LibMTL sum instead,
//! which is T times as long. They count an eigenvalue below T times the largest times the precision of f32 as 0, which
//! drops tasks with gradients some thousand times shorter than others; here the rank is that of the cosines, to the
//! precision of f64, and does not depend on lengths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gramian::dot;
use crate::solve::eigen;
use crate::{Balancer, Gramian, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Aligned-MTL has no options.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlignedMtl {}

impl Balancer for AlignedMtl {
    const KEY: &'static str = "aligned-mtl";
    const SUMMARY: &'static str = "gradients made orthogonal and equally strong, then averaged";
    const REFERENCE: &'static str =
        "Senushkin et al., Independent component alignment for multi-task learning, CVPR 2023";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "O(T³)";

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let weights = Weights::in_order(seen, &aligned(seen.gramian()?))?;
        state.step += 1;
        Ok(weights)
    }
}

fn aligned(gramian: &Gramian) -> Vec<f64> {
    let mean = vec![1.0 / gramian.size() as f64; gramian.size()];
    let rank = eigen(&gramian.unit().1).rank();
    let parts = eigen(gramian);
    let Some(least) = rank.checked_sub(1).map(|last| parts.values[last]).filter(|least| *least > 0.0) else {
        return mean;
    };
    let mut weights = vec![0.0; gramian.size()];
    for (value, vector) in parts.values.iter().zip(&parts.vectors).take(rank) {
        let factor = (least / value).sqrt() * dot(vector, &mean);
        weights.iter_mut().zip(vector).for_each(|(weight, entry)| *weight += factor * entry);
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: &[f64], expected: &[f64]) {
        for (value, wanted) in found.iter().zip(expected) {
            assert!((value - wanted).abs() <= 1e-12 * wanted.abs(), "{found:?}, {expected:?}");
        }
    }

    #[test]
    fn orthogonal_gradients_all_get_the_least_length() {
        let lengths = [1e-10_f64, 2.0, 1e15];
        let row = |at: usize| (0..3).map(|to| if at == to { lengths[at].powi(2) } else { 0.0 }).collect::<Vec<_>>();
        let weights = aligned(&Gramian::new(&(0..3).map(row).collect::<Vec<_>>()).unwrap());
        close(&weights, &lengths.map(|length| 1e-10 / length / 3.0));
    }

    #[test]
    fn agrees_with_the_closed_form_for_equal_lengths() {
        // Eigenvalues 1 + c and 1 - c for (1, 1) and (1, -1): only the first is in the mean.
        for cosine in [0.6_f64, -0.6] {
            let weights = aligned(&Gramian::new(&[vec![1.0, cosine], vec![cosine, 1.0]]).unwrap());
            let expected = 0.5 * ((1.0 - cosine.abs()) / (1.0 + cosine)).sqrt();
            close(&weights, &[expected, expected]);
        }
    }

    #[test]
    fn dependent_gradients_count_once() {
        // Rank 1 with lengths 1 and 2: the one singular value is √5, and the direction is along (1, 2)/√5.
        let weights = aligned(&Gramian::new(&[vec![1.0, 2.0], vec![2.0, 4.0]]).unwrap());
        close(&weights, &[0.3, 0.6]);
        close(&aligned(&Gramian::new(&[vec![0.0, 0.0], vec![0.0, 0.0]]).unwrap()), &[0.5, 0.5]);
    }
}
