//! SDMGrad: MGDA drawn towards the mean gradient, with weights from gradients on two batches.
//!
//! ```text
//! repeat S times:  w = Π(w - β (J_1 J_2ᵀ) (w + λ/T))              Π: nearest point of the simplex;  w starts at 1/T,
//! d = (Σ w_t g_t + λ g_0) / (1 + λ),   g_0 = 1/T Σ g_t            and goes on from the last step
//! ```
//!
//! It minimises `‖g_w + λ g_0‖`: λ = 0 is MGDA, a large λ the mean gradient. As in MoDo, gradients of two independent
//! batches keep the weights free of the bias of one batch's noise. Use it where CAGrad would do and batches are small.
//!
//! Cost a step: S times O(T²) once the products are known; gradients of two batches, and of a third for the direction.
//! Reference: Xiao, Ban and Ji, "Direction-oriented multi-objective learning: simple and provable stochastic
//! algorithms", NeurIPS 2023.
//!
//! The paper draws batches anew for each of the S moves; its code and LibMTL, and we, draw once a step. They divide the
//! products by the square of the mean gradient length, so that β = 5 suits any scale, and move with momentum 0.5, which
//! starts anew each step; λ = 0.3 and S = 20 are their defaults. The new weights are for the gradients on a third
//! batch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gramian::dot;
use crate::solve::nearest_on_simplex;
use crate::{Balancer, Error, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of SDMGrad.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SdmGrad {
    /// How much the mean gradient counts, at least 0; the paper's λ.
    #[schemars(extend("minimum" = 0.0))]
    pub regularization: f64,
    /// How far the weights move, above 0; the paper's β.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// How much of a move the next one keeps, from 0 to below 1.
    #[schemars(extend("minimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub momentum: f64,
    /// Number of moves a step, at least 1; the paper's S.
    #[schemars(extend("minimum" = 1))]
    pub iterations: u64,
}

impl Default for SdmGrad {
    fn default() -> Self {
        SdmGrad { regularization: 0.3, learning_rate: 5.0, momentum: 0.5, iterations: 20 }
    }
}

/// Weights before the mean gradient is added.
const WEIGHTS: &str = "weights";

impl Balancer for SdmGrad {
    const KEY: &'static str = "sdmgrad";
    const SUMMARY: &'static str = "mgda drawn towards the mean gradient, unbiased by two batches";
    const REFERENCE: &'static str = "Xiao, Ban and Ji, Direction-oriented multi-objective learning: simple and provable stochastic algorithms, NeurIPS 2023";
    const NEEDS: Needs = Needs::CrossGramian;
    const COST: &'static str = "S times O(T²)";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if !(self.regularization.is_finite() && self.regularization >= 0.0) {
            let accepted = "a finite number of at least 0";
            return Err(Error::option(Self::KEY, "regularization", self.regularization, accepted));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(Error::option(Self::KEY, "learning_rate", self.learning_rate, "a finite number above 0"));
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return Err(Error::option(Self::KEY, "momentum", self.momentum, "a number from 0 to below 1"));
        }
        if self.iterations == 0 {
            return Err(Error::option(Self::KEY, "iterations", 0, "at least 1"));
        }
        Ok(self)
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn init(&self, tasks: usize) -> State {
        State::default().with(WEIGHTS, vec![1.0 / tasks as f64; tasks])
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let products = normalized(seen.cross_gramian()?);
        let kept = state.vector(WEIGHTS, seen.tasks())?;
        let start: Vec<f64> = seen.present().map(|(task, _)| kept[task]).collect();
        let moved = self.moved(&products, start);
        let share = self.regularization / moved.len() as f64;
        let directed: Vec<f64> = moved.iter().map(|weight| (weight + share) / (1.0 + self.regularization)).collect();
        let weights = Weights::in_order(seen, &directed)?;
        let kept = state.vector_mut(WEIGHTS, seen.tasks())?;
        seen.present().zip(moved).for_each(|((task, _), weight)| kept[task] = weight);
        state.step += 1;
        Ok(weights)
    }
}

