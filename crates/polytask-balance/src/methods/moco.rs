//! MoCo: MGDA's weights in small steps, on moving averages of the gradients.
//!
//! ```text
//! y_t = y_t + β_k (g_t - y_t),                 β_k = β / k^σ_β at step k      (y starts at 0)
//! w = Π(w - γ_k (Y Yᵀ + ρ) w),                 γ_k = γ / k^σ_γ                (w starts at 1/T)
//! d = Σ w_t y_t                                                               Π: nearest point of the simplex
//! ```
//!
//! The averages follow the true gradients ever more closely, so that weights and direction lose the bias that MGDA has
//! on small batches. Unlike MoDo it needs one batch a step, but T times the memory of the shared parameters.
//!
//! Cost a step: O(T) an entry, and O(T²). It keeps T numbers an entry.
//! Reference: Fernando, Shen, Liu, Chaudhury, Murugesan and Chen, "Mitigating gradient bias in multi-objective
//! learning: a provably convergent approach", ICLR 2023.
//!
//! As in the paper, gradients are averaged as they are and weights are projected on the simplex. LibMTL's version first
//! gives each gradient the length of its loss, and takes a softmax instead of the projection; its defaults are ours: β
//! = 0.5, γ = 0.1, both falling as 1 / √k, ρ = 0. The direction takes the weights and averages after their move, as
//! LibMTL does, not before. Tasks of a step share the weight that they had together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::solve::nearest_on_simplex;
use crate::{Balancer, Error, Keeps, Laws, Needs, Result, Seen, State, TensorGradients, Weights};

/// Options of MoCo.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MoCo {
    /// How fast the averages follow in the first step, above 0, at most 1; the paper's β.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub tracking_rate: f64,
    /// How fast that falls, at least 0.
    #[schemars(extend("minimum" = 0.0))]
    pub tracking_decay: f64,
    /// How far the weights move in the first step, above 0; the paper's γ.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// How fast that falls, at least 0.
    #[schemars(extend("minimum" = 0.0))]
    pub learning_rate_decay: f64,
    /// How strongly the weights are drawn to equal ones, at least 0; the paper's ρ.
    #[schemars(extend("minimum" = 0.0))]
    pub regularization: f64,
}

impl Default for MoCo {
    fn default() -> Self {
        MoCo {
            tracking_rate: 0.5,
            tracking_decay: 0.5,
            learning_rate: 0.1,
            learning_rate_decay: 0.5,
            regularization: 0.0,
        }
    }
}

const WEIGHTS: &str = "weights";
/// No step is longer: the simplex is small.
const MOVE_MAX: f64 = 1e100;

impl Balancer for MoCo {
    const KEY: &'static str = "moco";
    const SUMMARY: &'static str = "mgda's weights in small steps, on averages of the gradients";
    const REFERENCE: &'static str = "Fernando et al., Mitigating gradient bias in multi-objective learning: a provably convergent approach, ICLR 2023";
    const NEEDS: Needs = Needs::TaskGradients;
    const COST: &'static str = "O(T) an entry";
    const KEEPS: Keeps = Keeps::EachEntry;

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if !(self.tracking_rate > 0.0 && self.tracking_rate <= 1.0) {
            return Err(Error::option(Self::KEY, "tracking_rate", self.tracking_rate, "a number above 0, at most 1"));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(Error::option(Self::KEY, "learning_rate", self.learning_rate, "a finite number above 0"));
        }
        let rest = [
            ("tracking_decay", self.tracking_decay),
            ("learning_rate_decay", self.learning_rate_decay),
            ("regularization", self.regularization),
        ];
        match rest.iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            Some((option, value)) => Err(Error::option(Self::KEY, option, value, "a finite number of at least 0")),
            None => Ok(self),
        }
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, ..Laws::none() }
    }

    fn init(&self, tasks: usize) -> State {
        State::default().with(WEIGHTS, vec![1.0 / tasks as f64; tasks])
    }

    fn rewrite(&self, state: &State, _seen: &Seen, tensor: &mut TensorGradients) -> Result<()> {
        let rate = self.tracking_rate / ((state.step + 1) as f64).powf(self.tracking_decay);
        for (_, gradient, kept) in tensor.pairs() {
            for (value, kept) in gradient.iter_mut().zip(kept) {
                *kept = (f64::from(*kept) + rate * (f64::from(*value) - f64::from(*kept))) as f32;
                *value = *kept;
            }
        }
        Ok(())
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let gramian = seen.gramian()?;
        let rate = self.learning_rate / ((state.step + 1) as f64).powf(self.learning_rate_decay);
        let kept = state.vector(WEIGHTS, seen.tasks())?;
        let last: Vec<f64> = seen.present().map(|(task, _)| kept[task]).collect();
        let moved = |(product, weight): (f64, &f64)| {
            weight - (rate * (product + self.regularization * weight)).clamp(-MOVE_MAX, MOVE_MAX)
        };
        let moved: Vec<f64> = gramian.times(&last).into_iter().zip(&last).map(moved).collect();
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

    #[test]
    fn two_steps_by_hand() {
        let method = MoCo { tracking_decay: 1.0, learning_rate: 0.2, ..MoCo::default() };
        let mut state = method.init(2);
        let mut kept = [[0.0_f32; 2]; 2];
        // β = 1/2, then 1/4.
        let expected = [[[2.0, 0.0], [0.0, 1.0]], [[1.5, 2.0], [1.0, 0.75]]];
        for (gradients, expected) in [[[4.0_f32, 0.0], [0.0, 2.0]], [[0.0, 8.0], [4.0, 0.0]]].iter_mut().zip(expected) {
            let mut tensor = TensorGradients {
                name: "trunk",
                gradients: gradients.iter_mut().map(|gradient| gradient.as_mut_slice()).collect(),
                kept: kept.iter_mut().map(|kept| kept.as_mut_slice()).collect(),
                measures: &mut [0.0; 2],
            };
            let seen = Seen::new(vec![Some(2.0), Some(4.0)]).unwrap();
            method.rewrite(&state, &seen, &mut tensor).unwrap();
            assert_eq!((*gradients, kept), (expected, expected));
            state.step += 1;
        }
        state.step = 0;
        // Slopes 4/2 and 1/2, rate 0.2: (0.1, 0.4), and 0.25 for each to sum to 1.
        let seen = Seen::new(vec![Some(2.0), Some(4.0)]).unwrap();
        let seen = seen.with_gramian(Gramian::new(&[vec![4.0, 0.0], vec![0.0, 1.0]]).unwrap()).unwrap();
        let weights = method.weigh(&mut state, &seen).unwrap().into_vec();
        assert!((weights[0] - 0.35).abs() < 1e-15 && (weights[1] - 0.65).abs() < 1e-15, "{weights:?}");
        // The rate is now 0.2 / √2, the slopes 1.4 and 0.65.
        let weights = method.weigh(&mut state, &seen).unwrap().into_vec();
        let expected = 0.35 - 0.5 * 0.2 / 2.0_f64.sqrt() * (1.4 - 0.65);
        assert!((weights[0] - expected).abs() < 1e-15, "{weights:?}");
    }

    #[test]
    fn options_have_ranges() {
        let default = MoCo::default;
        assert!(MoCo { tracking_rate: 0.0, ..default() }.bind(&[]).is_err());
        assert!(MoCo { learning_rate: f64::NAN, ..default() }.bind(&[]).is_err());
        assert!(MoCo { regularization: -1.0, ..default() }.bind(&[]).is_err());
    }
}
