//! Which files hold the examples, and how they are split?

mod named;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::named::{CsvData, JsonlData, NamedColumns, ParquetData, Texts, TsvData};

/// One dataset: a format, its files, and how examples are divided into train, valid and test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "format", rename_all = "kebab-case")]
pub enum Data {
    /// Columns separated by white space, one token a line, a blank line after each sentence.
    Conll(ConllData),
    /// The IMDB review corpus: a folder or `.tar.gz` of `{train,test}/{pos,neg}/ID_RATING.txt`.
    Imdb(ImdbData),
    /// Amazon product reviews: JSON lines, or the Blitzer pseudo-XML.
    Amazon(AmazonData),
    /// `LABEL<TAB>TEXT`, one example a line.
    Lines(LinesData),
    /// Cells separated by commas, or by another delimiter; a cell in quotes may hold delimiters and line breaks.
    Csv(CsvData),
    /// Cells separated by tabs, one example a line; quotes are letters like others.
    Tsv(TsvData),
    /// One JSON object a line, or a JSON list of objects.
    Jsonl(JsonlData),
    /// Parquet: columns of strings, numbers and lists, as Hugging Face datasets are stored.
    Parquet(ParquetData),
}

impl Data {
    /// The files and split that every format has.
    pub fn files(&self) -> &Files {
        match self {
            Data::Conll(data) => &data.files,
            Data::Imdb(data) => &data.files,
            Data::Amazon(data) => &data.files,
            Data::Lines(data) => &data.files,
            Data::Csv(data) => &data.files,
            Data::Tsv(data) => &data.files,
            Data::Jsonl(data) => &data.files,
            Data::Parquet(data) => &data.files,
        }
    }

    /// [`Self::files`], to be changed.
    pub fn files_mut(&mut self) -> &mut Files {
        match self {
            Data::Conll(data) => &mut data.files,
            Data::Imdb(data) => &mut data.files,
            Data::Amazon(data) => &mut data.files,
            Data::Lines(data) => &mut data.files,
            Data::Csv(data) => &mut data.files,
            Data::Tsv(data) => &mut data.files,
            Data::Jsonl(data) => &mut data.files,
            Data::Parquet(data) => &mut data.files,
        }
    }

    /// The kebab-case name of the format, as written in the file.
    pub fn format(&self) -> &'static str {
        match self {
            Data::Conll(_) => "conll",
            Data::Imdb(_) => "imdb",
            Data::Amazon(_) => "amazon",
            Data::Lines(_) => "lines",
            Data::Csv(_) => "csv",
            Data::Tsv(_) => "tsv",
            Data::Jsonl(_) => "jsonl",
            Data::Parquet(_) => "parquet",
        }
    }

    /// What is read of the columns, where the files name them.
    pub fn named(&self) -> Option<&NamedColumns> {
        match self {
            Data::Csv(data) => Some(&data.named),
            Data::Tsv(data) => Some(&data.named),
            Data::Jsonl(data) => Some(&data.named),
            Data::Parquet(data) => Some(&data.named),
            Data::Conll(_) | Data::Imdb(_) | Data::Amazon(_) | Data::Lines(_) => None,
        }
    }

    /// The columns from left to right, where the configuration names them.
    pub fn columns(&self) -> Option<&[String]> {
        match self {
            Data::Conll(data) => Some(&data.columns),
            Data::Csv(data) => data.columns.as_deref(),
            Data::Tsv(data) => data.columns.as_deref(),
            Data::Imdb(_) | Data::Amazon(_) | Data::Lines(_) | Data::Jsonl(_) | Data::Parquet(_) => None,
        }
    }
}

impl Data {
    /// The names of the targets that tasks may predict, in the order in which they are listed; none where only the
    /// files tell them.
    pub fn targets(&self) -> Vec<&str> {
        match self {
            Data::Conll(data) => data.columns.iter().map(String::as_str).filter(|name| *name != "token").collect(),
            Data::Csv(CsvData { named, columns, .. }) | Data::Tsv(TsvData { named, columns, .. }) => {
                let columns = columns.iter().flatten().map(String::as_str);
                columns.filter(|name| !named.texts().iter().any(|text| text == name)).collect()
            }
            Data::Imdb(_) => vec!["polarity", "rating"],
            Data::Amazon(_) => vec!["polarity", "stars", "category"],
            Data::Lines(_) => vec!["label"],
            Data::Jsonl(_) | Data::Parquet(_) => Vec::new(),
        }
    }

