//! ConFIG: the direction with equal cosines to all gradients, as long as they add up to along it.
//!
//! ```text
//! û = direction of  (g_t / ‖g_t‖)⁺ 1          (equal cosine with every gradient)
//! d = (Σ g_t · û) û
//! ```
//!
//! No task gets worse where the gradients are independent, and all improve at the same relative rate. It is short where
//! gradients conflict, and as long as the sum where they agree: made for losses of physics-informed networks, whose
//! gradients differ by orders of magnitude.
//!
//! Cost a step: O(T³), the eigenvalues of the cosines, once the Gramian is known.
//! Reference: Liu, Chu and Thuerey, "ConFIG: towards conflict-free training of physics informed neural networks", ICLR
//! 2025 (arXiv 2408.11104, 2024).
//!
//! The equation and the length are those of the authors' library (`ProjectionLength`, its default) and of TorchJD,
//! which take the pseudo-inverse of the unit gradients in f32; here it comes from their cosines in f64. The same angles
//! as `imtl-g`; the length differs. The direction is zero where only that has equal angles. The momentum version
//! (M-ConFIG) is another method. A gradient of length 0 has weight 1: it changes nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gramian::dot;
use crate::solve::equiangular;
use crate::{Balancer, Gramian, Laws, Needs, Result, Scale, Seen, State, Weights};

/// ConFIG has no options.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConFig {}

impl Balancer for ConFig {
    const KEY: &'static str = "config";
    const SUMMARY: &'static str = "equal cosines with all gradients, as long as the gradients along it";
    const REFERENCE: &'static str =
        "Liu, Chu and Thuerey, ConFIG: towards conflict-free training of physics informed neural networks, ICLR 2025";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "O(T³)";

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let weights = Weights::in_order(seen, &conflict_free(seen.gramian()?))?;
        state.step += 1;
        Ok(weights)
    }
}

/// A direction shorter than this part of the lengths that add up to it is zero but for rounding.
const LENGTH_MIN: f64 = 1e-12;

fn conflict_free(gramian: &Gramian) -> Vec<f64> {
    let (norms, cosines) = gramian.unit();
    let along = equiangular(&cosines);
    let squared = cosines.squared_norm(&along);
    let sizes: f64 = along.iter().map(|weight| weight.abs()).sum();
    let length = dot(&norms, &cosines.times(&along));
    let factor = if squared.sqrt() > LENGTH_MIN * sizes { length / squared } else { 0.0 };
    along.iter().zip(&norms).map(|(weight, norm)| if *norm > 0.0 { factor * weight / norm } else { 1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_gradients_share_the_length() {
        // û = (1, 1)/√2, and the gradients (3, 0) and (0, 1) add up to 4/√2 along it: d = (2, 2).
        let weights = conflict_free(&Gramian::new(&[vec![9.0, 0.0], vec![0.0, 1.0]]).unwrap());
        assert!((weights[0] - 2.0 / 3.0).abs() < 1e-14 && (weights[1] - 2.0).abs() < 1e-14, "{weights:?}");
    }

    #[test]
    fn equal_gradients_are_summed_and_opposite_ones_cancel() {
        let weights = conflict_free(&Gramian::new(&[vec![1.0; 3], vec![1.0; 3], vec![1.0; 3]]).unwrap());
        assert!((weights.iter().sum::<f64>() - 3.0).abs() < 1e-13, "{weights:?}");
        let opposite = conflict_free(&Gramian::new(&[vec![1.0, -2.0], vec![-2.0, 4.0]]).unwrap());
        assert!((opposite[0] - 2.0 * opposite[1]).abs() < 1e-13, "{opposite:?}");
    }
}
