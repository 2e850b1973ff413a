//! How do examples stand in memory?
//!
//! By column, as numbers: text is dropped once its words are interned, so memory grows with the number of words
//! (four bytes each), not with the size of the text.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::Place;

/// Stands for an unknown label.
pub const MISSING_LABEL: u32 = u32::MAX;

/// The column of [`Examples`] that holds words, whatever the reader calls it.
pub const TEXT: &str = "text";

/// Rows of different lengths, one after the other in one vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ragged<T> {
    values: Vec<T>,
    /// Where each row begins, and where the last one ends.
    offsets: Vec<usize>,
}

impl<T> Default for Ragged<T> {
    fn default() -> Self {
        Ragged { values: Vec::new(), offsets: vec![0] }
    }
}

impl<T: Copy> Ragged<T> {
    /// No rows.
    pub fn new() -> Ragged<T> {
        Ragged::default()
    }

    /// Adds a row at the end.
    pub fn push(&mut self, row: &[T]) {
        self.values.extend_from_slice(row);
        self.offsets.push(self.values.len());
    }

    /// The row at `index`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn get(&self, index: usize) -> &[T] {
        &self.values[self.offsets[index]..self.offsets[index + 1]]
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows from first to last.
    pub fn iter(&self) -> impl Iterator<Item = &[T]> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The values of all rows, one row after the other.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The values of all rows, to be changed in place.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// The rows at `indices`, in that order.
    pub fn select(&self, indices: &[usize]) -> Ragged<T> {
        let mut rows = Ragged::new();
        rows.values.reserve_exact(indices.iter().map(|&index| self.get(index).len()).sum());
        rows.offsets.reserve_exact(indices.len());
        for &index in indices {
            rows.push(self.get(index));
        }
        rows
    }
}

/// The values of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnStore {
    /// Words, as identifiers of the [`Interner`](crate::interner::Interner).
    Tokens(Ragged<u32>),
    /// Tags, as positions in the dataset's tag names; as many as words.
    Tags(Ragged<u32>),
    /// Labels, as positions in the dataset's label names; [`MISSING_LABEL`] where unknown.
    Labels(Vec<u32>),
    /// Numbers; NaN where unknown.
    Numbers(Vec<f32>),
}

impl ColumnStore {
    /// The number of examples.
    pub fn len(&self) -> usize {
        match self {
            ColumnStore::Tokens(rows) | ColumnStore::Tags(rows) => rows.len(),
            ColumnStore::Labels(labels) => labels.len(),
            ColumnStore::Numbers(numbers) => numbers.len(),
        }
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn select(&self, indices: &[usize]) -> ColumnStore {
        match self {
            ColumnStore::Tokens(rows) => ColumnStore::Tokens(rows.select(indices)),
            ColumnStore::Tags(rows) => ColumnStore::Tags(rows.select(indices)),
            ColumnStore::Labels(labels) => ColumnStore::Labels(indices.iter().map(|&index| labels[index]).collect()),
            ColumnStore::Numbers(numbers) => {
                ColumnStore::Numbers(indices.iter().map(|&index| numbers[index]).collect())
            }
        }
    }
}

/// Examples by column; every vector has one entry an example.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Examples {
    /// The words, under [`TEXT`], and one column for each target.
    pub columns: BTreeMap<String, ColumnStore>,
    /// A hash of each example's words before they were cut, case and order kept: equal for exact duplicates.
    pub hashes: Vec<u64>,
    /// The number of words of each example before it was cut.
    pub full_lengths: Vec<u32>,
    /// Files that examples come from.
    pub files: Vec<Arc<str>>,
    /// The position in `files`, and the line from 1, of each example.
    pub places: Vec<(u32, u32)>,
    /// The number of examples that were cut.
    pub truncated: usize,
}

