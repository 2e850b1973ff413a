//! How is a batch of texts given without spelling it out? Each position is a row of the matrix of the distinct words.

use crate::gather::PADDING;
use crate::padded::Padded;

/// A batch of texts, each position a row of a small matrix.
#[derive(Debug, Clone, Copy)]
pub struct Lookup<'a> {
    /// `[distinct, features]`: the distinct words.
    pub rows: &'a [f32],
    /// The values of a row, at least one.
    pub features: usize,
    /// `[batch, time]`: the row of each position; [`PADDING`] past a text's length.
    pub index: &'a [u32],
    /// Positions of each text, 0 to `time`.
    pub lengths: &'a [usize],
    /// Positions that a text has, data and padding.
    pub time: usize,
}

impl<'a> Lookup<'a> {
    /// Number of distinct words.
    pub(crate) fn distinct(&self) -> usize {
        self.rows.len() / self.features
    }

    /// The rows of a text's positions, without its padding.
    #[inline(always)]
    pub(crate) fn text(&self, text: usize) -> &'a [u32] {
        &self.index[text * self.time..][..self.lengths[text]]
    }

    /// The values of a row.
    #[inline(always)]
    pub(crate) fn row(&self, row: u32) -> &'a [f32] {
        &self.rows[row as usize * self.features..][..self.features]
    }

    /// The shape of the texts spelled out.
    pub(crate) fn shape(&self) -> Padded<'a> {
        Padded { lengths: self.lengths, time: self.time, features: self.features }
    }

    /// Panics unless the slices fit each other and every index is a row.
    #[track_caller]
    pub(crate) fn check(&self) {
        assert!(self.features > 0 && self.rows.len().is_multiple_of(self.features), "rows of {} values", self.features);
        assert_eq!(self.index.len(), self.lengths.len() * self.time, "an index of another shape");
        assert!(self.index.len() < PADDING as usize, "more positions than a u32 counts");
        for (text, length) in self.lengths.iter().enumerate() {
            assert!(*length <= self.time, "a length above {}", self.time);
            let (valid, padding) = self.index[text * self.time..][..self.time].split_at(*length);
            assert!(valid.iter().all(|row| (*row as usize) < self.distinct()), "no row of {}", self.distinct());
            assert!(padding.iter().all(|row| *row == PADDING), "an index past a text's length");
        }
    }
}
