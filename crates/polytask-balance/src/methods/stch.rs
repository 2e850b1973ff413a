//! STCH: a smooth version of the worst task's loss.
//!
//! ```text
//! loss:      minimise  μ log Σ exp(λ_t L_t / μ)              w_t = λ_t p_t,    p = softmax(λ L / μ),  λ_t = 1/T
//! log-loss:  minimise  T μ log Σ exp(log(L_t / N_t) / μ)     w_t = T p_t / L_t,  p = softmax(log(L / N) / μ)
//! ```
//!
//! The Tchebycheff scalarisation, min max, finds every Pareto-optimal solution, also where no weighted sum does; its
//! smooth form is as fast to minimise as a sum. As μ goes to 0 only the worst task counts; a large μ gives the mean.
//! Use it where the worst task matters.
//!
//! Cost a step: O(T).
//! Reference: Lin, Zhang, Yang, Liu, Wang and Zhang, "Smooth Tchebycheff scalarization for multi-objective
//! optimization", ICML 2024.
//!
//! `loss` is the paper's definition, with ideal values 0; losses must be of one scale. `log-loss`, the default, is what
//! the authors train networks with: log losses relative to a reference N. In the first `warmup_steps` it minimises the
//! sum of log losses, and N is the mean loss over their last fifth (the code: 5 epochs, the mean over the last). The
//! default of μ in LibMTL is 1, at which p_t / L_t is the same for all tasks but for N: choose less to favour the
//! worst. Losses below 1e-12 count as 1e-12 where a logarithm is taken. The code multiplies the log-loss form by T, and
//! so do we.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOSS_MIN;
use crate::{Balancer, Error, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of STCH.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stch {
    /// What is compared between tasks.
    pub compare: Compare,
    /// How smooth the maximum is, above 0; the paper's μ.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub smoothing: f64,
    /// Number of steps before log losses are compared, at least 1.
    #[schemars(extend("minimum" = 1))]
    pub warmup_steps: u64,
}

/// What is compared between tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compare {
    /// The losses.
    Loss,
    /// The logarithms of the losses, relative to those of the warm-up.
    #[default]
    LogLoss,
}

impl Default for Stch {
    fn default() -> Self {
        Stch { compare: Compare::default(), smoothing: 1.0, warmup_steps: 500 }
    }
}

/// Sums and counts of the losses at the end of the warm-up.
const SUM: &str = "warmup_sum";
const COUNT: &str = "warmup_count";

impl Balancer for Stch {
    const KEY: &'static str = "stch";
    const SUMMARY: &'static str = "a smooth version of the worst task's loss";
    const REFERENCE: &'static str =
        "Lin et al., Smooth Tchebycheff scalarization for multi-objective optimization, ICML 2024";
    const NEEDS: Needs = Needs::Losses;
    const COST: &'static str = "O(T)";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if !(self.smoothing.is_finite() && self.smoothing > 0.0) {
            return Err(Error::option(Self::KEY, "smoothing", self.smoothing, "a finite number above 0"));
        }
        if self.warmup_steps == 0 {
            return Err(Error::option(Self::KEY, "warmup_steps", 0, "at least 1"));
        }
        Ok(self)
    }

    fn laws(&self) -> Laws {
        let scale = if self.compare == Compare::LogLoss { Scale::Invariant } else { Scale::Neither };
        Laws { permutation: true, symmetric: true, scale, ..Laws::none() }
    }

    fn init(&self, tasks: usize) -> State {
        State::default().with(SUM, vec![0.0; tasks]).with(COUNT, vec![0.0; tasks])
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let tasks = seen.tasks();
        let (sums, counts) = (state.vector(SUM, tasks)?, state.vector(COUNT, tasks)?);
        let warm = state.step >= self.warmup_steps;
        let weights = match self.compare {
            Compare::Loss => self.of_losses(seen)?,
            Compare::LogLoss if warm => self.of_log_losses(seen, sums, counts)?,
            Compare::LogLoss => Weights::of_present(seen, |_, loss| 1.0 / loss.max(LOSS_MIN))?,
        };
        if !warm && state.step >= self.warmup_steps - self.warmup_steps.div_ceil(5) {
            for (task, loss) in seen.present() {
                // Divided first, so that a sum of the largest losses stays finite.
                state.vector_mut(SUM, tasks)?[task] += loss.max(LOSS_MIN) / self.warmup_steps as f64;
                state.vector_mut(COUNT, tasks)?[task] += 1.0;
            }
        }
        state.step += 1;
        Ok(weights)
    }
}

