//! GradNorm: weights learned so that gradient norms follow the tasks' training rates.
//!
//! ```text
//! N_t = w_t ‖g_t‖,   N̄ = mean of N,   r_t = (L_t / L_t(0)) / mean of those,    w moves down  Σ |N_t - N̄ r_t^α|
//! ```
//!
//! The targets `N̄ r_t^α` are constants. After each step the weights are scaled to sum to T. A task that has improved
//! less than others (r above 1) gets a longer gradient; with α = 0 all are made equally long. Use it where losses
//! differ in scale and tasks in difficulty. It reads only the diagonal of the Gramian.
//!
//! Cost a step: O(T), once the gradient norms are known.
//! Reference: Chen, Badrinarayanan, Lee and Rabinovich, "GradNorm: gradient normalization for adaptive loss balancing
//! in deep multitask networks", ICML 2018.
//!
//! The paper takes norms in the last shared layer only, here they are where the Gramian is. It chooses α for each data
//! set, 1.5 for NYUv2, which is LibMTL's default too. As in the paper, weights are free numbers that are scaled to sum
//! to T after each of their steps, L(0) is a task's first loss, and a step uses the weights from before its own update.
//! LibMTL instead learns the logits of T times a softmax, with the network's optimizer, and for L(0) waits an epoch
//! with equal weights and takes its mean loss. The weights have Adam of their own, which does not depend on the scale
//! of gradients, with the learning rate 0.025 that public code mostly has. The paper does not say what keeps weights
//! positive: here none falls below 1e-3. Losses below 1e-12 count as 1e-12.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOSS_MIN;
use crate::{Balancer, Error, Laws, Needs, Result, Seen, State, Weights, adam};

/// Options of GradNorm.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradNorm {
    /// How strongly tasks that improve slowly are favoured, at least 0.
    #[schemars(extend("minimum" = 0.0))]
    pub alpha: f64,
    /// Learning rate of Adam for the weights, above 0.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
}

impl Default for GradNorm {
    fn default() -> Self {
        GradNorm { alpha: 1.5, learning_rate: 0.025 }
    }
}

const WEIGHTS: &str = "weights";
/// Each task's first loss; 0 before there is one.
const FIRST: &str = "first_loss";
const WEIGHT_MIN: f64 = 1e-3;

impl Balancer for GradNorm {
    const KEY: &'static str = "gradnorm";
    const SUMMARY: &'static str = "learned weights that make gradient norms follow training rates";
    const REFERENCE: &'static str = "Chen et al., GradNorm: gradient normalization for adaptive loss balancing in deep multitask networks, ICML 2018";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "O(T)";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if !(self.alpha.is_finite() && self.alpha >= 0.0) {
            return Err(Error::option(Self::KEY, "alpha", self.alpha, "a finite number of at least 0"));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(Error::option(Self::KEY, "learning_rate", self.learning_rate, "a finite number above 0"));
        }
        Ok(self)
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, ..Laws::none() }
    }

    fn init(&self, tasks: usize) -> State {
        adam::init(State::default().with(WEIGHTS, vec![1.0; tasks]).with(FIRST, vec![0.0; tasks]), tasks)
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let tasks = seen.tasks();
        let gramian = seen.gramian()?;
        let mut learned = state.vector(WEIGHTS, tasks)?.to_vec();
        let mut first = state.vector(FIRST, tasks)?.to_vec();
        adam::check(state, tasks)?;
        let weights = Weights::of_present(seen, |task, _| learned[task])?;
        for (task, loss) in seen.present() {
            if first[task] == 0.0 {
                first[task] = loss.max(LOSS_MIN);
            }
        }
        let norms: Vec<f64> = (0..gramian.size()).map(|place| gramian.get(place, place).sqrt()).collect();
        let rates: Vec<f64> = seen.present().map(|(task, loss)| loss.max(LOSS_MIN) / first[task]).collect();
        let present: Vec<f64> = seen.present().map(|(task, _)| learned[task]).collect();
        let slopes = self.slopes(&present, &norms, &rates);
        for ((task, _), slope) in seen.present().zip(slopes) {
            let step = adam::step(state, task, tasks, slope)?;
            learned[task] = (learned[task] - self.learning_rate * step).max(WEIGHT_MIN);
        }
        let sum: f64 = learned.iter().sum();
        learned.iter_mut().for_each(|weight| *weight *= tasks as f64 / sum);
        state.vector_mut(WEIGHTS, tasks)?.copy_from_slice(&learned);
        state.vector_mut(FIRST, tasks)?.copy_from_slice(&first);
        state.step += 1;
        Ok(weights)
    }
}

