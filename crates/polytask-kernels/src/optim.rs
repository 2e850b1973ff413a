//! How is a parameter updated? In one pass over weight, gradient and moments, or over the rows that a batch touched.
//!
//! Weight decay has two forms ([`WeightDecay`]): in the gradient, before the moments see it, or beside them. The gradient scale is
//! where clipping by a global norm and averaging over accumulation steps enter.
//!
//! Three forms of each method, equal to the last bit where they overlap:
//! * dense: every element has a gradient;
//! * `_rows` (lazy): only the rows of the batch are updated; the moments and the decay of the others stand still;
//! * `_dense_rows`: the gradient comes as rows, and rows without one get the exact update of a zero gradient.

use rayon::prelude::*;

use crate::math::vectorize;

/// Elements a task updates; fixed, so that the result never depends on the number of threads.
const CHUNK: usize = 1 << 15;

/// Gradients are held within this bound, so that their square is finite; NaN stays NaN.
const GRADIENT_MAX: f32 = 1.8e19;

/// Where weight decay enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WeightDecay {
    /// `decay * w` is added to the gradient, as the derivative of an L2 penalty.
    #[default]
    Gradient,
    /// `learning_rate * decay * w` is taken from the weight itself, so that the moments do not scale it (AdamW: Loshchilov
    /// and Hutter, "Decoupled weight decay regularization", ICLR 2019).
    Weights,
}

/// One step of Adam (Kingma and Ba, "Adam: A method for stochastic optimization", ICLR 2015), bias-corrected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep {
    /// The learning rate.
    pub learning_rate: f32,
    /// Decay of the first moment, in `[0, 1)`.
    pub beta1: f32,
    /// Decay of the second moment, in `[0, 1)`.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Weight decay; 0 for none.
    pub weight_decay: f32,
    /// Where weight decay enters.
    pub decay: WeightDecay,
    /// Factor of the gradient; 1 for none.
    pub gradient_scale: f32,
    /// Number of this step, counted from 1 (0 is taken as 1).
    pub step: u64,
}

impl Default for AdamStep {
    fn default() -> Self {
        let (learning_rate, beta1, beta2) = (1e-3, 0.9, 0.999);
        let decay = WeightDecay::Gradient;
        Self { learning_rate, beta1, beta2, epsilon: 1e-8, weight_decay: 0.0, decay, gradient_scale: 1.0, step: 1 }
    }
}

/// One step of stochastic gradient descent with momentum: `v = momentum v + g`, `w -= learning_rate v`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdStep {
    /// The learning rate.
    pub learning_rate: f32,
    /// The momentum, in `[0, 1)`.
    pub momentum: f32,
    /// L2 weight decay; 0 for none.
    pub weight_decay: f32,
    /// Factor of the gradient; 1 for none.
    pub gradient_scale: f32,
}

impl Default for SgdStep {
    fn default() -> Self {
        Self { learning_rate: 1e-2, momentum: 0.9, weight_decay: 0.0, gradient_scale: 1.0 }
    }
}

/// Updates weights `w` and moments `m`, `v` by Adam with a gradient of the same length.
///
/// # Panics
/// If the lengths differ.
pub fn adam(w: &mut [f32], m: &mut [f32], v: &mut [f32], gradient: &[f32], step: &AdamStep) {
    let rule = AdamRule::new(step);
    dense(&rule, [w, m, v], gradient);
}

/// Updates only `rows` of the tables `w`, `m`, `v` `[row, d]` by Adam, from their gradients `[rows.len(), d]`.
///
/// The rows may come in any order.
///
/// # Panics
/// If a row is out of range or named twice, or the lengths do not fit.
pub fn adam_rows(tables: [&mut [f32]; 3], d: usize, rows: &[u32], gradient: &[f32], step: &AdamStep) {
    sparse(&AdamRule::new(step), tables, d, rows, gradient);
}

/// Updates all rows of the tables `w`, `m`, `v` `[row, d]` by Adam; the gradient is zero outside `rows`.
///
/// # Panics
/// As [`adam_rows`].
pub fn adam_dense_rows(tables: [&mut [f32]; 3], d: usize, rows: &[u32], gradient: &[f32], step: &AdamStep) {
    dense_rows(&AdamRule::new(step), tables, d, rows, gradient);
}

/// Updates weights and velocity by stochastic gradient descent with a gradient of the same length.
///
/// # Panics
/// If the lengths differ.
pub fn sgd(w: &mut [f32], velocity: &mut [f32], gradient: &[f32], step: &SgdStep) {
    dense(step, [w, velocity], gradient);
}

/// Updates only `rows` of the tables `w`, `velocity` `[row, d]`, from their gradients `[rows.len(), d]`.
///
/// # Panics
/// As [`adam_rows`].
pub fn sgd_rows(tables: [&mut [f32]; 2], d: usize, rows: &[u32], gradient: &[f32], step: &SgdStep) {
    sparse(step, tables, d, rows, gradient);
}

