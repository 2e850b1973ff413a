//! A run directory made by hand: its files hold what the tests say and nothing a training made.

// Every test file is a program of its own and uses a part of this one.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};

use polytask_report::{Report, ReportError, read};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What a made run is like.
pub struct Made {
    pub tasks: Vec<String>,
    pub epochs: usize,
    /// Looks at gradients in each epoch.
    pub looks: usize,
    pub status: &'static str,
    pub splits: Vec<&'static str>,
    /// Classes of each task's confusion matrix, if it has one.
    pub classes: Option<usize>,
}

impl Made {
    /// A complete run of so many tasks, named `task 1`, `task 2`, ...
    pub fn of(tasks: usize) -> Made {
        let tasks = (1..=tasks).map(|task| format!("task {task}")).collect();
        Made { tasks, epochs: 4, looks: 2, status: "complete", splits: vec!["valid", "test"], classes: Some(3) }
    }

    /// Writes the run into a fresh directory.
    pub fn write(&self) -> Run {
        let run = Run { folder: tempfile::tempdir().expect("a directory can be made") };
        run.write("run.json", &json!({"format": 1, "name": "made", "status": self.status}).to_string());
        run.write("config.toml", "seed = 7\n\n[balance]\nmethod = \"equal\"\n");
        let environment = json!({"version": "0.1.0", "seed": 7, "threads": 2, "target": "t", "cpu_features": ["avx"]});
        run.write("environment.json", &environment.to_string());
        let lines = |values: Vec<Value>| values.iter().map(|value| format!("{value}\n")).collect::<String>();
        run.write("events.jsonl", &lines(self.events()));
        let time = |epoch| json!({"epoch": epoch, "train_seconds": 2.0, "evaluation_seconds": 0.5, "examples_per_second": 400.0});
        run.write("timing.jsonl", &lines((1..=self.epochs).map(time).collect()));
        if self.status == "complete" {
            run.write("metrics.json", &self.metrics().to_string());
        }
        run
    }

    /// The score of a task after an epoch: it grows, and falls in the last epoch.
    fn score(&self, task: usize, epoch: usize) -> f64 {
        let epoch = if epoch == self.epochs && epoch > 1 { epoch - 2 } else { epoch };
        0.5 + 0.3 * epoch as f64 / self.epochs as f64 + 0.01 * (task % 7) as f64
    }

    fn events(&self) -> Vec<Value> {
        let by_task = |value: &dyn Fn(usize) -> Value| {
            let tasks = self.tasks.iter().enumerate();
            Value::Object(tasks.map(|(index, name)| (name.clone(), value(index))).collect())
        };
        let mut events = vec![
            json!({"event": "start", "format": 1, "tasks": self.tasks, "steps_per_epoch": 10, "epochs": self.epochs}),
        ];
        for epoch in 1..=self.epochs {
            for look in 0..self.looks {
                let step = (epoch - 1) * self.looks.max(10) + look + 1;
                events.push(json!({"event": "balance", "epoch": epoch, "step": step, "conflict_rate": 0.5,
                    "cosines": self.cosines(),
                    "tasks": by_task(&|task| json!({"weight": 1.0 + task as f64 / step as f64, "gradient_norm": 2.0}))}));
            }
            events.push(json!({"event": "epoch", "epoch": epoch, "step": 10 * epoch, "learning_rate": 0.001,
                "gradient_norm": 3.0,
                "tasks": by_task(&|_| json!({"loss": 1.0 / epoch as f64, "weight": 1.0, "steps": 10}))}));
            events.push(json!({"event": "evaluation", "epoch": epoch, "step": 10 * epoch, "split": "valid",
                "tasks": by_task(&|task| self.scores(task, epoch))}));
            if epoch < self.epochs || epoch == 1 {
                events.push(json!({"event": "keep", "epoch": epoch, "criterion": 0.0}));
            }
        }
        if self.status == "complete" {
            let kept = self.kept();
            events.push(json!({"event": "end", "epochs": self.epochs, "step": 10 * self.epochs, "kept_epoch": kept}));
        }
        events
    }

    fn cosines(&self) -> Vec<Value> {
        let count = self.tasks.len();
        let pairs = (0..count).flat_map(|b| (0..b).map(move |a| (a, b)));
        let cosine = |(a, b): (usize, usize)| {
            let cosine = if (a + b) % 2 == 0 { 0.25 } else { -0.25 };
            json!({"between": [self.tasks[a], self.tasks[b]], "cosine": cosine})
        };
        pairs.map(cosine).collect()
    }

    fn kept(&self) -> usize {
        self.epochs.saturating_sub(1).max(1)
    }

    fn scores(&self, task: usize, epoch: usize) -> Value {
        let score = self.score(task, epoch);
        json!({"loss": 1.0 - score, "examples": 1200, "accuracy": score, "rmse": 1.0 - score,
            "classes": [{"name": "<b>&\"pos\"", "precision": 0.5, "recall": 0.25, "f1": 1.0 / 3.0, "support": 1234}]})
    }

    fn metrics(&self) -> Value {
        let kept = self.kept();
        let mut splits = serde_json::Map::new();
        for split in &self.splits {
            let tasks = self.tasks.iter().enumerate().map(|(index, name)| {
                let mut scores = self.scores(index, kept);
                if let Some(classes) = self.classes {
                    let labels: Vec<String> = (0..classes).map(|class| format!("label <{class}>")).collect();
                    let count = |row: usize, column: usize| (row * 7 + column * 3) % 11;
                    let counts: Vec<Vec<usize>> =
                        (0..classes).map(|row| (0..classes).map(|column| count(row, column)).collect()).collect();
                    scores["confusion"] = json!({"labels": labels, "counts": counts});
                }
                (name.clone(), scores)
            });
            splits.insert((*split).to_owned(), Value::Object(tasks.collect()));
        }
        let best = self.tasks.iter().enumerate().map(|(index, name)| {
            let value = self.score(index, kept);
            (name.clone(), json!({"metric": "accuracy", "value": value, "epoch": kept, "kept": value}))
        });
        json!({"format": 1, "splits": splits, "best": Value::Object(best.collect()),
            "kept": {"epoch": kept, "epochs": self.epochs, "criterion": "worst-regret", "value": 0.0125}})
    }
}

/// A run directory that goes away with this value.
pub struct Run {
    folder: TempDir,
}

impl Run {
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.place(name), text).expect("a file can be written");
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.place(name)).expect("a file can be removed");
    }

    pub fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.place(name)).expect("a file can be read")
    }

    pub fn report(&self) -> Report {
        read(self.path()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Why there is no report, with the directory left out.
    pub fn error(&self) -> String {
        let error: ReportError = read(self.path()).expect_err("a fault is found");
        error.to_string().replace(&format!("{}/", self.path().display()), "")
    }
}
