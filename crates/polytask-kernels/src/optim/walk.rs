//! Which elements does an update touch? All of a parameter, or the rows of a table that a batch contains.

use super::CHUNK;

/// A rule that updates `N` slices (weights first) element by element.
pub trait Rule<const N: usize>: Sync {
    /// Updates slices of the length of the gradient.
    fn update(&self, slices: [&mut [f32]; N], gradient: &[f32]);

    /// Updates slices whose gradient is zero.
    fn update_zero(&self, slices: [&mut [f32]; N]);
}

/// Which elements have a gradient, and what becomes of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'a> {
    /// Every element has one; the gradient is as long as the weights.
    All,
    /// Rows of a table `[row, d]` have one, `[rows.len(), d]`; the moments and the decay of the others stand still.
    Lazy {
        /// The width of a row.
        d: usize,
        /// The rows, in any order, none twice.
        rows: &'a [u32],
    },
    /// As `Lazy`, but rows without a gradient get the exact update of a zero gradient.
    Dense {
        /// The width of a row.
        d: usize,
        /// The rows, in any order, none twice.
        rows: &'a [u32],
    },
}

/// Updates slices (weights first) by a rule.
///
/// All forms are equal to the last bit where they overlap, and do not depend on the number of threads.
///
/// # Panics
/// If the lengths do not fit, or a row is out of range or named twice.
pub fn apply<const N: usize>(rule: &impl Rule<N>, slices: [&mut [f32]; N], gradient: &[f32], reach: Reach<'_>) {
    match reach {
        Reach::All => dense(rule, slices, gradient),
        Reach::Lazy { d, rows } => sparse(rule, slices, d, rows, gradient),
        Reach::Dense { d, rows } => dense_rows(rule, slices, d, rows, gradient),
    }
}

/// Implements [`Rule`] by a function `element` of one element of every slice and of the gradient.
macro_rules! elementwise {
    ($rule:ty, $count:literal, $first:ident $(, $slice:ident)*) => {
        impl $crate::optim::Rule<$count> for $rule {
            fn update(&self, [$first $(, $slice)*]: [&mut [f32]; $count], gradient: &[f32]) {
                $crate::math::vectorize(
                    #[inline(always)]
                    || {
                        // Slices of one length need no check within the loop.
                        let $first = &mut $first[..gradient.len()];
                        $(let $slice = &mut $slice[..gradient.len()];)*
                        for (at, gradient) in gradient.iter().enumerate() {
                            self.element([&mut $first[at] $(, &mut $slice[at])*], *gradient);
                        }
                    },
                );
            }

            fn update_zero(&self, [$first $(, $slice)*]: [&mut [f32]; $count]) {
                $crate::math::vectorize(
                    #[inline(always)]
                    || {
                        let length = $first.len();
                        $(let $slice = &mut $slice[..length];)*
                        (0..length).for_each(
                            #[inline(always)]
                            |at| self.element([&mut $first[at] $(, &mut $slice[at])*], 0.0),
                        );
                    },
                );
            }
        }
    };
}

pub(super) use elementwise;

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
