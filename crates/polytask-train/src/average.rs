//! What is the running mean of the weights, by which models are judged and kept?
//!
//! ```text
//! a_t = Σ_{i ≤ t} β^(t-i) (1 - β) w_i / (1 - β^t)        as      a += (1 - β) / (1 - β^t) (w - a)
//! ```
//!
//! The weights of the mean sum to one, so the initial values have no share in it and no correction is left to do. A row of
//! word vectors that no batch touches from step `s` to step `t` keeps its values w, for which the steps between have the
//! closed form `a_t - w = (a_s - w) β^(t-s) (1 - β^s) / (1 - β^t)`: rows that are updated lazily are averaged lazily.
//!
//! Reference: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM Journal on Control and
//! Optimization, 1992; the exponential form with its bias correction as the moments of Kingma and Ba, ICLR 2015.

use polytask_kernels::optim;
use polytask_model::{Parameters, RowGradient};
use polytask_spec::training::{Optimizer, RowUpdate};

/// The running mean of all trained parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Average {
    decay: f64,
    /// Steps averaged.
    pub steps: u64,
    /// For each dense parameter.
    pub dense: Vec<Vec<f32>>,
    /// For each table; empty where it is not trained.
    pub tables: Vec<AveragedTable>,
}

/// The running mean of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AveragedTable {
    /// Values of the rows, `[row, d]`.
    pub values: Vec<f32>,
    /// The step up to which each row is averaged; empty where all rows are, to the last step.
    pub seen: Vec<u32>,
}

impl Average {
    /// Nothing averaged yet; `None` where the configuration asks for no average.
    pub fn new(spec: &Optimizer, parameters: &Parameters) -> Option<Average> {
        let tables = parameters.tables().iter().map(|table| {
            let (rows, len) = if table.tuned { (table.rows(), table.values.len()) } else { (0, 0) };
            let seen = if spec.rows == RowUpdate::Lazy { vec![0; rows] } else { Vec::new() };
            AveragedTable { values: vec![0.0; len], seen }
        });
        (spec.ema > 0.0).then(|| Average {
            decay: spec.ema,
            steps: 0,
            dense: parameters.dense().iter().map(|parameter| vec![0.0; parameter.len()]).collect(),
            tables: tables.collect(),
        })
    }

    /// Brings rows that are about to change up to the present.
    pub fn before(&mut self, parameters: &Parameters, rows: &[RowGradient]) {
        for changed in rows {
            let (table, average) = (&parameters.tables()[changed.table], &mut self.tables[changed.table]);
            if !average.seen.is_empty() {
                let touched = changed.rows.iter().map(|row| *row as usize);
                average.catch_up(&table.values, table.dim, touched, self.decay, self.steps);
            }
        }
    }

    /// Takes in the parameters after a step that changed `rows`.
    pub fn after(&mut self, parameters: &mut Parameters, rows: &[RowGradient]) {
        self.steps += 1;
        let share = ((1.0 - self.decay) / mass(self.decay, self.steps)) as f32;
        for (index, average) in self.dense.iter_mut().enumerate() {
            parameters.update(index, |values| optim::average(average, values, share));
        }
        for (index, average) in self.tables.iter_mut().enumerate() {
            let table = &parameters.tables()[index];
            if average.seen.is_empty() && !average.values.is_empty() {
                optim::average(&mut average.values, &table.values, share);
                continue;
            }
            for row in rows.iter().filter(|rows| rows.table == index).flat_map(|rows| &rows.rows) {
                let at = *row as usize * table.dim;
                optim::average(&mut average.values[at..at + table.dim], &table.values[at..at + table.dim], share);
                average.seen[*row as usize] = self.steps as u32;
            }
        }
    }

    /// Puts the mean in the place of the parameters, which are kept here; nothing before the first step.
    pub fn lend(&mut self, parameters: &mut Parameters) {
        for (index, average) in self.tables.iter_mut().enumerate() {
            let table = &parameters.tables()[index];
            average.catch_up(&table.values, table.dim, 0..average.seen.len(), self.decay, self.steps);
        }
        self.exchange(parameters);
    }

    /// Takes the mean back and restores the parameters, after [`Average::lend`].
    pub fn take_back(&mut self, parameters: &mut Parameters) {
        self.exchange(parameters);
    }

    fn exchange(&mut self, parameters: &mut Parameters) {
        if self.steps == 0 {
            return;
        }
        for (index, average) in self.dense.iter_mut().enumerate() {
            parameters.update(index, |values| values.swap_with_slice(average));
        }
        for (index, average) in self.tables.iter_mut().enumerate() {
            if !average.values.is_empty() {
                std::mem::swap(&mut parameters.table_mut(index).values, &mut average.values);
            }
        }
    }
}

