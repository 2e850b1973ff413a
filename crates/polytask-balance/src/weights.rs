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

    /// Takes the weights of the present tasks, in the order of [`Seen::present`].
    ///
    /// # Errors
    /// Where there is not one a present task, or one is NaN or infinite.
    pub fn in_order(seen: &Seen, present: &[f64]) -> Result<Self> {
        let expected = seen.present().count();
        if present.len() != expected {
            return Err(Error::Tasks { what: "the list of weights", expected, found: present.len() });
        }
        let mut present = present.iter();
        Self::of_present(seen, |_, _| present.next().copied().unwrap_or(f64::NAN))
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

    #[test]
    fn weights_in_order_skip_the_absent() {
        let seen = Seen::new(vec![None, Some(4.0), Some(2.0)]).unwrap();
        assert_eq!(Weights::in_order(&seen, &[3.0, 5.0]).unwrap().as_slice(), [0.0, 3.0, 5.0]);
        assert!(matches!(Weights::in_order(&seen, &[3.0]), Err(Error::Tasks { expected: 2, found: 1, .. })));
        assert!(matches!(Weights::in_order(&seen, &[3.0, f64::NAN]), Err(Error::Weight { task: 2, .. })));
    }
}
