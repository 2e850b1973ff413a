//! What is the mean of the gradients of several batches?

use polytask_model::{Gradients, Parameters};

use crate::task_gradients::combined_rows;

/// A sum of gradients.
#[derive(Default)]
pub struct GradientSum {
    total: Option<Gradients>,
    count: usize,
}

impl GradientSum {
    /// Adds a gradient.
    pub fn add(&mut self, parameters: &Parameters, gradients: Gradients) {
        self.count += 1;
        self.total = Some(match self.total.take() {
            None => gradients,
            Some(total) => sum(parameters, total, &gradients),
        });
    }

    /// The mean of what was added; `None` where nothing was.
    pub fn mean(self) -> Option<Gradients> {
        let mut total = self.total?;
        if self.count > 1 {
            let share = 1.0 / self.count as f32;
            let rows = total.rows.iter_mut().map(|rows| &mut rows.values);
            let all = total.dense.iter_mut().flatten().chain(rows);
            all.for_each(|values| values.iter_mut().for_each(|value| *value *= share));
        }
        Some(total)
    }
}

fn sum(parameters: &Parameters, total: Gradients, more: &Gradients) -> Gradients {
    let dense = total.dense.into_iter().zip(&more.dense).map(|(total, more)| match (total, more) {
        (Some(mut total), Some(more)) => {
            total.iter_mut().zip(more).for_each(|(total, more)| *total += more);
            Some(total)
        }
        (total, more) => total.or_else(|| more.clone()),
    });
    let rows = parameters.tables().iter().enumerate().filter_map(|(table, of)| {
        let parts = total.rows.iter().chain(&more.rows).filter(|rows| rows.table == table).map(|rows| (1.0, rows));
        combined_rows((table, of.rows()), of.dim, &parts.collect::<Vec<_>>())
    });
    Gradients { dense: dense.collect(), rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use polytask_model::{Group, Owner, RowGradient};

    #[test]
    fn the_mean_counts_what_a_batch_does_not_reach_as_zero() {
        let mut parameters = Parameters::new(Device::flex());
        parameters.add("trunk".into(), &[2], Group::Trunk, Owner::Shared, vec![0.0; 2]);
        parameters.add("one".into(), &[1], Group::Heads, Owner::Shared, vec![0.0]);
        parameters.add("none".into(), &[1], Group::Heads, Owner::Shared, vec![0.0]);
        parameters.add_table("vectors".into(), 1, true, Owner::Shared, vec![0.0; 4]);
        let rows = |rows: Vec<u32>, values: Vec<f32>| vec![RowGradient { table: 0, rows, values }];
        let mut sum = GradientSum::default();
        let first = Gradients { dense: vec![Some(vec![1.0, 2.0]), None, None], rows: rows(vec![0, 3], vec![2.0, 4.0]) };
        let second = Gradients {
            dense: vec![Some(vec![3.0, -2.0]), Some(vec![8.0]), None],
            rows: rows(vec![2, 3], vec![6.0, 2.0]),
        };
        sum.add(&parameters, first);
        sum.add(&parameters, second);
        let mean = sum.mean().unwrap();
        assert_eq!(mean.dense, [Some(vec![2.0, 0.0]), Some(vec![4.0]), None]);
        assert_eq!(
            (mean.rows[0].rows.as_slice(), mean.rows[0].values.as_slice()),
            (&[0, 2, 3][..], &[1.0, 3.0, 3.0][..])
        );
        assert!(GradientSum::default().mean().is_none());
    }
}
