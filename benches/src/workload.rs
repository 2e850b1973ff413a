//! What is measured? Generated files and a configuration for each workload.

use std::fmt::Write;
use std::path::Path;

use polytask::data::rng::Rng;

use crate::sizes::Sizes;

/// Writes a workload's files into a directory and returns its configuration.
///
/// # Errors
///
/// Where the workload is unknown, a size is no number, or a file cannot be written.
pub fn write(name: &str, sizes: &Sizes, directory: &Path) -> Result<String, String> {
    let mut files = Files { directory, rng: Rng::derive(1, name, 0) };
    match name {
        "w1" => w1(sizes, &mut files),
        "w2" => w2(sizes, &mut files, ""),
        "w2-crf" => w2(sizes, &mut files, "characters = { dim = 30, filters = 50 }"),
        "w5" => w5(sizes, &mut files),
        "tasks" => tasks(sizes, &mut files),
        _ => Err(format!("unknown workload `{name}`; known: w1, w2, w2-crf, w5, tasks")),
    }
}

struct Files<'a> {
    directory: &'a Path,
    rng: Rng,
}

impl Files<'_> {
    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        std::fs::write(self.directory.join(name), text).map_err(|error| format!("{name}: {error}"))
    }

    /// A word of a vocabulary; letters only, so that no fallback joins two of them.
    fn word(&mut self, vocabulary: usize) -> String {
        let mut number = self.rng.below(vocabulary as u64);
        let mut word = String::from("w");
        for _ in 0..4 {
            word.push(char::from(b'a' + (number % 26) as u8));
            number /= 26;
        }
        word
    }

    /// Every word of a vocabulary, so that each has a row.
    fn all_words(vocabulary: usize) -> impl Iterator<Item = String> {
        (0..vocabulary).map(|mut number| {
            let mut word = String::from("w");
            for _ in 0..4 {
                word.push(char::from(b'a' + (number % 26) as u8));
                number /= 26;
            }
            word
        })
    }

    fn text(&mut self, length: usize, vocabulary: usize) -> String {
        (0..length).map(|_| self.word(vocabulary)).collect::<Vec<_>>().join(" ")
    }

    /// Vectors of small numbers for a whole vocabulary.
    fn vectors(&mut self, vocabulary: usize, dim: usize) -> Result<(), String> {
        let mut text = String::new();
        for word in Self::all_words(vocabulary) {
            text.push_str(&word);
            for _ in 0..dim {
                let _ = write!(text, " {:.3}", self.rng.uniform() - 0.5);
            }
            text.push('\n');
        }
        self.write("vectors.txt", &text)
    }
}

fn header(name: &str, dim: usize, tune: bool, more: &str, rows: &str, batch: usize) -> String {
    format!(
        "version = 1\nname = \"{name}\"\n[input.words]\nkind = \"words\"\nvectors = \"vectors.txt\"\ndim = {dim}\n\
         tune = {tune}\nmax_tokens = 100000\ntokenize = \"spaces\"\n{more}\n[train]\nepochs = 1000\n\
         batch_size = {batch}\nsampling = \"joint\"\n[optimizer]\nclip_norm = 0\nrows = \"{rows}\"\n"
    )
}

/// The text-CNN of two heads on one batch.
fn w1(sizes: &Sizes, files: &mut Files<'_>) -> Result<String, String> {
    let (batch, length) = (sizes.number("batch", 64)?, sizes.number("length", 256)?);
    let (vocabulary, filters) = (sizes.number("vocabulary", 20_000)?, sizes.number("filters", 100)?);
    files.vectors(vocabulary, 100)?;
    let line = |files: &mut Files<'_>| {
        let (stars, category) = (1 + files.rng.below(5), files.rng.below(2));
        let text = files.text(length, vocabulary);
        format!("{{\"text\": \"{text}\", \"rating\": {stars}, \"category\": \"c{category}\"}}\n")
    };
    let train: String = (0..batch * 8).map(|_| line(files)).collect();
    files.write("train.jsonl", &train)?;
    let valid: String = train.lines().take(8).flat_map(|line| [line, "\n"]).collect();
    files.write("valid.jsonl", &valid)?;
    let widths = sizes.word("widths", "3/4/5").replace('/', ", ");
    let rows = sizes.word("rows", "dense");
    Ok(format!(
        "{}[data.d]\nformat = \"amazon\"\ntrain = \"train.jsonl\"\nvalid = \"valid.jsonl\"\n[encoder.trunk]\nlayers = [\
         {{ kind = \"conv\", widths = [{widths}], filters = {filters} }}, {{ kind = \"pool\" }}, \
         {{ kind = \"dense\", units = 128 }}]\n\
         [task.a]\ndata = \"d\"\nkind = \"classify\"\ntarget = \"category\"\n\
         [task.b]\ndata = \"d\"\nkind = \"classify\"\ntarget = \"stars\"\n",
        header("w1", 100, true, "", rows, batch)
    ))
}

