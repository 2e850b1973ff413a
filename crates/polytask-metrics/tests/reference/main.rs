//! Metrics against scikit-learn's and scipy's output on hand-made, random and large inputs.
//!
//! `cases.json` holds inputs and expected values; `generate.py` beside it writes it. Every case is also cut in two and
//! merged. Values agree to 1e-9, absolutely or relatively; a value that does not exist is `null` there and `None` here.

use std::collections::BTreeMap;

use polytask_metrics::{
    Accuracy, Calibration, Confusion, GaussianNll, Multilabel, Pearson, Probability, Ranking, Rmse, Spearman, catalogue,
};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

/// Sebastiano Vigna's SplitMix64, as in `generate.py`.
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

fn cases(section: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("cases.json")).expect("the file is JSON");
    let cases: Vec<Value> = read(&file[section]);
    assert!(!cases.is_empty());
    cases
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).expect("the file has this form")
}

/// The expected values of a case by key; `None` where there is none.
fn expected(case: &Value) -> BTreeMap<String, Option<f64>> {
    read(&case["expected"])
}

/// The examples of a case: stored, or made from a seed.
fn examples<E>(case: &Value, stored: impl Fn() -> Vec<E>, make: impl Fn(&mut SplitMix) -> E) -> Vec<E> {
    let Some(made) = case.get("made") else { return stored() };
    let mut random = SplitMix(read(&made["seed"]));
    (0..read::<u64>(&made["count"])).map(|_| make(&mut random)).collect()
}

/// Feeds the whole stream to one metric, and two parts of it to two that are merged: (whole, merged).
fn whole_and_parts<M, E>(
    new: impl Fn() -> M,
    examples: &[E],
    feed: impl Fn(&mut M, &E),
    merge: fn(&mut M, &M),
) -> [M; 2] {
    let fed = |examples: &[E]| {
        let mut metric = new();
        examples.iter().for_each(|example| feed(&mut metric, example));
        metric
    };
    let (left, right) = examples.split_at(examples.len() / 3);
    let mut merged = fed(left);
    merge(&mut merged, &fed(right));
    [fed(examples), merged]
}

/// Compares all expected values that `keys` names, and says how many there were.
fn compare(case: &Value, keys: &[&str], value: impl Fn(&str) -> Option<f64>) -> usize {
    let expected = expected(case);
    for &key in keys {
        let (found, expected) = (value(key), expected[key]);
        let agree = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0),
            (found, expected) => found == expected,
        };
        assert!(agree, "{}: {key} is {found:?}, expected {expected:?}", case["name"]);
    }
    keys.len()
}

#[test]
fn classes() {
    const AVERAGED: [&str; 8] = [
        "accuracy",
        "mcc",
        "f1-macro",
        "f1-micro",
        "precision-macro",
        "precision-micro",
        "recall-macro",
        "recall-micro",
    ];
    for case in cases("labels") {
        let classes: usize = read(&case["classes"]);
        let stored = || {
            let (gold, predicted): (Vec<usize>, Vec<usize>) = (read(&case["gold"]), read(&case["predicted"]));
            gold.into_iter().zip(predicted).collect()
        };
        let pairs = examples(&case, stored, |random| {
            let gold = random.below(classes as u64);
            let predicted = if random.below(3) > 0 { gold } else { random.below(classes as u64) };
            (gold as usize, predicted as usize)
        });
        let [whole, merged] = whole_and_parts(Confusion::new, &pairs, |m, &(a, b)| m.update(a, b), Confusion::merge);
        assert_eq!(whole, merged);
        let result = whole.result();
        let mut compared = compare(&case, &AVERAGED, |key| result.value(key));
        compared +=
            compare(&case, &["f1-binary", "precision-binary", "recall-binary"], |key| result.binary(1).value(key));
        assert_eq!(compared, expected(&case).len());
        let labels: Vec<String> = (0..classes).map(|class| class.to_string()).collect();
        assert_eq!(whole.matrix(&labels).counts, read::<Vec<Vec<u64>>>(&case["matrix"]), "{}", case["name"]);
        for metric in whole_and_parts(Accuracy::new, &pairs, |m, &(a, b)| m.update(a, b), Accuracy::merge) {
            compare(&case, &["accuracy"], |key| metric.result().value(key));
        }
    }
}

