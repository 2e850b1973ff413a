//! Nash-MTL: the direction that tasks would agree on when they bargain.
//!
//! ```text
//! G w = 1/w,  w > 0          d = Σ w_t g_t maximises Σ log(g_t · d) over the directions of its length, √T
//! ```
//!
//! Each task's share of the gain is the same, `w_t g_t · d = 1`, whatever the scale of its loss, and no task gets
//! worse. The length of the direction is always √T: the learning rate alone sets the step. Use it where losses differ
//! in scale and conflict; it costs T backward passes, as all methods on gradients do, unless the weights are kept for
//! some steps.
//!
//! Cost a step: 5 to 25 Newton steps of O(T³) once the Gramian is known.
//! Reference: Navon, Shamsian, Achituve, Maron, Kawaguchi, Chechik and Fetaya, "Multi-task learning as a bargaining
//! game", ICML 2022.
//!
//! The paper approximates the weights by a sequence of convex programmes for a general solver; public code takes at
//! most 20 of them (`optim_niter`) and stops at a residual of 1e-3. Here the equations hold exactly, and where no
//! direction gains for all the direction is zero. The authors' code also clips the gradient of the shared parameters to
//! length 1 at every step, as do LibMTL and TorchJD; the paper does not have that: `norm_max` does it, and is off by
//! default. `update_every` is 1 by default, as in all public code; where it is more, weights are kept between updates,
//! as in the paper's faster variants, while the length is capped at every step. A task that was not there at the last
//! update makes the step one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::solve::fair;
use crate::{Balancer, Error, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of Nash-MTL.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NashMtl {
    /// Number of steps for which weights are kept, at least 1.
    #[schemars(extend("minimum" = 1))]
    pub update_every: u64,
    /// The largest length of the direction, above 0; none by default.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub norm_max: Option<f64>,
}

impl Default for NashMtl {
    fn default() -> Self {
        NashMtl { update_every: 1, norm_max: None }
    }
}

/// The last weights, before the cap; 0 for a task that has not been weighed yet.
const WEIGHTS: &str = "weights";

impl Balancer for NashMtl {
    const KEY: &'static str = "nash-mtl";
    const SUMMARY: &'static str = "the direction that tasks agree on in Nash's bargaining game";
    const REFERENCE: &'static str = "Navon et al., Multi-task learning as a bargaining game, ICML 2022";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "5 to 25 Newton steps of O(T³)";

    fn bind(self, _tasks: &[String]) -> Result<Self> {
        if self.update_every == 0 {
            return Err(Error::option(Self::KEY, "update_every", 0, "at least 1"));
        }
        match self.norm_max {
            Some(norm) if !(norm.is_finite() && norm > 0.0) => {
                Err(Error::option(Self::KEY, "norm_max", norm, "a finite number above 0"))
            }
            _ => Ok(self),
        }
    }

    fn laws(&self) -> Laws {
        let fresh = self.update_every == 1;
        let scale = if fresh { Scale::Invariant } else { Scale::Neither };
        Laws { permutation: true, symmetric: true, non_conflicting: fresh, stationary: fresh, scale }
    }

    fn init(&self, tasks: usize) -> State {
        State::default().with(WEIGHTS, vec![0.0; tasks])
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let gramian = seen.gramian()?;
        let last = state.vector(WEIGHTS, seen.tasks())?;
        let mut weights: Vec<f64> = seen.present().map(|(task, _)| last[task]).collect();
        if state.step.is_multiple_of(self.update_every) || weights.contains(&0.0) {
            weights = fair(gramian, 1.0, &weights);
        }
        let length = gramian.squared_norm(&weights).sqrt();
        let factor = self.norm_max.map_or(1.0, |most| (most / length).min(1.0));
        let given = Weights::in_order(seen, &weights.iter().map(|weight| weight * factor).collect::<Vec<_>>())?;
        let kept = state.vector_mut(WEIGHTS, seen.tasks())?;
        seen.present().zip(weights).for_each(|((task, _), weight)| kept[task] = weight);
        state.step += 1;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gramian;

    fn seen(rows: [[f64; 2]; 2]) -> Seen {
        let gramian = Gramian::new(&rows.map(|row| row.to_vec())).unwrap();
        Seen::new(vec![Some(1.0); 2]).unwrap().with_gramian(gramian).unwrap()
    }

    #[test]
    fn gains_times_weights_are_one_and_the_length_is_the_root_of_two() {
        // Lengths 1 and 2, cosine c = -1/2: both u = n w solve (1 + c) u² = 1.
        let weights =
            NashMtl::default().weigh(&mut NashMtl::default().init(2), &seen([[1.0, -1.0], [-1.0, 4.0]])).unwrap();
        let root = (1.0_f64 / (1.0 - 0.5)).sqrt();
        assert!((weights.as_slice()[0] - root).abs() < 1e-14, "{weights:?}");
        assert!((weights.as_slice()[1] - root / 2.0).abs() < 1e-14, "{weights:?}");
    }

    #[test]
    fn weights_are_kept_and_lengths_capped() {
        let method = NashMtl { update_every: 2, norm_max: Some(0.5) };
        let mut state = method.init(2);
        let first = method.weigh(&mut state, &seen([[1.0, 0.0], [0.0, 4.0]])).unwrap();
        // Without the cap: w = (1, 1/2), of length √2.
        assert!((first.as_slice()[0] - 0.5 / 2.0_f64.sqrt()).abs() < 1e-15, "{first:?}");
        // The same weights on gradients three times as long; the length is capped again: √(9 + 9/4) is 3 √5 / 2.
        let second = method.weigh(&mut state, &seen([[9.0, 0.0], [0.0, 9.0]])).unwrap();
        for (found, expected) in second.as_slice().iter().zip([1.0, 0.5]) {
            assert!((found - expected * 0.5 / (1.5 * 5.0_f64.sqrt())).abs() < 1e-15, "{second:?}");
        }
        let third = method.weigh(&mut state, &seen([[9.0, 0.0], [0.0, 9.0]])).unwrap();
        assert!((third.as_slice()[0] - 0.5 / 18.0_f64.sqrt()).abs() < 1e-15, "{third:?}");
    }

    #[test]
    fn options_out_of_range_are_refused() {
        for norm in [0.0, -1.0, f64::NAN] {
            assert!(NashMtl { norm_max: Some(norm), ..NashMtl::default() }.bind(&[]).is_err());
        }
        assert!(NashMtl { update_every: 0, ..NashMtl::default() }.bind(&[]).is_err());
    }
}
