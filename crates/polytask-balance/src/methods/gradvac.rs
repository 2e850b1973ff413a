//! GradVac: each gradient is turned towards the others until their cosines reach what is usual for the two tasks.
//!
//! ```text
//! for each task i:  g'_i = g_i;  for each other task j, in random order:
//!     c = cos(g'_i, g_j);   if c < φ_ij:  g'_i += ‖g'_i‖ (φ_ij √(1 - c²) - c √(1 - φ_ij²)) / (‖g_j‖ √(1 - φ_ij²)) g_j
//!     φ_ij = (1 - β) φ_ij + β c                                                   (φ starts at 0)
//! d = Σ g'_i
//! ```
//!
//! PCGrad acts only on conflict and makes the cosine 0; GradVac makes it what it has been on average, also where that
//! is above 0. Made for many related tasks (languages) whose gradients mostly agree.
//!
//! Cost a step: O(T⁴) once the Gramian is known, on coefficients. State: T² numbers.
//! Reference: Wang, Tsvetkov, Firat and Cao, "Gradient vaccine: investigating and improving multi-task optimization in
//! massively multilingual models", ICLR 2021.
//!
//! As in the paper and TorchJD, φ follows the cosine at every step; LibMTL moves it only when the gradient is turned.
//! Both libraries have β = 0.5 where the paper has 0.01. The gradients are whole; the paper's best results are with one
//! φ a layer. A φ of 1 has no solution: it is kept within 1 - 1e-9.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gramian::dot;
use crate::random::{bits, name_key};
use crate::{Balancer, Error, Gramian, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of GradVac.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradVac {
    /// How fast the usual cosines follow those of a step, from 0 to 1; the paper's β.
    #[schemars(extend("minimum" = 0.0, "maximum" = 1.0))]
    pub beta: f64,
    /// Where the random orders start; without it at the seed of the run, where the trainer gives one, else at 0.
    pub seed: Option<u64>,
    #[serde(skip)]
    tasks: Vec<u64>,
}

impl Default for GradVac {
    fn default() -> Self {
        GradVac { beta: 0.01, seed: None, tasks: Vec::new() }
    }
}

/// The usual cosines, row by row.
const COSINES: &str = "usual_cosines";
const COSINE_MAX: f64 = 1.0 - 1e-9;

impl Balancer for GradVac {
    const KEY: &'static str = "gradvac";
    const SUMMARY: &'static str = "each gradient turned towards the others as far as is usual for the two tasks";
    const REFERENCE: &'static str = "Wang et al., Gradient vaccine: investigating and improving multi-task optimization in massively multilingual models, ICLR 2021";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "O(T⁴)";

    fn bind(self, tasks: &[String]) -> Result<Self> {
        if !(0.0..=1.0).contains(&self.beta) {
            return Err(Error::option(Self::KEY, "beta", self.beta, "a number from 0 to 1"));
        }
        Ok(GradVac { tasks: tasks.iter().map(|name| name_key(name)).collect(), ..self })
    }

    fn seed(&mut self, run: u64) {
        self.seed.get_or_insert(run);
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn init(&self, tasks: usize) -> State {
        State::default().with(COSINES, vec![0.0; tasks * tasks])
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let tasks = seen.tasks();
        if self.tasks.len() != tasks {
            return Err(Error::Tasks { what: "the balancer", expected: tasks, found: self.tasks.len() });
        }
        let (norms, cosines) = seen.gramian()?.unit();
        let present: Vec<usize> = seen.present().map(|(task, _)| task).collect();
        let mut usual = state.vector(COSINES, tasks * tasks)?.to_vec();
        let mut sum = vec![0.0; present.len()];
        for (place, &task) in present.iter().enumerate() {
            let mut others: Vec<usize> = (0..present.len()).filter(|other| *other != place).collect();
            let key = |other: &usize| {
                bits(&[self.seed.unwrap_or_default(), state.step, self.tasks[task], self.tasks[present[*other]]])
            };
            others.sort_by_key(key);
            let mut coefficients = vec![0.0; present.len()];
            coefficients[place] = norms[place];
            for other in others {
                let target = &mut usual[task * tasks + present[other]];
                if let Some(cosine) = vaccinate(&cosines, &mut coefficients, other, *target) {
                    *target += self.beta * (cosine - *target);
                }
            }
            sum.iter_mut().zip(coefficients).for_each(|(sum, part)| *sum += part);
        }
        let weight = |(sum, norm): (&f64, &f64)| if *norm > 0.0 { sum / norm } else { 1.0 };
        let weights = Weights::in_order(seen, &sum.iter().zip(&norms).map(weight).collect::<Vec<_>>())?;
        state.vector_mut(COSINES, tasks * tasks)?.copy_from_slice(&usual);
        state.step += 1;
        Ok(weights)
    }
}

/// Turns a combination of unit gradients towards one of them; gives the cosine before, if there is one.
fn vaccinate(cosines: &Gramian, coefficients: &mut [f64], other: usize, target: f64) -> Option<f64> {
    let length = cosines.squared_norm(coefficients).sqrt();
    if length == 0.0 || cosines.get(other, other) == 0.0 {
        return None;
    }
    let cosine = (dot(cosines.row(other), coefficients) / length).clamp(-1.0, 1.0);
    let target = target.clamp(-COSINE_MAX, COSINE_MAX);
    if cosine < target {
        let (sine, target_sine) = ((1.0 - cosine * cosine).sqrt(), (1.0 - target * target).sqrt());
        coefficients[other] += length * (target * sine - cosine * target_sine) / target_sine;
    }
    Some(cosine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::samples::hostile;

    fn method(beta: f64) -> GradVac {
        GradVac { beta, ..GradVac::default() }.bind(&["a".to_owned(), "b".to_owned()]).unwrap()
    }

    fn seen(rows: [[f64; 2]; 2]) -> Seen {
        let gramian = Gramian::new(&rows.map(|row| row.to_vec())).unwrap();
        Seen::new(vec![Some(1.0); 2]).unwrap().with_gramian(gramian).unwrap()
    }

    #[test]
    fn the_cosine_becomes_the_target() {
        let cosines = Gramian::new(&[vec![1.0, -0.3], vec![-0.3, 1.0]]).unwrap();
        for target in [-0.2, 0.0, 0.5, 0.9] {
            let mut coefficients = vec![2.0, 0.0];
            assert_eq!(vaccinate(&cosines, &mut coefficients, 1, target), Some(-0.3));
            let cosine = dot(cosines.row(1), &coefficients) / cosines.squared_norm(&coefficients).sqrt();
            assert!((cosine - target).abs() < 1e-14, "{cosine}, {target}");
        }
    }

    #[test]
    fn two_steps_by_hand() {
        let method = method(0.5);
        let mut state = method.init(2);
        // φ = 0, as PCGrad: g'_0 = g_0 + g_1/8, g'_1 = g_1 + g_0/2. Then φ = -1/8, half of the cosine -1/4.
        let weights = method.weigh(&mut state, &seen([[1.0, -0.5], [-0.5, 4.0]])).unwrap();
        for (found, expected) in weights.as_slice().iter().zip([1.5, 1.125]) {
            assert!((found - expected).abs() < 1e-14, "{weights:?}");
        }
        let usual = state.vector(COSINES, 4).unwrap().to_vec();
        assert_eq!(usual, [0.0, -0.125, -0.125, 0.0]);
        // A cosine of 1/2 is above that: nothing is turned, and φ goes half of the way.
        let weights = method.weigh(&mut state, &seen([[1.0, 1.0], [1.0, 4.0]])).unwrap();
        assert_eq!(weights.as_slice(), [1.0, 1.0]);
        assert_eq!(state.vector(COSINES, 4).unwrap(), [0.0, 0.1875, 0.1875, 0.0]);
        // Orthogonal gradients are now turned to a cosine of 3/16, by tan(asin(3/16)) of each other's length.
        let weights = method.weigh(&mut state, &seen([[1.0, 0.0], [0.0, 4.0]])).unwrap();
        let turned = 0.1875 / (1.0_f64 - 0.1875 * 0.1875).sqrt();
        for (found, expected) in weights.as_slice().iter().zip([1.0 + 2.0 * turned, 1.0 + turned / 2.0]) {
            assert!((found - expected).abs() < 1e-14, "{weights:?}");
        }
    }

    #[test]
    fn agrees_with_turning_the_gradients_themselves() {
        let norm = |vector: &[f64]| dot(vector, vector).sqrt();
        for (name, gramian, gradients) in hostile() {
            let (norms, cosines) = gramian.unit();
            for target in [-0.3, 0.0, 0.4] {
                let mut turned = gradients[0].clone();
                let mut coefficients = vec![0.0; gradients.len()];
                coefficients[0] = norms[0];
                for other in 1..gradients.len() {
                    let (length, against) = (norm(&turned), norm(&gradients[other]));
                    let cosine = dot(&turned, &gradients[other]) / length / against;
                    // A gradient that has come to nothing has rounding for a direction.
                    if !cosine.is_finite() || length < 1e-6 * norms[0] {
                        break;
                    }
                    vaccinate(&cosines, &mut coefficients, other, target);
                    if cosine < target {
                        let (sine, target_sine) =
                            ((1.0 - cosine * cosine).max(0.0).sqrt(), (1.0 - target * target).sqrt());
                        let factor = length * (target * sine - cosine * target_sine) / (against * target_sine);
                        turned.iter_mut().zip(&gradients[other]).for_each(|(entry, value)| *entry += factor * value);
                    }
                    for (entry, expected) in turned.iter().enumerate() {
                        let part = |(task, norm): (usize, &f64)| match *norm {
                            0.0 => 0.0,
                            norm => coefficients[task] / norm * gradients[task][entry],
                        };
                        let found: f64 = norms.iter().enumerate().map(part).sum();
                        let size: f64 = coefficients.iter().map(|part| part.abs()).sum();
                        assert!((found - expected).abs() <= 1e-7 * size, "{name}: {found}, {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn equal_and_zero_gradients_are_left() {
        let method = method(1.0);
        let mut state = method.init(2);
        for _ in 0..3 {
            assert_eq!(method.weigh(&mut state, &seen([[1.0, 1.0], [1.0, 1.0]])).unwrap().as_slice(), [1.0, 1.0]);
        }
        assert_eq!(method.weigh(&mut state, &seen([[0.0, 0.0], [0.0, 1.0]])).unwrap().as_slice(), [1.0, 1.0]);
        assert!(GradVac { beta: 1.5, ..GradVac::default() }.bind(&[]).is_err());
    }
}
