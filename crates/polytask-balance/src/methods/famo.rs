//! FAMO: all losses made to fall at the same relative rate, without any task's gradient.
//!
//! ```text
//! z = softmax(ξ),   w_t = c z_t / L_t,   1/c = Σ z_s / L_s
//! δ_t = z_t (Δ_t - Σ z_s Δ_s),   Δ_t = log L_t before the step - log L_t after it, on the same batch
//! ξ moves down  δ + γ ξ                                                     (ξ starts at 0)
//! ```
//!
//! A task whose loss fell less than the others' gets more weight. It approximates the direction that maximises the
//! least relative fall (MGDA on log losses), at the cost of one more forward pass instead of T backward passes. Use it
//! with many tasks and losses of different scale.
//!
//! Cost a step: O(T), and the losses of the batch once more after the optimizer's step.
//! Reference: Liu, Feng, Stone and Liu, "FAMO: fast adaptive multitask optimization", NeurIPS 2023.
//!
//! The paper writes the move of ξ as gradient descent with rate β; its authors' code, and LibMTL, use Adam with
//! learning rate 0.025 and γ as decay in Adam's gradient. We follow the code, since Δ is so small that plain steps of
//! 0.025 hardly move; `rule = "gradient-descent"` is the paper's text. γ is 0.001 in the paper and LibMTL, 0.01 or 1e-5
//! in the authors' code. Losses are taken as they are: the code's lower bounds of losses are 0, and it adds 1e-8, where
//! here losses below 1e-8 count as 1e-8. The code also clips the gradient to length 1; that is the trainer's business.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Balancer, Error, Laws, Needs, Result, Scale, Seen, State, Weights, adam};

/// Options of FAMO.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Famo {
    /// Rate at which the logits of the weights move, above 0; the paper's β.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// How strongly the logits are drawn to 0, at least 0; the paper's γ.
    #[schemars(extend("minimum" = 0.0))]
    pub decay: f64,
    /// How the logits move.
    pub rule: Rule,
}

/// How the logits move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// By Adam, as in the authors' code.
    #[default]
    Adam,
    /// By gradient descent, as in the paper's text.
    GradientDescent,
}

impl Default for Famo {
    fn default() -> Self {
        Famo { learning_rate: 0.025, decay: 1e-3, rule: Rule::default() }
    }
}

const LOGITS: &str = "logits";
const LOSS_MIN: f64 = 1e-8;

impl Balancer for Famo {
    const KEY: &'static str = "famo";
    const SUMMARY: &'static str = "all losses made to fall at the same relative rate, without gradients";
    const REFERENCE: &'static str = "Liu et al., FAMO: fast adaptive multitask optimization, NeurIPS 2023";
    const NEEDS: Needs = Needs::LossesAfter;
    const COST: &'static str = "O(T)";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(Error::option(Self::KEY, "learning_rate", self.learning_rate, "a finite number above 0"));
        }
        if !(self.decay.is_finite() && self.decay >= 0.0) {
            return Err(Error::option(Self::KEY, "decay", self.decay, "a finite number of at least 0"));
        }
        Ok(self)
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn init(&self, tasks: usize) -> State {
        adam::init(State::default().with(LOGITS, vec![0.0; tasks]), tasks)
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let shares = shares(state.vector(LOGITS, seen.tasks())?, seen);
        // In units of the least loss, so that no share of a huge loss vanishes before it is divided.
        let least = seen.present().map(|(_, loss)| loss.max(LOSS_MIN)).fold(f64::INFINITY, f64::min);
        let rate = |(share, (_, loss)): (&f64, (usize, f64))| share * (least / loss.max(LOSS_MIN));
        let rates: Vec<f64> = shares.iter().zip(seen.present()).map(rate).collect();
        let total: f64 = rates.iter().sum();
        let weights = Weights::in_order(seen, &rates.iter().map(|rate| rate / total).collect::<Vec<_>>())?;
        state.step += 1;
        Ok(weights)
    }

    fn observe_after(&self, state: &mut State, before: &Seen, after: &Seen) -> Result<()> {
        let tasks = before.tasks();
        if after.tasks() != tasks || before.present().map(|(task, _)| task).ne(after.present().map(|(task, _)| task)) {
            let (expected, found) = (before.present().count(), after.present().count());
            return Err(Error::Tasks { what: "the list of losses after the step", expected, found });
        }
        let shares = shares(state.vector(LOGITS, tasks)?, before);
        adam::check(state, tasks)?;
        let log = |loss: f64| loss.max(LOSS_MIN).ln();
        let falls: Vec<f64> =
            before.present().zip(after.present()).map(|((_, before), (_, after))| log(before) - log(after)).collect();
        let mean: f64 = shares.iter().zip(&falls).map(|(share, fall)| share * fall).sum();
        for (place, (task, _)) in before.present().enumerate() {
            let logit = state.vector(LOGITS, tasks)?[task];
            let slope = shares[place] * (falls[place] - mean) + self.decay * logit;
            let step = match self.rule {
                Rule::Adam => adam::step(state, task, tasks, slope)?,
                Rule::GradientDescent => slope,
            };
            state.vector_mut(LOGITS, tasks)?[task] = logit - self.learning_rate * step;
        }
        Ok(())
    }
}