impl Stch {
    fn of_losses(&self, seen: &Seen) -> Result<Weights> {
        let preference = 1.0 / seen.present().count() as f64;
        let values: Vec<f64> = seen.present().map(|(_, loss)| preference * (loss / self.smoothing)).collect();
        let weights: Vec<f64> = softmax(&values).iter().map(|share| preference * share).collect();
        Weights::in_order(seen, &weights)
    }

    /// A task that the warm-up did not see is compared with a loss of 1.
    fn of_log_losses(&self, seen: &Seen, sums: &[f64], counts: &[f64]) -> Result<Weights> {
        let reference = |task: usize| {
            if counts[task] > 0.0 { sums[task] / counts[task] * self.warmup_steps as f64 } else { 1.0 }
        };
        let value = |(task, loss): (usize, f64)| (loss.max(LOSS_MIN).ln() - reference(task).ln()) / self.smoothing;
        let values: Vec<f64> = seen.present().map(value).collect();
        let count = values.len() as f64;
        let shares = softmax(&values);
        let weight = |(share, (_, loss)): (&f64, (usize, f64))| count * share / loss.max(LOSS_MIN);
        Weights::in_order(seen, &shares.iter().zip(seen.present()).map(weight).collect::<Vec<_>>())
    }
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = values.iter().map(|value| (value - highest).exp()).collect();
    let total: f64 = exponentials.iter().sum();
    exponentials.iter().map(|exponential| exponential / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(losses: &[f64]) -> Seen {
        Seen::new(losses.iter().map(|loss| Some(*loss)).collect()).unwrap()
    }

    /// Checks weights against the slopes of an objective.
    fn are_slopes(weights: &[f64], losses: &[f64], objective: impl Fn(&[f64]) -> f64) {
        for task in 0..losses.len() {
            let moved = |by: f64| {
                let mut losses = losses.to_vec();
                losses[task] *= 1.0 + by;
                objective(&losses)
            };
            let slope = (moved(1e-6) - moved(-1e-6)) / (2e-6 * losses[task]);
            assert!((weights[task] - slope).abs() < 1e-8 * (1.0 + slope.abs()), "{weights:?}, {slope}");
        }
    }

    #[test]
    fn weights_are_the_slopes_of_the_smooth_maximum() {
        let losses = [0.7, 2.0, 1.1];
        for smoothing in [0.05, 0.3, 1.0, 10.0] {
            let method = Stch { compare: Compare::Loss, smoothing, ..Stch::default() };
            let weights = method.weigh(&mut method.init(3), &seen(&losses)).unwrap().into_vec();
            are_slopes(&weights, &losses, |losses| {
                smoothing * losses.iter().map(|loss| (loss / 3.0 / smoothing).exp()).sum::<f64>().ln()
            });
        }
    }

    #[test]
    fn log_losses_are_compared_with_the_last_fifth_of_the_warmup() {
        let method = Stch { smoothing: 0.4, warmup_steps: 10, ..Stch::default() };
        let mut state = method.init(2);
        for step in 0..10 {
            let losses = if step < 8 { [99.0, 99.0] } else { [f64::from(step), 2.0] };
            let weights = method.weigh(&mut state, &seen(&losses)).unwrap();
            assert_eq!(weights.as_slice(), losses.map(|loss| 1.0 / loss));
        }
        // References 17/2 and 2.
        let losses = [3.0, 1.5];
        let weights = method.weigh(&mut state, &seen(&losses)).unwrap().into_vec();
        are_slopes(&weights, &losses, |losses| {
            let sum: f64 = losses.iter().zip([8.5, 2.0]).map(|(loss, reference)| (loss / reference).powf(2.5)).sum();
            2.0 * 0.4 * sum.ln()
        });
    }

    #[test]
    fn little_smoothing_leaves_the_worst_task() {
        let method = Stch { compare: Compare::Loss, smoothing: 1e-6, ..Stch::default() };
        let weights = method.weigh(&mut method.init(3), &seen(&[1.0, 1e15, 2.0])).unwrap();
        assert_eq!(weights.as_slice(), [0.0, 1.0 / 3.0, 0.0]);
        for smoothing in [0.0, -1.0, f64::NAN] {
            assert!(Stch { smoothing, ..Stch::default() }.bind(&[]).is_err());
        }
        assert!(Stch { warmup_steps: 0, ..Stch::default() }.bind(&[]).is_err());
    }
}
