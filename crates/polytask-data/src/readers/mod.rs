//! How does a file become records? One file a format.

pub mod amazon;
mod blitzer;
pub mod conll;
pub mod imdb;
pub mod lines;

use std::path::Path;

use polytask_spec::data::Data;

use crate::error::Result;
use crate::record::{Column, Part, Record};

/// Takes records one after the other; an error ends the reading.
pub type Sink<'a> = &'a mut dyn FnMut(Record) -> Result<()>;

/// A format of files.
pub trait Reader: Send + Sync {
    /// The columns of every record, in the order of its values.
    fn columns(&self) -> Vec<Column>;

    /// The column whose value is an example's stratum when shares are drawn, whatever tasks predict.
    fn stratum(&self) -> Option<&'static str>;

    /// Passes the records of `part` in `path` to `sink`; sorted by [`Record::order`], their order depends on the files'
    /// content only.
    ///
    /// A format that knows no parts yields all its records for every part. Returns what the user should know
    /// about the reading: bytes that are not UTF-8, say.
    ///
    /// # Errors
    /// What cannot be read, with its file and line; and what `sink` returns.
    fn read(&self, path: &Path, part: Part, sink: Sink<'_>) -> Result<Vec<String>>;
}

/// A format as the catalogue shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The name, as `format` in the file.
    pub key: &'static str,
    /// What it reads.
    pub summary: &'static str,
    /// The columns that tasks may predict, and what stands in each.
    pub targets: &'static [(&'static str, &'static str)],
    /// The keys of `[data.NAME]` that this format has beyond those of every format, and what each means.
    pub options: &'static [(&'static str, &'static str)],
}

/// Every format, sorted by name.
pub fn all() -> &'static [Entry] {
    &[amazon::ENTRY, conll::ENTRY, imdb::ENTRY, lines::ENTRY]
}

/// The reader of a dataset.
pub fn for_data(data: &Data) -> Box<dyn Reader> {
    match data {
        Data::Amazon(_) => Box::new(amazon::Amazon),
        Data::Conll(data) => Box::new(conll::Conll { columns: data.columns.clone() }),
        Data::Imdb(_) => Box::new(imdb::Imdb),
        Data::Lines(_) => Box::new(lines::Lines),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use polytask_spec::data::{AmazonData, ConllData, Files, ImdbData, LinesData};

    use super::*;
    use crate::record::Value;

    /// Everything that a reader yields.
    pub(crate) fn read_all(reader: &dyn Reader, path: &Path, part: Part) -> Result<(Vec<Record>, Vec<String>)> {
        let mut records = Vec::new();
        let notes = reader.read(path, part, &mut |record| {
            records.push(record);
            Ok(())
        })?;
        Ok((records, notes))
    }

    pub(crate) fn label(text: &str) -> Value {
        Value::Label(text.to_string())
    }

    #[test]
    fn the_catalogue_is_sorted_and_matches_the_readers() {
        assert!(all().is_sorted_by_key(|entry| entry.key));
        let files = Files::default;
        let data = [
            Data::Amazon(AmazonData { files: files() }),
            Data::Conll(ConllData { files: files(), columns: vec!["token".into(), "ner".into()] }),
            Data::Imdb(ImdbData { files: files() }),
            Data::Lines(LinesData { files: files() }),
        ];
        for (entry, data) in all().iter().zip(&data) {
            assert_eq!(entry.key, data.format());
            let (reader, columns) = (for_data(data), for_data(data).columns());
            for (target, _) in entry.targets {
                assert!(target.starts_with('<') || columns.iter().any(|column| column.name == *target), "{target}");
            }
            assert!(reader.stratum().is_none_or(|stratum| columns.iter().any(|column| column.name == stratum)));
        }
    }

    #[test]
    fn the_configuration_knows_the_same_targets() {
        use crate::record::ColumnKind::{Label, Number, Tags};
        let files = Files::default;
        let columns = ["pos", "token", "ner"].map(String::from).to_vec();
        let data = [
            Data::Amazon(AmazonData { files: files() }),
            Data::Conll(ConllData { files: files(), columns }),
            Data::Imdb(ImdbData { files: files() }),
            Data::Lines(LinesData { files: files() }),
        ];
        for (entry, data) in all().iter().zip(&data) {
            let columns = for_data(data).columns();
            let targets: Vec<_> =
                columns.iter().filter(|column| matches!(column.kind, Label | Number | Tags)).collect();
            assert!(targets.iter().map(|column| column.name.as_str()).eq(data.targets()), "{}", entry.key);
            if !entry.targets[0].0.starts_with('<') {
                assert!(entry.targets.iter().map(|(name, _)| *name).eq(data.targets()), "{}", entry.key);
            }
            for column in targets {
                let kinds = data.kinds_of(&column.name);
                assert_eq!(kinds.contains(&"tag"), column.kind == Tags, "{}", column.name);
                assert_eq!(kinds.contains(&"classify"), column.kind != Tags, "{}", column.name);
                assert!(column.kind != Number || kinds.contains(&"regress"), "{}", column.name);
            }
            for (name, meaning) in entry.targets.iter().filter(|(name, _)| !name.starts_with('<')) {
                assert_eq!(data.kinds_of(name).contains(&"regress"), meaning.contains("number"), "{name}");
            }
        }
    }

    #[test]
    fn every_reader_names_a_missing_file() {
        let missing = Path::new("/no/such/file");
        for reader in [&amazon::Amazon as &dyn Reader, &imdb::Imdb, &lines::Lines] {
            assert!(matches!(read_all(reader, missing, Part::All), Err(crate::Error::Missing { .. })));
        }
    }
}
