//! What does a network take over from a model that was trained before?
//!
//! Every parameter that the other model has under the same name and of the same shape; rows of word and character vectors by word
//! and character, since two vocabularies number them differently. What has no counterpart, the head of a new task above all,
//! keeps its initial values.

use crate::input::InputKnowledge;
use crate::model::Model;
use crate::saved::{Description, Saved};

/// Takes over what it can of a saved model, and returns the number of values that were taken over. Tables that are not trained
/// keep theirs.
pub fn take_over(model: &mut Model, description: &Description, from: &Saved) -> usize {
    let mut count = 0;
    for index in 0..model.parameters.tables().len() {
        let (name, dim, tuned) = {
            let table = &model.parameters.tables()[index];
            (table.name.clone(), table.dim, table.tuned)
        };
        let Some(other) = from.model.parameters.tables().iter().find(|other| other.name == name) else { continue };
        let Some(rows) = rows(&name, description, &from.description).filter(|_| tuned && other.dim == dim) else {
            continue;
        };
        let table = model.parameters.table_mut(index);
        for (own, row) in rows {
            let values = &other.values[row * dim..(row + 1) * dim];
            table.values[own * dim..(own + 1) * dim].copy_from_slice(values);
            count += dim;
        }
    }
    for index in 0..model.parameters.dense().len() {
        let (name, shape) = {
            let own = &model.parameters.dense()[index];
            (own.name.clone(), own.shape.clone())
        };
        let Some(other) = from.model.parameters.dense().iter().find(|other| other.name == name) else { continue };
        if let Some(pairs) = characters(&name, description, &from.description) {
            let dim = shape[1];
            if other.shape[1] != dim {
                continue;
            }
            let values = other.to_vec();
            count += pairs.len() * dim;
            model.parameters.update(index, |current| {
                for (own, row) in pairs {
                    current[own * dim..(own + 1) * dim].copy_from_slice(&values[row * dim..(row + 1) * dim]);
                }
            });
        } else if other.shape == shape {
            let values = other.to_vec();
            count += values.len();
            model.parameters.update(index, |current| current.copy_from_slice(&values));
        }
    }
    count
}

/// Rows of the same word or token in the table of vectors `name`, ours and the other's; the unknown row is one of them.
fn rows(name: &str, own: &Description, other: &Description) -> Option<Vec<(usize, usize)>> {
    let input = name.strip_prefix("input.")?.strip_suffix(".vectors")?;
    match (own.inputs.get(input)?, other.inputs.get(input)?) {
        (InputKnowledge::Words(own), InputKnowledge::Words(other)) => {
            let same = |row: u32| {
                let word = own.vocabulary.word(row)?;
                let (found, _) = other.vocabulary.lookup(word);
                (other.vocabulary.word(found) == Some(word)).then_some((row as usize, found as usize))
            };
            Some(std::iter::once((0, 0)).chain((1..own.vocabulary.rows() as u32).filter_map(same)).collect())
        }
        (InputKnowledge::Subwords(own), InputKnowledge::Subwords(other)) => {
            let shared = own.tokenizer.shared_rows(&other.tokenizer);
            Some(shared.map(|(own, other)| (own as usize, other as usize)).collect())
        }
        _ => None,
    }
}

/// Rows of the same character in the table of character vectors `name`; padding and the unknown character are among them.
fn characters(name: &str, own: &Description, other: &Description) -> Option<Vec<(usize, usize)>> {
    let input = name.strip_prefix("input.")?.strip_suffix(".characters.vectors")?;
    let (InputKnowledge::Words(own), InputKnowledge::Words(other)) = (own.inputs.get(input)?, other.inputs.get(input)?)
    else {
        return None;
    };
    let (own, other) = (own.characters.as_ref()?, other.characters.as_ref()?);
    Some(own.shared_ids(other).into_iter().map(|(own, other)| (own as usize, other as usize)).collect())
}
