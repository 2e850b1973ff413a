//! Are they lines of `LABEL<TAB>TEXT`?

use std::collections::BTreeMap;

use polytask_spec::data::{Data, Files, LinesData};

use super::found::{ColumnFound, Layout, Role, TargetKind};
use super::{Format, Guess, Sample};
use crate::error::Result;
use crate::record::ColumnKind;

pub(super) const FORMAT: Format = Format { key: "lines", summary: "LABEL<TAB>TEXT lines (as of FDU-MTL)", guess };

fn guess(sample: &Sample) -> Result<Option<Guess>> {
    if sample.is_binary() {
        return Ok(None);
    }
    let lines = sample.texts();
    let (mut counts, mut texts) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        let Some((label, text)) = line.split_once('\t') else { return Ok(None) };
        let label = label.trim();
        // A text may hold tabs, but a table has them in every row.
        if label.is_empty() || label.len() > 60 || label.split_whitespace().count() > 4 {
            return Ok(None);
        }
        *counts.entry(label).or_default() += 1;
        texts.push(text);
    }
    let words: usize = texts.iter().map(|text| text.split_whitespace().count()).sum();
    let tabs = texts.iter().filter(|text| text.contains('\t')).count();
    let classes = counts.len();
    let header = lines.first().and_then(|line| line.split_once('\t')).map(|(label, _)| label.trim());
    // What stands first and never again is the name of a column.
    let headed = header.is_some_and(|name| counts.get(name) == Some(&1) && texts.len() > 2 * classes);
    if texts.len() < 2 || words < 2 * texts.len() || 10 * tabs > texts.len() || headed {
        return Ok(None);
    }
    let numbers = counts.keys().all(|label| label.parse::<f64>().is_ok_and(f64::is_finite));
    let target = match (2 * classes <= texts.len() || texts.len() < 10 && classes < texts.len(), numbers) {
        (true, _) => TargetKind::Classify(classes),
        (false, true) => TargetKind::Regress,
        (false, false) => return Ok(None),
    };
    let columns = vec![
        ColumnFound { name: "label".into(), kind: ColumnKind::Label, role: Role::Target(target), suggested: true },
        ColumnFound { name: "text".into(), kind: ColumnKind::Text, role: Role::Text, suggested: false },
    ];
    let shown: Vec<&str> = counts.keys().take(5).copied().collect();
    let why = format!("LABEL<TAB>TEXT lines: what stands before the tab repeats ({})", shown.join(", "));
    let layout = Layout::new(Data::Lines(LinesData { files: Files::default() }), why, columns, &texts);
    Ok(Some(Guess::Examples(Box::new(layout))))
}
