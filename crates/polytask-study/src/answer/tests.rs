//! Is the answer what hand-made runs say?

use polytask_run::{Event, Metrics};
use serde_json::json;

use super::*;
use crate::derive::tests::spec;
use crate::job::jobs;
use crate::recommend::{Decision, recommended};
use crate::statistics::Verdict;

mod measures;

const CONFIG: &str = r#"
version = 1
seed = 1
data.a = { format = "lines", train = "a", split = { valid = 0.1 } }
input.words = { kind = "words" }
encoder.trunk = { layers = [{ kind = "conv" }] }
task.one = { data = "a", kind = "classify", target = "label" }
task.two = { data = "a", kind = "regress", target = "label" }
task.three = { data = "a", kind = "classify", target = "label" }
"#;

/// A complete run: the score of each task on validation and test data, F1 for `one` and `three`, an error for `two`.
fn complete(tasks: &[String], score: impl Fn(&str, bool) -> f64) -> End {
    let metric = |task: &str| if task == "two" { "rmse" } else { "f1-macro" };
    let split = |test: bool| -> serde_json::Map<String, serde_json::Value> {
        let one =
            |task: &String| (task.clone(), json!({ "loss": 0.5, "examples": 9, metric(task): score(task, test) }));
        tasks.iter().map(one).collect()
    };
    let best = |task: &String| (task.clone(), json!({ "metric": metric(task), "value": 0.5, "epoch": 1, "kept": 0.5 }));
    let best: serde_json::Map<String, serde_json::Value> = tasks.iter().map(best).collect();
    let metrics = json!({
        "format": 1, "kept": { "epoch": 1, "epochs": 1, "criterion": "mean", "value": 0.5 }, "best": best,
        "splits": { "valid": split(false), "test": split(true) },
    });
    End::Complete(Box::new(serde_json::from_value::<Metrics>(metrics).unwrap()))
}

/// Noise of a seed, below 0.003.
fn noise(seed: u64, task: &str) -> f64 {
    ((seed * 7 + task.len() as u64 * 3) % 5) as f64 * 0.0007
}

/// A score whose gain over the task alone is `gain` of it.
fn scored(job: &Job, gain: impl Fn(&Job, &str) -> f64) -> End {
    complete(&job.tasks, |task, test| {
        let wobble = noise(job.seed + u64::from(job.arm == Arm::Joint), task) + if test { 0.0 } else { 0.001 };
        let sign = if task == "two" { -1.0 } else { 1.0 };
        (0.8 + wobble) * (1.0 + sign * gain(job, task))
    })
}

fn study(text: &str) -> (Spec, Vec<Job>) {
    let spec = spec(&format!("{CONFIG}{text}\n"));
    let jobs = jobs(&spec).unwrap().planned;
    (spec, jobs)
}

#[test]
fn who_gains_and_who_loses_is_told_whatever_the_metric() {
    let (spec, jobs) = study("study = { budget.runs = 100 }");
    let gain = |job: &Job, task: &str| match (job.arm, task) {
        (Arm::Joint, "one") => 0.1,
        (Arm::Joint, "two") => -0.2,
        _ => 0.0,
    };
    let ends: Vec<(Job, End)> = jobs.into_iter().map(|job| (job.clone(), scored(&job, gain))).collect();
    let left = |job: &Job| Left { parameters: Some(if job.arm == Arm::Joint { 12 } else { 10 }), ..Left::default() };
    let found = answer(&spec, &ends, &left);
    let verdicts: Vec<Verdict> = found.tasks.values().map(|task| task.comparison.verdict).collect();
    assert_eq!(verdicts, [Verdict::Helped, Verdict::Hurt, Verdict::Unchanged]);
    assert_eq!(found.worst_task.as_deref(), Some("two"));
    // (10 - 20 + 0) / 3 %, up to the noise.
    assert!((found.delta_m.unwrap() + 0.1 / 3.0).abs() < 0.003, "{:?}", found.delta_m);
    assert!(found.delta_m_paired.unwrap().interval.holds(found.delta_m.unwrap()));
    assert_eq!(found.parameters.values().copied().collect::<Vec<_>>(), [30, 12]);
    assert_eq!((found.seeds.clone(), found.tasks["one"].split.as_str()), (vec![1, 2, 3, 4, 5], "test"));
    let recommendation = &found.recommendation;
    assert_eq!(recommendation.decision, Decision::KeepApart);
    assert_eq!(recommendation.groups, [vec!["one", "three"], vec!["two"]]);
    assert!(recommendation.sentences[0].contains("Keep `two` apart"), "{recommendation:?}");
    let config = recommended(&spec, recommendation, None);
    assert_eq!(crate::derive::tests::spec(&config.to_toml()), config);
    assert_eq!(config.encoder_of(&config.task["two"]), "trunk-2");
    let json = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Answer>(&json).unwrap(), found);
}

