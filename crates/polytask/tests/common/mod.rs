//! How do tests use the program? As its users do: they start it, read what it writes, and look at its files.

// Every test file is a program of its own and uses a part of this one.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// Four tasks over three small corpora of the demo, on a network that trains in a second or two.
pub const SMALL: &str = r#"
version = 1
name = "small"
seed = 3

[data.movies]
format = "imdb"
path = "movies"
split = { valid = 0.2 }

[data.products]
format = "amazon"
path = "products.jsonl"
split = { valid = 0.2, test = 0.2 }

[data.names]
format = "conll"
columns = ["token", "pos", "chunk", "ner"]
train = "names/train.conll"
valid = "names/valid.conll"
test = "names/test.conll"

[input.words]
kind = "words"
vectors = "vectors.txt"
characters = { dim = 8, filters = 8 }
dropout = 0.2

[encoder.trunk]
layers = [
    { name = "context", kind = "bilstm", hidden = 12, dropout = 0.2 },
    { name = "phrases", kind = "conv", widths = [2, 3], filters = 8 },
]

[task.movies]
data = "movies"
kind = "classify"
target = "polarity"
attach = "phrases"
dropout = 0.3

[task.products]
data = "products"
kind = "classify"
target = "polarity"
attach = "phrases"

[task.stars]
data = "products"
kind = "regress"
target = "stars"
attach = "phrases"

[task.names]
data = "names"
kind = "tag"
target = "ner"
decoder = "crf"
attach = "context"
dropout = 0.2

[balance]
method = "uncertainty"

[optimizer]
learning_rate = 0.01
decay = "linear"

[train]
epochs = 6
batch_size = 16
patience = 1
"#;

/// What a finished program left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// The output of a program that shall have succeeded.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self.out
    }

    /// The output as JSON.
    pub fn json(self) -> Value {
        parse(&self.ok())
    }

    /// The output as one JSON value a line.
    pub fn json_lines(self) -> Vec<Value> {
        self.ok().lines().map(parse).collect()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// The program with arguments, deaf to the environment, its output caught.
pub fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_polytask"));
    command.args(args).env_remove("POLYTASK_DATA").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program to its end.
pub fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    command(args).output().expect("the program starts").into()
}

/// Waits for a program's end.
pub fn wait(child: Child) -> Ran {
    child.wait_with_output().expect("the program ends").into()
}

/// A fresh directory of this name.
pub fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if path.exists() {
        fs::remove_dir_all(&path).expect("the directory of an earlier test can be removed");
    }
    fs::create_dir_all(&path).expect("a directory can be made");
    path
}

/// A fresh directory with the demo's corpora, and [`SMALL`] as `small.toml` over a part of them.
pub fn small_project(name: &str) -> PathBuf {
    let folder = scratch(name);
    polytask::demo::write(&folder, 7).expect("the corpora can be written");
    for part in ["train/pos", "train/neg", "test/pos", "test/neg"] {
        let reviews = entries(&folder.join("movies").join(part));
        for review in reviews.iter().skip(40) {
            fs::remove_file(review).expect("a review can be removed");
        }
    }
    rewrite(&folder.join("products.jsonl"), |text| text.lines().take(200).flat_map(|line| [line, "\n"]).collect());
    for (part, sentences) in [("train", 120), ("valid", 60), ("test", 60)] {
        let path = folder.join("names").join(format!("{part}.conll"));
        rewrite(&path, |text| text.split_inclusive("\n\n").take(sentences).collect());
    }
    fs::write(folder.join("small.toml"), SMALL).expect("a config can be written");
    folder
}

fn rewrite(path: &Path, change: impl Fn(&str) -> String) {
    fs::write(path, change(&read(path))).expect("a corpus can be written");
}

/// The text of a file.
pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The JSON value that a text holds.
pub fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// The entries of a folder, sorted.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = listing.map(|entry| entry.expect("an entry that can be read").path()).collect();
    paths.sort();
    paths
}

/// Every file under a folder by its relative path, with its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for path in entries(&next) {
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("entries lie in their folder").display().to_string();
                found.insert(name, fs::read(&path).expect("a file can be read"));
            }
        }
    }
    found
}

/// Everything a run left that may depend on nothing but configuration, data and seed.
pub fn lasting_files(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = files(run);
    assert!(found.remove("timing.jsonl").is_some(), "{} has no timing.jsonl", run.display());
    found
}

/// Fails with the names of the files that differ.
pub fn assert_same_files(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>, what: &str) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}");
    let differing: Vec<&String> = found.keys().filter(|name| found[*name] != expected[*name]).collect();
    assert!(differing.is_empty(), "{what}: {differing:?} differ");
}

/// The status in a run's `run.json`.
pub fn status(run: &Path) -> String {
    parse(&read(&run.join("run.json")))["status"].as_str().expect("a status").to_owned()
}
