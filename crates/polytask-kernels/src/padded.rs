//! How is a batch of sequences laid out? Padded to one length outside, packed without the padding inside.

use std::ops::Range;

/// The shape `[batch, time, features]` of padded sequences, and how much of each is data.
#[derive(Debug, Clone, Copy)]
pub struct Padded<'a> {
    /// The number of positions of each sequence that hold data, from the first on: 0 to `time`.
    pub lengths: &'a [usize],
    /// The positions a sequence has, data and padding.
    pub time: usize,
    /// The values a position has, at least one.
    pub features: usize,
}

impl<'a> Padded<'a> {
    /// Returns the number of sequences.
    pub fn batch(&self) -> usize {
        self.lengths.len()
    }

    /// Returns the number of elements: `batch * time * features`.
    pub fn elements(&self) -> usize {
        self.batch() * self.stride()
    }

    /// Returns the number of elements of one sequence, with its padding.
    pub(crate) fn stride(&self) -> usize {
        self.time * self.features
    }

    /// Panics unless `data` has this shape and every length is at most `time`.
    #[track_caller]
    pub(crate) fn check(&self, data: &[f32]) {
        assert!(self.features > 0, "a position without values");
        assert_eq!(data.len(), self.elements(), "elements of a padded batch");
        assert!(self.lengths.iter().all(|length| *length <= self.time), "a length above {}", self.time);
    }

    /// Returns the data of sequence `item`, without its padding: `[length, features]`.
    pub(crate) fn valid<'d>(&self, data: &'d [f32], item: usize) -> &'d [f32] {
        &data[item * self.stride()..][..self.lengths[item] * self.features]
    }

    /// Cuts the batch into runs of neighbours, each with at least `rows` positions of data where there are as many.
    ///
    /// Short sequences then share a product instead of paying for one each. The cuts depend on the lengths alone.
    pub(crate) fn runs(&self, rows: usize) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        let (mut first, mut total) = (0, 0);
        for (item, length) in self.lengths.iter().enumerate() {
            // An empty sequence still costs something.
            total += (*length).max(1);
            if total >= rows || item + 1 == self.lengths.len() {
                runs.push(first..item + 1);
                (first, total) = (item + 1, 0);
            }
        }
        runs
    }
}

/// Sequences one after another, with rows of zeros where a window may reach past one.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    /// The rows `[rows, features]`.
    pub data: Vec<f32>,
    /// The number of rows.
    pub rows: usize,
    /// The row at which each sequence starts; of no meaning for an empty one.
    pub starts: Vec<usize>,
}

impl Packed {
    /// Lays out non-empty sequences of these lengths with `gap` rows of zeros before, between and after them.
    ///
    /// `append` adds the rows of the sequence with a given number.
    pub fn fill(
        &mut self,
        lengths: &[usize],
        features: usize,
        gap: usize,
        mut append: impl FnMut(usize, &mut Vec<f32>),
    ) {
        self.data.clear();
        self.starts.clear();
        for (item, length) in lengths.iter().enumerate() {
            if *length > 0 {
                self.data.resize(self.data.len() + gap * features, 0.0);
            }
            let start = self.data.len();
            self.starts.push(start / features);
            if *length > 0 {
                append(item, &mut self.data);
                debug_assert_eq!(self.data.len(), start + length * features);
            }
        }
        if !self.data.is_empty() {
            self.data.resize(self.data.len() + gap * features, 0.0);
        }
        self.rows = self.data.len() / features;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_the_batch_in_order() {
        let shape = |lengths| Padded { lengths, time: 9, features: 2 };
        assert_eq!(shape(&[3, 3, 9, 0, 1, 2]).runs(6), [0..2, 2..3, 3..6]);
        assert_eq!(shape(&[0, 0]).runs(6).len(), 1);
        assert!(shape(&[]).runs(6).is_empty());
    }

    #[test]
    fn packing_places_zeros() {
        let (lengths, data) = ([2, 0, 1], [1., 2., 0., 0., 0., 0., 5., 0., 0.]);
        let shape = Padded { lengths: &lengths, time: 3, features: 1 };
        let mut packed = Packed::default();
        packed.fill(&lengths, 1, 1, |i, rows| rows.extend(shape.valid(&data, i)));
        assert_eq!(packed.data, [0., 1., 2., 0., 5., 0.]);
        assert_eq!((packed.starts[0], packed.starts[2]), (1, 4));
        packed.fill(&lengths, 1, 0, |i, rows| rows.extend(shape.valid(&data, i)));
        assert_eq!(packed.data, [1., 2., 5.]);
        packed.fill(&[0, 0], 1, 1, |_, _| {});
        assert_eq!(packed.rows, 0);
    }

    #[test]
    #[should_panic(expected = "a length above 2")]
    fn a_length_past_the_padding_panics() {
        Padded { lengths: &[3], time: 2, features: 1 }.check(&[0.0; 2]);
    }
}