impl SdmGrad {
    fn moved(&self, products: &[Vec<f64>], mut weights: Vec<f64>) -> Vec<f64> {
        let total: f64 = weights.iter().sum();
        let share = self.regularization / weights.len() as f64;
        let mut velocity = vec![0.0; weights.len()];
        for _ in 0..self.iterations {
            let point: Vec<f64> = weights.iter().map(|weight| weight + share).collect();
            velocity
                .iter_mut()
                .zip(products)
                .for_each(|(speed, row)| *speed = self.momentum * *speed + dot(row, &point));
            let target: Vec<f64> =
                weights.iter().zip(&velocity).map(|(weight, speed)| weight - self.learning_rate * speed).collect();
            weights = nearest_on_simplex(&target, total);
        }
        weights
    }
}

/// The products divided by the square of the mean gradient length; none where no length is above 0.
fn normalized(products: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let lengths = products.iter().enumerate().map(|(task, row)| row[task].max(0.0).sqrt());
    let mean = lengths.sum::<f64>() / products.len() as f64;
    let divide = |value: &f64| if mean > 0.0 { (value / mean / mean).clamp(-1e100, 1e100) } else { 0.0 };
    products.iter().map(|row| row.iter().map(divide).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(rows: [[f64; 2]; 2]) -> Seen {
        Seen::new(vec![Some(1.0); 2]).unwrap().with_cross_gramian(rows.map(|row| row.to_vec()).to_vec()).unwrap()
    }

    #[test]
    fn two_moves_by_hand() {
        let method = SdmGrad { regularization: 1.0, learning_rate: 0.1, momentum: 0.5, iterations: 2 };
        let mut state = method.init(2);
        // Lengths 2 and 4, mean 3. With w + 1/2 = (1, 1): slopes 4/9, 16/9; w = (1/2, 1/2) ∓ half of 12/90.
        // Then w + 1/2 = (1 + 1/15, 1 - 1/15): velocities 2/9 + 64/135, 8/9 + 224/135; w moves by half of 0.1 times
        // their difference, 250/135.
        let weights = method.weigh(&mut state, &seen([[4.0, 0.0], [0.0, 16.0]])).unwrap().into_vec();
        let first = 0.5 + 1.0 / 15.0 + 0.05 * (8.0 / 9.0 + 224.0 / 135.0 - 2.0 / 9.0 - 64.0 / 135.0);
        let found = state.vector(WEIGHTS, 2).unwrap();
        assert!((found[0] - first).abs() < 1e-14, "{found:?}, {first}");
        assert!((weights[0] - (first + 0.5) / 2.0).abs() < 1e-14, "{weights:?}");
    }

    #[test]
    fn without_noise_it_is_the_shortest_direction_with_the_mean_added() {
        // Orthogonal, lengths 1 and 2, λ = 1: the minimum of (w + 1/2)² + 4 (3/2 - w)² over 0 .. 1 is at w = 1.
        // With λ = 0.2: (w + 0.1)² + 4 (1.1 - w)² has its minimum at 4.3/5 = 0.86.
        for (regularization, expected) in [(1.0, 1.0), (0.2, 0.86)] {
            let method = SdmGrad { regularization, learning_rate: 0.1, ..SdmGrad::default() };
            let mut state = method.init(2);
            for _ in 0..50 {
                method.weigh(&mut state, &seen([[1.0, 0.0], [0.0, 4.0]])).unwrap();
            }
            let found = state.vector(WEIGHTS, 2).unwrap();
            assert!((found[0] - expected).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn options_have_ranges() {
        let default = SdmGrad::default;
        assert!(SdmGrad { regularization: -1.0, ..default() }.bind(&[]).is_err());
        assert!(SdmGrad { learning_rate: f64::NAN, ..default() }.bind(&[]).is_err());
        assert!(SdmGrad { momentum: 1.0, ..default() }.bind(&[]).is_err());
        assert!(SdmGrad { iterations: 0, ..default() }.bind(&[]).is_err());
    }
}
