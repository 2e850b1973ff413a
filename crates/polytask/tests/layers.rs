//! Does every kind of layer learn, and can its training be interrupted? Networks of all of them, on small corpora.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use common::{assert_same_files, command, lasting_files, parse, read, run, small_project, status, wait};
use serde_json::Value;

/// Changes to the small project: the tasks read the layers `context` (tokens) and `phrases`.
const NETWORKS: [(&str, &[&str]); 5] = [
    (
        "gru",
        &[
            r#"encoder.trunk.layers=[{ name = "context", kind = "gru", hidden = 8, residual = true },
                { name = "phrases", kind = "gru", hidden = 6, directions = "forward", dropout = 0.2 }]"#,
            "task.movies.pool=last",
            "task.products.pool=first",
        ],
    ),
    (
        "lstm",
        &[
            r#"encoder.trunk.layers=[{ name = "context", kind = "lstm", hidden = 8 }, { kind = "norm" },
                { name = "phrases", kind = "conv", widths = [2], filters = 8, residual = true }]"#,
            "task.movies.pool=mean",
        ],
    ),
    (
        "transformer",
        &[
            r#"encoder.trunk.layers=[{ name = "context", kind = "transformer", width = 8, heads = 2, feedforward = 12, blocks = 1 },
                { name = "phrases", kind = "pool", pool = "attention" }]"#,
        ],
    ),
    (
        "learned",
        &[r#"encoder.trunk.layers=[{ kind = "norm" },
                { name = "context", kind = "transformer", width = 6, heads = 3, feedforward = 8, blocks = 2, activation = "relu",
                    positions = "learned", max_positions = 9 }, { kind = "pool", pool = "last" },
                { name = "phrases", kind = "dense", units = 6, residual = true }]"#],
    ),
    (
        "dropout",
        &[
            r#"encoder.trunk.layers=[{ name = "context", kind = "bilstm", hidden = 8, residual = true,
                    locked_dropout = 0.1, word_dropout = 0.05 },
                { name = "phrases", kind = "conv", widths = [2], filters = 8, locked_dropout = 0.05 }]"#,
            "input.words.dropout=0",
            "input.words.locked_dropout=0.1",
            "input.words.word_dropout=0.05",
            "task.movies.dropout=0",
            "task.stars.pool=attention",
        ],
    ),
];

/// A run of the small project with changes.
struct Job {
    folder: PathBuf,
    changes: Vec<String>,
    out: PathBuf,
}

impl Job {
    fn new(folder: &Path, changes: &[&str], out: &str, more: &[&str]) -> Job {
        let changes = changes.iter().chain(more).map(|&change| change.to_owned()).collect();
        Job { folder: folder.into(), changes, out: folder.join(out) }
    }

    fn arguments(&self, command: &str) -> Vec<String> {
        let mut arguments = vec![command.to_owned(), self.folder.join("small.toml").display().to_string()];
        let always = ["train.epochs=5", "train.patience=9", "balance.method=equal"].map(String::from);
        for change in always.iter().chain(&self.changes) {
            arguments.extend(["--set".into(), change.clone()]);
        }
        arguments
    }

    fn training(&self) -> Vec<String> {
        [self.arguments("train"), vec!["--out".into(), self.out.display().to_string()]].concat()
    }

    fn checkpointed(&self) -> Option<SystemTime> {
        fs::metadata(self.out.join("checkpoints/last.safetensors")).and_then(|file| file.modified()).ok()
    }

    /// Trains, and is ended after some checkpoints; then goes on.
    fn train_with_a_kill(&self, checkpoints: usize) {
        let mut child = command(self.training()).spawn().expect("the program starts");
        let (began, mut last, mut count) = (Instant::now(), None, 0);
        while count < checkpoints && child.try_wait().expect("the process can be asked").is_none() {
            let now = self.checkpointed();
            count += usize::from(now != last);
            last = now;
            assert!(began.elapsed() < Duration::from_secs(300), "no checkpoint comes");
            std::thread::sleep(Duration::from_micros(200));
        }
        child.kill().expect("a process can be ended");
        assert_eq!(wait(child).code, None, "the run was ended before its end");
        run([self.training(), vec!["--resume".into()]].concat()).ok();
    }

    /// What of the results does not name the settings.
    fn results(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = lasting_files(&self.out);
        files.retain(|name, _| !matches!(name.as_str(), "config.toml" | "environment.json" | "model/model.toml"));
        files
    }

    /// The training loss of a task in each epoch.
    fn losses(&self, task: &str) -> Vec<f64> {
        let events = read(&self.out.join("events.jsonl"));
        let epochs = events.lines().map(parse).filter(|event| event["event"] == "epoch");
        epochs.map(|event| event["tasks"][task]["loss"].as_f64().expect("a loss")).collect()
    }
}

