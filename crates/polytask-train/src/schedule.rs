//! How large is the learning rate at a step?

use polytask_spec::training::{Optimizer, PlateauSchedule, Schedule as Fall};
use serde::{Deserialize, Serialize};

/// The learning rate before scales, as a function of the step.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    peak: f64,
    warmup_steps: f64,
    total_steps: f64,
    steps_in_epoch: f64,
    fall: Fall,
}

/// What the `plateau` schedule has seen and done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    best: Option<f64>,
    waited: usize,
    cooling: usize,
    factor: f64,
}

impl Schedule {
    /// The configured schedule over a run of at most `epochs` epochs of `steps_in_epoch` steps.
    pub fn new(optimizer: &Optimizer, steps_in_epoch: usize, epochs: usize) -> Schedule {
        let total_steps = (steps_in_epoch * epochs).max(1) as f64;
        Schedule {
            peak: optimizer.method.learning_rate(),
            warmup_steps: (optimizer.warmup * total_steps).floor(),
            total_steps,
            steps_in_epoch: steps_in_epoch.max(1) as f64,
            fall: optimizer.decay.schedule(),
        }
    }

    /// The rate at a step, counted from 0.
    ///
    /// It rises linearly to the peak over the warm-up, then falls as configured: `linear` and `cosine` until `total_steps`
    /// steps are over, the others for ever. What a plateau takes from it is not in it.
    pub fn rate(&self, step: u64) -> f64 {
        let step = step as f64;
        if step < self.warmup_steps {
            return self.peak * (step + 1.0) / self.warmup_steps;
        }
        let since = step - self.warmup_steps;
        let passed = (since / (self.total_steps - self.warmup_steps).max(1.0)).min(1.0);
        let epochs = since / self.steps_in_epoch;
        self.peak
            * match self.fall {
                Fall::None(_) | Fall::Plateau(_) => 1.0,
                Fall::Linear(fall) => raised(1.0 - passed, fall.floor),
                Fall::Cosine(fall) => raised(0.5 * (1.0 + (std::f64::consts::PI * passed).cos()), fall.floor),
                Fall::Step(fall) => fall.factor.powf((epochs / fall.every as f64).floor()),
                Fall::Exponential(fall) => fall.factor.powf(epochs),
                Fall::Noam(_) => (self.warmup_steps.max(1.0) / (step + 1.0)).sqrt(),
            }
    }

    /// Shows a plateau the score of an epoch's model, the higher the better; nothing to other schedules.
    pub fn judge(&self, plateau: &mut Plateau, score: f64) {
        if let Fall::Plateau(options) = &self.fall {
            plateau.judge(score, options);
        }
    }
}

/// A share between 0 and 1 as a share between a floor and 1.
fn raised(share: f64, floor: f64) -> f64 {
    if floor == 0.0 { share } else { floor + (1.0 - floor) * share }
}

impl Default for Plateau {
    fn default() -> Self {
        Plateau { best: None, waited: 0, cooling: 0, factor: 1.0 }
    }
}

impl Plateau {
    /// What is left of the rate; 1 for other schedules.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// As PyTorch's `ReduceLROnPlateau` with `mode="max"` and `threshold_mode="abs"`.
    fn judge(&mut self, score: f64, options: &PlateauSchedule) {
        if self.best.is_none_or(|best| score > best + options.threshold) {
            self.best = Some(score);
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        if self.cooling > 0 {
            self.cooling -= 1;
            self.waited = 0;
        }
        if self.waited > options.patience {
            self.factor = (self.factor * options.factor).max(options.floor);
            self.cooling = options.cooldown;
            self.waited = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polytask_spec::training::{
        Decay, ExponentialSchedule, FallingSchedule, OptimizerMethod, ScheduleName, StepSchedule,
    };

    /// The rates of two epochs of five steps and of the step after them, for a peak of 1.
    fn rates(decay: Decay, warmup: f64) -> Vec<f64> {
        let mut method = OptimizerMethod::default();
        *method.learning_rate_mut() = 1.0;
        let schedule = Schedule::new(&Optimizer { method, warmup, decay, ..Optimizer::default() }, 5, 2);
        (0..11).map(|step| schedule.rate(step)).collect()
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} against {expected:?}");
    }

    #[test]
    fn rises_then_falls() {
        assert_eq!(rates(Decay::Named(ScheduleName::None), 0.0), [1.0; 11]);
        let linear = rates(Decay::Named(ScheduleName::Linear), 0.2);
        assert_eq!(linear[..3], [0.5, 1.0, 1.0]);
        assert_eq!((linear[6], linear[10]), (0.5, 0.0));
        let cosine = rates(Decay::Named(ScheduleName::Cosine), 0.0);
        assert!((cosine[5] - 0.5).abs() < 1e-12 && cosine[10].abs() < 1e-12);
        assert!(cosine.windows(2).all(|pair| pair[1] <= pair[0]));
        let floored = rates(Decay::Table(Fall::Linear(FallingSchedule { floor: 0.2 })), 0.0);
        close(&[floored[0], floored[5], floored[10]], &[1.0, 0.6, 0.2]);
    }

    #[test]
    fn falls_by_epochs() {
        let step = rates(Decay::Table(Fall::Step(StepSchedule { every: 1, factor: 0.1 })), 0.0);
        close(&step, &[1.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.01]);
        let exponential = rates(Decay::Table(Fall::Exponential(ExponentialSchedule { factor: 0.81 })), 0.0);
        close(&[exponential[0], exponential[5], exponential[10]], &[1.0, 0.81, 0.81 * 0.81]);
        // Epochs count from the end of the warm-up.
        let warm = rates(Decay::Table(Fall::Step(StepSchedule { every: 1, factor: 0.1 })), 0.2);
        close(&warm[..8], &[0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.1]);
    }

    #[test]
    fn noam_is_the_papers_with_its_highest_rate_at_the_peak() {
        // d^-0.5 min(t^-0.5, t warmup^-1.5), of which the highest value, at t = warmup, is (d warmup)^-0.5; t from 1.
        let warmup = 4.0_f64;
        let highest = warmup.powf(-0.5);
        let paper: Vec<f64> =
            (1..=11).map(|t| f64::from(t).powf(-0.5).min(f64::from(t) * warmup.powf(-1.5)) / highest).collect();
        close(&rates(Decay::Named(ScheduleName::Noam), 0.4), &paper);
        close(&rates(Decay::Named(ScheduleName::Noam), 0.0)[..4], &[1.0, 0.5_f64.sqrt(), (1.0_f64 / 3.0).sqrt(), 0.5]);
    }

    #[test]
    fn a_plateau_is_pytorchs() {
        // torch.optim.lr_scheduler.ReduceLROnPlateau(SGD(lr=1), mode="max", factor=0.5, patience=1, threshold=0.01,
        // threshold_mode="abs", cooldown=2, min_lr=0.2), the rate after each of these scores
        let scores = [0.5, 0.6, 0.605, 0.6, 0.59, 0.59, 0.59, 0.59, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7];
        let expected = [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2];
        let options = PlateauSchedule { factor: 0.5, patience: 1, threshold: 0.01, cooldown: 2, floor: 0.2 };
        let mut plateau = Plateau::default();
        let found: Vec<f64> = scores
            .iter()
            .map(|&score| {
                plateau.judge(score, &options);
                plateau.factor()
            })
            .collect();
        assert_eq!(found, expected);
    }
}
