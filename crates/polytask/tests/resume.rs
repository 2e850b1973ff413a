//! Does a run that was ended at any moment go on as if nothing had happened? Same configuration, data and seed: same
//! bytes, whoever ended the process and how often.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant, SystemTime};

use common::{Ran, assert_same_files, command, lasting_files, read, run, small_project, status, wait};

/// A checkpoint after every step, so that every moment of a run is tried.
const EVERY_STEP: &str = "train.checkpoint_seconds=0";

/// A config with changes to it, and where its run goes.
struct Job {
    folder: PathBuf,
    out: PathBuf,
    changes: Vec<&'static str>,
}

impl Job {
    fn new(folder: &Path, out: &str, changes: &[&'static str]) -> Job {
        Job { folder: folder.into(), out: folder.join(out), changes: changes.to_vec() }
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let mut arguments =
            vec!["train".into(), path(&self.folder.join("small.toml")), "--out".into(), path(&self.out)];
        for change in &self.changes {
            arguments.extend(["--set".into(), (*change).into()]);
        }
        arguments.extend(more.iter().map(|&argument| argument.into()));
        arguments
    }

    fn train(&self) -> Ran {
        run(self.arguments(&[]))
    }

    fn resume(&self) -> Ran {
        run(self.arguments(&["--resume"]))
    }

    /// Begins the run, or goes on with it where it exists.
    fn start(&self) -> Child {
        let more: &[&str] = if self.out.join("run.json").exists() { &["--resume"] } else { &[] };
        command(self.arguments(more)).spawn().expect("the program starts")
    }

    fn checkpointed(&self) -> Option<SystemTime> {
        fs::metadata(self.out.join("checkpoints/last.safetensors")).and_then(|file| file.modified()).ok()
    }

    fn events(&self) -> usize {
        fs::read(self.out.join("events.jsonl")).map_or(0, |bytes| bytes.iter().filter(|&&byte| byte == b'\n').count())
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        lasting_files(&self.out)
    }
}

/// When a process is ended.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// As soon as this file of the run, or of its parent, is there.
    Appears(&'static str),
    /// After so many new checkpoints.
    Checkpoints(usize),
    /// After so many new events.
    Events(usize),
    /// After so many milliseconds.
    Milliseconds(u64),
}

/// Waits for the moment, or for the process to end before it.
fn await_moment(job: &Job, child: &mut Child, moment: Moment) {
    let (began, events) = (Instant::now(), job.events());
    let (mut checkpoint, mut checkpoints) = (job.checkpointed(), 0);
    loop {
        let now = job.checkpointed();
        checkpoints += usize::from(now != checkpoint);
        checkpoint = now;
        let come = match moment {
            Moment::Appears(name) => job.out.join(name).exists(),
            Moment::Checkpoints(count) => checkpoints >= count,
            // A resumed run first takes back the events that its checkpoint does not know.
            Moment::Events(count) => job.events() >= events + count,
            Moment::Milliseconds(count) => began.elapsed() >= Duration::from_millis(count),
        };
        if come || child.try_wait().expect("the process can be asked").is_some() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{moment:?} does not come");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Ends the run at each of the moments, then lets it go to its end; says how often it was ended.
fn train_with_kills(job: &Job, moments: &[Moment]) -> usize {
    let mut kills = 0;
    for &moment in moments {
        let mut child = job.start();
        await_moment(job, &mut child, moment);
        child.kill().expect("a process can be ended");
        let ran = wait(child);
        assert!(matches!(ran.code, None | Some(0)), "{moment:?}: {}", ran.err);
        kills += usize::from(ran.code.is_none());
        if ran.code.is_some() && job.out.join("run.json").exists() && status(&job.out) == "complete" {
            return kills;
        }
    }
    wait(job.start()).ok();
    kills
}

/// Before the first checkpoint, within epochs, between an epoch's events and its checkpoint, and around the end.
const MOMENTS: [Moment; 14] = [
    Moment::Milliseconds(3),
    Moment::Appears("checkpoints"),
    Moment::Appears("events.jsonl"),
    Moment::Checkpoints(1),
    Moment::Checkpoints(7),
    Moment::Appears("checkpoints/.kept.safetensors.partial"),
    Moment::Events(1),
    Moment::Checkpoints(2),
    Moment::Events(3),
    Moment::Milliseconds(40),
    Moment::Checkpoints(11),
    Moment::Appears(".model.partial"),
    Moment::Appears("model"),
    Moment::Appears("metrics.json"),
];

/// A run that is ended again and again gives the bytes of one that is not.
fn survives_kills(name: &str, changes: &[&'static str]) {
    let folder = small_project(name);
    let changes = [changes, &[EVERY_STEP]].concat();
    let (whole, broken) = (Job::new(&folder, "whole", &changes), Job::new(&folder, "broken", &changes));
    whole.train().ok();
    assert_eq!(status(&whole.out), "complete");
    let kills = train_with_kills(&broken, &MOMENTS);
    assert!(kills >= 6, "the run was ended {kills} times only");
    assert_same_files(&broken.files(), &whole.files(), name);
}

#[test]
fn kills_leave_no_trace_proportional_adam() {
    survives_kills("kills-proportional", &[]);
}

#[test]
fn kills_leave_no_trace_uniform_sgd_dense_rows() {
    survives_kills(
        "kills-uniform",
        &["train.sampling=uniform", "optimizer.method=sgd", "optimizer.rows=dense", "optimizer.decay=cosine"],
    );
}

#[test]
fn kills_leave_no_trace_joint_adam_dense_rows() {
    survives_kills(
        "kills-joint",
        &["train.sampling=joint", "optimizer.rows=dense", "optimizer.warmup=0.2", "train.select=mean"],
    );
}

#[test]
fn kills_leave_no_trace_frozen_vectors_sgd_lazy_rows() {
    survives_kills(
        "kills-frozen",
        &["input.words.tune=false", "optimizer.method=sgd", "train.sampling=joint", "balance.method=equal"],
    );
}

#[test]
fn kills_leave_no_trace_losses_after_the_step() {
    survives_kills("kills-famo", &["train.sampling=joint", "balance.method=famo", "train.batch_size=8"]);
}

#[test]
fn kills_leave_no_trace_compared_gradients() {
    survives_kills("kills-nash", &["train.sampling=joint", "balance.method=nash-mtl", "train.batch_size=8"]);
}

#[test]
fn kills_leave_no_trace_affinities_of_tasks() {
    survives_kills("kills-affinity", &["train.sampling=joint", "balance.watch=2", "balance.affinity=true"]);
}

#[test]
fn kills_leave_no_trace_vectors_trained_later_temperature() {
    survives_kills("kills-later", &["input.words.tune_after=2", "train.sampling=temperature", "train.patience=0"]);
}

#[test]
fn kills_leave_no_trace_annealed_lstm_characters_and_shapes() {
    let characters = "input.words.characters={ encoder = \"lstm\", dim = 6, hidden = 5, dropout = 0.2 }";
    survives_kills("kills-annealed", &["train.sampling=annealed", characters, "input.words.shape={ dim = 3 }"]);
}

#[test]
fn the_small_run_stops_tasks_before_its_end() {
    let job = Job::new(&small_project("stops"), "run", &[]);
    job.train().ok();
    let events = read(&job.out.join("events.jsonl"));
    assert!(events.contains(r#""event":"stop""#), "{events}");
}

#[test]
fn same_seed_same_bytes_whatever_the_threads_and_the_checkpoints() {
    let folder = small_project("same");
    let one = Job::new(&folder, "one", &["threads=1"]);
    one.train().ok();
    let again = Job::new(&folder, "again", &["threads=1"]);
    again.train().ok();
    assert_same_files(&again.files(), &one.files(), "the same again");
    let results = |job: &Job| {
        let mut files = job.files();
        files.retain(|name, _| !matches!(name.as_str(), "config.toml" | "environment.json" | "model/model.toml"));
        files
    };
    for (out, changes) in
        [("two", ["threads=2", ""]), ("five", ["threads=5", ""]), ("often", ["threads=1", EVERY_STEP])]
    {
        let changes: Vec<&str> = changes.into_iter().filter(|change| !change.is_empty()).collect();
        let other = Job::new(&folder, out, &changes);
        other.train().ok();
        assert_same_files(&results(&other), &results(&one), out);
    }
    let other = Job::new(&folder, "seed", &["threads=1", "seed=4"]);
    other.train().ok();
    assert_ne!(other.files()["model/weights.safetensors"], one.files()["model/weights.safetensors"]);
}

#[test]
fn a_complete_run_says_so_and_shows_its_tables_again() {
    let job = Job::new(&small_project("complete"), "run", &["train.epochs=1"]);
    let first = job.train().ok();
    let files = common::files(&job.out);
    let again = job.resume();
    assert!(again.err.contains("is complete already"), "{}", again.err);
    assert_eq!(again.ok(), first);
    assert_eq!(common::files(&job.out), files);
    let anew = job.train();
    assert_eq!(anew.code, Some(2));
    assert!(anew.err.contains("exists already") && anew.err.contains("--resume"), "{}", anew.err);
    assert_eq!(common::files(&job.out), files);
}

#[test]
fn a_run_goes_on_only_as_it_began() {
    let folder = small_project("other");
    let job = Job::new(&folder, "run", &[EVERY_STEP]);
    let mut child = job.start();
    await_moment(&job, &mut child, Moment::Checkpoints(3));
    child.kill().expect("a process can be ended");
    wait(child);
    let before = common::files(&job.out);
    let other = Job::new(&folder, "run", &[EVERY_STEP, "train.batch_size=8"]).resume();
    assert_eq!(other.code, Some(2), "{}", other.err);
    assert!(other.err.contains("batch_size") && other.err.contains("--out"), "{}", other.err);
    assert_eq!(common::files(&job.out), before);
    let nothing = Job::new(&folder, "nothing", &[]).resume();
    assert_eq!(nothing.code, Some(2), "{}", nothing.err);
    assert!(nothing.err.contains("no run directory"), "{}", nothing.err);
}

#[test]
fn a_damaged_checkpoint_is_named_and_left_alone() {
    let job = Job::new(&small_project("damaged"), "run", &[EVERY_STEP]);
    let mut child = job.start();
    await_moment(&job, &mut child, Moment::Checkpoints(3));
    child.kill().expect("a process can be ended");
    wait(child);
    let path = job.out.join("checkpoints/last.safetensors");
    let whole = fs::read(&path).expect("a checkpoint can be read");
    let mut flipped = whole.clone();
    flipped[20] ^= 0x40;
    for damaged in [&whole[..0], &whole[..whole.len() / 2], &whole[..whole.len() - 1], b"\xff\xff\xff\xff", &flipped] {
        fs::write(&path, damaged).expect("a checkpoint can be damaged");
        let ran = job.resume();
        assert_eq!(ran.code, Some(3), "{}", ran.err);
        assert!(ran.err.contains("last.safetensors") && ran.err.contains("help:"), "{}", ran.err);
        assert_eq!(fs::read(&path).expect("a checkpoint can be read"), damaged);
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_run_that_goes_on() {
    let folder = small_project("interrupted");
    let changes = [EVERY_STEP, "train.epochs=4"];
    let (whole, broken) = (Job::new(&folder, "whole", &changes), Job::new(&folder, "broken", &changes));
    let tables = whole.train().ok();
    for moment in [Moment::Checkpoints(1), Moment::Checkpoints(9), Moment::Events(2)] {
        let mut child = broken.start();
        await_moment(&broken, &mut child, moment);
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
        let ran = wait(child);
        assert_eq!(ran.code, Some(130), "{moment:?}: {}", ran.err);
        assert!(ran.err.contains("--resume") && ran.err.contains("broken"), "{}", ran.err);
        assert_eq!(status(&broken.out), "interrupted");
    }
    let ended = broken.resume().ok();
    assert_eq!(ended.replace("broken", "whole"), tables);
    assert_same_files(&broken.files(), &whole.files(), "interrupted");
}

#[test]
fn divergence_names_the_batch_and_keeps_the_last_good_checkpoint() {
    let folder = small_project("diverged");
    let wild = ["optimizer.learning_rate=1e20", "optimizer.clip_norm=0", "train.epochs=1", EVERY_STEP];
    let job = Job::new(&folder, "run", &wild);
    let first = job.train();
    assert_eq!(first.code, Some(4), "{}", first.err);
    let message = message(&first);
    for part in ["loss of task `", " at step ", " examples of dataset `", "the first from ", "learning_rate"] {
        assert!(message.contains(part), "no `{part}` in {message}");
    }
    let place = message.split("the first from ").nth(1).and_then(|rest| rest.lines().next()).expect("a place");
    let (file, line) = place.rsplit_once(':').expect("file and line");
    let text = read(Path::new(file));
    let line: usize = line.parse().expect("a line number");
    assert!((1..=text.lines().count()).contains(&line), "{place}");
    assert_eq!(status(&job.out), "failed");
    let files = common::files(&job.out);
    let again = job.resume();
    assert_eq!(again.code, Some(4), "{}", again.err);
    assert_eq!(self::message(&again), message);
    assert_eq!(common::files(&job.out), files);
}

#[test]
fn divergence_that_only_evaluation_sees_is_told_as_well() {
    let one_step = ["train.batch_size=5000", "train.sampling=joint", "train.epochs=1"];
    let wild = ["optimizer.learning_rate=1e30", "optimizer.clip_norm=0"];
    let job = Job::new(&small_project("diverged-late"), "run", &[one_step.as_slice(), &wild].concat());
    for ran in [job.train(), job.resume()] {
        assert_eq!(ran.code, Some(4), "{}", ran.err);
        let message = message(&ran);
        assert!(message.contains("validation loss of task `movies` is NaN at step 1 (epoch 1)"), "{message}");
        assert_eq!(status(&job.out), "failed");
        assert!(!job.out.join("metrics.json").exists() && !job.out.join("model").exists());
    }
}

/// The error of a run, without what was said before it.
fn message(ran: &Ran) -> String {
    let begin = ran.err.find("error: ").unwrap_or_else(|| panic!("no error in {}", ran.err));
    ran.err[begin..].to_owned()
}
