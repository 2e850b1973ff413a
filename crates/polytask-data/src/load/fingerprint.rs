//! Are the data still what they were?

use super::Dataset;
use crate::hash::Hash;
use crate::table::{ColumnStore, Examples};

impl Dataset {
    /// A hash of every text and target of every set, in order, and of the label names: it changes where the data do.
    ///
    /// Neither the dataset's name, nor where its files stand, nor what other datasets hold matters.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Hash::new();
        for (column, names) in &self.labels {
            hash.word(column);
            hash.number(names.len() as u64);
            names.iter().for_each(|name| hash.word(name));
        }
        for examples in [Some(&self.train), Some(&self.valid), self.test.as_ref()] {
            hash.number(u64::from(examples.is_some()));
            examples.iter().for_each(|examples| fold(&mut hash, examples));
        }
        hash.finish()
    }
}

fn fold(hash: &mut Hash, examples: &Examples) {
    hash.number(examples.len() as u64);
    examples.hashes.iter().for_each(|&text| hash.number(text));
    for (name, column) in &examples.columns {
        hash.word(name);
        match column {
            // Identifiers of words follow the order in which all datasets are read; the hashes above say more.
            ColumnStore::Tokens(_) => {}
            ColumnStore::Tags(rows) | ColumnStore::LabelSets(rows) => {
                for row in rows.iter() {
                    hash.number(row.len() as u64);
                    row.iter().for_each(|&tag| hash.number(u64::from(tag)));
                }
            }
            ColumnStore::Labels(labels) => labels.iter().for_each(|&label| hash.number(u64::from(label))),
            ColumnStore::Numbers(numbers) => {
                numbers.iter().for_each(|number| hash.number(u64::from(number.to_bits())));
            }
        }
    }
}
