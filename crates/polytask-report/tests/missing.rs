//! Is a run reported that is not complete or lacks files, and is damage named with its place?

mod common;

use std::fs;

use common::Made;
use polytask_report::{page, read, text};
use serde_json::{Value, json};

#[test]
fn a_run_that_did_not_end_is_reported_as_far_as_it_got() {
    for (status, said) in [
        ("interrupted", "Interrupted after epoch 4 of 4; it can be resumed. Kept so far: the model of epoch 3"),
        ("failed", "Failed after epoch 4 of 4. Kept so far"),
        ("running", "Still training, or ended without a word, after epoch 4 of 4. Kept so far"),
    ] {
        let report = Made { status, ..Made::of(2) }.write().report();
        assert!(report.verdict.starts_with(said), "{}", report.verdict);
        assert_eq!(report.splits.keys().collect::<Vec<_>>(), ["valid"]);
        // Without metrics.json and a configured metric the usual one decides: the lowest error, at epoch 3.
        let task = &report.tasks["task 1"];
        assert_eq!((task.metric.as_deref(), task.best_epoch), (Some("rmse"), Some(3)));
        assert_eq!(task.kept, task.best);
        assert!(page(&report).contains("There are no test scores.") && text(&report).contains("task 1  rmse"));
    }
}

#[test]
fn the_configuration_names_the_metric_of_a_run_that_did_not_end() {
    let run = Made { status: "interrupted", ..Made::of(1) }.write();
    run.write(
        "config.toml",
        "[train]\nselect = \"mean\"\n[task.\"task 1\"]\nmetric = \"accuracy\"\nkind = \"classify\"\n",
    );
    let report = run.report();
    let task = &report.tasks["task 1"];
    assert_eq!((task.metric.as_deref(), task.kind.as_deref()), (Some("accuracy"), Some("classify")));
    // Epoch 3 of 4: 0.5 + 0.3 * 3 / 4.
    assert_eq!(task.best, Some(0.725));
    assert!(report.verdict.ends_with("by mean = 0.0000: the highest mean of the tasks' scores on validation data."));
}

#[test]
fn a_run_that_just_began_has_a_page() {
    let run = Made { status: "running", ..Made::of(2) }.write();
    let began = run.read("events.jsonl").lines().next().unwrap().to_owned() + "\n";
    run.write("events.jsonl", &began);
    run.remove("timing.jsonl");
    let report = run.report();
    assert_eq!(report.verdict, "Still training, or ended without a word, before the end of its first epoch.");
    assert!(page(&report).contains("No epoch has been judged yet."));
    for name in ["events.jsonl", "config.toml", "environment.json"] {
        run.remove(name);
    }
    let report = run.report();
    assert!(report.tasks.is_empty());
    assert!(page(&report).contains("<h1>made") && text(&report).starts_with("made: Still training"));
}

#[test]
fn an_event_that_was_being_written_is_left_out() {
    let run = Made { status: "running", ..Made::of(1) }.write();
    let whole = run.report();
    run.write("events.jsonl", &(run.read("events.jsonl") + "{\"event\":\"epoch\",\"epo"));
    assert_eq!(run.report(), whole);
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let run = Made::of(1).write();
    let before = run.report();
    let mut metrics: Value = serde_json::from_str(&run.read("metrics.json")).unwrap();
    metrics["later"] = json!(1);
    metrics["splits"]["test"]["task 1"]["intervals"] = json!({"accuracy": [0.1, 0.2]});
    run.write("metrics.json", &metrics.to_string());
    run.write("events.jsonl", &run.read("events.jsonl").replace("\"rmse\":", "\"later\":{\"a\":[1]},\"rmse\":"));
    assert_eq!(run.report(), before);
}

#[test]
fn damage_is_named_with_file_and_line() {
    let run = Made::of(1).write();
    let events = run.read("events.jsonl");
    let lines = |change: &dyn Fn(&str) -> String| {
        let lines =
            events.lines().enumerate().map(|(index, line)| if index == 1 { change(line) } else { line.to_owned() });
        lines.map(|line| line + "\n").collect::<String>()
    };
    for (changed, expected) in [
        (lines(&|line| line[..20].to_owned()), "events.jsonl:2: expected one JSON object: EOF while parsing"),
        (
            lines(&|_| "{\"event\":\"dance\"}".to_owned()),
            "events.jsonl:2: unknown variant `dance`, expected one of `start`",
        ),
        (lines(&|_| "[]".to_owned()), "events.jsonl:2: "),
        (lines(&|line| line.replace("\"weight\"", "\"wait\"")), "events.jsonl:2: missing field `weight`"),
        (events.replace("\"examples\"", "\"exam\""), "events.jsonl:5: evaluation: task 1: missing field `examples`"),
        (events.replace("\"format\":1", "\"format\":2"), "events.jsonl: run format 2, but this version"),
    ] {
        run.write("events.jsonl", &changed);
        let error = run.error();
        assert!(error.starts_with(expected) && error.contains("help: "), "{error}");
    }
    run.write("events.jsonl", &events);
    for (file, text, expected) in [
        ("timing.jsonl", "{\"epoch\": 1}\n", "timing.jsonl:1: missing field `train_seconds`"),
        ("config.toml", "seed = 1\nseed = 2\n", "config.toml:2: duplicate key"),
        ("environment.json", "{\"seed\":\n-1}", "environment.json: the run is damaged: invalid value: integer `-1`"),
        ("metrics.json", "{\n\n", "metrics.json: the run is damaged: EOF while parsing an object at line 3"),
        ("metrics.json", "{\"format\": 7}", "metrics.json: run format 7, but this version"),
        ("metrics.json", "{\"format\": 1}", "metrics.json: the run is damaged: `kept` is missing"),
        ("run.json", "{\"format\": 3, \"name\": \"x\", \"status\": \"complete\"}", ""),
    ] {
        let before = run.read(file);
        run.write(file, text);
        let error = run.error();
        assert!(error.starts_with(expected) && error.contains("help: "), "{file}: {error}");
        run.write(file, &before);
    }
    run.remove("metrics.json");
    assert!(run.error().starts_with("metrics.json: the run is damaged: run.json says that it is complete"));
}

#[test]
fn what_is_no_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("is no run directory: it has no run.json"), "{error}");
}

#[test]
fn parameters_are_counted_where_there_is_a_model() {
    let run = Made::of(1).write();
    fs::create_dir(run.place("model")).unwrap();
    let header = br#"{"encoder.trunk.a.weight":{"dtype":"F32","shape":[1000,2],"data_offsets":[0,8000]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header].concat();
    fs::write(run.place("model/weights.safetensors"), bytes).unwrap();
    let report = run.report();
    assert_eq!((report.cost.parameters, report.cost.parts["encoder.trunk"]), (Some(2000), 2000));
    let text = text(&report);
    assert!(
        text.lines().any(|line| line.starts_with("parameters of encoder.trunk") && line.ends_with(" 2,000")),
        "{text}"
    );
}
