//! Dual projection: the mean gradient projected on the directions that make no task worse.
//!
//! ```text
//! d = argmin ‖d - 1/T Σ g_t‖    subject to  g_t · d >= 0 for every t
//! ```
//!
//! The smallest change to the mean gradient that makes no task worse to first order. The mean is dominated by long
//! gradients, and so is its projection: compare `upgrad`, which projects each gradient by itself.
//!
//! Cost a step: O(T³) at most, one projection, once the Gramian is known.
//! Reference: Lopez-Paz and Ranzato, "Gradient episodic memory for continual learning", NeurIPS 2017, whose constraint
//! on past tasks is here on all tasks, as TorchJD has it.
//!
//! TorchJD divides the Gramian by its trace, adds 1e-4 to its diagonal and hands it to a general solver; here the
//! projection is exact. GEM's code adds a margin (0.5) to the multipliers, which favours past tasks; there is none
//! here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::solve::project;
use crate::{Balancer, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Dual projection has no options.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DualProj {}

impl Balancer for DualProj {
    const KEY: &'static str = "dual-proj";
    const SUMMARY: &'static str = "the mean gradient projected on the directions that make no task worse";
    const REFERENCE: &'static str =
        "Lopez-Paz and Ranzato, Gradient episodic memory for continual learning, NeurIPS 2017";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "O(T³)";

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, non_conflicting: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let gramian = seen.gramian()?;
        let mean = vec![1.0 / gramian.size() as f64; gramian.size()];
        let weights = Weights::in_order(seen, &project(gramian, &mean))?;
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gramian;

    #[test]
    fn the_mean_loses_its_part_against_the_short_gradient() {
        // g_1 = (1, 0), g_2 = (-3, 1): the mean (-1, 1/2) is against g_1, and nearest to it is (0, 1/2).
        let gramian = Gramian::new(&[vec![1.0, -3.0], vec![-3.0, 10.0]]).unwrap();
        let seen = Seen::new(vec![Some(1.0), Some(1.0)]).unwrap().with_gramian(gramian).unwrap();
        let weights = DualProj {}.weigh(&mut State::default(), &seen).unwrap().into_vec();
        assert!((weights[0] - 1.5).abs() < 1e-15 && (weights[1] - 0.5).abs() < 1e-15, "{weights:?}");
    }
}
