//! Where do the inputs of the cases come from? A small project that is right in all its parts, before one is broken.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

const CONFIG: &str = r#"version = 1
name = "tiny"
seed = 7
threads = 1

[data.reviews]
format = "lines"
train = "reviews.tsv"
valid = "reviews-valid.tsv"
test = "reviews-test.tsv"

[data.names]
format = "conll"
columns = ["token", "ner"]
train = "names.conll"
valid = "names-valid.conll"

[input.words]
kind = "words"
vectors = "vectors.txt"

[encoder.trunk]
layers = [
    { name = "low", kind = "conv", widths = [1], filters = 4 },
    { name = "high", kind = "conv", widths = [1, 2], filters = 4 },
]

[task.reviews]
data = "reviews"
kind = "classify"
target = "label"
attach = "high"

[task.names]
data = "names"
kind = "tag"
target = "ner"
attach = "low"

[balance]
method = "equal"

[train]
epochs = 1
batch_size = 4
"#;

const REVIEWS: &str = "good\ta fine film\nbad\ta dull film\ngood\tso very good\nbad\tso very bad\n";
const NAMES: &str = "Anna B-PER\nsings O\n\nOslo B-LOC\nis O\nfine O\n";
const VECTORS: &str = "film 0.1 0.2 0.3\ngood 0.4 0.5 0.6\nbad -0.4 -0.5 -0.6\nis 0.7 0.8 0.9\n";

/// A folder with a config and its data.
pub struct Project {
    folder: TempDir,
}

/// How a call of the program ended.
pub struct Ended {
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error, with `DIR` for the project's folder.
    pub stderr: String,
}

impl Project {
    /// The project with nothing broken and nothing trained.
    pub fn new() -> Project {
        let project = Project { folder: tempfile::tempdir().expect("a folder for temporary files") };
        let files = [
            ("polytask.toml", CONFIG),
            ("reviews.tsv", REVIEWS),
            ("reviews-valid.tsv", REVIEWS),
            ("reviews-test.tsv", REVIEWS),
            ("names.conll", NAMES),
            ("names-valid.conll", NAMES),
            ("vectors.txt", VECTORS),
        ];
        files.iter().for_each(|(path, text)| project.write(path, text.as_bytes()));
        project
    }

    /// The project after training: its run is in `run`.
    pub fn trained() -> Project {
        static TRAINED: OnceLock<Project> = OnceLock::new();
        let trained = TRAINED.get_or_init(|| {
            let project = Project::new();
            let ended = project.run("train polytask.toml --out run", None);
            assert_eq!(ended.code, Some(0), "the project cannot be trained: {}", ended.stderr);
            project
        });
        let project = Project { folder: tempfile::tempdir().expect("a folder for temporary files") };
        trained.files().iter().for_each(|(path, bytes)| project.write(path, bytes));
        project
    }

    /// Where a file of the project is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("folders can be made");
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Removes a folder.
    pub fn remove_folder(&self, name: &str) {
        fs::remove_dir_all(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Makes a folder.
    pub fn folder(&self, name: &str) {
        fs::create_dir_all(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Replaces a text that stands in a file.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = String::from_utf8(self.read(name)).expect("the project's files are text");
        assert!(text.contains(from), "{name} has no {from:?}");
        self.write(name, text.replacen(from, to, 1).as_bytes());
    }

    /// Replaces a text in the config.
    pub fn config(&self, from: &str, to: &str) {
        self.edit("polytask.toml", from, to);
    }

    /// Cuts a file to a share of its bytes.
    pub fn cut(&self, name: &str, share: f64) {
        let bytes = self.read(name);
        self.write(name, &bytes[..(bytes.len() as f64 * share) as usize]);
    }

    /// Gives the task `reviews` another dataset: the lines of `[data.reviews]`, and what the task predicts.
    pub fn reviews_from(&self, data: &str, kind_and_target: &str) {
        let files =
            "format = \"lines\"\ntrain = \"reviews.tsv\"\nvalid = \"reviews-valid.tsv\"\ntest = \"reviews-test.tsv\"";
        self.config(files, data);
        self.config("kind = \"classify\"\ntarget = \"label\"", kind_and_target);
    }

    /// Every file and its bytes.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(self.folder.path(), self.folder.path(), &mut found);
        found
    }

    /// Runs the program in the project's folder; the words of `command` are its arguments.
    pub fn run(&self, command: &str, input: Option<&[u8]>) -> Ended {
        // Nothing of the caller's surroundings decides about colours, widths or where data is looked for.
        let mut child = Command::new(env!("CARGO_BIN_EXE_polytask"))
            .args(command.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .envs([("NO_COLOR", "1"), ("LC_ALL", "C.UTF-8"), ("TERM", "dumb")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        // The program may end before it reads.
        let _ = stdin.write_all(input.unwrap_or_default());
        drop(stdin);
        let output = child.wait_with_output().expect("the program ends");
        let folder = self.folder.path().display().to_string();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8");
        Ended {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr).replace(&folder, "DIR"),
        }
    }
}

/// Bytes as a `.gz` file.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory can be written to");
    encoder.finish().expect("memory can be written to")
}

/// Files as a `.tar.gz` archive.
pub fn archive(files: &[(String, String)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header, path, text.as_bytes()).expect("memory can be written to");
    }
    gzip(&builder.into_inner().expect("memory can be written to"))
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("an entry that can be read").path();
        let name = path.strip_prefix(root).expect("it is below the root").display().to_string();
        if path.is_dir() {
            // An empty folder counts as left behind too.
            found.insert(format!("{name}/.folder"), Vec::new());
            collect(root, &path, found);
        } else {
            found.insert(name, fs::read(&path).expect("the file can be read"));
        }
    }
}
