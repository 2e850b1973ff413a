//! How do examples stand in memory?
//!
//! By column, as numbers: text is dropped once its words are interned, so memory grows with the number of words
//! (four bytes each), not with the size of the text.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::record::Place;

/// Stands for an unknown label.
pub const MISSING_LABEL: u32 = u32::MAX;

/// The column of [`Examples`] that holds the words of the first text, whatever the reader calls it.
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
    /// Tags, as positions in the dataset's tag names; as many as words; [`MISSING_LABEL`] where unknown.
    Tags(Ragged<u32>),
    /// Labels, as positions in the dataset's label names; [`MISSING_LABEL`] where unknown.
    Labels(Vec<u32>),
    /// Numbers; NaN where unknown.
    Numbers(Vec<f32>),
    /// Any number of labels, each once, as positions in the dataset's label names; [`MISSING_LABEL`] alone where unknown.
    LabelSets(Ragged<u32>),
}

impl ColumnStore {
    /// The number of examples.
    pub fn len(&self) -> usize {
        match self {
            ColumnStore::Tokens(rows) | ColumnStore::Tags(rows) | ColumnStore::LabelSets(rows) => rows.len(),
            ColumnStore::Labels(labels) => labels.len(),
            ColumnStore::Numbers(numbers) => numbers.len(),
        }
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values at `indices`, in that order.
    pub(crate) fn select(&self, indices: &[usize]) -> ColumnStore {
        match self {
            ColumnStore::Tokens(rows) => ColumnStore::Tokens(rows.select(indices)),
            ColumnStore::Tags(rows) => ColumnStore::Tags(rows.select(indices)),
            ColumnStore::LabelSets(rows) => ColumnStore::LabelSets(rows.select(indices)),
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
    /// The words, under [`TEXT`], and one column for each target; a second text stands under the reader's name.
    pub columns: BTreeMap<String, ColumnStore>,
    /// A hash of each example's words before they were cut, case and order kept: equal for exact duplicates. Words are
    /// what stands between white space here, or the reader's tokens, so no option of an input changes a hash.
    pub hashes: Vec<u64>,
    /// The number of words of each example, in its first text, before it was cut.
    pub full_lengths: Vec<u32>,
    /// Files that examples come from.
    pub files: Vec<Arc<str>>,
    /// The position in `files`, and the line from 1, of each example.
    pub places: Vec<(u32, u32)>,
    /// The number of examples whose first text was cut.
    pub truncated: usize,
    /// Whether each word of an example stands on a line of its own, below the first one's.
    pub word_lines: bool,
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

    /// Examples that have two texts each and nothing else.
    ///
    /// # Panics
    /// Where there are not as many second texts as first ones.
    pub fn of_pairs(first: Ragged<u32>, name: &str, second: Ragged<u32>) -> Examples {
        assert_eq!(first.len(), second.len(), "two texts an example");
        let mut examples = Examples::of_tokens(first);
        examples.columns.insert(name.to_string(), ColumnStore::Tokens(second));
        examples
    }

    /// The number of words of each example, as far as it is kept, in all its texts.
    pub fn lengths(&self) -> Vec<u32> {
        let mut lengths = vec![u32::from(self.tokens().is_none()); self.len()];
        for rows in self.texts() {
            lengths.iter_mut().zip(rows.iter()).for_each(|(length, row)| *length += row.len() as u32);
        }
        lengths
    }

    /// The words of each text: of the first, and of the second where examples are pairs.
    pub fn texts(&self) -> impl Iterator<Item = &Ragged<u32>> {
        self.tokens().into_iter().chain(self.second())
    }

    /// The words of the second text of each example, where examples are pairs.
    pub fn second(&self) -> Option<&Ragged<u32>> {
        self.columns.iter().find_map(|(name, column)| match column {
            ColumnStore::Tokens(rows) if name != TEXT => Some(rows),
            _ => None,
        })
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

    /// The sets of labels of a target column.
    pub fn label_sets(&self, column: &str) -> Option<&Ragged<u32>> {
        match self.columns.get(column) {
            Some(ColumnStore::LabelSets(rows)) => Some(rows),
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

    /// Where the first word with the tag `tag` of a target column stands; `None` where no word has it.
    ///
    /// In an example that was cut, or whose words share a line, the line is that of its beginning.
    pub fn place_of_tag(&self, column: &str, tag: u32) -> Option<Place> {
        let rows = self.tags(column)?;
        let (index, inside) = rows
            .iter()
            .enumerate()
            .find_map(|(index, row)| Some((index, row.iter().position(|&found| found == tag)?)))?;
        let mut place = self.place(index);
        if self.word_lines && rows.get(index).len() == self.full_lengths[index] as usize {
            place.line = place.line.saturating_add(inside as u32);
        }
        Some(place)
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
            word_lines: self.word_lines,
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
    fn pairs_are_as_long_as_both_texts() {
        let ragged = |rows: &[&[u32]]| {
            let mut ragged = Ragged::new();
            rows.iter().for_each(|row| ragged.push(row));
            ragged
        };
        let pairs = Examples::of_pairs(ragged(&[&[1, 2], &[3]]), "b", ragged(&[&[4], &[5, 6, 7]]));
        assert_eq!((pairs.lengths(), pairs.texts().count()), (vec![3, 4], 2));
        assert_eq!(pairs.second().map(|second| second.get(1)), Some(&[5, 6, 7][..]));
        assert_eq!((examples().lengths(), examples().second()), (vec![2, 0, 1], None));
        assert_eq!(Examples { hashes: vec![0; 2], ..Examples::default() }.lengths(), [1, 1]);
    }

    #[test]
    fn a_tag_is_found_on_its_line() {
        let mut examples = examples();
        let mut tags = Ragged::new();
        [&[0, 7][..], &[], &[5]].into_iter().for_each(|row| tags.push(row));
        examples.columns.insert("t".to_string(), ColumnStore::Tags(tags));
        assert_eq!(examples.place_of_tag("t", 5), Some(Place { file: "b".into(), line: 1 }));
        assert_eq!(examples.place_of_tag("t", 7), Some(Place { file: "a".into(), line: 1 }), "the example was cut");
        examples.full_lengths[0] = 2;
        assert_eq!(examples.place_of_tag("t", 7), Some(Place { file: "a".into(), line: 1 }), "words share a line");
        examples.word_lines = true;
        assert_eq!(examples.place_of_tag("t", 7), Some(Place { file: "a".into(), line: 2 }));
        assert_eq!((examples.place_of_tag("t", 9), examples.place_of_tag("y", 0)), (None, None));
    }
}
