//! PCGrad: each gradient loses its parts against the others, one after the other in random order.
//!
//! ```text
//! for each task i:  g'_i = g_i;  for each other task j, in random order:
//!     if g'_i · g_j < 0:  g'_i -= (g'_i · g_j / ‖g_j‖²) g_j
//! d = Σ g'_i
//! ```
//!
//! The sum of the gradients where none conflict. With two tasks no task gets worse; with more, a later projection can
//! undo an earlier one, and the outcome depends on the order. Use it where gradients conflict and are of like length;
//! `upgrad` does the same without chance.
//!
//! Cost a step: O(T³) once the Gramian is known, on coefficients; no gradient is touched.
//! Reference: Yu, Kumar, Gupta, Levine, Hausman and Finn, "Gradient surgery for multi-task learning", NeurIPS 2020.
//!
//! The order is drawn from the seed, the step, and the names of the tasks. The projections are summed, as in the
//! paper's algorithm, the authors' code, LibMTL and TorchJD; the widely copied PyTorch version averages them
//! (`reduction = "mean"`), which only changes the learning rate. LibMTL also visits the task itself, which has no
//! effect: a gradient never conflicts with its own projections.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::random::{bits, name_key};
use crate::{Balancer, Error, Gramian, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of PCGrad.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PcGrad {
    /// Where the random orders start; without it at the seed of the run, where the trainer gives one, else at 0.
    pub seed: Option<u64>,
    #[serde(skip)]
    tasks: Vec<u64>,
}

impl Balancer for PcGrad {
    const KEY: &'static str = "pcgrad";
    const SUMMARY: &'static str = "each gradient loses its parts against the others, in random order";
    const REFERENCE: &'static str = "Yu et al., Gradient surgery for multi-task learning, NeurIPS 2020";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "O(T³)";

    fn bind(self, tasks: &[String]) -> Result<Self> {
        Ok(PcGrad { tasks: tasks.iter().map(|name| name_key(name)).collect(), ..self })
    }

    fn seed(&mut self, run: u64) {
        self.seed.get_or_insert(run);
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        if self.tasks.len() != seen.tasks() {
            let (expected, found) = (seen.tasks(), self.tasks.len());
            return Err(Error::Tasks { what: "the balancer", expected, found });
        }
        let gramian = seen.gramian()?;
        let keys: Vec<u64> = seen.present().map(|(task, _)| self.tasks[task]).collect();
        let order = |task: usize| {
            let mut others: Vec<usize> = (0..keys.len()).filter(|other| *other != task).collect();
            others.sort_by_key(|&other| bits(&[self.seed.unwrap_or_default(), state.step, keys[task], keys[other]]));
            others
        };
        let weights = Weights::in_order(seen, &surgery(gramian, order))?;
        state.step += 1;
        Ok(weights)
    }
}

/// The summed coefficients of the projected gradients.
fn surgery(gramian: &Gramian, order: impl Fn(usize) -> Vec<usize>) -> Vec<f64> {
    let (norms, cosines) = gramian.unit();
    let mut sum = vec![0.0; norms.len()];
    for task in 0..norms.len() {
        let mut coefficients = vec![0.0; norms.len()];
        coefficients[task] = norms[task];
        for other in order(task) {
            let product: f64 = cosines.row(other).iter().zip(&coefficients).map(|(cosine, part)| cosine * part).sum();
            if product < 0.0 {
                coefficients[other] -= product;
            }
        }
        sum.iter_mut().zip(coefficients).for_each(|(sum, part)| *sum += part);
    }
    sum.iter().zip(&norms).map(|(sum, norm)| if *norm > 0.0 { sum / norm } else { 1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gramian::dot;
    use crate::solve::samples::hostile;

    fn bound(names: &[&str]) -> PcGrad {
        PcGrad::default().bind(&names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn three_gradients_by_hand() {
        // g_0 = (1, 0), g_1 = (-1, 1), g_2 = (0, -2), each going through the others by number.
        let gramian = Gramian::new(&[vec![1.0, -1.0, 0.0], vec![-1.0, 2.0, -2.0], vec![0.0, -2.0, 4.0]]).unwrap();
        let weights = surgery(&gramian, |task| (0..3).filter(|other| *other != task).collect());
        // g'_0 = g_0 + g_1/2 = (1/2, 1/2), then + g_2/4 = (1/2, 0).
        // g'_1 = g_1 + g_0 = (0, 1), then + g_2/2 = (0, 0).
        // g'_2: no conflict with g_0; g_2 + g_1 = (-1, -1).
        for (found, expected) in weights.iter().zip([2.0, 2.5, 1.75]) {
            assert!((found - expected).abs() < 1e-14, "{weights:?}");
        }
    }

    #[test]
    fn agrees_with_surgery_on_the_gradients_themselves() {
        for (name, gramian, gradients) in hostile() {
            let order = |task: usize| (0..gradients.len()).rev().filter(|other| *other != task).collect::<Vec<_>>();
            let mut expected = vec![0.0; gradients[0].len()];
            for (task, gradient) in gradients.iter().enumerate() {
                let mut projected = gradient.clone();
                for other in order(task) {
                    let (product, square) = (dot(&projected, &gradients[other]), gramian.get(other, other));
                    if product < 0.0 {
                        projected.iter_mut().zip(&gradients[other]).for_each(|(p, g)| *p -= product / square * g);
                    }
                }
                expected.iter_mut().zip(projected).for_each(|(sum, part)| *sum += part);
            }
            let weights = surgery(&gramian, order);
            let size: f64 = (0..gradients.len()).map(|task| weights[task] * gramian.get(task, task).sqrt()).sum();
            for (entry, expected) in expected.iter().enumerate() {
                let found: f64 =
                    weights.iter().zip(&gradients).map(|(weight, gradient)| weight * gradient[entry]).sum();
                assert!((found - expected).abs() <= 1e-9 * size, "{name}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn orders_differ_between_steps_and_repeat_with_the_seed() {
        let gramian = Gramian::new(&[vec![1.0, -0.5, -0.4], vec![-0.5, 1.0, -0.3], vec![-0.4, -0.3, 1.0]]).unwrap();
        let seen = Seen::new(vec![Some(1.0); 3]).unwrap().with_gramian(gramian).unwrap();
        let run = |method: &PcGrad| {
            let mut state = State::default();
            (0..20).map(|_| method.weigh(&mut state, &seen).unwrap().into_vec()).collect::<Vec<_>>()
        };
        let method = bound(&["a", "b", "c"]);
        let weights = run(&method);
        assert_eq!(run(&method), weights);
        assert!(weights.windows(2).any(|pair| pair[0] != pair[1]));
        assert_ne!(run(&PcGrad { seed: Some(1), ..method }), weights);
    }

    #[test]
    fn it_must_know_the_tasks() {
        let gramian = Gramian::new(&[vec![1.0]]).unwrap();
        let seen = Seen::new(vec![Some(1.0)]).unwrap().with_gramian(gramian).unwrap();
        assert!(matches!(PcGrad::default().weigh(&mut State::default(), &seen), Err(Error::Tasks { .. })));
    }
}
