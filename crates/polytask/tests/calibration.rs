//! How often does a study claim a difference where there is none?
//!
//! Both arms of an A/A study are the same: the same network, trained in the same way on the same examples, from disjoint seeds.
//! Whatever it claims is wrong, and it promises to claim something in at most 5 % of studies.

mod common;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use common::scratch;
use indexmap::IndexMap;
use polytask::data::open::Roots;
use polytask::demo::{RelatedTask, Sizes, write_related};
use polytask::metrics::TaskScores;
use polytask::run::{Best, Kept, Metrics};
use polytask::spec::{Spec, parse};
use polytask::study::statistics::Verdict;
use polytask::study::{End, Job, Left, answer, jobs};
use polytask::train::{Plan, Schedule, SplitName, State, evaluate_split, extensions, take_step};

const STUDIES: u64 = 200;

const CONFIG: &str = r#"
version = 1
seed = 0
data.first = { format = "lines", train = "first.train.tsv", valid = "first.valid.tsv", test = "first.test.tsv" }
data.second = { format = "lines", train = "second.train.tsv", valid = "second.valid.tsv", test = "second.test.tsv" }
input.words = { kind = "words", dim = 4, min_count = 1 }
encoder.trunk = { layers = [{ kind = "pool", pool = "mean" }, { kind = "dense", units = 4 }] }
task.first = { data = "first", kind = "classify", target = "label", metric = "accuracy" }
task.second = { data = "second", kind = "classify", target = "label", metric = "accuracy" }
optimizer = { learning_rate = 0.05 }
balance = { method = "equal", watch = 0 }
train = { epochs = 3, batch_size = 16, sampling = "joint" }
study = { budget.runs = 15, seeds = 5 }
"#;

fn spec(text: &str) -> Spec {
    parse("study.toml", text, &[], &extensions()).unwrap_or_else(|errors| panic!("{errors}")).spec
}

/// Trains the network of both tasks from a seed, and judges it on the test data.
fn scores(spec: &Spec, folder: &Path, seed: u64) -> IndexMap<String, TaskScores> {
    let mut spec = Spec { study: None, seed, ..spec.clone() };
    spec.data.values_mut().for_each(|data| data.files_mut().split.seed = Some(0));
    let mut plan = Plan::new(spec, &Roots { dirs: vec![folder.into()] }).expect("the study can be planned");
    let mut state = State::new(&plan);
    let schedule = Schedule::new(&plan.spec.optimizer, plan.steps_in_epoch(), plan.spec.train.epochs);
    for epoch in 0..plan.spec.train.epochs {
        for step in plan.sampler.epoch(epoch, &[true, true], &[0, 0]) {
            take_step(&mut plan, &mut state, &schedule, std::slice::from_ref(&step)).expect("a step can be taken");
        }
    }
    evaluate_split(&plan.model, &plan.corpus, &plan.targets, &plan.task_names(), SplitName::Test).0
}

/// A run that ended with these scores of its tasks.
fn end(job: &Job, scores: &IndexMap<String, TaskScores>) -> End {
    let of: IndexMap<String, TaskScores> = job.tasks.iter().map(|task| (task.clone(), scores[task].clone())).collect();
    let best = |task: &String| (task.clone(), Best { metric: "accuracy".into(), value: 0.5, epoch: 1, kept: 0.5 });
    let kept = Kept { epoch: 1, epochs: 1, criterion: "mean".into(), value: 0.5 };
    let splits = IndexMap::from([("valid".to_owned(), of.clone()), ("test".to_owned(), of)]);
    End::Complete(Box::new(Metrics { format: 1, kept, best: job.tasks.iter().map(best).collect(), splits }))
}

/// Whether a study of two arms that are the same claims that a task gained or lost.
fn claims(study: u64, folder: &Path) -> bool {
    fs::create_dir_all(folder).expect("a folder can be made");
    let tasks = [
        RelatedTask { name: "first", relatedness: 1.0 },
        RelatedTask { name: "second", relatedness: (study % 5) as f64 / 2.0 - 1.0 },
    ];
    write_related(folder, &tasks, Sizes { train: 64, valid: 8, test: 150 }, study).expect("texts can be written");
    let spec = spec(CONFIG);
    let jobs = jobs(&spec).expect("a study").planned;
    // Seeds of the arms have nothing in common.
    let arm = |first: u64| -> Vec<_> { (0..5).map(|seed| scores(&spec, folder, 10 * study + first + seed)).collect() };
    let (separate, joint) = (arm(0), arm(5));
    let ends: Vec<(Job, End)> = jobs
        .into_iter()
        .map(|job| {
            let arm = if job.tasks.len() == 1 { &separate } else { &joint };
            let end = end(&job, &arm[job.seed as usize]);
            (job, end)
        })
        .collect();
    let found = answer(&spec, &ends, &|_| Left::default());
    found.tasks.values().any(|task| matches!(task.comparison.verdict, Verdict::Helped | Verdict::Hurt))
}

#[test]
fn studies_of_the_same_network_twice_claim_as_little_as_promised() {
    let folder = scratch("calibration");
    let (next, wrong) = (AtomicU64::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let folder = folder.join(worker.to_string());
            let (next, wrong) = (&next, &wrong);
            scope.spawn(move || {
                while let study @ 0..STUDIES = next.fetch_add(1, Ordering::Relaxed) {
                    wrong.fetch_add(usize::from(claims(study, &folder)), Ordering::Relaxed);
                }
            });
        }
    });
    let wrong = wrong.into_inner();
    println!("{wrong} of {STUDIES} A/A studies claim a difference");
    // Binomial of 200 at 5 %: mean 10, deviation 3.08; 4 to 18 have a probability of 98.5 %.
    assert!((4..=18).contains(&wrong), "{wrong} of {STUDIES} studies without a difference claim one");
}
