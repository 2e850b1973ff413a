//! How large is the learning rate at a step?

use polytask_spec::training::{Decay, Optimizer};

/// The learning rate before scales, as a function of the step.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    peak: f64,
    warmup_steps: f64,
    total_steps: f64,
    decay: Decay,
}

impl Schedule {
    /// The configured schedule over a run of at most `total_steps` steps.
    pub fn new(optimizer: &Optimizer, total_steps: usize) -> Schedule {
        let total_steps = total_steps.max(1) as f64;
        Schedule {
            peak: optimizer.learning_rate,
            warmup_steps: (optimizer.warmup * total_steps).floor(),
            total_steps,
            decay: optimizer.decay,
        }
    }

    /// The rate at a step, counted from 0.
    ///
    /// It rises linearly to the peak over the warm-up, then falls as configured, to zero after `total_steps` steps.
    pub fn rate(&self, step: u64) -> f64 {
        let step = step as f64;
        if step < self.warmup_steps {
            return self.peak * (step + 1.0) / self.warmup_steps;
        }
        let passed = ((step - self.warmup_steps) / (self.total_steps - self.warmup_steps).max(1.0)).min(1.0);
        self.peak
            * match self.decay {
                Decay::None => 1.0,
                Decay::Linear => 1.0 - passed,
                Decay::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * passed).cos()),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(decay: Decay, warmup: f64) -> Vec<f64> {
        let schedule = Schedule::new(&Optimizer { learning_rate: 1.0, warmup, decay, ..Optimizer::default() }, 10);
        (0..11).map(|step| schedule.rate(step)).collect()
    }

    #[test]
    fn rises_then_falls() {
        assert_eq!(rates(Decay::None, 0.0), [1.0; 11]);
        let linear = rates(Decay::Linear, 0.2);
        assert_eq!(linear[..3], [0.5, 1.0, 1.0]);
        assert_eq!((linear[6], linear[10]), (0.5, 0.0));
        let cosine = rates(Decay::Cosine, 0.0);
        assert!((cosine[5] - 0.5).abs() < 1e-12 && cosine[10].abs() < 1e-12);
        assert!(cosine.windows(2).all(|pair| pair[1] <= pair[0]));
    }
}
