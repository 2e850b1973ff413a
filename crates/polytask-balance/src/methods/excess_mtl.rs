//! ExcessMTL: more weight for tasks that are far from what they could reach.
//!
//! ```text
//! s_t = s_t + g_t²          entry by entry, from the first step on
//! e_t = Σ g_t² / √s_t       over the entries: an estimate of the excess risk, L_t minus the best L_t
//! w_t = w_t exp(η e_t / e_t(first)),  scaled to sum to T                      (w starts at 1)
//! ```
//!
//! A loss that is high because labels are noisy does not fall any further; its excess risk is low. So noisy tasks do
//! not take over, as they do where weights follow losses. Use it where some tasks have noisy labels.
//!
//! Cost a step: O(T) an entry. It keeps T numbers an entry: T times the memory of the shared parameters.
//! Reference: He, Zhou, Zhang, Yun, Xu, Zeng, Chilimbi and Zhao, "Robust multi-task learning with excess risks", ICML
//! 2024.
//!
//! The curvature is estimated as Adagrad does, as in the paper. As in the authors' code, a task's first estimate only
//! sets its scale, the weights sum to T, where the paper's sum to 1, 1e-7 is added under the root, and η is 0.01.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Balancer, Error, Keeps, Laws, Needs, Result, Seen, State, TensorGradients, Weights};

/// Options of ExcessMTL.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExcessMtl {
    /// How fast the weights follow the excess risks, above 0; the paper's η.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
}

impl Default for ExcessMtl {
    fn default() -> Self {
        ExcessMtl { learning_rate: 0.01 }
    }
}

/// Logarithms of the weights, up to one number for all.
const LOG_WEIGHTS: &str = "log_weights";
/// Each task's first estimate; 0 before there is one.
const FIRST: &str = "first_excess";
const EPSILON: f64 = 1e-7;
/// No excess risk counts for more, relative to the first.
const RATIO_MAX: f64 = 1e6;
/// Weights stay within a factor of exp(this) of the largest.
const LOG_RATIO_MAX: f64 = 100.0;

impl Balancer for ExcessMtl {
    const KEY: &'static str = "excess-mtl";
    const SUMMARY: &'static str = "more weight for tasks that are far from what they could reach";
    const REFERENCE: &'static str = "He et al., Robust multi-task learning with excess risks, ICML 2024";
    const NEEDS: Needs = Needs::TaskGradients;
    const COST: &'static str = "O(T) an entry";
    const KEEPS: Keeps = Keeps::EachEntry;

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
        State::default().with(LOG_WEIGHTS, vec![0.0; tasks]).with(FIRST, vec![0.0; tasks])
    }

    fn rewrite(&self, _state: &State, _seen: &Seen, tensor: &mut TensorGradients) -> Result<()> {
        let mut found = vec![0.0; tensor.gradients.len()];
        for (place, gradient, kept) in tensor.pairs() {
            for (value, kept) in gradient.iter().zip(kept) {
                let square = f64::from(*value) * f64::from(*value);
                let sum = (f64::from(*kept) + square).min(f64::from(f32::MAX));
                *kept = sum as f32;
                found[place] += square / (sum + EPSILON).sqrt();
            }
        }
        tensor.measures.iter_mut().zip(found).for_each(|(measure, found)| *measure += found);
        Ok(())
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let tasks = seen.tasks();
        let measures = seen.measures()?;
        let mut logs = state.vector(LOG_WEIGHTS, tasks)?.to_vec();
        let mut first = state.vector(FIRST, tasks)?.to_vec();
        for ((task, _), measure) in seen.present().zip(measures) {
            if first[task] > 0.0 {
                logs[task] += self.learning_rate * (measure / first[task]).min(RATIO_MAX);
            } else {
                first[task] = *measure;
            }
        }
        let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        logs.iter_mut().for_each(|log| *log = (*log - highest).max(-LOG_RATIO_MAX));
        let total: f64 = logs.iter().map(|log| log.exp()).sum();
        let weights = Weights::of_present(seen, |task, _| tasks as f64 * logs[task].exp() / total)?;
        state.vector_mut(LOG_WEIGHTS, tasks)?.copy_from_slice(&logs);
        state.vector_mut(FIRST, tasks)?.copy_from_slice(&first);
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_by_hand() {
        let method = ExcessMtl::default();
        let mut kept = [[0.0_f32; 2]; 1];
        // First |g| = 3 + 4; then 3²/√(9 + 9) and 4²/√(16 + 16).
        for expected in [7.0, 9.0 / 18.0_f64.sqrt() + 16.0 / 32.0_f64.sqrt()] {
            let mut gradient = [3.0_f32, -4.0];
            let mut measures = [0.0];
            let mut tensor = TensorGradients {
                name: "trunk",
                gradients: vec![&mut gradient],
                kept: kept.iter_mut().map(|kept| kept.as_mut_slice()).collect(),
                measures: &mut measures,
            };
            let seen = Seen::new(vec![Some(1.0)]).unwrap();
            method.rewrite(&State::default(), &seen, &mut tensor).unwrap();
            assert!((measures[0] - expected).abs() < 1e-6, "{measures:?}, {expected}");
            assert_eq!(gradient, [3.0, -4.0]);
        }
        assert_eq!(kept, [[18.0, 32.0]]);
    }

    #[test]
    fn weights_by_hand() {
        let method = ExcessMtl { learning_rate: 0.5 };
        let mut state = method.init(3);
        let mut weigh = |measures: [f64; 2]| {
            let seen = Seen::new(vec![Some(1.0), None, Some(1.0)]).unwrap();
            method.weigh(&mut state, &seen.with_measures(measures.to_vec()).unwrap()).unwrap().into_vec()
        };
        assert_eq!(weigh([4.0, 10.0]), [1.0, 0.0, 1.0]);
        // Ratios 1/2 and 1/5; the absent task keeps exp(0).
        let (a, b) = (0.25_f64.exp(), 0.1_f64.exp());
        for (found, expected) in weigh([2.0, 2.0]).iter().zip([3.0 * a, 0.0, 3.0 * b]) {
            assert!((found - expected / (a + b + 1.0)).abs() < 1e-14, "{found}, {expected}");
        }
        assert!(weigh([f64::MAX, 0.0]).iter().all(|weight| weight.is_finite()));
        assert!(ExcessMtl { learning_rate: 0.0 }.bind(&[]).is_err());
    }
}
