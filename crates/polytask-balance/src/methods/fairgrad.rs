//! FairGrad: bargaining with a choice of how much the worst-off task counts.
//!
//! ```text
//! G w = w^(-1/α),  w > 0      d = Σ w_t g_t maximises Σ (g_t · d)^(1 - α) / (1 - α) over the directions of its length
//! ```
//!
//! Fair as networks share bandwidth: α near 0 maximises the total gain, 1 is Nash bargaining (the same weights as
//! `nash-mtl`), 2 minimises the total delay, and large α maximises the least gain. No task gets worse. Use it as
//! `nash-mtl`, and raise α where one task falls behind. Unless α is 1, the length of the direction depends on the scale
//! of the losses: as `f^((1 - α) / (1 + α))` when all are multiplied by f.
//!
//! Cost a step: 5 to 25 Newton steps of O(T³) once the Gramian is known.
//! Reference: Ban and Ji, "Fair resource allocation in multi-task learning", ICML 2024.
//!
//! The authors' code minimises the squared residual of the equations with a general solver that starts from 1/T; here
//! they hold exactly. The paper chooses α for each data set; the default of LibMTL is 1, which is `nash-mtl`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::solve::fair;
use crate::{Balancer, Error, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of FairGrad.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FairGrad {
    /// How much the task that gains least counts, from 0.1 to 100; the paper's α.
    #[schemars(extend("minimum" = 0.1, "maximum" = 100.0))]
    pub alpha: f64,
}

impl Default for FairGrad {
    fn default() -> Self {
        FairGrad { alpha: 2.0 }
    }
}

impl Balancer for FairGrad {
    const KEY: &'static str = "fairgrad";
    const SUMMARY: &'static str = "bargaining that favours the worst-off task as much as asked";
    const REFERENCE: &'static str = "Ban and Ji, Fair resource allocation in multi-task learning, ICML 2024";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "5 to 25 Newton steps of O(T³)";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if (0.1..=100.0).contains(&self.alpha) {
            return Ok(self);
        }
        Err(Error::option(Self::KEY, "alpha", self.alpha, "a number from 0.1 to 100"))
    }

    fn laws(&self) -> Laws {
        let scale = if self.alpha == 1.0 { Scale::Invariant } else { Scale::Neither };
        Laws { permutation: true, symmetric: true, non_conflicting: true, stationary: true, scale }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let weights = Weights::in_order(seen, &fair(seen.gramian()?, self.alpha, &[]))?;
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gramian;

    #[test]
    fn orthogonal_gradients_gain_as_alpha_says() {
        // n² w = w^(-1/α): gains n² w are n^(2 / (1 + α)), ever more alike as α grows.
        for alpha in [0.1, 1.0, 2.0, 100.0] {
            let gramian = Gramian::new(&[vec![1.0, 0.0], vec![0.0, 16.0]]).unwrap();
            let seen = Seen::new(vec![Some(1.0); 2]).unwrap().with_gramian(gramian).unwrap();
            let weights = FairGrad { alpha }.weigh(&mut State::default(), &seen).unwrap().into_vec();
            assert!((weights[0] - 1.0).abs() < 1e-12, "{weights:?}");
            let expected = 4.0_f64.powf(2.0 / (1.0 + alpha));
            assert!((16.0 * weights[1] / expected - 1.0).abs() < 1e-12, "{weights:?}");
        }
    }

    #[test]
    fn alpha_has_a_range() {
        for alpha in [0.0, -1.0, f64::NAN, 1000.0] {
            assert!(FairGrad { alpha }.bind(&[]).is_err());
        }
    }
}
