//! What one training step showed of its tasks.

use crate::{Error, Gramian, Result};

/// The losses of one step, and what else the method asked for.
///
/// A step need not have every task: with proportional sampling it has the tasks of one dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    losses: Vec<Option<f64>>,
    gramian: Option<Gramian>,
    /// Row by row.
    cross_gramian: Option<Vec<Vec<f64>>>,
    measures: Option<Vec<f64>>,
}

impl Seen {
    /// Takes one loss a task, in task order; `None` for a task that this step does not have.
    ///
    /// # Errors
    /// Where there is no task at all, or a loss is NaN or infinite; the error names the task.
    pub fn new(losses: Vec<Option<f64>>) -> Result<Self> {
        if losses.is_empty() {
            return Err(Error::NoTasks);
        }
        for (task, loss) in losses.iter().enumerate() {
            if let Some(value) = *loss
                && !value.is_finite()
            {
                return Err(Error::Loss { task, value });
            }
        }
        Ok(Seen { losses, gramian: None, cross_gramian: None, measures: None })
    }

    /// Adds the Gramian of the present tasks' gradients, in task order: in the shared parameters, or at the shared
    /// representation, as the method needs it.
    ///
    /// # Errors
    /// Where its size is not the number of present tasks.
    pub fn with_gramian(self, gramian: Gramian) -> Result<Self> {
        let expected = self.present().count();
        if gramian.size() != expected {
            return Err(Error::Tasks { what: "the Gramian", expected, found: gramian.size() });
        }
        Ok(Seen { gramian: Some(gramian), ..self })
    }

    /// Adds the products of the present tasks' gradients on one batch (rows) with those on another (columns), in task
    /// order.
    ///
    /// # Errors
    /// Where its size is not the number of present tasks, or an entry is NaN or infinite.
    pub fn with_cross_gramian(self, rows: Vec<Vec<f64>>) -> Result<Self> {
        let expected = self.present().count();
        if rows.len() != expected {
            return Err(Error::Tasks { what: "the cross-Gramian", expected, found: rows.len() });
        }
        for (row, entries) in rows.iter().enumerate() {
            if entries.len() != expected {
                return Err(Error::GramianShape { row, expected, found: entries.len() });
            }
            if let Some((column, &value)) = entries.iter().enumerate().find(|(_, value)| !value.is_finite()) {
                return Err(Error::GramianEntry { row, column, value });
            }
        }
        Ok(Seen { cross_gramian: Some(rows), ..self })
    }

    /// Adds what a method measured in the present tasks' gradients, in task order
    /// ([`TensorGradients::measures`](crate::TensorGradients::measures)).
    ///
    /// # Errors
    /// Where there is not one number a present task.
    pub fn with_measures(self, measures: Vec<f64>) -> Result<Self> {
        let expected = self.present().count();
        if measures.len() != expected {
            return Err(Error::Tasks { what: "the list of measures", expected, found: measures.len() });
        }
        Ok(Seen { measures: Some(measures), ..self })
    }

    /// Number of tasks, present or not.
    pub fn tasks(&self) -> usize {
        self.losses.len()
    }

    /// The loss of each task, all finite; `None` for an absent one.
    pub fn losses(&self) -> &[Option<f64>] {
        &self.losses
    }

    /// The present tasks, in order, each with its loss.
    pub fn present(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.losses.iter().enumerate().filter_map(|(task, loss)| loss.map(|loss| (task, loss)))
    }

    /// The Gramian of the present tasks' gradients, in the order of [`Seen::present`].
    ///
    /// # Errors
    /// Where the step did not provide it.
    pub fn gramian(&self) -> Result<&Gramian> {
        self.gramian.as_ref().ok_or(Error::NotProvided { need: "the Gramian of the task gradients" })
    }

    /// What the method measured in the present tasks' gradients, in the order of [`Seen::present`].
    ///
    /// # Errors
    /// Where the step did not provide it.
    pub fn measures(&self) -> Result<&[f64]> {
        self.measures.as_deref().ok_or(Error::NotProvided { need: "measures of the task gradients" })
    }

    /// The products of the present tasks' gradients on two batches, row by row, in the order of [`Seen::present`].
    ///
    /// # Errors
    /// Where the step did not provide them.
    pub fn cross_gramian(&self) -> Result<&[Vec<f64>]> {
        self.cross_gramian.as_deref().ok_or(Error::NotProvided { need: "the products of the gradients on two batches" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_is_no_number_names_its_task() {
        for bad in [f64::INFINITY, f64::NEG_INFINITY] {
            let error = Seen::new(vec![Some(1.0), None, Some(bad)]).unwrap_err();
            assert_eq!(error, Error::Loss { task: 2, value: bad });
        }
        let error = Seen::new(vec![None, Some(f64::NAN)]).unwrap_err();
        assert_eq!(error.to_string(), "the loss of task 1 is NaN");
        assert_eq!(Seen::new(Vec::new()), Err(Error::NoTasks));
    }

    #[test]
    fn the_gramian_covers_the_present_tasks() {
        let seen = Seen::new(vec![Some(1.0), None, Some(2.0)]).unwrap();
        assert_eq!(seen.present().collect::<Vec<_>>(), [(0, 1.0), (2, 2.0)]);
        assert_eq!(seen.gramian(), Err(Error::NotProvided { need: "the Gramian of the task gradients" }));
        let two = Gramian::new(&[vec![1.0, 0.0], vec![0.0, 1.0]]).unwrap();
        assert_eq!(seen.clone().with_gramian(two.clone()).unwrap().gramian(), Ok(&two));
        let one = Gramian::new(&[vec![1.0]]).unwrap();
        assert_eq!(seen.with_gramian(one), Err(Error::Tasks { what: "the Gramian", expected: 2, found: 1 }));
    }

    #[test]
    fn the_cross_gramian_is_square_and_finite() {
        let seen = Seen::new(vec![Some(1.0), None, Some(2.0)]).unwrap();
        assert!(matches!(seen.cross_gramian(), Err(Error::NotProvided { .. })));
        let rows = vec![vec![1.0, -2.0], vec![0.5, -1.0]];
        assert_eq!(seen.clone().with_cross_gramian(rows.clone()).unwrap().cross_gramian(), Ok(&rows[..]));
        let error = seen.clone().with_cross_gramian(vec![vec![1.0]]).unwrap_err();
        assert_eq!(error, Error::Tasks { what: "the cross-Gramian", expected: 2, found: 1 });
        let error = seen.clone().with_cross_gramian(vec![vec![1.0, 2.0], vec![1.0]]).unwrap_err();
        assert_eq!(error, Error::GramianShape { row: 1, expected: 2, found: 1 });
        let error = seen.with_cross_gramian(vec![vec![1.0, f64::INFINITY], vec![1.0, 1.0]]).unwrap_err();
        assert_eq!(error, Error::GramianEntry { row: 0, column: 1, value: f64::INFINITY });
    }
}