    /// The kinds of task that fit a target; none where the dataset has no such target.
    pub fn kinds_of(&self, target: &str) -> &'static [&'static str] {
        match (self, target) {
            _ if self.named().is_some_and(|named| named.texts().iter().any(|text| text == target)) => &[],
            (Data::Jsonl(_) | Data::Parquet(_), _) => &["classify", "regress", "multilabel", "tag"],
            (Data::Csv(CsvData { columns: None, .. }) | Data::Tsv(TsvData { columns: None, .. }), _) => {
                &["classify", "regress", "multilabel"]
            }
            _ if !self.targets().contains(&target) => &[],
            (Data::Conll(_), _) => &["tag"],
            (Data::Csv(_) | Data::Tsv(_), _) => &["classify", "regress", "multilabel"],
            (Data::Lines(_), _) | (_, "rating" | "stars") => &["classify", "regress"],
            _ => &["classify"],
        }
    }
}

/// Files and splits, the same for every format.
///
/// A file may be compressed with gzip, or be the only member of a zip archive; `archive.zip/member` names one of
/// several.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Files {
    /// A file, folder or archive that holds all examples, or the format's own train and test parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Training files; several are read one after the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<Paths>,
    /// Validation files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid: Option<Paths>,
    /// Test files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Paths>,
    /// Shares drawn from the training examples where no files are given for a split.
    pub split: Split,
    /// Keeps at most this many training examples, drawn by seed and text as `split` draws.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub limit: Option<usize>,
    /// Examples in a batch of this dataset; `train.batch_size` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub batch_size: Option<usize>,
    /// Passes over this dataset in an epoch, with `sampling = "proportional"`: 0.5 for half of its examples an epoch, 2 for
    /// each of them twice. 1 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.01, max = 100.0))]
    pub passes: Option<f64>,
}

/// One path or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Paths {
    /// A single file or folder.
    One(String),
    /// Several files, read in this order.
    Many(Vec<String>),
}

impl Paths {
    /// The paths in reading order.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Paths::One(path) => std::slice::from_ref(path),
            Paths::Many(paths) => paths,
        }
    }
}

/// Shares of the training examples that become validation and test sets, drawn by seed.
///
/// Which examples are drawn depends on the seed and on their texts only, not on the dataset's name or on the tasks, and
/// the test set not on the validation share: runs on the same files with the same `seed` and `test` can be compared.
/// Equal texts are never divided. Shares are drawn by class, as far as the format has one: `imdb` and `amazon` by
/// polarity, `lines` by label, formats of named columns by their `stratum`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Split {
    /// Share that becomes the validation set.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub valid: f64,
    /// Instead of a share: this many examples, the last ones of the training files.
    #[serde(skip_serializing_if = "is_zero")]
    pub valid_last: usize,
    /// Share that becomes the test set; it is drawn before the validation set.
    #[schemars(range(min = 0.0, max = 0.9))]
    pub test: f64,
    /// Seed of the draw; the file's `seed` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Options of the `conll` format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConllData {
    /// Files and splits.
    #[serde(flatten)]
    pub files: Files,
    /// Names of the columns from left to right; one of them is `token`.
    #[schemars(length(min = 1))]
    pub columns: Vec<String>,
}

/// Options of the `imdb` format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImdbData {
    /// Files and splits.
    #[serde(flatten)]
    pub files: Files,
}

/// Options of the `amazon` format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AmazonData {
    /// Files and splits.
    #[serde(flatten)]
    pub files: Files,
}

/// Options of the `lines` format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinesData {
    /// Files and splits.
    #[serde(flatten)]
    pub files: Files,
}