/// The softmax of the present tasks' logits, in their order.
fn shares(logits: &[f64], seen: &Seen) -> Vec<f64> {
    let highest = seen.present().map(|(task, _)| logits[task]).fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = seen.present().map(|(task, _)| (logits[task] - highest).exp()).collect();
    let total: f64 = exponentials.iter().sum();
    exponentials.iter().map(|exponential| exponential / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(losses: &[Option<f64>]) -> Seen {
        Seen::new(losses.to_vec()).unwrap()
    }

    #[test]
    fn a_step_of_the_papers_text_by_hand() {
        let method = Famo { learning_rate: 0.5, decay: 0.1, rule: Rule::GradientDescent };
        let mut state = method.init(2);
        let before = seen(&[Some(1.0), Some(4.0)]);
        // z = 1/2 each: 1/2 and 1/8, summed 5/8.
        assert_eq!(method.weigh(&mut state, &before).unwrap().as_slice(), [0.8, 0.2]);
        // The first loss halves, the second stays: Δ = (ln 2, 0), mean ln 2 / 2, δ = ± ln 2 / 4.
        method.observe_after(&mut state, &before, &seen(&[Some(0.5), Some(4.0)])).unwrap();
        let logit = 0.5 * 2.0_f64.ln() / 4.0;
        let logits = state.vector(LOGITS, 2).unwrap();
        assert!((logits[0] + logit).abs() < 1e-15 && (logits[1] - logit).abs() < 1e-15, "{logits:?}");
        // Equal losses: the weights are the softmax.
        let weights = method.weigh(&mut state, &seen(&[Some(3.0), Some(3.0)])).unwrap().into_vec();
        assert!((weights[1] / weights[0] / (2.0 * logit).exp() - 1.0).abs() < 1e-14, "{weights:?}");
        // Nothing changes: only the decay moves the logits.
        method.observe_after(&mut state, &before, &before).unwrap();
        assert!((state.vector(LOGITS, 2).unwrap()[1] - logit * 0.95).abs() < 1e-15);
    }

    #[test]
    fn the_slope_is_that_of_the_mean_fall() {
        // δ is the gradient of Σ softmax(ξ)_t Δ_t in ξ.
        let (logits, falls) = ([0.3_f64, -0.2, 0.9], [0.5, -1.0, 0.2]);
        let all = seen(&[Some(1.0); 3]);
        let mean = |logits: &[f64]| shares(logits, &all).iter().zip(falls).map(|(z, fall)| z * fall).sum::<f64>();
        let z = shares(&logits, &all);
        for task in 0..3 {
            let moved = |by: f64| {
                let mut logits = logits;
                logits[task] += by;
                mean(&logits)
            };
            let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!((slope - z[task] * (falls[task] - mean(&logits))).abs() < 1e-9);
        }
    }

    #[test]
    fn adam_takes_steps_of_the_learning_rate() {
        let method = Famo::default();
        let mut state = method.init(3);
        let before = seen(&[Some(1.0), None, Some(1.0)]);
        method.observe_after(&mut state, &before, &seen(&[Some(0.99), None, Some(1.0)])).unwrap();
        for (found, expected) in state.vector(LOGITS, 3).unwrap().iter().zip([-0.025, 0.0, 0.025]) {
            assert!((found - expected).abs() < 1e-6, "{found}");
        }
        let error = method.observe_after(&mut state, &before, &seen(&[Some(1.0), Some(1.0), None]));
        assert!(matches!(error, Err(Error::Tasks { .. })));
    }

    #[test]
    fn weights_stay_finite_and_options_have_ranges() {
        let method = Famo { learning_rate: 10.0, ..Famo::default() };
        let mut state = method.init(2);
        let steps = [[1e-10, 1e15], [0.0, 1e300], [-1.0, 5.0]];
        for losses in steps.iter().cycle().take(30) {
            let before = seen(&losses.map(Some));
            let weights = method.weigh(&mut state, &before).unwrap().into_vec();
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{weights:?}");
            method.observe_after(&mut state, &before, &seen(&[Some(losses[1]), Some(losses[0])])).unwrap();
        }
        assert!(Famo { learning_rate: 0.0, ..Famo::default() }.bind(&[]).is_err());
        assert!(Famo { decay: f64::NAN, ..Famo::default() }.bind(&[]).is_err());
    }
}
