//! What does the config say?

use std::path::{Path, PathBuf};

use polytask::data::recognise::{ColumnFound, DatasetFound, TargetKind, VectorsFound};
use polytask::spec::data::{Data, Paths};

use super::super::failure::Failure;
use super::network;
use super::toml::{comment, list, quoted};

/// The config of datasets, to stand at `output`.
pub fn text(datasets: &[DatasetFound], vectors: Option<&VectorsFound>, output: &Path) -> Result<String, Failure> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = absolute(folder)?;
    let name = if let [dataset] = datasets { dataset.name.as_str() } else { "shared" };
    let shown = output.display();
    let mut text = comment(&format!(
        "Written by `polytask init`: what it recognised, and choices that suit it. Keys that are absent have defaults, \
         which `polytask schema` prints with their documentation. Next: `polytask check {shown}`, then \
         `polytask train {shown}`."
    ));
    text += &format!("version = 1\nname = {}\nseed = 1\n\n", quoted(name));
    for dataset in datasets {
        text += &data(dataset, &folder)?;
    }
    let vectors = match vectors {
        Some(vectors) => Some((vectors, relative(&vectors.path, &folder)?)),
        None => None,
    };
    text += &network::text(datasets, vectors);
    for dataset in datasets {
        let mut targets: Vec<(&ColumnFound, TargetKind)> = dataset.layout.targets().collect();
        targets.sort_by_key(|(column, _)| !column.suggested);
        for (column, kind) in targets {
            text += &task(dataset, column, kind, datasets);
        }
    }
    let epochs = if network::are_fewer(datasets, 2_000) { 20 } else { 10 };
    text += "\n";
    text += &comment("A task stops after `patience` epochs without a better validation score.");
    text += &format!("[train]\nepochs = {epochs}\nbatch_size = 32\npatience = 3\n");
    Ok(text)
}

/// The table of a dataset.
fn data(dataset: &DatasetFound, folder: &Path) -> Result<String, Failure> {
    let data = &dataset.data;
    let mut text = comment(&(dataset.why.join("; ") + "."));
    text += &format!("[data.{}]\nformat = {}\n", dataset.name, quoted(data.format()));
    if let Some(columns) = data.columns() {
        text += &format!("columns = {}\n", list(columns));
    }
    if let Data::Csv(csv) = data
        && csv.delimiter != ","
    {
        text += &format!("delimiter = {}\n", quoted(&csv.delimiter));
    }
    if let Some(named) = data.named() {
        named.texts().iter().for_each(|name| text += &format!("text = {}\n", quoted(name)));
        named.stratum.iter().for_each(|name| text += &format!("stratum = {}\n", quoted(name)));
    }
    let files = data.files();
    if let Some(path) = &files.path {
        text += &format!("path = {}\n", quoted(&relative(Path::new(path), folder)?));
    }
    for (key, paths) in [("train", &files.train), ("valid", &files.valid), ("test", &files.test)] {
        let Some(paths) = paths else { continue };
        let relative = paths.as_slice().iter().map(|path| relative(Path::new(path), folder));
        let relative = relative.collect::<Result<Vec<_>, _>>()?;
        text += &match paths {
            Paths::One(_) => format!("{key} = {}\n", quoted(&relative[0])),
            Paths::Many(_) => format!("{key} = {}\n", list(&relative)),
        };
    }
    let shares: Vec<String> = [("valid", files.split.valid), ("test", files.split.test)]
        .iter()
        .filter(|(_, share)| *share > 0.0)
        .map(|(name, share)| format!("{name} = {share}"))
        .collect();
    if !shares.is_empty() {
        text += &format!("split = {{ {} }}\n", shares.join(", "));
    }
    Ok(text + "\n")
}

/// The table of a task, in comments where another column of the dataset is likelier.
fn task(dataset: &DatasetFound, column: &ColumnFound, kind: TargetKind, datasets: &[DatasetFound]) -> String {
    let name = if column.suggested { dataset.name.clone() } else { format!("{}-{}", dataset.name, column.name) };
    // Names of columns may hold what names of tasks may not.
    let plain =
        |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' || letter == '_' { letter } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let mut lines = vec![
        format!("[task.{name}]"),
        format!("data = {}", quoted(&dataset.name)),
        format!("kind = {}", quoted(kind.name())),
        format!("target = {}", quoted(&column.name)),
    ];
    let attach = network::attach(kind, datasets);
    lines.push(format!("attach = {}", quoted(attach)));
    match kind {
        TargetKind::TagSpans => lines.push("decoder = \"crf\"".to_owned()),
        TargetKind::Tag | TargetKind::Regress => {}
        TargetKind::Classify(_) => lines.push("dropout = 0.3".to_owned()),
    }
    let mark = if column.suggested { "" } else { "# " };
    let lines: String = lines.iter().map(|line| format!("{mark}{line}\n")).collect();
    match column.suggested {
        true => format!("\n{lines}"),
        false => format!("\n# This column can be predicted too.\n{lines}"),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))
}

/// A path as seen from the config's folder where it lies below that; the whole path elsewhere.
fn relative(path: &Path, folder: &Path) -> Result<String, Failure> {
    let path = absolute(path)?;
    let shown = path.strip_prefix(folder).unwrap_or(&path);
    let shown = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
    let text = shown.to_str().map(|text| text.replace(std::path::MAIN_SEPARATOR, "/"));
    let help = "give the file a name in UTF-8: a config is one";
    text.ok_or_else(|| Failure::Config(format!("{}: its name is not UTF-8\n  help: {help}", shown.display())))
}
