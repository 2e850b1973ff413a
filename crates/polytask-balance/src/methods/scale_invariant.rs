//! Scale-invariant: the sum of the logarithms of the losses.
//!
//! ```text
//! minimise Σ log L_t        w_t = 1 / L_t
//! ```
//!
//! The direction does not change when a loss is multiplied by a number, so losses in different units need no weights.
//! A loss that goes to 0 gets ever more weight: overfitted tasks dominate.
//!
//! Cost a step: O(T).
//! Reference: the scale-invariant baseline of Navon, Shamsian, Achituve, Maron, Kawaguchi, Chechik and Fetaya,
//! "Multi-task learning as a bargaining game", ICML 2022.
//!
//! Nash-MTL's code takes the logarithms as they are. The logarithm of 0 or less does not exist: losses below 1e-12
//! count as 1e-12. The length of the direction does not follow the losses, so the learning rate of a plain sum does not
//! carry over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOSS_MIN;
use crate::{Balancer, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Scale-invariant has no options.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScaleInvariant {}

impl Balancer for ScaleInvariant {
    const KEY: &'static str = "scale-invariant";
    const SUMMARY: &'static str = "the sum of the logarithms of the losses";
    const REFERENCE: &'static str = "Navon et al., Multi-task learning as a bargaining game, ICML 2022 (baseline)";
    const NEEDS: Needs = Needs::Losses;
    const COST: &'static str = "O(T)";

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Invariant, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let weights = Weights::of_present(seen, |_, loss| 1.0 / loss.max(LOSS_MIN))?;
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_slopes_of_the_logarithm() {
        let seen = Seen::new(vec![Some(4.0), None, Some(0.01), Some(0.0), Some(-3.0)]).unwrap();
        let weights = ScaleInvariant {}.weigh(&mut State::default(), &seen).unwrap();
        assert_eq!(weights.as_slice(), [0.25, 0.0, 100.0, 1e12, 1e12]);
    }
}
