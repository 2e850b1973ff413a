//! How does a file become records? One file a format.

pub mod amazon;
pub mod asked;
mod blitzer;
mod cells;
pub mod conll;
pub mod csv;
mod elements;
mod fields;
pub mod imdb;
pub mod jsonl;
pub mod lines;
pub mod parquet;
pub mod tsv;

use std::path::Path;

use polytask_spec::data::Data;

use self::asked::Asked;
use crate::error::Result;
use crate::record::{Column, Part, Record};

/// Takes records one after the other; an error ends the reading.
pub type Sink<'a> = &'a mut dyn FnMut(Record) -> Result<()>;

/// A format of files.
pub trait Reader: Send + Sync {
    /// The columns of every record, in the order of its values.
    fn columns(&self) -> Vec<Column>;

    /// The column whose value is an example's stratum when shares are drawn, whatever tasks predict.
    fn stratum(&self) -> Option<&str>;

    /// Whether each word of an example stands on a line of its own, below the first one's.
    fn word_lines(&self) -> bool {
        false
    }

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
    &[amazon::ENTRY, conll::ENTRY, csv::ENTRY, imdb::ENTRY, jsonl::ENTRY, lines::ENTRY, parquet::ENTRY, tsv::ENTRY]
}

const TEXT_OPTION: (&str, &str) =
    ("text", "the column that holds the text; the first of `text`, `sentence`, ... where absent");
const STRATUM_OPTION: (&str, &str) = ("stratum", "the column by whose values shares are drawn; `label` where absent");
const COLUMNS_OPTION: (&str, &str) = ("columns", "names of the columns of a file without a header");