#[test]
fn probabilities() {
    for case in cases("probabilities") {
        let classes: usize = read(&case["classes"]);
        let stored = || {
            let (gold, rows): (Vec<usize>, Vec<Vec<f32>>) = (read(&case["gold"]), read(&case["probabilities"]));
            gold.into_iter().zip(rows).collect()
        };
        let rows = examples(&case, stored, |random| {
            let weights: Vec<f32> = (0..classes).map(|_| (1 + random.below(16)) as f32).collect();
            let sum: f32 = weights.iter().sum();
            let row: Vec<f32> = weights.iter().map(|weight| weight / sum).collect();
            let best = (0..classes).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
            (if random.below(3) > 0 { random.below(classes as u64) as usize } else { best }, row)
        });
        let rankings = whole_and_parts(|| Ranking::new(classes), &rows, |m, (a, b)| m.update(*a, b), Ranking::merge);
        let calibrations = whole_and_parts(Calibration::new, &rows, |m, (a, b)| m.update(*a, b), Calibration::merge);
        let sums = whole_and_parts(Probability::new, &rows, |m, (a, b)| m.update(*a, b), Probability::merge);
        for ((ranking, calibration), probability) in rankings.iter().zip(&calibrations).zip(&sums) {
            let ranking = ranking.result();
            let mut compared = compare(&case, &["auroc", "auprc"], |key| ranking.value(key));
            compared += compare(&case, &["ece"], |key| calibration.result().value(key));
            compared += compare(&case, &["brier", "nll"], |key| probability.result().value(key));
            assert_eq!(compared, expected(&case).len());
        }
    }
}

#[test]
fn numbers() {
    for case in cases("numbers") {
        let stored = || {
            let (gold, predicted): (Vec<f64>, Vec<f64>) = (read(&case["gold"]), read(&case["predicted"]));
            gold.into_iter().zip(predicted).collect()
        };
        let pairs = examples(&case, stored, |random| {
            let gold = random.below(1000) as f64 / 8.0;
            (gold, gold + random.below(800) as f64 / 8.0 - 50.0)
        });
        let sums = whole_and_parts(Rmse::new, &pairs, |m, &(a, b)| m.update(a, b), Rmse::merge);
        let pearsons = whole_and_parts(Pearson::new, &pairs, |m, &(a, b)| m.update(a, b), Pearson::merge);
        let spearmans = whole_and_parts(Spearman::new, &pairs, |m, &(a, b)| m.update(a, b), Spearman::merge);
        for ((sums, pearson), spearman) in sums.iter().zip(&pearsons).zip(&spearmans) {
            let mut compared = compare(&case, &["rmse", "mae", "r2"], |key| sums.result().value(key));
            compared += compare(&case, &["pearson"], |key| pearson.result().value(key));
            compared += compare(&case, &["spearman"], |key| spearman.result().value(key));
            assert_eq!(compared, expected(&case).len());
        }
    }
}

#[test]
fn multilabel() {
    for case in cases("multilabel") {
        let (gold, predicted): (Vec<String>, Vec<String>) = (read(&case["gold"]), read(&case["predicted"]));
        let row = |text: &String| text.bytes().map(|digit| digit == b'1').collect::<Vec<bool>>();
        let rows: Vec<(Vec<Option<bool>>, Vec<bool>)> = gold
            .iter()
            .zip(&predicted)
            .map(|(gold, predicted)| (row(gold).into_iter().map(Some).collect(), row(predicted)))
            .collect();
        let new = || Multilabel::new(rows[0].1.len());
        for metric in whole_and_parts(new, &rows, |m, (a, b)| m.update(a, b), Multilabel::merge) {
            let expected = expected(&case);
            let keys: Vec<&str> = expected.keys().map(String::as_str).collect();
            compare(&case, &keys, |key| metric.result().value(key));
        }
    }
}

#[test]
fn likelihoods() {
    for case in cases("likelihoods") {
        let [gold, mean, deviation] = ["gold", "mean", "deviation"].map(|key| read::<Vec<f64>>(&case[key]));
        let rows: Vec<[f64; 3]> = (0..gold.len()).map(|row| [gold[row], mean[row], deviation[row]]).collect();
        let feed = |metric: &mut GaussianNll, &[gold, mean, deviation]: &[f64; 3]| metric.update(gold, mean, deviation);
        for metric in whole_and_parts(GaussianNll::new, &rows, feed, GaussianNll::merge) {
            assert_eq!(compare(&case, &["gaussian-nll"], |key| metric.result().value(key)), 1);
        }
    }
}

/// An entry that is added to the catalogue needs cases here; those of spans are compared elsewhere.
#[test]
fn every_metric_of_classes_and_numbers_has_cases() {
    let sections = ["labels", "probabilities", "numbers", "multilabel", "likelihoods"];
    let keys: Vec<String> = sections.into_iter().flat_map(|section| expected(&cases(section)[0]).into_keys()).collect();
    for entry in catalogue::all().iter().filter(|entry| !entry.kinds.contains(&catalogue::TaskKind::TagSpans)) {
        assert!(keys.iter().any(|key| key == entry.key), "{} has no cases", entry.key);
    }
}