impl GradNorm {
    /// The slope of `Σ |N_t - N̄ r_t^α|` in each present task's weight, the targets held.
    fn slopes(&self, weights: &[f64], norms: &[f64], rates: &[f64]) -> Vec<f64> {
        let count = norms.len() as f64;
        let mean_norm = weights.iter().zip(norms).map(|(weight, norm)| weight * norm / count).sum::<f64>();
        let mean_rate = rates.iter().map(|rate| rate / count).sum::<f64>();
        let slope = |((weight, norm), rate): ((&f64, &f64), &f64)| {
            let excess = weight * norm - mean_norm * (rate / mean_rate).powf(self.alpha);
            // What is rounding is no excess: one task alone stays where it is.
            if excess.abs() <= 1e-12 * mean_norm { 0.0 } else { norm * excess.signum() }
        };
        weights.iter().zip(norms).zip(rates).map(slope).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gramian;

    fn seen(losses: &[f64], norms: &[f64]) -> Seen {
        let row = |at: usize| (0..norms.len()).map(|to| if at == to { norms[at].powi(2) } else { 0.0 }).collect();
        let gramian = Gramian::new(&(0..norms.len()).map(row).collect::<Vec<_>>()).unwrap();
        Seen::new(losses.iter().map(|loss| Some(*loss)).collect()).unwrap().with_gramian(gramian).unwrap()
    }

    #[test]
    fn slopes_by_hand_and_by_finite_differences() {
        let method = GradNorm { alpha: 2.0, ..GradNorm::default() };
        // N = 2, 3, 1, mean 2; rates relative to their mean 1: 1/2, 1, 3/2, squared 1/4, 1, 9/4: targets 1/2, 2, 9/2.
        let (weights, norms, rates) = ([1.0, 1.5, 0.5], [2.0, 2.0, 2.0], [0.25, 0.5, 0.75]);
        assert_eq!(method.slopes(&weights, &norms, &rates), [2.0, 2.0, -2.0]);
        let objective = |weights: [f64; 3]| {
            let targets = [0.5, 2.0, 4.5];
            (0..3).map(|task| (weights[task] * norms[task] - targets[task]).abs()).sum::<f64>()
        };
        for task in 0..3 {
            let moved = |by: f64| {
                let mut weights = weights;
                weights[task] += by;
                objective(weights)
            };
            let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!((slope - method.slopes(&weights, &norms, &rates)[task]).abs() < 1e-8);
        }
    }

    #[test]
    fn norms_become_equal_where_rates_are() {
        let norms = [0.1, 1.0, 4.0];
        let mut state = GradNorm::default().init(3);
        let mut weights = Vec::new();
        for step in 0..4000 {
            let method = GradNorm { learning_rate: 0.025 * (1.0 - f64::from(step) / 4000.0), ..GradNorm::default() };
            weights = method.weigh(&mut state, &seen(&[2.0, 3.0, 5.0], &norms)).unwrap().into_vec();
            assert!((weights.iter().sum::<f64>() - 3.0).abs() < 1e-12);
        }
        // w_t n_t = 3 / Σ 1/n = 3 / 11.25.
        for (weight, norm) in weights.iter().zip(norms) {
            assert!((weight * norm * 11.25 / 3.0 - 1.0).abs() < 0.02, "{weights:?}");
        }
    }

    #[test]
    fn a_task_that_lags_gets_more_weight() {
        let method = GradNorm::default();
        let mut state = method.init(2);
        method.weigh(&mut state, &seen(&[1.0, 10.0], &[1.0, 1.0])).unwrap();
        let mut weights = Vec::new();
        for _ in 0..3 {
            weights = method.weigh(&mut state, &seen(&[0.5, 9.0], &[1.0, 1.0])).unwrap().into_vec();
        }
        assert!(weights[1] > 1.0 && weights[0] < 1.0, "{weights:?}");
        assert!(GradNorm { alpha: -1.0, ..GradNorm::default() }.bind(&[]).is_err());
        assert!(GradNorm { learning_rate: 0.0, ..GradNorm::default() }.bind(&[]).is_err());
    }
}
