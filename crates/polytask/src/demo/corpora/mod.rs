//! What does a demonstration train on? Small made-up corpora in the formats of the published ones.
//!
//! Film reviews (as IMDB), product reviews (as Amazon, JSON lines), sentences with names (as CoNLL-2003) and word vectors
//! (as GloVe). Film and product reviews are related: they share half of their words of praise and blame, and ways to deny
//! and to concede. Sentences with names are not. About 5 % of the reviews say the opposite of their label, so no model
//! can be right about all.
//!
//! Everything is drawn from a seed by whole-number arithmetic, additions and products: the same bytes on every platform.

mod chunks;
mod movies;
mod news;
mod people;
mod products;
mod random;
mod review;
mod sentiment;
mod text;
mod vectors;

use std::io;
use std::path::Path;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Each file or folder: its path relative to the directory, what it holds, and how many examples (words for vectors).
    pub files: Vec<(String, String, usize)>,
}

/// Texts for predictions that none of the corpora has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExampleSentences {
    /// A film review that praises.
    pub movie: &'static str,
    /// A product review that blames.
    pub product: &'static str,
    /// A sentence with names, its tokens separated by spaces.
    pub names: &'static str,
}

/// Writes the corpora of a seed into `directory`, which is made where it is missing.
///
/// File names do not depend on the seed, so that a later call replaces all files of an earlier one.
///
/// # Errors
/// A folder cannot be made or a file cannot be written.
pub fn write(directory: &Path, seed: u64) -> io::Result<Summary> {
    let (files, summary) = generate(seed);
    let mut made = None;
    for file in &files {
        let path = directory.join(&file.path);
        let parent = path.parent().map(Path::to_path_buf);
        if let Some(folder) = parent.as_ref().filter(|_| parent != made) {
            std::fs::create_dir_all(folder)?;
        }
        made = parent;
        std::fs::write(path, &file.bytes)?;
    }
    Ok(summary)
}

/// Gives three texts to try a trained model on.
pub fn example_sentences() -> ExampleSentences {
    ExampleSentences { movie: movies::EXAMPLE, product: products::EXAMPLE, names: news::EXAMPLE }
}

/// A file to be written.
struct File {
    /// Its path relative to the directory, with `/` on every platform.
    path: String,
    bytes: Vec<u8>,
}

impl File {
    fn new(path: String, text: String) -> File {
        File { path, bytes: text.into_bytes() }
    }
}

fn generate(seed: u64) -> (Vec<File>, Summary) {
    let mut summary = Summary { files: Vec::new() };
    let mut files = movies::files(seed);
    for part in ["train", "test"] {
        let folder = format!("movies/{part}");
        let count = files.iter().filter(|file| file.path.starts_with(&folder)).count();
        summary.files.push((folder, "film reviews, half of them positive".to_string(), count));
    }
    let (products, count) = products::file(seed);
    summary.files.push((products.path.clone(), "product reviews of five categories".to_string(), count));
    files.push(products);
    for (file, count) in news::files(seed) {
        summary.files.push((file.path.clone(), "sentences with names".to_string(), count));
        files.push(file);
    }
    let (vectors, count) = vectors::file(seed);
    summary.files.push((vectors.path.clone(), format!("word vectors, {} numbers each", vectors::DIM), count));
    files.push(vectors);
    (files, summary)
}

#[cfg(test)]
mod tests;
