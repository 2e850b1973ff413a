//! MoDo: MGDA's weights moved a small step at a time, with gradients on two batches.
//!
//! ```text
//! w = Π(w(last step) - γ (J_1 J_2ᵀ + ρ) w(last step))         Π: nearest point of the simplex;  w starts at 1/T
//! ```
//!
//! The product of gradients of two independent batches is an unbiased estimate of the Gramian, where the product of one
//! batch's with itself is too large by its noise. So the weights converge to MGDA's although each batch is small; a
//! small γ keeps them near the even weights, which generalises better. Use it where MGDA's weights jump from step to
//! step.
//!
//! Cost a step: O(T²) once the products are known; gradients of two batches, and of a third for the direction.
//! Reference: Chen, Fernando, Ying and Chen, "Three-way trade-off in multi-objective learning: optimization,
//! generalization and conflict-avoidance", NeurIPS 2023.
//!
//! As in the paper and its code, the new weights are for the gradients on a third batch; where the trainer has only
//! two, the weights are correlated with either. γ = 0.001 and ρ = 0.1 are LibMTL's defaults; the theory has ρ = 0.
//! Tasks of a step share the weight that they had together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gramian::dot;
use crate::solve::nearest_on_simplex;
use crate::{Balancer, Error, Laws, Needs, Result, Seen, State, Weights};

/// Options of MoDo.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MoDo {
    /// How far the weights move in a step, above 0; the paper's γ.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// How strongly the weights are drawn to equal ones, at least 0; the paper's ρ.
    #[schemars(extend("minimum" = 0.0))]
    pub regularization: f64,
}

impl Default for MoDo {
    fn default() -> Self {
        MoDo { learning_rate: 1e-3, regularization: 0.1 }
    }
}

const WEIGHTS: &str = "weights";
/// No step is longer: the simplex is small.
const MOVE_MAX: f64 = 1e100;

impl Balancer for MoDo {
    const KEY: &'static str = "modo";
    const SUMMARY: &'static str = "mgda's weights in small steps, unbiased by two batches";
    const REFERENCE: &'static str = "Chen et al., Three-way trade-off in multi-objective learning: optimization, generalization and conflict-avoidance, NeurIPS 2023";
    const NEEDS: Needs = Needs::CrossGramian;
    const COST: &'static str = "O(T²)";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(Error::option(Self::KEY, "learning_rate", self.learning_rate, "a finite number above 0"));
        }
        if !(self.regularization.is_finite() && self.regularization >= 0.0) {
            let accepted = "a finite number of at least 0";
            return Err(Error::option(Self::KEY, "regularization", self.regularization, accepted));
        }
        Ok(self)
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, ..Laws::none() }
    }

    fn init(&self, tasks: usize) -> State {
        State::default().with(WEIGHTS, vec![1.0 / tasks as f64; tasks])
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let products = seen.cross_gramian()?;
        let kept = state.vector(WEIGHTS, seen.tasks())?;
        let last: Vec<f64> = seen.present().map(|(task, _)| kept[task]).collect();
        let moved = |(row, weight): (&Vec<f64>, &f64)| {
            let slope = dot(row, &last) + self.regularization * weight;
            weight - (self.learning_rate * slope).clamp(-MOVE_MAX, MOVE_MAX)
        };
        let moved: Vec<f64> = products.iter().zip(&last).map(moved).collect();
        let weights = Weights::in_order(seen, &nearest_on_simplex(&moved, last.iter().sum()))?;
        let kept = state.vector_mut(WEIGHTS, seen.tasks())?;
        seen.present().for_each(|(task, _)| kept[task] = weights.as_slice()[task]);
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gramian;
    use crate::solve::min_norm;

    fn seen(rows: [[f64; 2]; 2]) -> Seen {
        Seen::new(vec![Some(1.0); 2]).unwrap().with_cross_gramian(rows.map(|row| row.to_vec()).to_vec()).unwrap()
    }

    #[test]
    fn a_step_by_hand() {
        let method = MoDo { learning_rate: 0.1, regularization: 0.5 };
        let mut state = method.init(2);
        // Slopes (2 + 0)/2 + 1/4 and (1 - 3)/2 + 1/4: 1/2 - 0.125 and 1/2 + 0.075, then 0.025 more for each.
        let weights = method.weigh(&mut state, &seen([[2.0, 0.0], [1.0, -3.0]])).unwrap().into_vec();
        assert!((weights[0] - 0.4).abs() < 1e-15 && (weights[1] - 0.6).abs() < 1e-15, "{weights:?}");
        assert_eq!(state.vector(WEIGHTS, 2).unwrap(), weights);
    }

    #[test]
    fn without_noise_the_weights_become_those_of_mgda() {
        let method = MoDo { learning_rate: 0.05, regularization: 0.0 };
        for rows in [[[1.0, -0.2], [-0.2, 4.0]], [[1.0, 2.0], [2.0, 9.0]]] {
            let mut state = method.init(2);
            let mut weights = Vec::new();
            for _ in 0..5000 {
                weights = method.weigh(&mut state, &seen(rows)).unwrap().into_vec();
            }
            let expected = min_norm(&Gramian::new(&rows.map(|row| row.to_vec())).unwrap());
            assert!((weights[0] - expected[0]).abs() < 1e-12, "{weights:?}, {expected:?}");
        }
    }

    #[test]
    fn tasks_of_a_step_share_what_they_had() {
        let method = MoDo { learning_rate: 1.0, regularization: 0.0 };
        let mut state = method.init(3);
        let two = Seen::new(vec![Some(1.0), None, Some(1.0)]).unwrap();
        let two = two.with_cross_gramian(vec![vec![1.0, 0.0], vec![0.0, 0.0]]).unwrap();
        let weights = method.weigh(&mut state, &two).unwrap().into_vec();
        assert!((weights[0] - 1.0 / 6.0).abs() < 1e-15 && (weights[2] - 0.5).abs() < 1e-15, "{weights:?}");
        assert!((state.vector(WEIGHTS, 3).unwrap().iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!(MoDo { learning_rate: 0.0, ..MoDo::default() }.bind(&[]).is_err());
        assert!(MoDo { regularization: -1.0, ..MoDo::default() }.bind(&[]).is_err());
    }
}