/// The reader of a dataset; `targets` are the columns that tasks predict, which is what formats read whose columns only
/// the files name.
pub fn for_data(data: &Data, targets: &[Column]) -> Box<dyn Reader> {
    let asked = |named| Asked::new(named, targets);
    match data {
        Data::Amazon(_) => Box::new(amazon::Amazon),
        Data::Conll(data) => Box::new(conll::Conll { columns: data.columns.clone() }),
        Data::Csv(data) => Box::new(csv::Csv {
            asked: asked(&data.named),
            delimiter: data.delimiter.chars().next().unwrap_or(','),
            columns: data.columns.clone(),
        }),
        Data::Imdb(_) => Box::new(imdb::Imdb),
        Data::Jsonl(data) => Box::new(jsonl::Jsonl { asked: asked(&data.named) }),
        Data::Lines(_) => Box::new(lines::Lines),
        Data::Parquet(data) => Box::new(parquet::Parquet { asked: asked(&data.named) }),
        Data::Tsv(data) => Box::new(tsv::Tsv { asked: asked(&data.named), columns: data.columns.clone() }),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use polytask_spec::data::{
        AmazonData, ConllData, CsvData, Files, ImdbData, JsonlData, LinesData, NamedColumns, ParquetData, Texts,
        TsvData,
    };

    use super::*;
    use crate::record::{ColumnKind, Value};

    /// Everything that a reader yields.
    pub(crate) fn read_all(reader: &dyn Reader, path: &Path, part: Part) -> Result<(Vec<Record>, Vec<String>)> {
        let mut records = Vec::new();
        let notes = reader.read(path, part, &mut |record| {
            records.push(record);
            Ok(())
        })?;
        Ok((records, notes))
    }

    /// The line and the values of each record, or the message without the file's folder.
    pub(crate) type Read = std::result::Result<Vec<(u32, Vec<Value>)>, String>;

    /// What a reader yields of a file of these bytes.
    pub(crate) fn rows(reader: &dyn Reader, name: &str, bytes: &[u8]) -> Read {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let folder = format!("{}{}", dir.path().display(), std::path::MAIN_SEPARATOR);
        let (records, _) =
            read_all(reader, &path, Part::All).map_err(|error| error.to_string().replace(&folder, ""))?;
        Ok(records.into_iter().map(|record| (record.place.line, record.values)).collect())
    }

    pub(crate) fn label(text: &str) -> Value {
        Value::Label(text.to_string())
    }

    pub(crate) fn text(text: &str) -> Value {
        Value::Text(text.to_string())
    }

    /// A dataset of every format, those of named columns with and without their names, and columns to predict.
    fn every_format() -> Vec<(Data, Vec<Column>)> {
        let files = Files::default;
        let named = || NamedColumns { text: Some(Texts::One("body".into())), stratum: Some("topic".into()) };
        let names = |names: &str| Some(names.split(' ').map(String::from).collect());
        let targets = vec![Column::new("stars", ColumnKind::Number), Column::new("topic", ColumnKind::Label)];
        let delimiter = || ",".to_string();
        let csv = |columns| Data::Csv(CsvData { files: files(), named: named(), delimiter: delimiter(), columns });
        let tsv = |columns| Data::Tsv(TsvData { files: files(), named: named(), columns });
        let columns = ["pos", "token", "ner"].map(String::from).to_vec();
        vec![
            (Data::Amazon(AmazonData { files: files() }), Vec::new()),
            (Data::Conll(ConllData { files: files(), columns }), Vec::new()),
            (csv(None), targets.clone()),
            (csv(names("stars body topic")), targets.clone()),
            (Data::Imdb(ImdbData { files: files() }), Vec::new()),
            (Data::Jsonl(JsonlData { files: files(), named: named() }), targets.clone()),
            (Data::Lines(LinesData { files: files() }), Vec::new()),
            (Data::Parquet(ParquetData { files: files(), named: named() }), targets.clone()),
            (tsv(None), targets.clone()),
            (tsv(names("stars body topic")), targets),
        ]
    }

    #[test]
    fn the_catalogue_is_sorted_and_matches_the_readers() {
        assert!(all().is_sorted_by_key(|entry| entry.key));
        let mut formats: Vec<&str> = every_format().iter().map(|(data, _)| data.format()).collect();
        formats.dedup();
        assert!(all().iter().map(|entry| entry.key).eq(formats));
        for (data, targets) in every_format() {
            let entry = all().iter().find(|entry| entry.key == data.format()).unwrap();
            let reader = for_data(&data, &targets);
            let columns = reader.columns();
            for (target, _) in entry.targets {
                assert!(target.starts_with('<') || columns.iter().any(|column| column.name == *target), "{target}");
            }
            assert!(reader.stratum().is_none_or(|stratum| columns.iter().any(|column| column.name == stratum)));
            assert_eq!(reader.word_lines(), entry.key == "conll");
        }
    }

    #[test]
    fn the_configuration_knows_the_same_targets() {
        use crate::record::ColumnKind::{Label, Number, Tags};
        for (data, targets) in every_format() {
            let entry = all().iter().find(|entry| entry.key == data.format()).unwrap();
            let columns = for_data(&data, &targets).columns();
            let targets: Vec<_> =
                columns.iter().filter(|column| matches!(column.kind, Label | Number | Tags)).collect();
            if data.named().is_none() || data.columns().is_some() {
                assert!(targets.iter().map(|column| column.name.as_str()).eq(data.targets()), "{}", entry.key);
            }
            if !entry.targets[0].0.starts_with('<') {
                assert!(entry.targets.iter().map(|(name, _)| *name).eq(data.targets()), "{}", entry.key);
            }
            for column in targets {
                let kinds = data.kinds_of(&column.name);
                // What stands in a list and what does not, such formats tell from what is asked.
                let either = matches!(data, Data::Jsonl(_) | Data::Parquet(_));
                assert_eq!(kinds.contains(&"tag"), column.kind == Tags || either, "{}", column.name);
                assert_eq!(kinds.contains(&"classify"), column.kind != Tags || either, "{}", column.name);
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
        for (data, targets) in every_format() {
            let reader = for_data(&data, &targets);
            assert!(matches!(read_all(&*reader, missing, Part::All), Err(crate::Error::Missing { .. })));
        }
    }

    #[test]
    fn every_reader_of_lines_bounds_their_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("long.txt");
        std::fs::write(&path, vec![b'a'; crate::open::LINE_BYTES_MAX + 1]).unwrap();
        for (data, targets) in every_format() {
            let message = read_all(&*for_data(&data, &targets), &path, Part::All).map(|_| ()).unwrap_err().to_string();
            let expected = match data.format() {
                "imdb" => "not a tar archive",
                "parquet" => "expected a Parquet file",
                _ => "at most 16 MiB, found a longer",
            };
            assert!(message.contains(expected), "{}: {message}", data.format());
        }
    }
}
