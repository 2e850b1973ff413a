//! Which files of a folder belong together?
//!
//! Files of one format and one name but for the words `train`, `valid` and `test` are one dataset; folders within are
//! looked at too. What the files lack of the three splits is drawn from the training examples.

use std::path::{Path, PathBuf};

use polytask_spec::data::{Data, Files, Paths};

use super::found::{DatasetFound, Found, Layout, VectorsFound};
use super::roles::{FileRole, plain_name, role};
use super::{Guess, Sample, amazon, guess, imdb};
use crate::error::{Error, Result};

/// Share of the training examples that becomes the validation set, and the test set, where there are no files.
const SHARE: f64 = 0.1;

/// Folders within folders that are looked at.
const DEPTH: usize = 4;

/// Files that tell about data and hold none.
const ABOUT: [&str; 9] =
    ["readme", "license", "licence", "copying", "source", "changelog", "citation", "notice", "sha256sums"];
const ABOUT_ENDINGS: [&str; 10] = [".md", ".py", ".sh", ".toml", ".yaml", ".yml", ".rst", ".html", ".lock", ".bib"];

/// What a folder holds.
pub(crate) fn folder(path: &Path) -> Result<Found> {
    let mut found = Found::default();
    walk(path, DEPTH, &mut found)?;
    name_apart(&mut found.datasets);
    Ok(found)
}

fn walk(path: &Path, depth: usize, found: &mut Found) -> Result<()> {
    for whole in [imdb::folder, amazon::folder] {
        if let Some(layout) = whole(path)? {
            found.datasets.push(single(path, layout));
            return Ok(());
        }
    }
    let (mut inner, mut here) = (Vec::new(), Vec::new());
    let failed = |source| Error::io(path.display().to_string(), source);
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        if entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if entry.is_dir() { inner.push(entry) } else { here.push(entry) }
    }
    inner.sort();
    found.extend(files(path, here)?);
    for folder in inner.iter().filter(|_| depth > 1) {
        walk(folder, depth - 1, found)?;
    }
    Ok(())
}

/// What some files of a folder, or of an archive, hold.
pub(crate) fn files(folder: &Path, mut paths: Vec<PathBuf>) -> Result<Found> {
    paths.sort();
    let (mut found, mut groups) = (Found::default(), Vec::<Group>::new());
    for path in paths {
        if is_about(&path) {
            continue;
        }
        let (role, stem) = role(&path);
        if role == FileRole::Unlabelled {
            found.passed.push((path, "it has no labels, by its name".to_string()));
            continue;
        }
        // What cannot be read among others is passed over: the user has not named it.
        match Sample::read(&path).and_then(|sample| guess(&sample)) {
            // The corpus has its parts within.
            Ok(Some(Guess::Examples(layout))) if matches!(layout.data, Data::Imdb(_)) => {
                found.datasets.push(single(&path, *layout));
            }
            Ok(Some(Guess::Examples(layout))) => add(&mut groups, stem, (role, path), *layout),
            Ok(Some(Guess::Vectors(vectors))) => found.vectors.push(vectors),
            Ok(Some(Guess::Refused(what, _))) => found.passed.push((path, what)),
            Ok(None) => found.passed.push((path, "not recognised".to_string())),
            Err(error) => {
                let text = error.to_string();
                let reason = text.lines().next().unwrap_or_default().to_string();
                found.passed.push((path, reason));
            }
        }
    }
    let alone = groups.len() == 1;
    for group in groups {
        found.datasets.push(group.dataset(folder, alone, &mut found.passed));
    }
    name_apart(&mut found.datasets);
    Ok(found)
}

impl Found {
    fn extend(&mut self, other: Found) {
        self.datasets.extend(other.datasets);
        self.vectors.extend(other.vectors);
        self.passed.extend(other.passed);
    }
}

fn is_about(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let stem = name.split(['.', '-', '_']).next().unwrap_or_default();
    ABOUT.contains(&stem) || ABOUT_ENDINGS.iter().any(|ending| name.ends_with(ending)) || name == "dataset_infos.json"
}

/// Files of one dataset.
struct Group {
    stem: String,
    files: Vec<(FileRole, PathBuf, Layout)>,
}

fn add(groups: &mut Vec<Group>, stem: String, (role, path): (FileRole, PathBuf), layout: Layout) {
    let format = layout.data.format();
    let fits = |group: &&mut Group| {
        let first = &group.files[0];
        // Two files that say nothing about what they are for are two datasets.
        group.stem == stem && first.2.data.format() == format && (role, first.0) != (FileRole::Whole, FileRole::Whole)
    };
    match groups.iter_mut().find(fits) {
        Some(group) => group.files.push((role, path, layout)),
        None => groups.push(Group { stem, files: vec![(role, path, layout)] }),
    }
}

