//! IMTL-L: each loss with a learned scale that makes all scaled losses alike.
//!
//! ```text
//! s minimises  Σ exp(s_t) L_t - s_t         w_t = exp(s_t)          (at rest: exp(s_t) L_t = 1)
//! ```
//!
//! Each `s_t` starts at 0 and is moved by its own Adam, after the step's weights have been taken, in steps that have
//! the task. At rest every task contributes alike, whatever the scale of its loss: an `uncertainty` weighting without
//! the assumption of a distribution, and twice its weights. It follows losses, so it does not see conflict.
//!
//! Cost a step: O(T).
//! Reference: Liu, Li, Kuang, Xue, Chen, Yang, Liao and Zhang, "Towards impartial multi-task learning", ICLR 2021.
//!
//! The paper and LibMTL move s with the network's optimizer; here it has its own, whose learning rate does not follow
//! the network's. LibMTL has no `imtl-l` alone: its `IMTL` goes on to combine the gradients of the scaled losses as
//! `imtl-g` does. A loss of 0 or below has no rest point: |s| is kept within 50.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Balancer, Error, Laws, Needs, Result, Seen, State, Weights, adam};

/// Options of IMTL-L.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImtlL {
    /// Learning rate of Adam for the logarithms of the scales, above 0.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
}

impl Default for ImtlL {
    fn default() -> Self {
        ImtlL { learning_rate: 1e-3 }
    }
}

const LOG_SCALE: &str = "log_scale";
const LOG_SCALE_MAX: f64 = 50.0;

impl Balancer for ImtlL {
    const KEY: &'static str = "imtl-l";
    const SUMMARY: &'static str = "learned scales that make all losses alike";
    const REFERENCE: &'static str = "Liu et al., Towards impartial multi-task learning, ICLR 2021";
    const NEEDS: Needs = Needs::Losses;
    const COST: &'static str = "O(T)";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if self.learning_rate.is_finite() && self.learning_rate > 0.0 {
            return Ok(self);
        }
        Err(Error::option(Self::KEY, "learning_rate", self.learning_rate, "a finite number above 0"))
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, ..Laws::none() }
    }

    fn init(&self, tasks: usize) -> State {
        adam::init(State::default().with(LOG_SCALE, vec![0.0; tasks]), tasks)
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let tasks = seen.tasks();
        let log_scale = state.vector(LOG_SCALE, tasks)?;
        let weights = Weights::of_present(seen, |task, _| log_scale[task].exp())?;
        adam::check(state, tasks)?;
        for (task, loss) in seen.present() {
            let step = adam::step(state, task, tasks, weights.as_slice()[task] * loss - 1.0)?;
            let s = &mut state.vector_mut(LOG_SCALE, tasks)?[task];
            *s = (*s - self.learning_rate * step).clamp(-LOG_SCALE_MAX, LOG_SCALE_MAX);
        }
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_losses_rest_at_one() {
        let losses = [0.02, 1.0, 30.0];
        let seen = Seen::new(losses.map(Some).to_vec()).unwrap();
        let mut state = ImtlL::default().init(3);
        let mut weights = Vec::new();
        // A rate that falls to 0 lets Adam settle.
        for step in 0..20_000 {
            let method = ImtlL { learning_rate: 0.02 * (1.0 - f64::from(step) / 20_000.0) };
            weights = method.weigh(&mut state, &seen).unwrap().into_vec();
        }
        for (weight, loss) in weights.iter().zip(losses) {
            assert!((weight * loss - 1.0).abs() < 1e-6, "{weight}, {loss}");
        }
    }

    #[test]
    fn the_first_step_is_the_learning_rate_down_the_slope() {
        let method = ImtlL { learning_rate: 0.1 };
        let mut state = method.init(3);
        let seen = Seen::new(vec![Some(3.0), None, Some(0.5)]).unwrap();
        assert_eq!(method.weigh(&mut state, &seen).unwrap().as_slice(), [1.0, 0.0, 1.0]);
        // Slopes 3 - 1 and 1/2 - 1.
        let found = state.vector(LOG_SCALE, 3).unwrap();
        for (found, expected) in found.iter().zip([-0.1, 0.0, 0.1]) {
            assert!((found - expected).abs() < 1e-8, "{found}");
        }
    }

    #[test]
    fn losses_without_rest_point_stay_finite() {
        for loss in [0.0, -1.0, f64::MAX] {
            let method = ImtlL { learning_rate: 10.0 };
            let mut state = method.init(1);
            for _ in 0..100 {
                let weights = method.weigh(&mut state, &Seen::new(vec![Some(loss)]).unwrap()).unwrap();
                assert!(weights.as_slice()[0] > 0.0);
            }
        }
        assert!(ImtlL { learning_rate: -1.0 }.bind(&[]).is_err());
    }
}