#[test]
fn validation_chooses_and_test_does_not() {
    let (spec, jobs) =
        study("study = { budget.runs = 100, seeds = 2, balancers = [\"equal\", \"uncertainty\", \"dwa\", \"gls\"] }");
    let ends: Vec<(Job, End)> = jobs
        .into_iter()
        .map(|job| {
            // `uncertainty` is better on validation data, `equal` on test data; the first run of `dwa` diverged.
            let end = match job.variant.balancer.as_str() {
                "dwa" if job.seed == 1 => End::Diverged("nan".into()),
                "dwa" => complete(&job.tasks, |_, _| 0.99),
                "gls" => End::NotRun,
                "uncertainty" => complete(&job.tasks, |task, test| match (task, test) {
                    ("two", _) => 0.5,
                    (_, test) => {
                        if test {
                            0.6
                        } else {
                            0.9
                        }
                    }
                }),
                _ => complete(&job.tasks, |_, _| 0.7),
            };
            (job, end)
        })
        .collect();
    let found = answer(&spec, &ends, &|_| Left::default());
    let chosen: Vec<(&str, bool)> =
        found.joint.iter().map(|tried| (tried.variant.balancer.as_str(), tried.chosen)).collect();
    assert_eq!(chosen, [("equal", false), ("uncertainty", true), ("dwa", false), ("gls", false)]);
    // ((0.9 - 0.7) / 0.7 twice and (0.7 - 0.5) / 0.7) / 3.
    assert!((found.joint[1].delta_m_valid.unwrap() - 0.2 / 0.7).abs() < 1e-12);
    assert_eq!((found.joint[0].delta_m_valid, found.joint[2].delta_m_valid), (Some(0.0), None));
    assert!((found.tasks["one"].arms["joint"].mean - 0.6).abs() < 1e-12);
    assert!(found.tasks.values().all(|task| task.comparison.verdict == Verdict::Undecided));
    assert_eq!((found.diverged.len(), found.not_run.len()), (1, 2));
    assert_eq!(found.recommendation.decision, Decision::Undecided);
}

#[test]
fn pairs_and_cosines_make_groups() {
    let (spec, jobs) =
        study("study = { budget.runs = 100, arms = [\"separate\", \"joint\", \"pairs\"], networks = 2 }");
    let gain = |job: &Job, task: &str| {
        let friends = !job.tasks.contains(&"two".to_owned());
        match job.arm {
            Arm::Pairs if friends => 0.05,
            Arm::Pairs => -0.05,
            Arm::Joint if task == "two" => -0.1,
            _ => 0.0,
        }
    };
    let ends: Vec<(Job, End)> = jobs.into_iter().map(|job| (job.clone(), scored(&job, gain))).collect();
    let look = r#"{"event":"balance","epoch":1,"step":1,"tasks":{},"cosines":[
        {"between":["one","two"],"cosine":-0.5},{"between":["one","three"],"cosine":0.6},{"between":["two","three"],"cosine":-0.3}]}"#;
    let look: Event = serde_json::from_str(look).unwrap();
    let found = answer(&spec, &ends, &|_| Left { events: vec![look.clone()], ..Left::default() });
    let related = &found.relatedness;
    assert_eq!((related.cosines[0].cosine, related.cosines[0].looks), (-0.5, 5));
    assert_eq!(related.pair_gains.len(), 6);
    assert!(related.pair_gains.iter().all(|pair| (pair.gain.abs() - 0.05).abs() < 1e-9), "{related:?}");
    assert_eq!(related.groupings.len(), 2);
    // One and three gain 5 % each, two stays alone.
    let partition = related.partition.as_ref().unwrap();
    assert!((partition.expected_delta_m - 0.1 / 3.0).abs() < 1e-9);
    // The gains of the two pairs with `two` tie, but for rounding.
    assert_eq!(related.measures[0].name, "gradient-cosine");
    assert!(related.measures[0].agreement.unwrap().kendall > 0.3);
    assert!(related.pair_gains.iter().all(|pair| !pair.predicted));
    assert_eq!(found.recommendation.decision, Decision::Groups);
    let mut groups = found.recommendation.groups.clone();
    groups.sort();
    assert_eq!(groups, [vec!["one", "three"], vec!["two"]]);
}

