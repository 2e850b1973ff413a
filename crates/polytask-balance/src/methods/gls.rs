//! GLS: the geometric mean of the losses.
//!
//! ```text
//! minimise (Π L_t)^(1/n)        w_t = (Π L)^(1/n) / (n L_t)          over the n tasks of the step
//! ```
//!
//! The same direction as the sum of log losses, with a length that falls with the losses: every task contributes alike,
//! whatever its scale, and steps become shorter as training goes on. One loss near 0 makes the step vanish for all.
//!
//! Cost a step: O(T).
//! Reference: Chennupati, Sistu, Yogamani and Rawashdeh, "MultiNet++: multi-stream feature aggregation and geometric
//! loss strategy for multi-task learning", CVPR Workshops 2019.
//!
//! LibMTL takes the root of the product of the losses, which overflows or vanishes with many tasks; here logarithms are
//! averaged, and the slope is the same. Losses below 1e-12 count as 1e-12: the mean of others with 0 has no slope to go
//! on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOSS_MIN;
use crate::{Balancer, Laws, Needs, Result, Scale, Seen, State, Weights};

/// GLS has no options.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Gls {}

impl Balancer for Gls {
    const KEY: &'static str = "gls";
    const SUMMARY: &'static str = "the geometric mean of the losses";
    const REFERENCE: &'static str = "Chennupati et al., MultiNet++: multi-stream feature aggregation and geometric loss strategy for multi-task learning, CVPR Workshops 2019";
    const NEEDS: Needs = Needs::Losses;
    const COST: &'static str = "O(T)";

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let count = seen.present().count() as f64;
        let log = |loss: f64| loss.max(LOSS_MIN).ln();
        let mean = seen.present().map(|(_, loss)| log(loss)).sum::<f64>() / count;
        let weights = Weights::of_present(seen, |_, loss| (mean - log(loss)).exp() / count)?;
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_slopes_of_the_geometric_mean() {
        let losses = [4.0, 1.0, 0.02];
        let seen = Seen::new(vec![Some(losses[0]), None, Some(losses[1]), Some(losses[2])]).unwrap();
        let weights = Gls {}.weigh(&mut State::default(), &seen).unwrap().into_vec();
        let mean = |losses: [f64; 3]| losses.iter().product::<f64>().cbrt();
        for (task, place) in [0, 2, 3].into_iter().enumerate() {
            let moved = |by: f64| {
                let mut losses = losses;
                losses[task] *= 1.0 + by;
                mean(losses)
            };
            let slope = (moved(1e-6) - moved(-1e-6)) / (2e-6 * losses[task]);
            assert!((weights[place] / slope - 1.0).abs() < 1e-8, "{weights:?}, {slope}");
        }
        assert_eq!(weights[1], 0.0);
    }
}
