//! What is said about a run that a task is to be compared with?

use super::project::Project;
use super::{CHECK, Case, case};

const START: &str = r#"{"event":"start","format":1,"tasks":["reviews"],"steps_per_epoch":1,"epochs":1}"#;
const EPOCH: &str = r#"{"event":"epoch","epoch":1,"step":1,"learning_rate":0.1,"gradient_norm":1.0,"tasks":{"reviews":{"loss":1.0,"weight":1.0,"steps":1}}}"#;
const EVALUATION: &str = r#"{"event":"evaluation","epoch":1,"step":1,"split":"valid","tasks":{"reviews":{"loss":1.0,"examples":4,"f1-macro":0.5}}}"#;

/// The cases of `task.NAME.alone`.
pub fn alone() -> Vec<Case> {
    vec![
        case("A run that is not there", CHECK, 3, names_run, &["alone: no such file or folder", "help:"]),
        case(
            "A folder that is no run",
            CHECK,
            2,
            |p| {
                names_run(p);
                p.folder("alone");
            },
            &[
                "task.reviews.alone: `alone` is no run directory",
                "name the directory of a run that trained `reviews` alone",
            ],
        ),
        case(
            "A run that is not complete",
            CHECK,
            2,
            |p| {
                run_of(p, &[START]);
                p.edit("alone/run.json", "complete", "interrupted");
            },
            &["task.reviews.alone: the run `alone` is not complete", "--resume"],
        ),
        case(
            "A run of other tasks",
            CHECK,
            2,
            |p| run_of(p, &[&START.replace("reviews", "review")]),
            &["the run `alone` has no task `reviews`, it has `review`", "did you mean `review`?"],
        ),
        case(
            "A run of several tasks",
            CHECK,
            2,
            |p| run_of(p, &[&START.replace("\"reviews\"", "\"names\",\"reviews\"")]),
            &["the run `alone` trained `names`, `reviews` together", "trained `reviews` and nothing else"],
        ),
        case(
            "A run on other validation data",
            CHECK,
            2,
            |p| run_of(p, &[START, EPOCH, &EVALUATION.replace("\"examples\":4", "\"examples\":5")]),
            &["`alone` was judged on 5 validation examples, here there are 4", "the same data and splits"],
        ),
        case(
            "A run without the metric that decides",
            CHECK,
            2,
            |p| run_of(p, &[START, EPOCH, &EVALUATION.replace("f1-macro", "accuracy")]),
            &["`alone` has no `f1-macro` on validation data, it has accuracy", "task.reviews.metric"],
        ),
        case(
            "A run without validation scores",
            CHECK,
            3,
            |p| run_of(p, &[START, EPOCH]),
            &["alone/events.jsonl: expected an event `evaluation` of the split `valid`, found none"],
        ),
        case(
            "A run without a beginning",
            CHECK,
            3,
            |p| run_of(p, &[EPOCH, EVALUATION]),
            &["alone/events.jsonl: expected an event `start`, found none"],
        ),
        case(
            "An event that is cut off",
            CHECK,
            3,
            |p| run_of(p, &[START, EPOCH, &EVALUATION[..60]]),
            &["alone/events.jsonl:3: expected an event of a run, one JSON object, found EOF"],
        ),
        case(
            "An event whose fields are of another type",
            CHECK,
            3,
            |p| run_of(p, &[START, &EPOCH.replace("\"steps\":1", "\"steps\":-1"), EVALUATION]),
            &["alone/events.jsonl:2: expected the fields of an event `epoch`, found invalid value: integer `-1`"],
        ),
        case(
            "An event without the task",
            CHECK,
            3,
            |p| run_of(p, &[START, &EPOCH.replace("reviews", "names"), EVALUATION]),
            &[
                "alone/events.jsonl:2: expected an event `epoch` with the tasks of the event `start`, found no task `reviews`",
            ],
        ),
        case(
            "Events of a later format",
            CHECK,
            3,
            |p| run_of(p, &[&START.replace("\"format\":1", "\"format\":2")]),
            &["alone/events.jsonl: run format 2, but this version of polytask reads up to 1", "newer polytask"],
        ),
    ]
}

/// Compares the task `reviews` with a run in `alone`.
fn names_run(project: &Project) {
    project.config("target = \"label\"", "target = \"label\"\nalone = \"alone\"");
}

/// A complete run in `alone` with these events, and the task `reviews` compared with it.
fn run_of(project: &Project, events: &[&str]) {
    names_run(project);
    project.write("alone/run.json", br#"{"format":1,"name":"alone","status":"complete"}"#);
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    project.write("alone/events.jsonl", lines.as_bytes());
}
