//! Which names do labels and tags have, and in which order?

use std::collections::BTreeMap;

use super::{AsKind, Bound, Request, Target, unfit};
use crate::error::{Result, UnknownLabel};
use crate::interner::Interner;
use crate::load::builder::kept;
use crate::table::{ColumnStore, Examples, MISSING_LABEL};

/// Examples outside training.
pub(super) struct HeldOut<'e> {
    pub(super) examples: &'e mut Examples,
    /// Whether they were drawn from the training examples, and not read from files of their own.
    pub(super) drawn: bool,
}

/// Names of labels and tags by target column, in order of first sight while files are read.
#[derive(Debug, Default)]
pub(super) struct LabelNames {
    columns: Vec<(Bound, Interner)>,
}

impl LabelNames {
    pub(super) fn new(bound: &[Bound]) -> LabelNames {
        let names = |bound: &Bound| {
            let mut names = Interner::new();
            if let AsKind::Flags(columns) = &bound.target.as_ {
                columns.iter().for_each(|column| _ = names.intern(column));
            }
            (bound.clone(), names)
        };
        LabelNames { columns: bound.iter().map(names).collect() }
    }

    /// The number of a name of the target at `index`.
    pub(super) fn intern(&mut self, index: usize, name: &str) -> u32 {
        self.columns[index].1.intern(name)
    }

    /// Sorts the names that training has and renumbers every column by them; returns the names by column.
    ///
    /// # Errors
    /// A target with fewer than two different values in training; a name that training never has.
    pub(super) fn settle(
        &mut self,
        request: &Request<'_>,
        train: &mut Examples,
        held_out: &mut [HeldOut<'_>],
        notes: &mut Vec<String>,
    ) -> Result<BTreeMap<String, Vec<String>>> {
        let mut all = BTreeMap::new();
        for (Bound { target, .. }, names) in &self.columns {
            let column = &target.column;
            if let Some(numbers) = train.numbers(column) {
                check_numbers(request, column, numbers)?;
                continue;
            }
            let mut known = vec![false; names.len()];
            values(train, column).iter().filter(|&&id| id != MISSING_LABEL).for_each(|&id| known[id as usize] = true);
            let in_training: Vec<&str> =
                names.words().zip(&known).filter(|(_, known)| **known).map(|(n, _)| n).collect();
            check_names(request, target, &in_training)?;
            let admitted = admit(&in_training, names, &known, held_out, column);
            if !admitted.is_empty() {
                notes.push(format!(
                    "data.{}: no training example has the {column} tags {}, but their span types are known",
                    request.name,
                    admitted.join(", ")
                ));
            }
            let mut sorted: Vec<&str> =
                in_training.iter().copied().chain(admitted.iter().map(String::as_str)).collect();
            sort(&mut sorted);
            let mut positions = vec![None; names.len()];
            for (position, name) in sorted.iter().enumerate() {
                let id = names.get(name).expect("every name was interned");
                positions[id as usize] = Some(position as u32);
            }
            let training = std::iter::once((&mut *train, false));
            for (examples, drawn) in training.chain(held_out.iter_mut().map(|set| (&mut *set.examples, set.drawn))) {
                if let Some((index, inside, id)) = first_unknown(examples, column, &positions) {
                    let place = examples.place(index);
                    let mut accepted = in_training.clone();
                    sort(&mut accepted);
                    return Err(UnknownLabel {
                        file: place.file.to_string(),
                        line: u64::from(place.line) + tag_offset(request, examples, index, inside),
                        column: column.clone(),
                        label: names.word(id).to_string(),
                        accepted: accepted.into_iter().map(str::to_string).collect(),
                        help: match drawn {
                            true => "the draw leaves training none: give `split` another `seed`, or add examples of it",
                            false => "correct the label, or add training examples that have it",
                        },
                    }
                    .into());
                }
                for id in values_mut(examples, column).iter_mut().filter(|id| **id != MISSING_LABEL) {
                    *id = positions[*id as usize].expect("unknown names were looked for above");
                }
            }
            all.insert(column.clone(), sorted.into_iter().map(str::to_string).collect());
        }
        Ok(all)
    }
}

/// Tags outside training whose span type training has: IOB2 files of the same corpus differ in such.
fn admit(
    in_training: &[&str],
    names: &Interner,
    known: &[bool],
    held_out: &[HeldOut<'_>],
    column: &str,
) -> Vec<String> {
    let span_type = |tag: &str| -> Option<String> {
        let (prefix, kind) = tag.split_once('-')?;
        ["B", "I", "E", "S", "L", "U"].contains(&prefix).then(|| kind.to_string())
    };
    let types: Vec<String> = in_training.iter().filter_map(|tag| span_type(tag)).collect();
    let mut found = vec![false; names.len()];
    for rows in held_out.iter().filter_map(|set| set.examples.tags(column)) {
        let ids = rows.values().iter().filter(|&&id| id != MISSING_LABEL);
        ids.for_each(|&id| found[id as usize] = !known[id as usize]);
    }
    let unknown = names.words().zip(found).filter(|(_, found)| *found).map(|(tag, _)| tag);
    unknown.filter(|tag| span_type(tag).is_some_and(|kind| types.contains(&kind))).map(str::to_string).collect()
}

/// The first value without a position: its example, its place in the row, and its number.
fn first_unknown(examples: &Examples, column: &str, positions: &[Option<u32>]) -> Option<(usize, usize, u32)> {
    let is_unknown = |id: u32| id != MISSING_LABEL && positions[id as usize].is_none();
    match examples.columns.get(column)? {
        ColumnStore::Tags(rows) | ColumnStore::LabelSets(rows) => rows.iter().enumerate().find_map(|(index, row)| {
            let inside = row.iter().position(|&id| is_unknown(id))?;
            Some((index, inside, row[inside]))
        }),
        ColumnStore::Labels(labels) => {
            let index = labels.iter().position(|&id| is_unknown(id))?;
            Some((index, 0, labels[index]))
        }
        ColumnStore::Tokens(_) | ColumnStore::Numbers(_) => None,
    }
}

/// How many lines below its sentence's first line a tag stands.
fn tag_offset(request: &Request<'_>, examples: &Examples, index: usize, inside: usize) -> u64 {
    if !examples.word_lines {
        return 0;
    }
    let [head, tail] = kept(examples.full_lengths[index] as usize, &request.text);
    head.chain(tail).nth(inside).unwrap_or(0) as u64
}

fn values<'e>(examples: &'e Examples, column: &str) -> &'e [u32] {
    match examples.columns.get(column) {
        Some(ColumnStore::Labels(labels)) => labels,
        Some(ColumnStore::Tags(rows) | ColumnStore::LabelSets(rows)) => rows.values(),
        _ => &[],
    }
}

