//! UPGrad: each gradient projected on the directions that make no task worse, then averaged.
//!
//! ```text
//! d = 1/T Σ_t P(g_t),    P(v) = argmin ‖d - v‖  subject to  g_s · d >= 0 for every s
//! ```
//!
//! It never makes a task worse to first order, and is the mean gradient where no two conflict. Each task's gradient has
//! its own projection, so a task with a long gradient has more say, as in the mean: use it where losses are on one
//! scale and conflict is the problem.
//!
//! Cost a step: T projections of O(T³) at most once the Gramian is known.
//! Reference: Quinton and Rey, "Jacobian descent for multi-objective optimization", arXiv 2406.16232, 2024.
//!
//! TorchJD, the authors' library, adds 1e-4 to the normalised Gramian's diagonal and hands it to a general solver; here
//! the projections are exact.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::solve::project_each;
use crate::{Balancer, Laws, Needs, Result, Scale, Seen, State, Weights};

/// UPGrad has no options.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UpGrad {}

impl Balancer for UpGrad {
    const KEY: &'static str = "upgrad";
    const SUMMARY: &'static str = "each gradient projected on the directions that make no task worse, then averaged";
    const REFERENCE: &'static str =
        "Quinton and Rey, Jacobian descent for multi-objective optimization, arXiv 2406.16232, 2024";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "T projections of O(T³)";

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, non_conflicting: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let weights = Weights::in_order(seen, &project_each(seen.gramian()?))?;
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gramian;

    #[test]
    fn conflicting_gradients_lose_their_parts_along_each_other() {
        // g_1 = (1, 0), g_2 = (-1, 1): the projections are (1/2, 1/2) and (0, 1), their mean (1/4, 3/4).
        let gramian = Gramian::new(&[vec![1.0, -1.0], vec![-1.0, 2.0]]).unwrap();
        let seen = Seen::new(vec![Some(1.0), None, Some(1.0)]).unwrap().with_gramian(gramian).unwrap();
        let weights = UpGrad {}.weigh(&mut State::default(), &seen).unwrap().into_vec();
        let direction = [weights[0] - weights[2], weights[2]];
        assert!((direction[0] - 0.25).abs() < 1e-15 && (direction[1] - 0.75).abs() < 1e-15, "{direction:?}");
        assert_eq!(weights[1], 0.0);
    }
}
