//! Are they word vectors? Text of GloVe, word2vec and fastText, or word2vec's binary form.

use super::found::VectorsFound;
use super::{Format, Guess, Sample};
use crate::error::Result;

pub(super) const BINARY: Format =
    Format { key: "word2vec", summary: "word vectors (GloVe and fastText text, word2vec .bin)", guess: guess_binary };
pub(super) const TEXT: Format =
    Format { key: "", summary: "word vectors as text: a word and its numbers a line", guess: guess_text };

/// Fewest numbers after a word that are taken for a vector where no header tells.
const DIM_MIN: usize = 5;

/// Lines that are looked at.
const LINES: usize = 50;

fn guess_binary(sample: &Sample) -> Result<Option<Guess>> {
    if !sample.is_binary() {
        return Ok(None);
    }
    let end = sample.bytes.iter().take(40).position(|&byte| byte == b'\n');
    let Some((words, dim)) = end.and_then(|end| header(&sample.bytes[..end])) else { return Ok(None) };
    let why = format!("word2vec vectors in binary form: the header announces {words} words of {dim} numbers");
    Ok(Some(found(sample, dim, Some(words), why)))
}

fn guess_text(sample: &Sample) -> Result<Option<Guess>> {
    if sample.is_binary() {
        return Ok(None);
    }
    let lines = sample.lines();
    let mut lines: &[&[u8]] = &lines[..lines.len().min(LINES)];
    let first = lines.first().and_then(|line| header(line));
    if first.is_some() {
        lines = &lines[1..];
    }
    let full = lines.iter().filter(|line| !line.trim_ascii().is_empty());
    // Without a header, whole numbers are counts or tags.
    let widths: Vec<usize> = full
        .map(|line| match numbers(line) {
            (_, false) if first.is_none() => 0,
            (count, _) => count,
        })
        .collect();
    let dim = match first {
        Some((_, dim)) => dim,
        None => widths.first().copied().unwrap_or(0),
    };
    let enough = if first.is_some() { 1 } else { DIM_MIN };
    if widths.is_empty() || dim < enough || widths.iter().any(|&width| width < dim) {
        return Ok(None);
    }
    let why = match first {
        Some((words, dim)) => format!("word vectors: the header announces {words} words of {dim} numbers"),
        None => format!("word vectors: a word and {dim} numbers in each line"),
    };
    Ok(Some(found(sample, dim, first.map(|(words, _)| words), why)))
}

fn found(sample: &Sample, dim: usize, words: Option<usize>, why: String) -> Guess {
    // The reader of vectors inflates gzip; it opens no archives.
    let zipped = sample.raw.starts_with(b"PK\x03\x04") || sample.raw.is_empty();
    let unreadable = zipped.then(|| "vectors are not read from zip archives: unpack it, and name the file".to_string());
    Guess::Vectors(VectorsFound { path: sample.path.clone(), dim, words, why, unreadable })
}

/// The numbers of a header `COUNT DIM`.
fn header(line: &[u8]) -> Option<(usize, usize)> {
    let (words, dim) = str::from_utf8(line).ok()?.trim().split_once([' ', '\t'])?;
    Some((words.parse().ok()?, dim.trim().parse().ok()?))
        .filter(|&(words, dim)| words > 0 && (1..=65_536).contains(&dim))
}

/// How many numbers stand at the end of a line after a word, and whether one of them has decimals.
fn numbers(line: &[u8]) -> (usize, bool) {
    let text = crate::open::decode(line);
    let fields: Vec<&str> = text.split([' ', '\t']).filter(|field| !field.trim().is_empty()).collect();
    let is_number = |field: &&&str| field.trim().parse::<f32>().is_ok();
    let count = fields.iter().skip(1).rev().take_while(|field| is_number(field)).count();
    (count, fields.iter().skip(1).any(|field| field.contains('.') || field.contains("e-")))
}