fn values_mut<'e>(examples: &'e mut Examples, column: &str) -> &'e mut [u32] {
    match examples.columns.get_mut(column) {
        Some(ColumnStore::Labels(labels)) => labels,
        Some(ColumnStore::Tags(rows) | ColumnStore::LabelSets(rows)) => rows.values_mut(),
        _ => &mut [],
    }
}

/// By value where all names are numbers (`2` before `10`), else as text.
fn sort(names: &mut [&str]) {
    let value = |name: &str| name.parse::<f64>().ok().filter(|value| value.is_finite());
    match names.iter().map(|name| value(name)).collect::<Option<Vec<f64>>>() {
        Some(_) => names.sort_by(|left, right| {
            let (left_value, right_value) = (value(left).unwrap_or(0.0), value(right).unwrap_or(0.0));
            left_value.total_cmp(&right_value).then_with(|| left.cmp(right))
        }),
        None => names.sort_unstable(),
    }
}

/// Makes sure that there is something to tell apart.
fn check_names(request: &Request<'_>, target: &Target, in_training: &[&str]) -> Result<()> {
    let column = &target.column;
    let (message, help) = match (&target.as_, in_training) {
        (AsKind::Flags(names), _) => match names.iter().find(|name| !in_training.contains(&name.as_str())) {
            None => return Ok(()),
            Some(name) => {
                let message = format!("no training example has 1 in the column `{name}`");
                (message, "there is nothing to learn: leave it out of `target`, or add examples that have it")
            }
        },
        (AsKind::Labels { .. }, []) => {
            let message = format!("no training example has a label in the column `{column}`");
            (message, "there is nothing to learn: choose another target")
        }
        // That a label is there or not is two classes.
        (AsKind::Labels { .. }, [_]) | (_, [_, _, ..]) => return Ok(()),
        (_, []) => {
            let message = format!("no training example has a value in the column `{column}`");
            (message, "there is nothing to learn: choose another target")
        }
        (_, [only]) => {
            let message = format!("every training example has the same {column}: `{only}`");
            (message, "there is nothing to learn: add examples of another class")
        }
    };
    Err(unfit(request, &message, help))
}

fn check_numbers(request: &Request<'_>, column: &str, numbers: &[f32]) -> Result<()> {
    let mut known = numbers.iter().filter(|number| !number.is_nan());
    let message = match known.next() {
        None => format!("no training example has a value in the column `{column}`"),
        Some(first) if known.all(|number| number == first) => {
            format!("every training example has the same {column}: `{first}`")
        }
        Some(_) => return Ok(()),
    };
    Err(unfit(request, &message, "there is nothing to learn: choose another target"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_by_value_where_all_are_numbers() {
        let mut names = ["10", "9", "2.5", "-1"];
        sort(&mut names);
        assert_eq!(names, ["-1", "2.5", "9", "10"]);
        let mut names = ["10", "9", "x"];
        sort(&mut names);
        assert_eq!(names, ["10", "9", "x"]);
    }
}