impl Group {
    /// The dataset of the files; what does not fit goes to `passed`.
    fn dataset(mut self, folder: &Path, alone: bool, passed: &mut Vec<(PathBuf, String)>) -> DatasetFound {
        self.files.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        // Files sort by what they are for: the first is for training, if any is.
        let layout = self.files[0].2.clone();
        let lacks = |other: &Layout| {
            let names: Vec<&str> = other.columns.iter().map(|column| column.name.as_str()).collect();
            layout.columns.iter().find(|column| {
                column.suggested && layout.data.named().is_some() && !names.contains(&column.name.as_str())
            })
        };
        let mut by_role: Vec<(FileRole, Vec<String>)> = Vec::new();
        for (role, path, other) in &self.files {
            if let Some(column) = lacks(other) {
                passed.push((path.clone(), format!("it lacks the column `{}`", column.name)));
                continue;
            }
            let path = path.display().to_string();
            match by_role.iter_mut().find(|(known, _)| known == role) {
                Some((_, paths)) => paths.push(path),
                None => by_role.push((*role, vec![path])),
            }
        }
        let folder_name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = match self.stem.as_str() {
            "" => folder_name,
            _ if alone && by_role.len() > 1 => folder_name,
            stem => stem.to_string(),
        };
        let paths = |wanted: FileRole| {
            let paths = by_role.iter().find(|(role, _)| *role == wanted).map(|(_, paths)| paths.clone())?;
            Some(if paths.len() == 1 { Paths::One(paths[0].clone()) } else { Paths::Many(paths) })
        };
        // Without a file for training, the one for nothing in particular is it; else one for validation or the test.
        let train = paths(FileRole::Train).or_else(|| paths(FileRole::Whole));
        let (mut valid, mut test) = (paths(FileRole::Valid), paths(FileRole::Test));
        let train = train.or_else(|| valid.take()).or_else(|| test.take());
        dataset(&name, layout, Files { train, valid, test, ..Files::default() })
    }
}

/// The dataset of one path that holds everything.
pub(crate) fn single(path: &Path, layout: Layout) -> DatasetFound {
    let (_, stem) = role(path);
    let folder = || path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let name = if stem.is_empty() { folder() } else { stem };
    let path = path.display().to_string();
    let files = match layout.data {
        Data::Imdb(_) | Data::Amazon(_) => Files { path: Some(path), ..Files::default() },
        _ => Files { train: Some(Paths::One(path)), ..Files::default() },
    };
    dataset(&name, layout, files)
}

fn dataset(name: &str, layout: Layout, mut files: Files) -> DatasetFound {
    let mut why = vec![layout.why.clone()];
    let has_test = files.test.is_some() || matches!(layout.data, Data::Imdb(_));
    let mut drawn = Vec::new();
    if files.valid.is_none() {
        files.split.valid = SHARE;
        drawn.push("validation");
    }
    if !has_test {
        files.split.test = SHARE;
        drawn.push("test");
    }
    let given: Vec<String> = [("train", &files.train), ("valid", &files.valid), ("test", &files.test)]
        .iter()
        .filter_map(|(role, paths)| {
            let paths = paths.as_ref()?.as_slice();
            let name = Path::new(&paths[0]).file_name().unwrap_or_default().to_string_lossy().into_owned();
            let more = if paths.len() > 1 { format!(" and {} more", paths.len() - 1) } else { String::new() };
            Some(format!("{role} {name}{more}"))
        })
        .collect();
    if !given.is_empty() {
        why.push(format!("files by their names: {}", given.join(", ")));
    }
    if !drawn.is_empty() {
        let share = 100.0 * SHARE;
        why.push(format!("no files for {}: {share:.0} % of the training examples are drawn", drawn.join(" and ")));
    }
    let data = with_files(layout.data.clone(), files);
    DatasetFound { name: plain_name(name), data, layout, why }
}

/// A dataset's table with these files.
fn with_files(mut data: Data, files: Files) -> Data {
    *data.files_mut() = files;
    data
}

/// Gives datasets of one name numbers.
pub fn name_apart(datasets: &mut [DatasetFound]) {
    for index in 1..datasets.len() {
        let (before, rest) = datasets.split_at_mut(index);
        let base = rest[0].name.clone();
        let mut number = 2;
        while before.iter().any(|dataset| dataset.name == rest[0].name) {
            rest[0].name = format!("{base}-{number}");
            number += 1;
        }
    }
}

impl VectorsFound {
    /// Whether the program reads them as they are.
    pub fn is_readable(&self) -> bool {
        self.unreadable.is_none()
    }
}
