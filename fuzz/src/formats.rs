//! Which datasets do the targets read?

use polytask_data::readers::{Reader, for_data};
use polytask_data::record::{Column, ColumnKind, Part};
use polytask_spec::data::{
    AmazonData, ConllData, CsvData, Data, Files, ImdbData, JsonlData, LinesData, NamedColumns, ParquetData, Texts,
    TsvData,
};

/// Targets of every kind, by names that the seeds use.
fn targets() -> Vec<Column> {
    vec![
        Column::new("label", ColumnKind::Label),
        Column::new("score", ColumnKind::Number),
        Column::new("topics", ColumnKind::Labels),
    ]
}

/// Targets of every kind, tags too, which only lists have.
fn targets_and_tags() -> Vec<Column> {
    let mut targets = targets();
    targets.push(Column::new("tags", ColumnKind::Tags));
    targets
}

fn named() -> NamedColumns {
    NamedColumns::default()
}

fn pair() -> NamedColumns {
    NamedColumns { text: Some(Texts::Many(vec!["text".into(), "body".into()])), stratum: Some("label".into()) }
}

fn names(names: &str) -> Vec<String> {
    names.split(' ').map(String::from).collect()
}

/// CoNLL of four columns, and of words alone.
pub fn conll() -> Vec<Box<dyn Reader>> {
    let of = |columns: &str| Data::Conll(ConllData { files: Files::default(), columns: names(columns) });
    ["token pos chunk ner", "token", "ner token"].map(|columns| for_data(&of(columns), &[])).into()
}

/// CSV with a header and without, cut at commas, semicolons and tabs, one text and two.
pub fn csv() -> Vec<Box<dyn Reader>> {
    let of = |named: NamedColumns, delimiter: &str, columns: Option<Vec<String>>| {
        let data = CsvData { files: Files::default(), named, delimiter: delimiter.into(), columns };
        for_data(&Data::Csv(data), &targets())
    };
    vec![
        of(named(), ",", None),
        of(named(), ";", Some(names("text label score topics"))),
        of(pair(), "\t", None),
        of(pair(), "|", Some(names("topics score label body text"))),
    ]
}

/// TSV with a header and without.
pub fn tsv() -> Vec<Box<dyn Reader>> {
    let of = |named, columns| for_data(&Data::Tsv(TsvData { files: Files::default(), named, columns }), &targets());
    vec![of(named(), None), of(pair(), Some(names("text body label score topics")))]
}

/// JSON lines and lists, one text and two.
pub fn jsonl() -> Vec<Box<dyn Reader>> {
    let of = |named, targets: &[Column]| for_data(&Data::Jsonl(JsonlData { files: Files::default(), named }), targets);
    vec![of(named(), &targets()), of(named(), &targets_and_tags()), of(pair(), &targets())]
}

/// Parquet, of every kind of column.
pub fn parquet() -> Vec<Box<dyn Reader>> {
    let of =
        |targets: &[Column]| for_data(&Data::Parquet(ParquetData { files: Files::default(), named: named() }), targets);
    vec![of(&[]), of(&targets()), of(&targets_and_tags())]
}

/// The formats that have no options.
pub fn plain(format: &str) -> Vec<Box<dyn Reader>> {
    let data = match format {
        "amazon" => Data::Amazon(AmazonData { files: Files::default() }),
        "imdb" => Data::Imdb(ImdbData { files: Files::default() }),
        _ => Data::Lines(LinesData { files: Files::default() }),
    };
    vec![for_data(&data, &[])]
}

/// Reads a file with one of several readers, to its end or its fault, and holds each record to what a reader promises.
pub fn read(readers: &[Box<dyn Reader>], choice: u8, path: &std::path::Path) {
    let reader = &readers[usize::from(choice) % readers.len()];
    let columns = reader.columns().len();
    let read = reader.read(path, Part::All, &mut |record| {
        assert_eq!(record.values.len(), columns, "a value for each column");
        Ok(())
    });
    if let Err(error) = read {
        assert!(error.to_string().contains(&*path.to_string_lossy()), "the file is not named: {error}");
    }
}
