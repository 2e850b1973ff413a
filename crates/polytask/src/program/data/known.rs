//! `polytask data list`: what is known, from the catalogue itself.

use polytask::fetch::catalogue::{Known, Then, all};
use serde::Serialize;

use super::super::failure::Failure;
use super::super::table::{Table, count};
use super::super::{print, print_json};
use super::Form;

#[derive(Debug, Serialize)]
struct Entry {
    name: &'static str,
    kind: &'static str,
    what: &'static str,
    licence: &'static str,
    page: &'static str,
    files: Vec<File>,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'static str,
}

#[derive(Debug, Serialize)]
struct File {
    url: &'static str,
    sha256: Option<&'static str>,
    bytes: Option<u64>,
}

/// Prints the catalogue.
pub fn run(form: Form) -> Result<(), Failure> {
    if form == Form::Json {
        return print_json(&all().iter().map(entry).collect::<Vec<_>>());
    }
    let mut table = Table::new(["name", "kind", "what", "MB", "checked by", "licence"]);
    for known in all() {
        let bytes: Option<u64> = known.files.iter().map(|file| file.bytes).sum();
        let megabytes = bytes.filter(|&bytes| bytes > 0).map(|bytes| count(bytes.div_ceil(1_000_000) as usize));
        let checked = match known.files {
            [] => "not fetched: see `get`",
            files if files.iter().all(|file| file.sha256.is_some()) => "a known hash",
            _ => "the first download",
        };
        let name = known.key.to_owned();
        let licence = known.licence.to_owned();
        let what = known.summary.to_owned();
        table.row([name, known.kind.name().into(), what, megabytes.unwrap_or_default(), checked.into(), licence]);
    }
    print(&table.to_string())
}

fn entry(known: &Known) -> Entry {
    let files = known.files.iter().map(|file| File { url: file.url, sha256: file.sha256, bytes: file.bytes }).collect();
    let Known { key: name, summary: what, licence, page, note, .. } = *known;
    Entry { name, kind: known.kind.name(), what, licence, page, files, note }
}

/// What is to be done with a file before it is used; nothing where it is read as it is.
pub fn unzip(known: &Known) -> Option<&'static str> {
    (known.then == Then::Unzip).then_some("vectors are not read from zip archives: unpack it with `unzip`")
}