impl Examples {
    /// Examples that have words and nothing else: what a prediction is made from.
    pub fn of_tokens(tokens: Ragged<u32>) -> Examples {
        let full_lengths: Vec<u32> = tokens.iter().map(|row| row.len() as u32).collect();
        let hashes = vec![0; full_lengths.len()];
        let columns = BTreeMap::from([(TEXT.to_string(), ColumnStore::Tokens(tokens))]);
        Examples { columns, hashes, full_lengths, ..Examples::default() }
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The number of words of each example, as far as it is kept.
    pub fn lengths(&self) -> Vec<u32> {
        self.tokens().map_or_else(|| vec![1; self.len()], |rows| rows.iter().map(|row| row.len() as u32).collect())
    }

    /// The words of each example, as identifiers.
    pub fn tokens(&self) -> Option<&Ragged<u32>> {
        match self.columns.get(TEXT) {
            Some(ColumnStore::Tokens(rows)) => Some(rows),
            _ => None,
        }
    }

    /// The tags of a target column.
    pub fn tags(&self, column: &str) -> Option<&Ragged<u32>> {
        match self.columns.get(column) {
            Some(ColumnStore::Tags(rows)) => Some(rows),
            _ => None,
        }
    }

    /// The labels of a target column.
    pub fn labels(&self, column: &str) -> Option<&[u32]> {
        match self.columns.get(column) {
            Some(ColumnStore::Labels(labels)) => Some(labels),
            _ => None,
        }
    }

    /// The numbers of a target column.
    pub fn numbers(&self, column: &str) -> Option<&[f32]> {
        match self.columns.get(column) {
            Some(ColumnStore::Numbers(numbers)) => Some(numbers),
            _ => None,
        }
    }

    /// Where the example at `index` begins.
    ///
    /// # Panics
    /// If there is no such example.
    pub fn place(&self, index: usize) -> Place {
        let (file, line) = self.places[index];
        Place { file: Arc::clone(&self.files[file as usize]), line }
    }

    /// The examples at `indices`, in that order.
    ///
    /// # Panics
    /// If one of them does not exist.
    pub fn select(&self, indices: &[usize]) -> Examples {
        let full_lengths: Vec<u32> = indices.iter().map(|&index| self.full_lengths[index]).collect();
        let mut examples = Examples {
            columns: self.columns.iter().map(|(name, column)| (name.clone(), column.select(indices))).collect(),
            hashes: indices.iter().map(|&index| self.hashes[index]).collect(),
            ..Examples::default()
        };
        for &index in indices {
            examples.push_place(&self.place(index));
        }
        if let Some(tokens) = examples.tokens() {
            let cut = tokens.iter().zip(&full_lengths).filter(|(row, length)| row.len() < **length as usize);
            examples.truncated = cut.count();
        }
        examples.full_lengths = full_lengths;
        examples
    }

    /// Adds a place at the end; neighbours from one file share its name.
    pub(crate) fn push_place(&mut self, place: &Place) {
        if self.files.last() != Some(&place.file) {
            self.files.push(Arc::clone(&place.file));
        }
        self.places.push((self.files.len() as u32 - 1, place.line));
    }
}

/// A 64-bit FNV-1a hash of a sequence of words: it depends on their text, order and boundaries only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextHash(u64);

impl TextHash {
    pub(crate) fn new() -> TextHash {
        TextHash(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn word(&mut self, word: &str) {
        // 0xff stands in no UTF-8 text, so it can end a word.
        for byte in word.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub(crate) fn finish(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Examples {
        let mut tokens = Ragged::new();
        tokens.push(&[1, 2]);
        tokens.push(&[]);
        tokens.push(&[3]);
        let columns = [
            (TEXT.to_string(), ColumnStore::Tokens(tokens)),
            ("y".to_string(), ColumnStore::Labels(vec![0, MISSING_LABEL, 1])),
        ];
        let mut examples = Examples {
            columns: columns.into(),
            hashes: vec![10, 11, 12],
            full_lengths: vec![5, 0, 1],
            truncated: 1,
            ..Examples::default()
        };
        for (file, line) in [("a", 1), ("a", 4), ("b", 1)] {
            examples.push_place(&Place { file: file.into(), line });
        }
        examples
    }

    #[test]
    fn rows_keep_their_values() {
        let tokens = examples().tokens().cloned().unwrap();
        assert_eq!(tokens.iter().collect::<Vec<_>>(), [&[1, 2][..], &[], &[3]]);
        assert_eq!(tokens.select(&[2, 0]).iter().collect::<Vec<_>>(), [&[3][..], &[1, 2]]);
        assert!(Ragged::<u32>::new().is_empty());
    }

    #[test]
    fn selected_examples_keep_everything() {
        let chosen = examples().select(&[2, 0]);
        assert_eq!(chosen.len(), 2);
        assert_eq!(chosen.labels("y"), Some(&[1, 0][..]));
        assert_eq!((chosen.truncated, chosen.full_lengths.as_slice()), (1, &[1, 5][..]));
        assert_eq!(chosen.place(0), Place { file: "b".into(), line: 1 });
        assert_eq!(chosen.place(1), Place { file: "a".into(), line: 1 });
        assert_eq!(examples().select(&[1]).truncated, 0);
        assert!(chosen.numbers("y").is_none() && chosen.tags("z").is_none());
    }

    #[test]
    fn a_text_hash_depends_on_order_and_boundaries() {
        let hash = |words: &[&str]| {
            let mut hash = TextHash::new();
            words.iter().for_each(|word| hash.word(word));
            hash.finish()
        };
        let hashes = [hash(&["a", "b"]), hash(&["b", "a"]), hash(&["ab"]), hash(&["a", "b", ""]), hash(&[])];
        for (index, left) in hashes.iter().enumerate() {
            assert!(hashes[index + 1..].iter().all(|right| left != right));
        }
        assert_eq!(hash(&["a", "b"]), hash(&["a", "b"]));
    }
}