/// Updates all rows of the tables `w`, `velocity` `[row, d]`; the gradient is zero outside `rows`.
///
/// # Panics
/// As [`adam_rows`].
pub fn sgd_dense_rows(tables: [&mut [f32]; 2], d: usize, rows: &[u32], gradient: &[f32], step: &SgdStep) {
    dense_rows(step, tables, d, rows, gradient);
}

/// Sums the squares in 64 bits, in an order that does not depend on the number of threads.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    let sums: Vec<f64> = values.par_chunks(CHUNK).map(|chunk| vectorize(|| squares(chunk))).collect();
    sums.iter().sum()
}

#[inline(always)]
fn squares(chunk: &[f32]) -> f64 {
    // Sixteen running sums, so that the loop vectorises without reordering a sum.
    let mut sums = [0.0_f64; 16];
    let (blocks, rest) = chunk.as_chunks::<16>();
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += f64::from(*value) * f64::from(*value);
    }
    sums.iter().sum()
}

/// A rule that updates `N` slices (weights first) element by element.
trait Rule<const N: usize>: Sync {
    /// Updates slices of the length of the gradient.
    fn update(&self, slices: [&mut [f32]; N], gradient: &[f32]);

    /// Updates slices whose gradient is zero.
    fn update_zero(&self, slices: [&mut [f32]; N]);
}

struct AdamRule {
    step: AdamStep,
    /// Share of the weight that is added to the gradient.
    penalty: f32,
    /// What is left of the weight before the moments move it.
    kept: f32,
    first_correction: f32,
    second_correction_root: f32,
}

impl AdamRule {
    fn new(step: &AdamStep) -> Self {
        // Beyond i32 the powers are zero to the last bit; `powf` in 64 bits is exact enough before.
        let count = step.step.max(1) as f64;
        let correction = |beta: f32| 1.0 / (1.0 - f64::from(beta).powf(count));
        let (penalty, kept) = match step.decay {
            WeightDecay::Gradient => (step.weight_decay, 1.0),
            WeightDecay::Weights => (0.0, 1.0 - step.learning_rate * step.weight_decay),
        };
        Self {
            step: *step,
            penalty,
            kept,
            first_correction: correction(step.beta1) as f32,
            second_correction_root: correction(step.beta2).sqrt() as f32,
        }
    }

    #[inline(always)]
    fn element(&self, w: &mut f32, m: &mut f32, v: &mut f32, gradient: f32) {
        let AdamStep { learning_rate, beta1, beta2, epsilon, gradient_scale, .. } = self.step;
        let gradient = (gradient * gradient_scale + self.penalty * *w).clamp(-GRADIENT_MAX, GRADIENT_MAX);
        *m = beta1 * *m + (1.0 - beta1) * gradient;
        *v = beta2 * *v + (1.0 - beta2) * gradient * gradient;
        let change = learning_rate * (*m * self.first_correction) / (v.sqrt() * self.second_correction_root + epsilon);
        *w = *w * self.kept - change;
    }
}

impl Rule<3> for AdamRule {
    fn update(&self, [w, m, v]: [&mut [f32]; 3], gradient: &[f32]) {
        vectorize(
            #[inline(always)]
            || {
                for (((w, m), v), gradient) in w.iter_mut().zip(m).zip(v).zip(gradient) {
                    self.element(w, m, v, *gradient);
                }
            },
        );
    }

    fn update_zero(&self, [w, m, v]: [&mut [f32]; 3]) {
        vectorize(
            #[inline(always)]
            || {
                for ((w, m), v) in w.iter_mut().zip(m).zip(v) {
                    self.element(w, m, v, 0.0);
                }
            },
        );
    }
}

impl SgdStep {
    #[inline(always)]
    fn element(&self, w: &mut f32, velocity: &mut f32, gradient: f32) {
        let gradient = gradient * self.gradient_scale + self.weight_decay * *w;
        *velocity = self.momentum * *velocity + gradient;
        *w -= self.learning_rate * *velocity;
    }
}

impl Rule<2> for SgdStep {
    fn update(&self, [w, velocity]: [&mut [f32]; 2], gradient: &[f32]) {
        vectorize(
            #[inline(always)]
            || {
                for ((w, velocity), gradient) in w.iter_mut().zip(velocity).zip(gradient) {
                    self.element(w, velocity, *gradient);
                }
            },
        );
    }

    fn update_zero(&self, [w, velocity]: [&mut [f32]; 2]) {
        vectorize(
            #[inline(always)]
            || {
                for (w, velocity) in w.iter_mut().zip(velocity) {
                    self.element(w, velocity, 0.0);
                }
            },
        );
    }
}

