//! What is in a file or folder?
//!
//! [`recognise`] looks at the beginning of files and at their names, and says which datasets and word vectors they
//! hold: the format with its options, the columns and what each may be good for, and which files are for training,
//! validation and test. It reads no file to its end; [`inspect`](crate::inspect) does.

mod amazon;
mod columns;
mod conll;
mod folder;
mod found;
mod imdb;
mod jsonl;
mod lines;
mod other;
mod parquet;
mod roles;
mod sample;
mod table;
mod vectors;

use std::path::Path;

use polytask_spec::data::Data;

pub use self::folder::name_apart;
pub use self::found::{ColumnFound, DatasetFound, Found, Layout, Role, TargetKind, VectorsFound};
pub use self::sample::Sample;
use crate::error::{Error, Malformed, Result};

/// What the beginning of a file tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Guess {
    /// A file of examples.
    Examples(Box<Layout>),
    /// A file of word vectors.
    Vectors(VectorsFound),
    /// A format that is known and not read, and what to do about it.
    Refused(String, String),
}

/// A format as it is recognised.
#[derive(Clone, Copy)]
pub struct Format {
    /// What it is called.
    pub key: &'static str,
    /// What its files hold.
    pub summary: &'static str,
    /// What the beginning of a file tells, where it is of this format.
    pub guess: fn(&Sample) -> Result<Option<Guess>>,
}

/// Every format, in the order in which they are tried: what is surest comes first.
pub fn all() -> &'static [Format] {
    &[
        parquet::FORMAT,
        imdb::FORMAT,
        vectors::BINARY,
        other::FORMAT,
        amazon::FORMAT,
        jsonl::FORMAT,
        vectors::TEXT,
        conll::FORMAT,
        lines::FORMAT,
        table::CSV,
        table::TSV,
    ]
}

/// Says what a file, a folder or a zip archive holds.
///
/// # Errors
/// [`Error::Malformed`] where nothing is recognised, with what was found and which formats are; what cannot be read.
pub fn recognise(path: &Path) -> Result<Found> {
    if !path.exists() && !crate::open::is_member(path) {
        return Err(Error::Missing { path: path.display().to_string(), tried: vec![path.to_path_buf()] });
    }
    let found = match (path.is_dir(), crate::open::members(path)?) {
        (false, None) => {
            let layout = match guess(&Sample::read(path)?)? {
                Some(Guess::Examples(layout)) => *layout,
                Some(Guess::Vectors(vectors)) => {
                    return Ok(Found { vectors: vec![vectors], ..Found::default() });
                }
                Some(Guess::Refused(what, help)) => return Err(refused(path, what, help)),
                None => return Err(unknown(path, "something else".to_string())),
            };
            Found { datasets: vec![folder::single(path, layout)], ..Found::default() }
        }
        (true, _) => folder::folder(path)?,
        (false, Some(members)) => folder::files(path, members.iter().map(|name| path.join(name)).collect())?,
    };
    if found.datasets.is_empty() && found.vectors.is_empty() {
        return Err(match found.passed.first() {
            Some((file, what)) => {
                let more = found.passed.len() - 1;
                let more = if more == 0 { String::new() } else { format!(", and {more} other files") };
                unknown(path, format!("{}: {what}{more}", file.display()))
            }
            None => unknown(path, "no files".to_string()),
        });
    }
    Ok(found)
}

/// What the beginning of a file tells, by the first format that it fits.
pub(crate) fn guess(sample: &Sample) -> Result<Option<Guess>> {
    for format in all() {
        if let Some(mut guess) = (format.guess)(sample)? {
            if let Guess::Examples(layout) = &mut guess {
                layout.whole = sample.complete && !matches!(layout.data, Data::Imdb(_));
            }
            return Ok(Some(guess));
        }
    }
    Ok(None)
}

/// The formats in one line, for messages.
pub(crate) fn accepted() -> String {
    let names: Vec<&str> = all().iter().filter(|format| !format.key.is_empty()).map(|format| format.summary).collect();
    names.join("; ")
}

fn refused(path: &Path, found: String, help: String) -> Error {
    Malformed {
        file: path.display().to_string(),
        line: 0,
        column: None,
        accepted: "texts to learn from, or word vectors".to_string(),
        found,
        help,
    }
    .into()
}

fn unknown(path: &Path, found: String) -> Error {
    refused(path, found, format!("recognised are {}", accepted()))
}

#[cfg(test)]
mod tests;
