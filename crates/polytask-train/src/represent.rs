//! What is there to compare two saved networks by?

use std::path::Path;

use burn::tensor::Device;
use polytask_data::open::Roots;
use polytask_model::{Predictor, Saved, TaskId};

use crate::corpus::SplitName;
use crate::error::TrainError;
use crate::reopen::reopen;

/// Reads a model directory, to predict and to represent.
///
/// # Errors
///
/// Where a file is missing, damaged or of a later format.
pub fn open_model(directory: &Path) -> Result<Predictor, TrainError> {
    Ok(Predictor::open(directory, Device::flex())?)
}

/// Some validation texts of a saved model's task, each as its words, `count` at most: of all that have words, evenly spaced, since
/// files may be in the order of their classes. Of pairs of texts the first ones.
///
/// # Errors
///
/// Where files are missing or wrong, or not those that the model was trained on.
pub fn validation_texts(
    saved: &Saved,
    roots: &Roots,
    task: TaskId,
    count: usize,
) -> Result<Vec<Vec<String>>, TrainError> {
    let corpus = reopen(saved, roots)?.corpus;
    let source = corpus.sources.iter().find(|source| source.tasks.contains(&task)).expect("a task reads a dataset");
    let words = &corpus.words[&source.input];
    let Some(texts) = source.examples(SplitName::Valid).and_then(|examples| examples.tokens()) else {
        return Ok(Vec::new());
    };
    let texts: Vec<&[u32]> = texts.iter().filter(|text| !text.is_empty()).collect();
    let chosen = count.min(texts.len());
    let spelled = |text: &[u32]| text.iter().map(|&word| words.word(word).to_owned()).collect();
    Ok((0..chosen).map(|place| spelled(texts[place * texts.len() / chosen])).collect())
}