fn learns_and_resumes(name: &str) {
    let changes = NETWORKS.iter().find(|network| network.0 == name).expect("a network of this name").1;
    let folder = small_project(&format!("layers-{name}"));
    let whole = Job::new(&folder, changes, "whole", &["threads=1"]);
    run(whole.training()).ok();
    assert_eq!(status(&whole.out), "complete");
    for task in ["movies", "products", "stars", "names"] {
        let losses = whole.losses(task);
        let (first, last) = (losses[0], losses[losses.len() - 1]);
        assert!(losses.len() == 5 && last < 0.95 * first, "{name}: the loss of `{task}` does not fall: {losses:?}");
    }
    let broken = Job::new(&folder, changes, "broken", &["threads=1", "train.checkpoint_seconds=0"]);
    broken.train_with_a_kill(9);
    assert_same_files(&broken.results(), &whole.results(), name);
    let other = Job::new(&folder, changes, "threads", &["threads=3"]);
    run(other.training()).ok();
    assert_same_files(&other.results(), &whole.results(), name);
    let text = "a fine film";
    let predicted = ["whole", "broken"].map(|out| {
        let model = folder.join(out).display().to_string();
        fs::write(folder.join("texts.txt"), text).expect("a text can be written");
        run(["predict", &model, "--task", "movies", &folder.join("texts.txt").display().to_string()]).ok()
    });
    assert!(predicted[0] == predicted[1] && !predicted[0].is_empty());
}

#[test]
fn grus_learn_and_resume() {
    learns_and_resumes("gru");
}

#[test]
fn lstms_and_norms_learn_and_resume() {
    learns_and_resumes("lstm");
}

#[test]
fn transformers_and_attention_learn_and_resume() {
    learns_and_resumes("transformer");
}

#[test]
fn learned_positions_and_residual_layers_learn_and_resume() {
    learns_and_resumes("learned");
}

#[test]
fn locked_and_word_dropout_learn_and_resume() {
    learns_and_resumes("dropout");
}

#[test]
fn check_counts_what_layers_hold_and_keep() {
    let folder = small_project("layers-check");
    let survey = |layer: &str| -> Value {
        let layers = format!(
            r#"encoder.trunk.layers=[{{ name = "context", kind = "dense", units = 5 }}, {layer}
                {{ name = "phrases", kind = "norm" }}]"#
        );
        let job = Job::new(&folder, &[&layers], "none", &[]);
        run([job.arguments("check"), vec!["--json".into()]].concat()).json()
    };
    let number = |survey: &Value, key: &str| survey[key].as_u64().expect("a number");
    let shared = |layer: &str| number(&survey(layer), "shared_parameters") as i64;
    let bare = shared("");
    // The layer's own, and two for each feature by which the norm above it grows.
    for (layer, own, width) in [
        (r#"{ kind = "norm" },"#, 2 * 5, 5),
        (r#"{ kind = "gru", hidden = 3 },"#, 2 * (5 * 9 + 3 * 9 + 9 + 3), 6),
        (r#"{ kind = "gru", hidden = 3, directions = "forward" },"#, 5 * 9 + 3 * 9 + 9 + 3, 3),
        (r#"{ kind = "lstm", hidden = 3 },"#, 5 * 12 + 3 * 12 + 12, 3),
        (r#"{ kind = "lstm", hidden = 3, residual = true },"#, 5 * 12 + 3 * 12 + 12 + 5 * 3, 3),
        (r#"{ kind = "pool", pool = "attention" },"#, 5 * 5 + 5 + 5, 5),
        (r#"{ kind = "pool", pool = "last" },"#, 0, 5),
        (
            r#"{ kind = "transformer", width = 4, heads = 2, feedforward = 6, blocks = 2, positions = "learned", max_positions = 7 },"#,
            (5 * 4 + 4) + 7 * 4 + 2 * (8 + (4 * 12 + 12) + (4 * 4 + 4) + 8 + (4 * 6 + 6) + (6 * 4 + 4)) + 8,
            4,
        ),
    ] {
        assert_eq!(shared(layer) - bare, own + 2 * (width - 5), "{layer}");
    }
    let [few, many] = ["2", "8"].map(|heads| {
        let layer = format!("{{ kind = \"transformer\", width = 16, heads = {heads}, feedforward = 8 }},");
        number(&survey(&layer), "memory_bytes")
    });
    assert!(few < many, "each head keeps weights of its own: {few}, {many}");
}

#[test]
fn the_kinds_of_layers_are_listed() {
    let listed = run(["list", "encoders"]).ok();
    for kind in ["conv", "bilstm", "lstm", "gru", "transformer", "dense", "norm", "pool"] {
        assert!(listed.lines().any(|line| line.split_whitespace().next() == Some(kind)), "{kind}: {listed}");
    }
}
