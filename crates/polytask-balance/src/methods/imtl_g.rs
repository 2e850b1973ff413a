//! IMTL-G: the combination of gradients whose projections on all of them are equal.
//!
//! ```text
//! d = Σ w_t g_t,    g_t · d / ‖g_t‖ the same for every t,    Σ w = 1
//! ```
//!
//! No task is favoured, whatever the scale of its loss: all have the same angle to the direction. Use it where losses
//! differ in scale and fixed weights cannot be searched. Weights can be negative.
//!
//! Cost a step: O(T³), the eigenvalues of the cosines, once the Gramian is known.
//! Reference: Liu, Li, Kuang, Xue, Chen, Yang, Liao and Zhang, "Towards impartial multi-task learning", ICLR 2021.
//!
//! The paper inverts a matrix of differences, which has no inverse where gradients are dependent: LibMTL then fails,
//! Nash-MTL's code adds 1e-8 to its diagonal. There, as in TorchJD, the pseudo-inverse is used, which still gives equal
//! angles where any direction does. LibMTL's `IMTL` runs both halves of the paper at once, on gradients of exp(s) L -
//! s; here they are two methods. The paper's Σ w = 1, which all three keep, can turn the direction around, so that
//! every task gets worse: where the sum would be 0 or below, the absolute values sum to 1 instead, and the direction
//! descends. A gradient of length 0 has no angle: its weight is the mean of the others'.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::solve::equiangular;
use crate::{Balancer, Gramian, Laws, Needs, Result, Scale, Seen, State, Weights};

/// IMTL-G has no options.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImtlG {}

impl Balancer for ImtlG {
    const KEY: &'static str = "imtl-g";
    const SUMMARY: &'static str = "the combination with equal projections on all gradients";
    const REFERENCE: &'static str = "Liu et al., Towards impartial multi-task learning, ICLR 2021";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "O(T³)";

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let weights = Weights::in_order(seen, &impartial(seen.gramian()?))?;
        state.step += 1;
        Ok(weights)
    }
}

/// A sum of weights below this part of the sum of their absolute values is 0 but for rounding.
const SUM_MIN: f64 = 1e-12;

fn impartial(gramian: &Gramian) -> Vec<f64> {
    let (norms, cosines) = gramian.unit();
    let weights: Vec<f64> = equiangular(&cosines)
        .iter()
        .zip(&norms)
        .map(|(weight, norm)| if *norm > 0.0 { weight / norm } else { 0.0 })
        .collect();
    let nonzero = norms.iter().filter(|norm| **norm > 0.0).count();
    if nonzero == 0 {
        return vec![1.0 / norms.len() as f64; norms.len()];
    }
    let sum: f64 = weights.iter().sum();
    let absolute: f64 = weights.iter().map(|weight| weight.abs()).sum();
    let divisor = if sum > SUM_MIN * absolute { sum } else { absolute };
    if divisor == 0.0 {
        return weights;
    }
    let mean = sum / divisor / nonzero as f64;
    weights.iter().zip(&norms).map(|(weight, norm)| if *norm > 0.0 { weight / divisor } else { mean }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_gradients_are_weighed_by_the_inverse_of_their_lengths() {
        // u is the same for both, so w is as 1 : 1/2, at any angle.
        for product in [-1.5, 0.0, 1.9] {
            let weights = impartial(&Gramian::new(&[vec![1.0, product], vec![product, 4.0]]).unwrap());
            assert!((weights[0] - 2.0 / 3.0).abs() < 1e-12 && (weights[1] - 1.0 / 3.0).abs() < 1e-12, "{weights:?}");
        }
    }

    #[test]
    fn projections_are_equal_and_positive() {
        let gramian = Gramian::new(&[vec![1.0, 0.9, 0.0], vec![0.9, 4.0, -3.0], vec![0.0, -3.0, 9.0]]).unwrap();
        let weights = impartial(&gramian);
        let projections: Vec<f64> =
            gramian.times(&weights).iter().zip([1.0, 2.0, 3.0]).map(|(gain, norm)| gain / norm).collect();
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        assert!(projections[0] > 0.0);
        assert!(projections.iter().all(|gain| (gain / projections[0] - 1.0).abs() < 1e-12), "{projections:?}");
    }

    #[test]
    fn the_direction_descends_where_the_paper_turns_around() {
        // The middle gradient is short and gets a negative weight that outweighs the others.
        let cosines = [[1.0, 0.9, 0.7], [0.9, 1.0, 0.9], [0.7, 0.9, 1.0]];
        let lengths = [1.0, 0.01, 1.0];
        let row = |at: usize| (0..3).map(|to| cosines[at][to] * lengths[at] * lengths[to]).collect::<Vec<_>>();
        let gramian = Gramian::new(&(0..3).map(row).collect::<Vec<_>>()).unwrap();
        let weights = impartial(&gramian);
        assert!(weights.iter().sum::<f64>() < 0.0, "{weights:?}");
        assert!(gramian.times(&weights).iter().all(|gain| *gain > 0.0));
        assert!((weights.iter().map(|weight| weight.abs()).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
