//! Spans and span F1 against seqeval's output on random, mostly ill-formed tags.
//!
//! The values are read from `spans.json` in the directory named by `POLYTASK_GOLDEN`, or else in
//! `<workspace>/../shared/golden`; where there is none, the test says so and checks nothing.

#![allow(clippy::print_stdout, reason = "a test that checks nothing says so")]

use std::path::PathBuf;

use polytask_metrics::{Scheme, SpanF1, convert, spans};
use serde_json::Value;

fn golden() -> Option<Value> {
    let folder = std::env::var_os("POLYTASK_GOLDEN")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden"), PathBuf::from);
    let path = folder.join("spans.json");
    if !path.exists() {
        println!("skipped: there is no {}", path.display());
        return None;
    }
    let text = std::fs::read_to_string(path).expect("the golden file can be read");
    Some(serde_json::from_str(&text).expect("the golden file is JSON"))
}

fn sequences(value: &Value) -> Vec<Vec<String>> {
    serde_json::from_value(value.clone()).expect("the golden file has this form")
}

fn expected_spans(value: &Value) -> Vec<Vec<(String, usize, usize)>> {
    serde_json::from_value(value.clone()).expect("the golden file has this form")
}

fn close(found: Option<f64>, expected: &Value, what: &str) {
    let (found, expected) = (found.unwrap_or(0.0), expected.as_f64().expect("a number"));
    assert!((found - expected).abs() < 1e-12, "{what}: {found} is not {expected}");
}

#[test]
fn agrees_with_seqeval() {
    let Some(golden) = golden() else { return };
    let cases = golden["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let (gold, predicted) = (sequences(&case["gold"]), sequences(&case["pred"]));
        for (tags, expected) in [(&gold, "gold_spans"), (&predicted, "pred_spans")] {
            let expected = expected_spans(&case[expected]);
            assert_eq!(tags.len(), expected.len());
            for (tags, expected) in tags.iter().zip(expected) {
                let found: Vec<_> = spans(tags).into_iter().map(|span| (span.kind, span.first, span.last)).collect();
                assert_eq!(found, expected, "{tags:?}");
            }
        }
        for scheme in [None, Some(Scheme::Iob1), Some(Scheme::Iob2), Some(Scheme::Bioes)] {
            let mut metric = SpanF1::new();
            for (gold, predicted) in gold.iter().zip(&predicted) {
                let predicted = scheme.map_or_else(|| predicted.clone(), |scheme| convert(predicted, scheme));
                metric.update(gold, &predicted).unwrap();
            }
            let result = metric.result();
            close(result.value("span-precision"), &case["precision"], "precision");
            close(result.value("span-recall"), &case["recall"], "recall");
            close(result.value("span-f1"), &case["f1"], "f1");
            close(result.macro_average.map(|scores| scores.f1), &case["f1_macro"], "f1_macro");
        }
    }
}