#[test]
fn nothing_run_is_nothing_known() {
    let (spec, jobs) = study("study = { budget.runs = 100 }");
    let ends: Vec<(Job, End)> = jobs.into_iter().map(|job| (job, End::NotRun)).collect();
    let found = answer(&spec, &ends, &|_| Left::default());
    assert_eq!((found.delta_m, found.worst_task.as_deref(), found.not_run.len()), (None, None, 20));
    assert_eq!(found.recommendation.decision, Decision::Undecided);
    assert!(found.tasks.values().all(|task| task.arms.is_empty()));
}

#[test]
fn pairs_that_were_left_out_are_guessed_and_marked() {
    let arms = "arms = [\"separate\", \"joint\", \"pairs\", \"transfer\"]";
    let (spec, jobs) = study(&format!("study = {{ budget.runs = 100, seeds = 1, {arms} }}"));
    let gain = |job: &Job, task: &str| match (&job.arm, task) {
        (Arm::Pairs, "one") => 0.1,
        (Arm::Transfer, _) if job.after.as_ref().is_some_and(|after| after.task == "one") => 0.2,
        _ => 0.0,
    };
    let end = |job: &Job| match job.arm == Arm::Pairs && job.tasks == ["two", "three"] {
        true => End::NotRun,
        false => scored(job, gain),
    };
    let ends: Vec<(Job, End)> = jobs.into_iter().map(|job| (job.clone(), end(&job))).collect();
    let found = answer(&spec, &ends, &|_| Left::default()).relatedness;
    let predicted: Vec<(&str, &str)> = found
        .pair_gains
        .iter()
        .filter(|pair| pair.predicted)
        .map(|pair| (pair.task.as_str(), pair.partner.as_str()))
        .collect();
    assert_eq!(predicted, [("two", "three"), ("three", "two")]);
    assert_eq!(found.pair_gains.len(), 6);
    assert!(found.partition.is_some());
    let of = |task: &str, source: &str| {
        let found = found.transfer_gains.iter().find(|gain| gain.task == task && gain.partner == source);
        found.map(|gain| gain.gain).unwrap()
    };
    assert!((of("two", "one") - 0.2).abs() < 0.01 && of("one", "two").abs() < 0.01, "{found:?}");
    let measure = found.measures.iter().find(|measure| measure.name == "transfer-gain").unwrap();
    assert_eq!((measure.pairs, measure.runs), (3, 6));
}

#[test]
fn a_network_that_parts_is_recommended_where_validation_data_chose_it() {
    let deeper = CONFIG.replace("[{ kind = \"conv\" }]", "[{ kind = \"bilstm\" }, { kind = \"conv\" }]");
    let spec = spec(&format!("{deeper}study = {{ budget.runs = 100, branch = true }}\n"));
    let jobs = jobs(&spec).unwrap().planned;
    let gain = |job: &Job, _: &str| match (job.arm, &job.variant.parted) {
        (Arm::Joint, Some(_)) => 0.1,
        (Arm::Joint, None) => 0.05,
        _ => 0.0,
    };
    let ends: Vec<(Job, End)> = jobs.into_iter().map(|job| (job.clone(), scored(&job, gain))).collect();
    let found = answer(&spec, &ends, &|_| Left::default());
    let sentences = &found.recommendation.sentences;
    let first = "Train all tasks in one network, parted above `bilstm1` of `trunk`: none is shown to lose by it.";
    assert_eq!(sentences[0], first);
    let said = sentences.iter().find(|sentence| sentence.starts_with("Sharing that much less gains +")).unwrap();
    assert!(said.ends_with("on validation data over the network of the file."), "{said}");
    let variant = found.joint.iter().find(|tried| tried.chosen).map(|tried| &tried.variant);
    let config = recommended(&spec, &found.recommendation, variant);
    assert_eq!(config.attach_of(&config.task["two"]), ["conv2-two"]);
    assert_eq!(crate::derive::tests::spec(&config.to_toml()).encoder, config.encoder);
}
