//! MGDA: the shortest convex combination of the task gradients.
//!
//! ```text
//! w* = argmin  ‖Σ w_t g_t‖²    subject to  w >= 0,  Σ w = 1
//! ```
//!
//! The direction makes every task better at the same rate, those with weight 0 at least as fast; it is zero exactly
//! where no direction makes every task better. It follows the tasks with short gradients, which are often those that
//! have already converged: scale the gradients first where losses differ in scale.
//!
//! Cost a step: O(T³) once the Gramian is known; microseconds for a few tasks.
//! Reference: Désidéri, "Multiple-gradient descent algorithm (MGDA) for multiobjective optimization", Comptes Rendus
//! Mathématique, 2012; for networks: Sener and Koltun, "Multi-task learning as multi-objective optimization", NeurIPS
//! 2018.
//!
//! Public versions approximate the weights: the authors' by Frank-Wolfe or projected steps from the best pair, with a
//! pair's weights kept within 0.001 and 0.999, which LibMTL and Nash-MTL's code copy; TorchJD by at most 100
//! Frank-Wolfe steps from 1/T. Here they are exact. The scales of `scale_by` are the authors' `none`, `l2`, `loss` and
//! `loss+`. Scaled gradients decide the weights, which are then applied to the gradients as they are, as in the
//! authors' code; LibMTL applies them to the scaled ones. The weights sum to 1, as in the paper; Nash-MTL's code makes
//! them sum to T. It takes the gradients at the shared representation (MGDA-UB) or in the shared parameters; which ones
//! the Gramian is made of is the trainer's choice. All combinations with the same direction are equally right where
//! gradients are dependent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::solve::min_norm;
use crate::{Balancer, Gramian, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of MGDA.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mgda {
    /// What each gradient is divided by before the weights are sought.
    pub scale_by: ScaleBy,
}

/// What each gradient is divided by before the weights are sought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScaleBy {
    /// Nothing.
    #[default]
    Nothing,
    /// Its length.
    Norm,
    /// Its task's loss.
    Loss,
    /// Its length times its task's loss.
    LossNorm,
}

impl Balancer for Mgda {
    const KEY: &'static str = "mgda";
    const SUMMARY: &'static str = "the shortest convex combination of the gradients";
    const REFERENCE: &'static str =
        "Sener and Koltun, Multi-task learning as multi-objective optimization, NeurIPS 2018; Désidéri, 2012";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "O(T³)";

    fn laws(&self) -> Laws {
        let plain = self.scale_by == ScaleBy::Nothing;
        Laws { permutation: true, symmetric: true, non_conflicting: plain, stationary: plain, scale: Scale::Linear }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let weights = min_norm(&self.scaled(seen)?);
        let weights = Weights::in_order(seen, &weights)?;
        state.step += 1;
        Ok(weights)
    }
}

impl Mgda {
    /// A gradient whose divisor is 0 is left as it is.
    fn scaled(&self, seen: &Seen) -> Result<Gramian> {
        let gramian = seen.gramian()?;
        let divisor = |task: usize, loss: f64| {
            let norm = gramian.get(task, task).sqrt();
            match self.scale_by {
                ScaleBy::Nothing => 1.0,
                ScaleBy::Norm => norm,
                ScaleBy::Loss => loss.abs(),
                ScaleBy::LossNorm => loss.abs() * norm,
            }
        };
        if self.scale_by == ScaleBy::Nothing {
            return Ok(gramian.clone());
        }
        let divisors: Vec<f64> = seen.present().enumerate().map(|(place, (_, loss))| divisor(place, loss)).collect();
        // In units of the least, so that no factor overflows; the weights do not depend on the unit.
        let least = divisors.iter().copied().filter(|divisor| *divisor > 0.0).fold(f64::INFINITY, f64::min);
        gramian.scaled(
            &divisors.iter().map(|&divisor| if divisor > 0.0 { least / divisor } else { 1.0 }).collect::<Vec<_>>(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weigh(scale_by: ScaleBy, losses: [f64; 2], rows: [[f64; 2]; 2]) -> Vec<f64> {
        let gramian = Gramian::new(&rows.map(|row| row.to_vec())).unwrap();
        let seen = Seen::new(losses.map(Some).to_vec()).unwrap().with_gramian(gramian).unwrap();
        Mgda { scale_by }.weigh(&mut State::default(), &seen).unwrap().into_vec()
    }

    #[test]
    fn gradients_are_scaled_before_the_weights_are_sought() {
        // Orthogonal gradients of lengths 1 and 2: weights are as the inverse squares of what they are scaled to.
        let rows = [[1.0, 0.0], [0.0, 4.0]];
        let cases = [
            (ScaleBy::Nothing, [0.8, 0.2]),
            (ScaleBy::Norm, [0.5, 0.5]),
            // Losses 1 and 2: both gradients are scaled to length 1.
            (ScaleBy::Loss, [0.5, 0.5]),
            (ScaleBy::LossNorm, [0.2, 0.8]),
        ];
        for (scale_by, expected) in cases {
            let weights = weigh(scale_by, [1.0, 2.0], rows);
            for (found, expected) in weights.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-15, "{scale_by:?}: {weights:?}");
            }
        }
        assert_eq!(weigh(ScaleBy::Loss, [0.0, 0.0], rows), weigh(ScaleBy::Nothing, [0.0, 0.0], rows));
    }
}
