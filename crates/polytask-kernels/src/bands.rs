//! How do filters of several widths share their products? Offsets that the same filters cover become one product.
//!
//! A window of width `k` covers the offsets from `-(k - 1) / 2` to `k / 2`, so the windows of wider filters contain those
//! of narrower ones. With the widest filters first, each offset is covered by a leading part of all columns, and
//! neighbouring offsets with the same part form a band: widths 3, 4 and 5 need three products of 300, 200 and 100 columns
//! where they needed three of 100, and no input is read twice.

use crate::filters::Filters;
use crate::matrix::{Accumulate, MatMut, MatRef, matmul};
use crate::padded::Packed;
use std::ops::Range;

/// The weights of filters, arranged in bands.
#[derive(Debug)]
pub(crate) struct Bands {
    /// The first one covers all columns.
    bands: Vec<Band>,
    /// Which of the filters' widths stands at each rank, the widest first.
    order: Vec<usize>,
    columns: usize,
    features: usize,
}

#[derive(Debug)]
struct Band {
    /// How far the first of its offsets lies before (negative) or behind a position.
    first: isize,
    /// `[offsets * features, columns]`.
    weights: Vec<f32>,
    /// Leading columns that its offsets belong to.
    columns: usize,
}

impl Bands {
    /// Arranges filters over positions of `features` values.
    pub(crate) fn new(filters: &Filters<'_>, features: usize) -> Self {
        let mut order: Vec<usize> = (0..filters.widths.len()).collect();
        order.sort_by_key(|kind| std::cmp::Reverse(filters.widths[*kind]));
        let left = |kind: usize| (filters.widths[kind] - 1) / 2;
        let widest = filters.widest();
        let reach = (widest - 1) / 2;
        // Index `i` is the offset `i - reach`.
        let covering = |index: usize| {
            let covers =
                |kind: &&usize| (reach - left(**kind)..reach - left(**kind) + filters.widths[**kind]).contains(&index);
            order.iter().take_while(covers).count()
        };
        let mut bands: Vec<Band> = Vec::new();
        for index in 0..widest {
            let kinds = &order[..covering(index)];
            let columns = kinds.len() * filters.count;
            if bands.last().is_none_or(|band| band.columns != columns) {
                bands.push(Band { first: index as isize - reach as isize, weights: Vec::new(), columns });
            }
            let Some(band) = bands.last_mut() else { continue };
            for feature in 0..features {
                for &kind in kinds {
                    let row = (index + left(kind) - reach) * features + feature;
                    band.weights.extend_from_slice(&filters.weights[kind][row * filters.count..][..filters.count]);
                }
            }
        }
        bands.sort_by_key(|band| std::cmp::Reverse(band.columns));
        Self { bands, order, columns: filters.columns(), features }
    }

    /// Which of the filters' widths stands at each rank of the columns of [`Self::responses`].
    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    /// Computes the sums of all filters around some positions of packed rows: `[positions, columns]`, the widest first.
    ///
    /// Panics if a window around a position reaches outside the rows.
    pub(crate) fn responses(&self, packed: &Packed, positions: Range<usize>, out: &mut [f32]) {
        if positions.is_empty() {
            return;
        }
        for (rank, band) in self.bands.iter().enumerate() {
            let inner = band.weights.len() / band.columns;
            let start = (positions.start as isize + band.first) as usize * self.features;
            let rows = MatRef::strided(&packed.data[start..], positions.len(), inner, self.features);
            let weights = MatRef::new(&band.weights, inner, band.columns);
            let how = if rank == 0 { Accumulate::Overwrite } else { Accumulate::Add };
            matmul(MatMut::strided(out, positions.len(), band.columns, self.columns), rows, weights, how);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::testing::{Lcg, RandomFilters, assert_close};

    #[test]
    fn bands_give_what_each_filter_gives_alone() {
        let mut random = Lcg::new(1);
        for widths in [&[3, 4, 5][..], &[1], &[2, 2], &[5, 1, 2], &[6, 3, 6, 1]] {
            let (features, count, rows) = (3, 2, 17);
            let own = RandomFilters::new(&mut random, widths, count, features, Activation::None);
            let packed = Packed { data: random.vec(rows * features), rows, starts: Vec::new() };
            own.with(|filters| {
                let bands = Bands::new(filters, features);
                let gap = filters.widest() / 2;
                let positions = gap..rows - gap;
                let mut out = vec![f32::NAN; positions.len() * filters.columns()];
                bands.responses(&packed, positions.clone(), &mut out);
                for (position, row) in positions.zip(out.chunks(filters.columns())) {
                    for (kind, sums) in bands.order().iter().zip(row.chunks(count)) {
                        let window = &packed.data[(position - (widths[*kind] - 1) / 2) * features..];
                        let term = |filter: usize, i: usize| {
                            f64::from(window[i]) * f64::from(own.weights[*kind][i * count + filter])
                        };
                        let sum = |filter| (0..widths[*kind] * features).map(|i| term(filter, i)).sum();
                        assert_close(sums, &(0..count).map(sum).collect::<Vec<f64>>(), 1e-5);
                    }
                }
            });
        }
    }
}
