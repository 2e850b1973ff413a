//! The outcome: one weight a task.

use crate::{Error, Result, Seen};

/// One finite weight a task, in task order; 0 for a task that the step did not have.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights(Vec<f64>);

impl Weights {
    /// Asks for the weight of each present task, by its number and its loss.
    ///
    /// # Errors
    /// Where a weight is NaN or infinite; the error names the task.
    pub fn of_present(seen: &Seen, mut weight: impl FnMut(usize, f64) -> f64) -> Result<Self> {
        let mut weights = vec![0.0; seen.tasks()];
        for (task, loss) in seen.present() {
            let value = weight(task, loss);
            if !value.is_finite() {
                return Err(Error::Weight { task, value });
            }
            weights[task] = value;
        }
        Ok(Weights(weights))
    }

    /// The weights, `[task]`.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// Gives the weights away, `[task]`.
    pub fn into_vec(self) -> Vec<f64> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_tasks_get_zero_and_bad_weights_are_named() {
        let seen = Seen::new(vec![None, Some(4.0), Some(2.0)]).unwrap();
        assert_eq!(Weights::of_present(&seen, |_, loss| 1.0 / loss).unwrap().as_slice(), [0.0, 0.25, 0.5]);
        let error = Weights::of_present(&seen, |task, _| if task == 2 { f64::INFINITY } else { 1.0 }).unwrap_err();
        assert_eq!(error, Error::Weight { task: 2, value: f64::INFINITY });
    }
}
