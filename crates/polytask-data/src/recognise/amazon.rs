//! Are they Amazon product reviews? Blitzer's folders of `.review` files, or JSON lines with stars.

use std::path::{Path, PathBuf};

use polytask_spec::data::{AmazonData, Data, Files};

use super::found::{ColumnFound, Layout, Role, TargetKind};
use super::{Format, Guess, Sample};
use crate::error::{Error, Result};
use crate::record::ColumnKind;

pub(super) const FORMAT: Format =
    Format { key: "amazon", summary: "Amazon reviews (Blitzer's .review files, or JSON lines with stars)", guess };

fn guess(sample: &Sample) -> Result<Option<Guess>> {
    let texts = sample.texts();
    let first = texts.iter().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or_default();
    if first == "<review>" || sample.name.ends_with(".review") && first.starts_with('<') {
        let bodies = bodies(&texts.iter().map(|line| line.as_ref()).collect::<Vec<_>>());
        let why = "Amazon reviews: pseudo-XML of <review>, <rating>, <review_text>".to_string();
        return Ok(Some(Guess::Examples(Box::new(layout(why, &bodies, 1)))));
    }
    let mut bodies = Vec::new();
    for line in texts.iter().filter(|line| line.trim_start().starts_with('{')).take(500) {
        let Ok(object) = serde_json::from_str::<serde_json::Value>(line) else { break };
        let text = |text: &str, stars: &str, more: &str| {
            (object[stars].is_number() && !object[more].is_null()).then(|| object[text].as_str()).flatten()
        };
        match text("reviewText", "overall", "overall").or_else(|| text("text", "rating", "parent_asin")) {
            Some(text) => bodies.push(text.to_string()),
            None => break,
        }
    }
    if bodies.is_empty() {
        return Ok(None);
    }
    let why = "Amazon reviews: JSON lines with a review and its stars".to_string();
    Ok(Some(Guess::Examples(Box::new(layout(why, &bodies, 1)))))
}

/// What a folder is, where it or its folders hold `.review` files.
pub(super) fn folder(path: &Path) -> Result<Option<Layout>> {
    let mut folders = vec![path.to_path_buf()];
    folders.extend(inner(path, |path| path.is_dir())?);
    let (mut categories, mut texts, mut first) = (0, Vec::new(), None);
    for folder in &folders {
        let files = inner(folder, |path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            path.is_file() && name.ends_with(".review") && name != "unlabeled.review"
        })?;
        categories += usize::from(!files.is_empty());
        for file in files.iter().take(2) {
            let sample = Sample::read(file)?;
            let lines = sample.texts();
            texts.extend(bodies(&lines.iter().map(|line| line.as_ref()).collect::<Vec<_>>()));
            first.get_or_insert_with(|| file.strip_prefix(path).unwrap_or(file).display().to_string());
        }
    }
    Ok(first.map(|first| {
        let why = format!("Amazon reviews of {categories} categories: .review files such as {first}");
        layout(why, &texts, categories)
    }))
}

/// The entries of a folder that are wanted, sorted.
fn inner(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let failed = |source| Error::io(folder.display().to_string(), source);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The texts of reviews in pseudo-XML.
fn bodies(lines: &[&str]) -> Vec<String> {
    let (mut texts, mut inside) = (Vec::<String>::new(), false);
    for line in lines {
        match line.trim() {
            "<review_text>" => {
                inside = true;
                texts.push(String::new());
            }
            "</review_text>" => inside = false,
            text if inside => {
                if let Some(last) = texts.last_mut() {
                    last.push_str(text);
                    last.push(' ');
                }
            }
            _ => {}
        }
    }
    texts
}

fn layout(why: String, texts: &[String], categories: usize) -> Layout {
    let column = |name: &str, kind, role, suggested| ColumnFound { name: name.into(), kind, role, suggested };
    let category = match categories {
        1 => Role::Ignored("there is one category"),
        more => Role::Target(TargetKind::Classify(more)),
    };
    let columns = vec![
        column("text", ColumnKind::Text, Role::Text, false),
        column("polarity", ColumnKind::Label, Role::Target(TargetKind::Classify(2)), true),
        column("stars", ColumnKind::Number, Role::Target(TargetKind::Regress), false),
        column("category", ColumnKind::Label, category, false),
    ];
    Layout::new(Data::Amazon(AmazonData { files: Files::default() }), why, columns, texts)
}
