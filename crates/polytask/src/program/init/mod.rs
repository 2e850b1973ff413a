//! `polytask init`: looks at data and writes a config that trains on it.

mod config;
mod network;
mod toml;

use std::path::{Path, PathBuf};

use polytask::data::recognise::{DatasetFound, Found, Role, VectorsFound, name_apart, recognise};
use polytask::run::write_atomically;
use polytask::spec::parse;
use polytask::train::extensions;

use super::args::InitArgs;
use super::failure::Failure;
use super::print;

/// Looks at the data, writes the config, and says what was recognised and why.
pub fn run(args: &InitArgs) -> Result<(), Failure> {
    let output = &args.output;
    if output.exists() && !args.force {
        let help = "replace it with --force, or name another file with --output";
        return Err(Failure::Config(format!("{} is there already\n  help: {help}", output.display())));
    }
    let mut found = Found::default();
    for path in &args.data {
        let one = recognise(path)?;
        one.passed.iter().for_each(|(file, why)| said(&format!("passed over: {}: {why}", file.display())));
        found.datasets.extend(one.datasets);
        found.vectors.extend(one.vectors);
    }
    let vectors = match &args.vectors {
        Some(path) => Some(named_vectors(path)?),
        None => chosen_vectors(&found),
    };
    let mut datasets = usable(found, &args.data)?;
    name_apart(&mut datasets);
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let text = config::text(&datasets, vectors.as_ref(), output)?;
    // What is written is what the program reads, or nothing is.
    parse(&output.display().to_string(), &text, &[], &extensions())?;
    std::fs::create_dir_all(folder).map_err(|error| Failure::Failed(format!("{}: {error}", folder.display())))?;
    write_atomically(output, text.as_bytes())
        .map_err(|error| Failure::Failed(format!("{}: {error}", output.display())))?;
    datasets.iter().for_each(|dataset| said(&told(dataset)));
    if let Some(vectors) = &vectors {
        said(&format!("{}: {}", vectors.path.display(), vectors.why));
    }
    let shown = output.display();
    said(&format!("wrote {shown}; next: polytask check {shown}, then polytask train {shown}"));
    print(&format!("{shown}\n"))
}

#[allow(clippy::print_stderr)]
fn said(text: &str) {
    eprintln!("{text}");
}

/// What was recognised of a dataset, and which task it gives.
fn told(dataset: &DatasetFound) -> String {
    let mut lines = vec![format!("{}: {}", dataset.name, dataset.why.join("; "))];
    for (column, kind) in dataset.layout.targets() {
        let what = format!("{} the column `{}`", kind.name(), column.name);
        let place = if column.suggested { "task" } else { "left in comments" };
        lines.push(format!("  {place}: {what}"));
    }
    for column in &dataset.layout.columns {
        if let Role::Ignored(why) = column.role {
            lines.push(format!("  left aside: the column `{}`: {why}", column.name));
        }
    }
    lines.join("\n")
}

/// The vectors that `--vectors` names.
fn named_vectors(path: &Path) -> Result<VectorsFound, Failure> {
    let found = recognise(path)?;
    let shown = path.display();
    match found.vectors.into_iter().find(VectorsFound::is_readable) {
        Some(vectors) if path.is_file() => Ok(vectors),
        Some(vectors) => Err(Failure::Config(format!(
            "{shown}: expected a file of word vectors, found a folder\n  help: name the file: {}",
            vectors.path.display()
        ))),
        None => Err(Failure::Data(format!(
            "{shown}: expected word vectors, found {}\n  help: name a file of GloVe, word2vec or fastText vectors",
            if found.datasets.is_empty() { "vectors in an archive" } else { "a dataset" }
        ))),
    }
}

/// Of the vectors among the data those of the most words; the first of several.
fn chosen_vectors(found: &Found) -> Option<VectorsFound> {
    let size = |vectors: &&VectorsFound| std::fs::metadata(&vectors.path).map_or(0, |about| about.len());
    let mut readable: Vec<&VectorsFound> = found.vectors.iter().filter(|vectors| vectors.is_readable()).collect();
    readable.sort_by_key(|vectors| std::cmp::Reverse(size(vectors)));
    for vectors in found.vectors.iter().filter(|vectors| Some(vectors) != readable.first()) {
        let why = vectors.unreadable.as_deref().unwrap_or("one file of vectors is used");
        said(&format!("passed over: {}: {why}", vectors.path.display()));
    }
    readable.first().map(|vectors| (*vectors).clone())
}

/// The datasets that a task can be made of.
fn usable(found: Found, data: &[PathBuf]) -> Result<Vec<DatasetFound>, Failure> {
    let (usable, others): (Vec<DatasetFound>, Vec<DatasetFound>) =
        found.datasets.into_iter().partition(|dataset| dataset.layout.targets().next().is_some());
    let reasons = |dataset: &DatasetFound| {
        let columns = dataset.layout.columns.iter();
        let reasons: Vec<String> = columns
            .filter_map(|column| match column.role {
                Role::Ignored(why) => Some(format!("`{}`: {why}", column.name)),
                _ => None,
            })
            .collect();
        if reasons.is_empty() { "it has texts alone".to_owned() } else { reasons.join(", ") }
    };
    for dataset in &others {
        let why = reasons(dataset);
        said(&format!("{}: {}; no column can be predicted ({why})", dataset.name, dataset.why.join("; ")));
    }
    let shown = || data.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    match (usable.is_empty(), others.first()) {
        (false, _) => Ok(usable),
        (true, Some(dataset)) => Err(Failure::Data(format!(
            "{}: expected a column that can be predicted, found none ({})\n  help: add a column of classes, numbers or tags",
            shown(),
            reasons(dataset)
        ))),
        (true, None) => Err(Failure::Config(format!(
            "{}: expected a dataset, found word vectors alone\n  help: name data to learn from beside them",
            shown()
        ))),
    }
}
