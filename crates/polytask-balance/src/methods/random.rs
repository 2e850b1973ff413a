//! RLW: random weights, drawn anew each step.
//!
//! ```text
//! w = softmax(z),   z_t ~ N(0, 1)
//! ```
//!
//! In expectation the mean of the losses, with noise in the direction of the weights. A baseline: a method that does
//! not beat it has not learnt how to weigh.
//!
//! Cost a step: O(T).
//! Reference: Lin, Ye, Zhang and Tsang, "Reasonable effectiveness of random weighting: a litmus test for multi-task
//! learning", TMLR 2022 (RLW, normal distribution).
//!
//! LibMTL, TorchJD and Nash-MTL's code draw the same weights from their library's global generator; here the draws
//! depend on the seed, the step, and the task's name. The softmax is over the tasks of the step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::random::{name_key, normal};
use crate::{Balancer, Error, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of random weights.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Random {
    /// Where the random numbers start; without it at the seed of the run, where the trainer gives one, else at 0.
    pub seed: Option<u64>,
    #[serde(skip)]
    tasks: Vec<u64>,
}

impl Balancer for Random {
    const KEY: &'static str = "random";
    const SUMMARY: &'static str = "random weights, drawn anew each step";
    const REFERENCE: &'static str =
        "Lin et al., Reasonable effectiveness of random weighting: a litmus test for multi-task learning, TMLR 2022";
    const NEEDS: Needs = Needs::Losses;
    const COST: &'static str = "O(T)";

    fn bind(self, tasks: &[String]) -> Result<Self> {
        Ok(Random { tasks: tasks.iter().map(|name| name_key(name)).collect(), ..self })
    }

    fn seed(&mut self, run: u64) {
        self.seed.get_or_insert(run);
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        if self.tasks.len() != seen.tasks() {
            return Err(Error::Tasks { what: "the balancer", expected: seen.tasks(), found: self.tasks.len() });
        }
        // A normal number from 53 random bits is within ±9, so the exponential needs no care.
        let exponential = |task: usize| normal(&[self.seed.unwrap_or_default(), state.step, self.tasks[task]]).exp();
        let total: f64 = seen.present().map(|(task, _)| exponential(task)).sum();
        let weights = Weights::of_present(seen, |task, _| exponential(task) / total)?;
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(seed: u64) -> Random {
        Random { seed: Some(seed), ..Random::default() }.bind(&["a", "b", "c"].map(str::to_owned)).unwrap()
    }

    #[test]
    fn weights_are_on_the_simplex_and_a_third_on_average() {
        let method = bound(3);
        let seen = Seen::new(vec![Some(1.0); 3]).unwrap();
        let mut state = State::default();
        let mut sums = [0.0; 3];
        let steps = 20_000;
        let mut squares = 0.0;
        for _ in 0..steps {
            let weights = method.weigh(&mut state, &seen).unwrap().into_vec();
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-14 && weights.iter().all(|weight| *weight > 0.0));
            sums.iter_mut().zip(&weights).for_each(|(sum, weight)| *sum += weight);
            squares += (weights[0] / weights[1]).ln().powi(2);
        }
        assert!(sums.iter().all(|sum| (sum / f64::from(steps) - 1.0 / 3.0).abs() < 0.01), "{sums:?}");
        // The log of a ratio is the difference of two normal numbers: variance 2.
        assert!((squares / f64::from(steps) - 2.0).abs() < 0.1, "{squares}");
    }

    #[test]
    fn draws_follow_the_seed_and_the_task() {
        let seen = Seen::new(vec![Some(1.0), None, Some(1.0)]).unwrap();
        let weigh = |method: &Random| method.weigh(&mut State::default(), &seen).unwrap();
        assert_eq!(weigh(&bound(1)), weigh(&bound(1)));
        assert_ne!(weigh(&bound(1)), weigh(&bound(2)));
        assert!(matches!(Random::default().weigh(&mut State::default(), &seen), Err(Error::Tasks { .. })));
    }
}