/// The BiLSTM tagger, with a CRF where characters are encoded.
fn w2(sizes: &Sizes, files: &mut Files<'_>, characters: &str) -> Result<String, String> {
    let (batch, length) = (sizes.number("batch", 32)?, sizes.number("length", 64)?);
    let (vocabulary, hidden) = (sizes.number("vocabulary", 20_000)?, sizes.number("hidden", 200)?);
    files.vectors(vocabulary, 100)?;
    let mut train = String::new();
    for _ in 0..batch * 8 {
        for _ in 0..length {
            let tag = files.rng.below(9);
            let _ = writeln!(train, "{} T{tag}", files.word(vocabulary));
        }
        train.push('\n');
    }
    files.write("train.conll", &train)?;
    let valid: String = train.split_inclusive("\n\n").take(8).collect();
    files.write("valid.conll", &valid)?;
    let decoder = if characters.is_empty() { "softmax" } else { "crf" };
    Ok(format!(
        "{}[data.d]\nformat = \"conll\"\ncolumns = [\"token\", \"tag\"]\ntrain = \"train.conll\"\nvalid = \"valid.conll\"\n\
         [encoder.trunk]\nlayers = [{{ kind = \"bilstm\", hidden = {hidden} }}]\n\
         [task.a]\ndata = \"d\"\nkind = \"tag\"\ntarget = \"tag\"\nscheme = \"none\"\ndecoder = \"{decoder}\"\n",
        header("w2", 100, true, characters, sizes.word("rows", "dense"), batch)
    ))
}

/// A small MLP: frozen vectors of one word a text stand for 128 features.
fn w5(sizes: &Sizes, files: &mut Files<'_>) -> Result<String, String> {
    let (batch, hidden) = (sizes.number("batch", 64)?, sizes.number("hidden", 256)?);
    files.vectors(batch * 8, 128)?;
    let words: Vec<String> = Files::all_words(batch * 8).collect();
    let train: String = words.iter().map(|word| format!("l{}\t{word}\n", files.rng.below(10))).collect();
    files.write("train.txt", &train)?;
    files.write("valid.txt", &train.lines().take(8).flat_map(|line| [line, "\n"]).collect::<String>())?;
    Ok(format!(
        "{}[data.d]\nformat = \"lines\"\ntrain = \"train.txt\"\nvalid = \"valid.txt\"\n[encoder.trunk]\nlayers = [\
         {{ kind = \"pool\", pool = \"mean\" }}, {{ kind = \"dense\", units = {hidden} }}, \
         {{ kind = \"dense\", units = {hidden} }}]\n\
         [task.a]\ndata = \"d\"\nkind = \"classify\"\ntarget = \"label\"\n",
        header("w5", 128, false, "", "lazy", batch)
    ))
}

/// Many tasks, each with its own batch, over one text-CNN.
fn tasks(sizes: &Sizes, files: &mut Files<'_>) -> Result<String, String> {
    let (count, batch) = (sizes.number("tasks", 16)?, sizes.number("batch", 16)?);
    let (length, vocabulary) = (sizes.number("length", 128)?, sizes.number("vocabulary", 20_000)?);
    let tune = sizes.word("embedding", "trained") == "trained";
    files.vectors(vocabulary, 100)?;
    let mut config = header("tasks", 100, tune, "", sizes.word("rows", "dense"), batch);
    let _ = writeln!(config, "[balance]\nmethod = \"{}\"", sizes.word("balance", "equal"));
    config.push_str(
        "[encoder.trunk]\nlayers = [{ kind = \"conv\", widths = [3, 4, 5], filters = 100 }, { kind = \"pool\" }, \
         { kind = \"dense\", units = 128 }]\n",
    );
    for task in 0..count {
        let train: String = (0..batch * 8)
            .map(|_| {
                let label = files.rng.below(2);
                format!("l{label}\t{}\n", files.text(length, vocabulary))
            })
            .collect();
        files.write(&format!("{task}.txt"), &train)?;
        files.write(&format!("{task}.valid"), &train.lines().take(8).flat_map(|l| [l, "\n"]).collect::<String>())?;
        let _ = write!(
            config,
            "[data.d{task}]\nformat = \"lines\"\ntrain = \"{task}.txt\"\nvalid = \"{task}.valid\"\n\
             [task.t{task}]\ndata = \"d{task}\"\nkind = \"classify\"\ntarget = \"label\"\n"
        );
    }
    Ok(config)
}