fn dense<const N: usize>(rule: &impl Rule<N>, slices: [&mut [f32]; N], gradient: &[f32]) {
    assert!(slices.iter().all(|slice| slice.len() == gradient.len()), "a moment or gradient of another length");
    if gradient.len() <= CHUNK {
        return rule.update(slices, gradient);
    }
    let (left, right) = split(slices, half(gradient.len(), CHUNK));
    let (left_gradient, right_gradient) = gradient.split_at(left[0].len());
    rayon::join(|| dense(rule, left, left_gradient), || dense(rule, right, right_gradient));
}

/// Where a task's share begins in the tables, and which gradients `(row, position)` fall on it, by row.
#[derive(Clone, Copy)]
struct Rows<'a> {
    d: usize,
    first: usize,
    touched: &'a [(u32, u32)],
    gradient: &'a [f32],
}

impl<'a> Rows<'a> {
    fn gradient_of(&self, position: u32) -> &'a [f32] {
        &self.gradient[position as usize * self.d..][..self.d]
    }
}

fn order(rows: &[u32], table: usize, d: usize, gradient: &[f32]) -> Vec<(u32, u32)> {
    assert!(gradient.len() == rows.len() * d, "a gradient of another shape than the rows");
    let mut touched: Vec<(u32, u32)> = rows.iter().copied().zip(0..).collect();
    touched.sort_unstable();
    assert!(touched.windows(2).all(|pair| pair[0].0 < pair[1].0), "a row named twice");
    assert!(touched.last().is_none_or(|last| (last.0 as usize + 1) * d <= table), "a row outside the table");
    touched
}

fn sparse<const N: usize>(rule: &impl Rule<N>, tables: [&mut [f32]; N], d: usize, rows: &[u32], gradient: &[f32]) {
    assert!(tables.iter().all(|table| table.len() == tables[0].len()), "tables of different lengths");
    let touched = order(rows, tables[0].len(), d, gradient);
    sparse_part(rule, tables, Rows { d, first: 0, touched: &touched, gradient });
}

fn sparse_part<const N: usize>(rule: &impl Rule<N>, tables: [&mut [f32]; N], rows: Rows) {
    let Rows { d, first, touched, .. } = rows;
    if touched.len() * d <= CHUNK || touched.len() < 2 {
        let mut tables = tables;
        for (row, position) in touched {
            let at = (*row as usize - first) * d;
            rule.update(tables.each_mut().map(|table| &mut table[at..at + d]), rows.gradient_of(*position));
        }
        return;
    }
    let (left_rows, right_rows) = touched.split_at(touched.len() / 2);
    let middle = right_rows[0].0 as usize;
    let (left, right) = split(tables, (middle - first) * d);
    rayon::join(
        || sparse_part(rule, left, Rows { touched: left_rows, ..rows }),
        || sparse_part(rule, right, Rows { first: middle, touched: right_rows, ..rows }),
    );
}

fn dense_rows<const N: usize>(rule: &impl Rule<N>, tables: [&mut [f32]; N], d: usize, rows: &[u32], gradient: &[f32]) {
    assert!(tables.iter().all(|table| table.len() == tables[0].len()), "tables of different lengths");
    let touched = order(rows, tables[0].len(), d, gradient);
    dense_rows_part(rule, tables, Rows { d, first: 0, touched: &touched, gradient });
}

fn dense_rows_part<const N: usize>(rule: &impl Rule<N>, tables: [&mut [f32]; N], rows: Rows) {
    let Rows { d, first, touched, .. } = rows;
    let count = tables[0].len().checked_div(d).unwrap_or(0);
    if count * d <= CHUNK || count < 2 {
        let (mut tables, mut done) = (tables, 0);
        for (row, position) in touched {
            let at = (*row as usize - first) * d;
            rule.update_zero(tables.each_mut().map(|table| &mut table[done..at]));
            rule.update(tables.each_mut().map(|table| &mut table[at..at + d]), rows.gradient_of(*position));
            done = at + d;
        }
        return rule.update_zero(tables.map(|table| &mut table[done..]));
    }
    let middle = half(count, 1);
    let (left, right) = split(tables, middle * d);
    let (left_rows, right_rows) =
        touched.split_at(touched.partition_point(|(row, _)| (*row as usize) < first + middle));
    rayon::join(
        || dense_rows_part(rule, left, Rows { touched: left_rows, ..rows }),
        || dense_rows_part(rule, right, Rows { first: first + middle, touched: right_rows, ..rows }),
    );
}

/// Half of a length, rounded up to whole units.
fn half(length: usize, unit: usize) -> usize {
    (length / 2).next_multiple_of(unit)
}

type Halves<'a, const N: usize> = ([&'a mut [f32]; N], [&'a mut [f32]; N]);

fn split<const N: usize>(slices: [&mut [f32]; N], at: usize) -> Halves<'_, N> {
    let mut right: [&mut [f32]; N] = std::array::from_fn(|_| Default::default());
    let mut place = right.iter_mut();
    let left = slices.map(|slice| {
        let (left, rest) = slice.split_at_mut(at);
        if let Some(right) = place.next() {
            *right = rest;
        }
        left
    });
    (left, right)
}

#[cfg(test)]
mod tests;