impl AveragedTable {
    /// Averages rows whose values have not changed since they were averaged, up to a step.
    fn catch_up(&mut self, values: &[f32], d: usize, rows: impl Iterator<Item = usize>, decay: f64, step: u64) {
        for row in rows {
            let seen = u64::from(self.seen[row]);
            if seen == step {
                continue;
            }
            let left = decay.powf((step - seen) as f64) * mass(decay, seen) / mass(decay, step);
            let (average, values) = (&mut self.values[row * d..][..d], &values[row * d..][..d]);
            average
                .iter_mut()
                .zip(values)
                .for_each(|(average, value)| *average = value + left as f32 * (*average - value));
            self.seen[row] = step as u32;
        }
    }
}

/// The sum of the weights that the plain recursion would have given in so many steps.
fn mass(decay: f64, steps: u64) -> f64 {
    1.0 - decay.powf(steps as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use polytask_model::{Group, Owner};

    const DECAY: f64 = 0.75;

    fn parameters() -> Parameters {
        let mut parameters = Parameters::new(Device::flex());
        parameters.add("trunk".into(), &[2], Group::Trunk, Owner::Shared, vec![100.0, -100.0]);
        parameters.add_table("vectors".into(), 2, true, Owner::Shared, vec![100.0; 8]);
        parameters.add_table("frozen".into(), 1, false, Owner::Shared, vec![5.0; 3]);
        parameters
    }

    /// The values of the trunk and of the rows of the table at each of six steps, from 1; row 3 never changes.
    fn values_at(step: usize) -> ([f32; 2], [f32; 8]) {
        let trunk = [step as f32, (step * step) as f32];
        let last = |every: usize| if step < every { 100.0 } else { (step - step % every) as f32 };
        (trunk, [last(1), last(1) + 0.5, last(2), last(2), last(4), last(4), 100.0, 100.0])
    }

    fn run(rows: RowUpdate, lend_at: &[usize]) -> (Average, Parameters) {
        let spec = Optimizer { ema: DECAY, rows, ..Optimizer::default() };
        let mut parameters = parameters();
        let mut average = Average::new(&spec, &parameters).unwrap();
        for step in 1..=6 {
            let touched: Vec<u32> =
                [1, 2, 4].iter().zip(0..).filter(|(every, _)| step % **every == 0).map(|(_, row)| row).collect();
            let rows = [RowGradient { table: 0, values: vec![0.0; touched.len() * 2], rows: touched }];
            average.before(&parameters, &rows);
            let (trunk, table) = values_at(step);
            parameters.update(0, |values| values.copy_from_slice(&trunk));
            parameters.table_mut(0).values = table.to_vec();
            average.after(&mut parameters, &rows);
            if lend_at.contains(&step) {
                average.lend(&mut parameters);
                average.take_back(&mut parameters);
            }
        }
        (average, parameters)
    }

    /// The mean of the doc comment, of one series of values.
    fn mean(value: impl Fn(usize) -> f32) -> f64 {
        let weight = |step: usize| DECAY.powi(6 - step as i32) * (1.0 - DECAY) / (1.0 - DECAY.powi(6));
        (1..=6).map(|step| weight(step) * f64::from(value(step))).sum()
    }

    #[test]
    fn the_mean_is_the_weighted_sum_and_initial_values_have_no_share() {
        for (rows, lend_at) in [(RowUpdate::Lazy, vec![]), (RowUpdate::Lazy, vec![2, 5]), (RowUpdate::Dense, vec![3])] {
            let (mut average, mut parameters) = run(rows, &lend_at);
            let raw = (parameters.dense()[0].to_vec(), parameters.tables()[0].values.clone());
            average.lend(&mut parameters);
            let close =
                |found: f32, expected: f64| assert!((f64::from(found) - expected).abs() < 1e-4, "{found}, {expected}");
            let trunk = parameters.dense()[0].to_vec();
            (0..2).for_each(|at| close(trunk[at], mean(|step| values_at(step).0[at])));
            (0..8).for_each(|at| close(parameters.tables()[0].values[at], mean(|step| values_at(step).1[at])));
            assert_eq!(parameters.tables()[1].values, [5.0; 3]);
            average.take_back(&mut parameters);
            assert_eq!((parameters.dense()[0].to_vec(), parameters.tables()[0].values.clone()), raw);
        }
    }

    #[test]
    fn without_a_step_the_parameters_stay() {
        let mut parameters = parameters();
        assert!(Average::new(&Optimizer::default(), &parameters).is_none());
        let mut average = Average::new(&Optimizer { ema: 0.9, ..Optimizer::default() }, &parameters).unwrap();
        average.lend(&mut parameters);
        assert_eq!(parameters.dense()[0].to_vec(), [100.0, -100.0]);
        assert_eq!(parameters.tables()[0].values, [100.0; 8]);
        average.take_back(&mut parameters);
        assert_eq!(parameters.tables()[0].values, [100.0; 8]);
    }
}
