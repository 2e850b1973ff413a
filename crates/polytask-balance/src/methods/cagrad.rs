//! CAGrad: the best direction for the worst task, not far from the mean gradient.
//!
//! ```text
//! d = argmax min_t g_t · d    subject to  ‖d - g_0‖ <= c ‖g_0‖,      g_0 = 1/T Σ g_t
//!   = g_0 + c ‖g_0‖ g_w / ‖g_w‖,   w = argmin g_w · g_0 + c ‖g_0‖ ‖g_w‖  over the simplex,   g_w = Σ w_t g_t
//! ```
//!
//! With c = 0 it is the mean gradient; as c grows it turns to MGDA. For c below 1 it converges to a minimum of the mean
//! loss, unlike MGDA, and speeds up the task that falls behind on the way. It can still make a task worse.
//!
//! Cost a step: 1 to 10 times O(T³) once the Gramian is known.
//! Reference: Liu, Liu, Jin, Stone and Liu, "Conflict-averse gradient descent for multi-task learning", NeurIPS 2021.
//!
//! The direction is the paper's, as it is, and as TorchJD has it. The authors' code and LibMTL divide it by 1 + c²
//! (`rescale = 1`, their default) or by 1 + c, and the authors' then multiplies it by T, to match a sum of losses: all
//! of this only changes the learning rate, which does not carry over. They find w by a general optimiser with 1e-8
//! added to lengths; here it is exact. TorchJD gives the direction zero where g_w is shorter than 1e-4 of the
//! gradients' scale; here the ball is then searched for a direction that makes no task worse. The paper uses c = 0.4
//! for NYUv2, which is our default, and 0.2 for Cityscapes; LibMTL has 0.5.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::solve::best_in_ball;
use crate::{Balancer, Error, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of CAGrad.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CaGrad {
    /// How far the direction may be from the mean gradient, as a part of the mean's length, at least 0; the paper's c,
    /// which is below 1.
    #[schemars(extend("minimum" = 0.0))]
    pub radius: f64,
}

impl Default for CaGrad {
    fn default() -> Self {
        CaGrad { radius: 0.4 }
    }
}

impl Balancer for CaGrad {
    const KEY: &'static str = "cagrad";
    const SUMMARY: &'static str = "the best direction for the worst task within a ball around the mean gradient";
    const REFERENCE: &'static str =
        "Liu et al., Conflict-averse gradient descent for multi-task learning, NeurIPS 2021";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "1 to 10 times O(T³)";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if self.radius.is_finite() && self.radius >= 0.0 {
            return Ok(self);
        }
        Err(Error::option(Self::KEY, "radius", self.radius, "a finite number of at least 0"))
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let weights = Weights::in_order(seen, &best_in_ball(seen.gramian()?, self.radius))?;
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gramian;

    fn weigh(radius: f64, gramian: Gramian) -> Vec<f64> {
        let seen = Seen::new(vec![Some(1.0); gramian.size()]).unwrap().with_gramian(gramian).unwrap();
        CaGrad { radius }.weigh(&mut State::default(), &seen).unwrap().into_vec()
    }

    #[test]
    fn the_ball_is_used_for_the_worst_task_alone() {
        // g_1 = (1, 0), g_2 = (0, 10): g_0 = (1/2, 5). The gain of the first is the worst all over the ball, so all of
        // the radius goes along g_1.
        let gramian = Gramian::new(&[vec![1.0, 0.0], vec![0.0, 100.0]]).unwrap();
        let length = (0.25_f64 + 25.0).sqrt();
        let weights = weigh(0.3, gramian.clone());
        assert!((weights[0] - (0.5 + 0.3 * length)).abs() < 1e-14 && weights[1] == 0.5, "{weights:?}");
        assert_eq!(weigh(0.0, gramian), [0.5, 0.5]);
    }

    #[test]
    fn a_radius_is_not_negative() {
        for radius in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(CaGrad { radius }.bind(&[]).is_err());
        }
    }
}
