//! DB-MTL: log losses, and moving averages of their gradients made equally long.
//!
//! ```text
//! m_t = β_k m_t + (1 - β_k) ∇ log L_t,    β_k = β / k^σ at step k             (m starts at 0)
//! d = Σ m_t (max_s ‖m_s‖) / ‖m_t‖
//! ```
//!
//! The logarithm takes the scale out of the losses and the lengths out of the gradients; the average takes noise out of
//! both. It does not look for conflict. Use it where losses differ in scale and unit.
//!
//! Cost a step: O(T) an entry. It keeps T numbers an entry: T times the memory of the shared parameters.
//! Reference: Lin, Jiang, Ye, Zhang, Chen, Chen, Liu and Kwok, "Dual-balancing for multi-task learning", arXiv
//! 2308.12029, 2023.
//!
//! β = 0.9 and σ = 0 are the defaults of LibMTL, by the same authors. It adds 1e-8 to losses and lengths; here losses
//! below 1e-12 count as 1e-12, and an average of length 0 has weight 1. The weights are for the rewritten gradients.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LOSS_MIN;
use crate::{Balancer, Error, Keeps, Laws, Needs, Result, Scale, Seen, State, TensorGradients, Weights};

/// Options of DB-MTL.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DbMtl {
    /// How much of the average is kept in the first step, from 0 to below 1; the paper's β.
    #[schemars(extend("minimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub momentum: f64,
    /// How fast that becomes less, at least 0; the paper's σ.
    #[schemars(extend("minimum" = 0.0))]
    pub decay: f64,
}

impl Default for DbMtl {
    fn default() -> Self {
        DbMtl { momentum: 0.9, decay: 0.0 }
    }
}

impl Balancer for DbMtl {
    const KEY: &'static str = "db-mtl";
    const SUMMARY: &'static str = "log losses, and averages of their gradients made equally long";
    const REFERENCE: &'static str = "Lin et al., Dual-balancing for multi-task learning, arXiv 2308.12029, 2023";
    const NEEDS: Needs = Needs::TaskGradients;
    const COST: &'static str = "O(T) an entry";
    const KEEPS: Keeps = Keeps::EachEntry;

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if !(0.0..1.0).contains(&self.momentum) {
            return Err(Error::option(Self::KEY, "momentum", self.momentum, "a number from 0 to below 1"));
        }
        if !(self.decay.is_finite() && self.decay >= 0.0) {
            return Err(Error::option(Self::KEY, "decay", self.decay, "a finite number of at least 0"));
        }
        Ok(self)
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Invariant, ..Laws::none() }
    }

    fn rewrite(&self, state: &State, seen: &Seen, tensor: &mut TensorGradients) -> Result<()> {
        let momentum = self.momentum / ((state.step + 1) as f64).powf(self.decay);
        let losses: Vec<f64> = seen.present().map(|(_, loss)| loss.max(LOSS_MIN)).collect();
        for (place, gradient, kept) in tensor.pairs() {
            for (value, kept) in gradient.iter_mut().zip(kept) {
                let average = momentum * f64::from(*kept) + (1.0 - momentum) * (f64::from(*value) / losses[place]);
                *kept = average as f32;
                *value = *kept;
            }
        }
        Ok(())
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let gramian = seen.gramian()?;
        let norms: Vec<f64> = (0..gramian.size()).map(|task| gramian.get(task, task).sqrt()).collect();
        let longest = norms.iter().copied().fold(0.0, f64::max);
        let weights: Vec<f64> = norms.iter().map(|norm| if *norm > 0.0 { longest / norm } else { 1.0 }).collect();
        let weights = Weights::in_order(seen, &weights)?;
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
        let method = DbMtl { momentum: 0.5, decay: 1.0 };
        let mut state = State::default();
        let mut kept = [[0.0_f32; 2]; 2];
        // Step 1, β = 1/2: halves of g / L. Step 2, β = 1/4: a quarter of that, and three quarters of g / L.
        let expected = [[[1.0, 0.0], [0.0, 0.25]], [[0.25, 1.5], [0.75, 0.0625]]];
        for (gradients, expected) in [[[4.0_f32, 0.0], [0.0, 2.0]], [[0.0, 4.0], [4.0, 0.0]]].iter_mut().zip(expected) {
            let seen = Seen::new(vec![Some(2.0), Some(4.0)]).unwrap();
            let mut tensor = TensorGradients {
                name: "trunk",
                gradients: gradients.iter_mut().map(|gradient| gradient.as_mut_slice()).collect(),
                kept: kept.iter_mut().map(|kept| kept.as_mut_slice()).collect(),
                measures: &mut [0.0; 2],
            };
            method.rewrite(&state, &seen, &mut tensor).unwrap();
            assert_eq!(*gradients, expected);
            assert_eq!(kept, expected);
            let seen = seen.with_gramian(Gramian::new(&[vec![9.0, 0.0], vec![0.0, 4.0]]).unwrap()).unwrap();
            assert_eq!(method.weigh(&mut state, &seen).unwrap().as_slice(), [1.0, 1.5]);
        }
        assert!(DbMtl { momentum: 1.0, ..DbMtl::default() }.bind(&[]).is_err());
        assert!(DbMtl { decay: -1.0, ..DbMtl::default() }.bind(&[]).is_err());
    }
}
