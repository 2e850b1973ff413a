//! DWA: more weight for tasks whose loss falls slowly.
//!
//! ```text
//! r_t = L_t(last period) / L_t(the period before)        1 in the first two periods
//! w_t = T exp(r_t / τ) / Σ exp(r_s / τ)
//! ```
//!
//! `L_t` is the mean loss over a period. Needs no gradients and no scale: a rate does not depend on a loss's unit. It
//! does not balance scales either: a large loss stays large in the sum. Rates near 1 give almost equal weights.
//!
//! Cost a step: O(T).
//! Reference: Liu, Johns and Davison, "End-to-end multi-task learning with attention", CVPR 2019.
//!
//! The paper's period is an epoch, as is LibMTL's; here it is a number of steps: set it to an epoch's to have the
//! paper's algorithm. The code of Nash-MTL instead compares two sliding windows of 25 steps. The temperature is 2 in
//! all. A task without a loss in a period keeps its mean. Means below 1e-12 count as 1e-12.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOSS_MIN;
use crate::{Balancer, Error, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of DWA.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dwa {
    /// How even the weights are, above 0; the paper's T. Large: all alike.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub temperature: f64,
    /// Number of steps over which losses are averaged, at least 1.
    #[schemars(extend("minimum" = 1))]
    pub period_steps: u64,
}

impl Default for Dwa {
    fn default() -> Self {
        Dwa { temperature: 2.0, period_steps: 100 }
    }
}

const SUM: &str = "period_sum";
const COUNT: &str = "period_count";
/// Mean losses of the last two complete periods; 0 before there is one.
const LAST: &str = "last_mean";
const BEFORE: &str = "before_mean";
/// A rate stays finite, even of the largest loss by the smallest.
const RATE_MAX: f64 = 1e100;

impl Balancer for Dwa {
    const KEY: &'static str = "dwa";
    const SUMMARY: &'static str = "more weight for tasks whose loss falls slowly";
    const REFERENCE: &'static str = "Liu, Johns and Davison, End-to-end multi-task learning with attention, CVPR 2019";
    const NEEDS: Needs = Needs::Losses;
    const COST: &'static str = "O(T)";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Err(Error::option(Self::KEY, "temperature", self.temperature, "a finite number above 0"));
        }
        if self.period_steps == 0 {
            return Err(Error::option(Self::KEY, "period_steps", 0, "at least 1"));
        }
        Ok(self)
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn init(&self, tasks: usize) -> State {
        [SUM, COUNT, LAST, BEFORE].into_iter().fold(State::default(), |state, name| state.with(name, vec![0.0; tasks]))
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let tasks = seen.tasks();
        [SUM, COUNT].into_iter().try_for_each(|name| state.vector(name, tasks).map(|_| ()))?;
        let shares = self.shares(state.vector(LAST, tasks)?, state.vector(BEFORE, tasks)?);
        let weights = Weights::of_present(seen, |task, _| tasks as f64 * shares[task])?;
        for (task, loss) in seen.present() {
            // Sums of the largest finite losses stay finite: each is divided first.
            state.vector_mut(SUM, tasks)?[task] += loss.max(LOSS_MIN) / self.period_steps as f64;
            state.vector_mut(COUNT, tasks)?[task] += 1.0;
        }
        state.step += 1;
        if state.step.is_multiple_of(self.period_steps) {
            self.end_period(state, tasks)?;
        }
        Ok(weights)
    }
}

impl Dwa {
    /// The softmax of the rates.
    fn shares(&self, last: &[f64], before: &[f64]) -> Vec<f64> {
        let rate = |(last, before): (&f64, &f64)| if *before > 0.0 { (last / before).min(RATE_MAX) } else { 1.0 };
        let rates: Vec<f64> = last.iter().zip(before).map(rate).collect();
        let highest = rates.iter().copied().fold(0.0, f64::max);
        let exponentials: Vec<f64> = rates.iter().map(|rate| ((rate - highest) / self.temperature).exp()).collect();
        let total: f64 = exponentials.iter().sum();
        exponentials.iter().map(|exponential| exponential / total).collect()
    }

    fn end_period(&self, state: &mut State, tasks: usize) -> Result<()> {
        let [sums, counts, last] = [SUM, COUNT, LAST].map(|name| state.vector(name, tasks).map(<[f64]>::to_vec));
        let (sums, counts, last) = (sums?, counts?, last?);
        for task in (0..tasks).filter(|task| counts[*task] > 0.0) {
            state.vector_mut(BEFORE, tasks)?[task] = last[task];
            state.vector_mut(LAST, tasks)?[task] = (sums[task] / counts[task] * self.period_steps as f64).min(f64::MAX);
        }
        state.vector_mut(SUM, tasks)?.fill(0.0);
        state.vector_mut(COUNT, tasks)?.fill(0.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_follow_the_rates_of_the_last_two_periods() {
        let method = Dwa { period_steps: 2, ..Dwa::default() };
        let mut state = method.init(2);
        let mut weigh = |losses: [f64; 2]| {
            method.weigh(&mut state, &Seen::new(losses.map(Some).to_vec()).unwrap()).unwrap().into_vec()
        };
        for losses in [[3.0, 30.0], [5.0, 10.0], [1.0, 20.0], [1.0, 40.0]] {
            assert_eq!(weigh(losses), [1.0, 1.0]);
        }
        // Means 4, 20, then 1, 30: rates 1/4 and 3/2.
        let (a, b) = ((0.25_f64 / 2.0).exp(), (1.5_f64 / 2.0).exp());
        for _ in 0..2 {
            for (found, expected) in weigh([2.0, 2.0]).iter().zip([2.0 * a / (a + b), 2.0 * b / (a + b)]) {
                assert!((found - expected).abs() < 1e-15, "{found}, {expected}");
            }
        }
        // Now the rates are 2/1 and 2/30.
        let (a, b) = (1.0_f64.exp(), (1.0_f64 / 30.0).exp());
        assert!((weigh([1.0, 1.0])[0] - 2.0 * a / (a + b)).abs() < 1e-15);
    }

    #[test]
    fn absent_tasks_keep_their_means() {
        let method = Dwa { period_steps: 1, ..Dwa::default() };
        let mut state = method.init(2);
        for losses in [[Some(4.0), Some(1.0)], [Some(2.0), Some(2.0)], [None, Some(8.0)]] {
            method.weigh(&mut state, &Seen::new(losses.to_vec()).unwrap()).unwrap();
        }
        assert_eq!(state.vector(LAST, 2).unwrap(), [2.0, 8.0]);
        assert_eq!(state.vector(BEFORE, 2).unwrap(), [4.0, 2.0]);
    }

    #[test]
    fn any_rate_is_finite_and_options_have_ranges() {
        let method = Dwa { period_steps: 1, ..Dwa::default() };
        let mut state = method.init(2);
        for losses in [[0.0, f64::MAX], [f64::MAX, -1.0], [-1.0, f64::MAX], [1.0, 1.0]] {
            let weights = method.weigh(&mut state, &Seen::new(losses.map(Some).to_vec()).unwrap()).unwrap();
            assert!(weights.as_slice().iter().sum::<f64>() > 1.9, "{weights:?}");
        }
        assert!(Dwa { temperature: 0.0, ..Dwa::default() }.bind(&[]).is_err());
        assert!(Dwa { period_steps: 0, ..Dwa::default() }.bind(&[]).is_err());
    }
}
