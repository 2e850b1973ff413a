//! GradDrop: in each entry of the gradient, one sign is drawn, and tasks with the other sign are left out.
//!
//! ```text
//! P = (1 + Σ g_t / Σ |g_t|) / 2     in each entry;     U uniform in 0 .. 1
//! g'_t = g_t where P > U and g_t > 0, or P < U and g_t < 0;  elsewhere leak times g_t
//! d = Σ g'_t
//! ```
//!
//! Entries on which tasks agree are summed as they are; where they conflict, the side with more gradient is the
//! likelier one. Updates that conflict never cancel, and minima that suit all tasks attract. Use it where many tasks
//! share a large trunk.
//!
//! Cost a step: O(T) an entry, and a random number an entry. It keeps nothing.
//! Reference: Chen, Ngiam, Huang, Luong, Kretzschmar, Chai and Anguelov, "Just pick a sign: optimizing deep multitask
//! models with gradient sign dropout", NeurIPS 2020.
//!
//! These are lines 10 to 15 of the paper's algorithm, on gradients that are summed over the batch, as in TorchJD. The
//! paper, and LibMTL, put it at a layer's activations and first multiply each example's gradient with the activation's
//! sign, so that examples can be summed; gradients of parameters need no such step. Some copies average the tasks
//! instead of summing them, and add 1e-7 or 1e-8 to Σ |g_t|; here entries without conflict need no draw. The numbers
//! are drawn from the seed, the step, the tensor's name and the entry's place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::random::{name_key, uniform};
use crate::{Balancer, Error, Laws, Needs, Result, Scale, Seen, State, TensorGradients, Weights};

/// Options of GradDrop.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradDrop {
    /// The part of a gradient that is kept where its sign is not drawn, from 0 to 1.
    #[schemars(extend("minimum" = 0.0, "maximum" = 1.0))]
    pub leak: f64,
    /// Where the random numbers start; without it at the seed of the run, where the trainer gives one, else at 0.
    pub seed: Option<u64>,
}

impl Balancer for GradDrop {
    const KEY: &'static str = "graddrop";
    const SUMMARY: &'static str = "in each entry of the gradient one sign is drawn, and the other left out";
    const REFERENCE: &'static str =
        "Chen et al., Just pick a sign: optimizing deep multitask models with gradient sign dropout, NeurIPS 2020";
    const NEEDS: Needs = Needs::TaskGradients;
    const COST: &'static str = "O(T) an entry";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if (0.0..=1.0).contains(&self.leak) {
            return Ok(self);
        }
        Err(Error::option(Self::KEY, "leak", self.leak, "a number from 0 to 1"))
    }

    fn seed(&mut self, run: u64) {
        self.seed.get_or_insert(run);
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn rewrite(&self, state: &State, _seen: &Seen, tensor: &mut TensorGradients) -> Result<()> {
        let name = name_key(tensor.name);
        let entries = tensor.gradients.first().map_or(0, |gradient| gradient.len());
        for entry in 0..entries {
            let values = || tensor.gradients.iter().map(|gradient| f64::from(gradient[entry]));
            let (sum, size): (f64, f64) = (values().sum(), values().map(f64::abs).sum());
            // Entries without conflict are left, without a draw.
            if sum.abs() == size {
                continue;
            }
            let draw = uniform(&[self.seed.unwrap_or_default(), state.step, name, entry as u64]);
            let sign = if 0.5 * (1.0 + sum / size) > draw { 1.0 } else { -1.0 };
            for gradient in &mut tensor.gradients {
                if gradient[entry] * sign < 0.0 {
                    gradient[entry] = (self.leak * f64::from(gradient[entry])) as f32;
                }
            }
        }
        Ok(())
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        seen.gramian()?;
        let weights = Weights::of_present(seen, |_, _| 1.0)?;
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(method: &GradDrop, step: u64, gradients: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let mut gradients = gradients.to_vec();
        let mut state = State::default();
        state.step = step;
        let mut tensor = TensorGradients {
            name: "trunk",
            gradients: gradients.iter_mut().map(Vec::as_mut_slice).collect(),
            kept: Vec::new(),
            measures: &mut [0.0; 2],
        };
        method.rewrite(&state, &Seen::new(vec![Some(1.0); 2]).unwrap(), &mut tensor).unwrap();
        gradients
    }

    #[test]
    fn agreement_is_kept_and_conflict_drawn_by_purity() {
        let method = GradDrop { leak: 0.25, ..GradDrop::default() };
        let entries = 30_000;
        // Entries 3k: both positive; 3k + 1: 3 against -1, purity 3/4; 3k + 2: zero against -2.
        let first: Vec<f32> = (0..entries).map(|entry| [1.0, 3.0, 0.0][entry % 3]).collect();
        let second: Vec<f32> = (0..entries).map(|entry| [2.0, -1.0, -2.0][entry % 3]).collect();
        let found = rewritten(&method, 0, &[first.clone(), second.clone()]);
        let mut positive = 0;
        for entry in 0..entries {
            let pair = (found[0][entry], found[1][entry]);
            match entry % 3 {
                1 if pair == (3.0, -0.25) => positive += 1,
                1 => assert_eq!(pair, (0.75, -1.0)),
                _ => assert_eq!(pair, (first[entry], second[entry])),
            }
        }
        // Five standard deviations of 10,000 draws.
        assert!((f64::from(positive) / 10_000.0 - 0.75).abs() < 0.022, "{positive}");
        assert_eq!(rewritten(&method, 0, &[first.clone(), second.clone()]), found);
        assert_ne!(rewritten(&method, 1, &[first.clone(), second.clone()]), found);
        assert_ne!(rewritten(&GradDrop { seed: Some(1), ..method }, 0, &[first, second]), found);
        assert!(GradDrop { leak: 2.0, ..GradDrop::default() }.bind(&[]).is_err());
    }
}
