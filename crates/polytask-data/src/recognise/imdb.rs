//! Is it the IMDB review corpus? A folder or an archive of `{train,test}/{pos,neg}/ID_RATING.txt`.

use std::path::Path;

use polytask_spec::data::{Data, Files, ImdbData};

use super::found::{ColumnFound, Layout, Role, TargetKind};
use super::{Format, Guess, Sample};
use crate::error::Result;
use crate::open;
use crate::record::ColumnKind;

pub(super) const FORMAT: Format =
    Format { key: "imdb", summary: "IMDB (a .tar.gz or folder of {train,test}/{pos,neg}/ID_RATING.txt)", guess };

/// Entries of an archive that are looked at before it is held to be another one.
const ENTRIES: usize = 20_000;

/// Reviews whose texts are looked at.
const TEXTS: usize = 300;

fn guess(sample: &Sample) -> Result<Option<Guess>> {
    if sample.bytes.get(257..262) != Some(b"ustar") {
        return Ok(None);
    }
    let mut archive = tar::Archive::new(open::open(&sample.path)?);
    let mut names = Vec::new();
    // An archive that is damaged further on is one all the same; reading it will tell.
    for entry in archive.entries().into_iter().flatten().take(ENTRIES) {
        let Ok(entry) = entry else { break };
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if is_review(&name) {
            return Ok(Some(Guess::Examples(Box::new(layout("an archive with", &name, &[])))));
        }
        if names.len() < 3 && entry.header().entry_type().is_file() {
            names.push(name);
        }
    }
    let found = format!("a tar archive that is not IMDB's ({})", names.join(", "));
    Ok(Some(Guess::Refused(found, "unpack it, and name the folder or a file in it".to_string())))
}

/// What a folder is, where it is the corpus.
pub(super) fn folder(path: &Path) -> Result<Option<Layout>> {
    let inner = path.join("aclImdb");
    let root = if inner.is_dir() { inner.as_path() } else { path };
    for part in ["train", "test"] {
        let folder = root.join(part).join("pos");
        if !folder.is_dir() || !root.join(part).join("neg").is_dir() {
            continue;
        }
        let failed = |source| crate::Error::io(folder.display().to_string(), source);
        let (mut first, mut texts) = (None, Vec::new());
        for entry in std::fs::read_dir(&folder).map_err(failed)?.take(TEXTS) {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = format!("{part}/pos/{name}");
            if is_review(&name) {
                texts.push(open::decode(&open::read(&path)?).into_owned());
                first.get_or_insert(name);
            }
        }
        if let Some(first) = first {
            return Ok(Some(layout("a folder with", &first, &texts)));
        }
    }
    Ok(None)
}

/// Whether a path ends as `train/pos/0_9.txt` does.
fn is_review(name: &str) -> bool {
    let mut parts = name.rsplit('/');
    let stem = parts.next().and_then(|file| file.strip_suffix(".txt"));
    let numbers = stem.and_then(|stem| stem.split_once('_'));
    numbers.is_some_and(|(id, rating)| id.parse::<u32>().is_ok() && rating.parse::<u8>().is_ok())
        && matches!(parts.next(), Some("pos" | "neg"))
        && matches!(parts.next(), Some("train" | "test"))
}

fn layout(what: &str, name: &str, texts: &[String]) -> Layout {
    let column = |name: &str, kind, role, suggested| ColumnFound { name: name.into(), kind, role, suggested };
    let columns = vec![
        column("text", ColumnKind::Text, Role::Text, false),
        column("polarity", ColumnKind::Label, Role::Target(TargetKind::Classify(2)), true),
        column("rating", ColumnKind::Number, Role::Target(TargetKind::Regress), false),
    ];
    let why = format!("IMDB reviews: {what} {name}; its test part stays the test");
    let mut layout = Layout::new(Data::Imdb(ImdbData { files: Files::default() }), why, columns, texts);
    if layout.lengths.is_empty() {
        // Those of the corpus are known: 95 of 100 reviews have up to 600 words.
        layout.lengths = vec![600];
    }
    layout
}
