//! Uncertainty weighting: each task's loss divided by a learned noise variance.
//!
//! ```text
//! s_t = log sigma_t²,   w_t = exp(-s_t) / 2
//! kendall:    s minimises  Σ exp(-s_t) L_t / 2 + s_t / 2              (at rest: s_t = log L_t, w_t = 1 / (2 L_t))
//! positive:   s minimises  Σ exp(-s_t) L_t / 2 + ln(1 + exp(s_t))     (at rest: exp(s_t) = (L_t + √(L_t² + 8 L_t)) / 4)
//! ```
//!
//! Each `s_t` starts at 0 and is moved by its own Adam, after the step's weights have been taken, in steps that have
//! the task. At rest every task contributes alike, whatever the scale of its loss: use it where losses differ in
//! scale or unit and weights cannot be searched. It follows losses, not gradients, so it does not see conflict, and
//! it raises the weight of tasks that overfit, as their training loss goes to 0.
//!
//! Cost a step: O(T).
//! Reference: Kendall, Gal and Cipolla, "Multi-task learning using uncertainty to weigh losses for scene geometry and
//! semantics", CVPR 2018. Positive form: Liebel and Körner, "Auxiliary tasks in multi-task learning", arXiv
//! 1805.06334, 2018; its penalty cannot go below 0, so a vanishing loss does not pull the objective to minus infinity.
//!
//! Public versions differ. The paper weighs regression by 1/(2 sigma²) but classification by 1/sigma²; here, as in
//! LibMTL, all tasks have the 1/2. LibMTL starts s at -0.5 and moves it with the model's optimizer, weight decay
//! included. Popular copies of the positive form learn sigma, not its logarithm. A loss of 0 or below has no finite
//! rest point in either form: here, unlike in those, |s| is kept within 50.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::adam;
use crate::{Balancer, Error, Laws, Needs, Result, Seen, State, Weights};

/// Options of uncertainty weighting.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Uncertainty {
    /// The objective that the variances minimise.
    pub form: Form,
    /// Learning rate of Adam for the log-variances, above 0. One step moves a log-variance by about this much, so a
    /// task seen in N steps can change its weight by a factor of up to about exp(N times this).
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
}

/// The objective that the variances minimise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Penalty `log sigma`.
    #[default]
    Kendall,
    /// Penalty `ln(1 + sigma²)`, never negative.
    Positive,
}

impl Default for Uncertainty {
    fn default() -> Self {
        Uncertainty { form: Form::default(), learning_rate: 1e-3 }
    }
}

const LOG_VARIANCE: &str = "log_variance";
const LOG_VARIANCE_MAX: f64 = 50.0;

impl Balancer for Uncertainty {
    const KEY: &'static str = "uncertainty";
    const SUMMARY: &'static str = "each loss divided by a learned noise variance";
    const REFERENCE: &'static str = "Kendall, Gal and Cipolla, Multi-task learning using uncertainty to weigh losses for scene geometry and semantics, CVPR 2018";
    const NEEDS: Needs = Needs::Losses;
    const COST: &'static str = "O(T)";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if self.learning_rate.is_finite() && self.learning_rate > 0.0 {
            return Ok(self);
        }
        let message = format!("`learning_rate` is {}, expected a finite number above 0", self.learning_rate);
        Err(Error::Options { method: Self::KEY, message })
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, ..Laws::none() }
    }

    fn init(&self, tasks: usize) -> State {
        adam::init(State::default().with(LOG_VARIANCE, vec![0.0; tasks]), tasks)
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let tasks = seen.tasks();
        let log_variance = state.vector(LOG_VARIANCE, tasks)?;
        let weights = Weights::of_present(seen, |task, _| 0.5 * (-log_variance[task]).exp())?;
        // All vectors are checked before the first is written, so that an error leaves the state as it was.
        adam::check(state, tasks)?;
        for (task, loss) in seen.present() {
            let gradient = self.gradient(state.vector(LOG_VARIANCE, tasks)?[task], loss);
            let step = adam::step(state, task, tasks, gradient)?;
            let s = &mut state.vector_mut(LOG_VARIANCE, tasks)?[task];
            *s = (*s - self.learning_rate * step).clamp(-LOG_VARIANCE_MAX, LOG_VARIANCE_MAX);
        }
        state.step += 1;
        Ok(weights)
    }
}

impl Uncertainty {
    /// The slope of one task's objective in `s`.
    fn gradient(&self, s: f64, loss: f64) -> f64 {
        let penalty = match self.form {
            Form::Kendall => 0.5,
            Form::Positive => 1.0 / (1.0 + (-s).exp()),
        };
        penalty - 0.5 * (-s).exp() * loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(losses: &[Option<f64>]) -> Seen {
        Seen::new(losses.to_vec()).unwrap()
    }

    fn log_variance(state: &State, tasks: usize) -> Vec<f64> {
        state.vector(LOG_VARIANCE, tasks).unwrap().to_vec()
    }

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }

    #[test]
    fn two_steps_of_adam_by_hand() {
        let method = Uncertainty { learning_rate: 0.1, ..Uncertainty::default() };
        let mut state = method.init(1);
        // At s = 0 the gradient is 1/2 - 3/2 = -1. Corrected mean -1, corrected square 1: the step is -1 / (1 + 1e-8).
        assert_eq!(method.weigh(&mut state, &seen(&[Some(3.0)])).unwrap().as_slice(), [0.5]);
        let first = 0.1 / (1.0 + 1e-8);
        close(log_variance(&state, 1)[0], first, 1e-15);
        // The second step uses the moved s for the weight, and the averages of both gradients.
        let weights = method.weigh(&mut state, &seen(&[Some(1.0)])).unwrap();
        close(weights.as_slice()[0], 0.5 * (-first).exp(), 1e-15);
        let gradient = 0.5 - 0.5 * (-first).exp();
        let mean = (0.9 * -0.1 + 0.1 * gradient) / (1.0 - 0.81);
        let square = (0.999 * 0.001 + 0.001 * gradient * gradient) / (1.0 - 0.998_001);
        close(log_variance(&state, 1)[0], first - 0.1 * mean / (square.sqrt() + 1e-8), 1e-12);
        assert_eq!(state.step, 2);
    }

    #[test]
    fn rests_where_the_gradient_vanishes() {
        for form in [Form::Kendall, Form::Positive] {
            let losses = [0.02, 1.0, 30.0];
            // A rate that falls to 0 lets Adam settle.
            let mut state = Uncertainty::default().init(3);
            for step in 0..20_000 {
                let method = Uncertainty { form, learning_rate: 0.02 * (1.0 - f64::from(step) / 20_000.0) };
                method.weigh(&mut state, &seen(&losses.map(Some))).unwrap();
            }
            for (s, loss) in log_variance(&state, 3).into_iter().zip(losses) {
                let variance = match form {
                    Form::Kendall => loss,
                    Form::Positive => (loss + (loss * loss + 8.0 * loss).sqrt()) / 4.0,
                };
                close(s, variance.ln(), 1e-6);
            }
        }
    }

    #[test]
    fn gradient_agrees_with_finite_differences() {
        for form in [Form::Kendall, Form::Positive] {
            let method = Uncertainty { form, ..Uncertainty::default() };
            for (s, loss) in [(0.0_f64, 1.0), (-2.0, 0.3), (1.5, 7.0), (0.4, -2.0)] {
                let objective = |s: f64| {
                    let penalty = if form == Form::Kendall { s / 2.0 } else { (1.0 + s.exp()).ln() };
                    (-s).exp() * loss / 2.0 + penalty
                };
                let slope = (objective(s + 1e-6) - objective(s - 1e-6)) / 2e-6;
                close(method.gradient(s, loss), slope, 1e-8);
            }
        }
    }

    #[test]
    fn absent_tasks_keep_their_state() {
        let method = Uncertainty::default();
        let mut state = method.init(2);
        for _ in 0..5 {
            method.weigh(&mut state, &seen(&[Some(2.0), None])).unwrap();
        }
        assert_eq!(log_variance(&state, 2)[1], 0.0);
        // The rare task's first step is Adam's first step: the learning rate, whatever the number of steps before.
        method.weigh(&mut state, &seen(&[None, Some(2.0)])).unwrap();
        close(log_variance(&state, 2)[1], 1e-3, 1e-10);
    }

    #[test]
    fn losses_without_rest_point_stay_finite() {
        for loss in [0.0, -1.0, 1e300, f64::MAX] {
            let method = Uncertainty { learning_rate: 10.0, ..Uncertainty::default() };
            let mut state = method.init(1);
            for _ in 0..100 {
                let weights = method.weigh(&mut state, &seen(&[Some(loss)])).unwrap();
                assert!(weights.as_slice()[0] > 0.0);
            }
            assert!(state.vectors().all(|(_, vector)| vector.iter().all(|value| value.is_finite())));
            assert!(log_variance(&state, 1)[0].abs() <= LOG_VARIANCE_MAX);
        }
    }

    #[test]
    fn a_failed_step_leaves_the_state() {
        let method = Uncertainty::default();
        let mut state = method.init(2);
        let before = state.clone();
        assert!(matches!(method.weigh(&mut state, &seen(&[Some(1.0)])), Err(Error::Tasks { .. })));
        assert_eq!(state, before);
        assert_eq!(method.weigh(&mut State::default(), &seen(&[Some(1.0)])), Err(Error::State { name: LOG_VARIANCE }));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Uncertainty { learning_rate: bad, ..Uncertainty::default() }.bind(&[]).is_err());
        }
    }
}
