//! Equal weights: the plain sum, or mean, of the losses.
//!
//! ```text
//! w_t = 1            (sum)
//! w_t = 1 / n        (mean, over the n tasks of the step)
//! ```
//!
//! The control arm: with a learning rate and regularisation as well tuned as its rivals', it is hard to beat. Start
//! here, and keep it in every comparison. It favours tasks whose losses or gradients are large.
//!
//! Cost a step: none.
//! Reference: Kurin, De Palma, Kostrikov, Whiteson and Kumar, "In defense of the unitary scalarization for deep
//! multi-task learning", NeurIPS 2022; Xin, Ghorbani, Garg, Firat and Gilmer, "Do current multi-task optimization
//! methods in deep learning even help?", NeurIPS 2022.
//!
//! Public versions differ in the scale only: LibMTL sums, TorchJD has both `Sum` and `Mean`. With an optimizer that
//! undoes the scale of gradients (adam), the two differ only through clipping, weight decay, and steps with different
//! numbers of tasks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Balancer, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of equal weights.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Equal {
    /// Whether the losses are summed or averaged.
    pub normalize: Normalize,
}

/// What the weights of a step add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize {
    /// The number of tasks in the step: each weight is 1.
    #[default]
    Sum,
    /// 1: each weight is 1 / the number of tasks in the step.
    Mean,
}

impl Balancer for Equal {
    const KEY: &'static str = "equal";
    const SUMMARY: &'static str = "every task alike: the sum or the mean of the losses";
    const REFERENCE: &'static str =
        "Kurin et al., In defense of the unitary scalarization for deep multi-task learning, NeurIPS 2022";
    const NEEDS: Needs = Needs::Losses;
    const COST: &'static str = "none";

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let weight = match self.normalize {
            Normalize::Sum => 1.0,
            Normalize::Mean => 1.0 / seen.present().count().max(1) as f64,
        };
        let weights = Weights::of_present(seen, |_, _| weight)?;
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum_and_mean_over_the_present_tasks() {
        let seen = Seen::new(vec![Some(3.0), None, Some(1e9), None]).unwrap();
        for (normalize, expected) in [(Normalize::Sum, [1.0, 0.0, 1.0, 0.0]), (Normalize::Mean, [0.5, 0.0, 0.5, 0.0])] {
            let mut state = State::default();
            let weights = Equal { normalize }.weigh(&mut state, &seen).unwrap();
            assert_eq!(weights.as_slice(), expected);
            assert_eq!(state.step, 1);
        }
    }

    #[test]
    fn a_step_without_tasks_has_no_weight() {
        let seen = Seen::new(vec![None, None]).unwrap();
        let weights = Equal { normalize: Normalize::Mean }.weigh(&mut State::default(), &seen).unwrap();
        assert_eq!(weights.as_slice(), [0.0, 0.0]);
    }
}
