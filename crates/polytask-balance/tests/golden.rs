//! Directions of the methods against exact reference solutions made elsewhere.
//!
//! The file holds, for each of some matrices of gradients, the directions that reference programs found. It is not part
//! of the repository: without it, the test says so and does nothing.

use std::path::{Path, PathBuf};

use polytask_balance::{Gramian, Seen, find};
use serde_json::{Map, Value, json};

/// How far a direction may be from the reference, relative to the reference's length.
fn tolerance(method: &str) -> f64 {
    if method == "cagrad" { 1e-5 } else { 1e-6 }
}

/// The options with which a method is what the reference computes. `None`: no method of that name.
fn options(method: &str, parameters: &Value) -> Option<(&'static str, Value)> {
    Some(match method {
        "mean" => ("equal", json!({ "normalize": "mean" })),
        "cagrad" => ("cagrad", json!({ "radius": parameters["c"] })),
        "fairgrad" => ("fairgrad", json!({ "alpha": parameters["alpha"] })),
        other => (find(other)?.key, json!({})),
    })
}

/// The reference solutions, or why there are none.
fn golden() -> Result<Value, String> {
    let folder = std::env::var_os("POLYTASK_GOLDEN")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden"), PathBuf::from);
    let path = folder.join("balancers.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text).expect("the golden file is JSON"))
}

fn matrix(value: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(value.clone()).expect("a matrix of numbers")
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[test]
fn directions_agree_with_the_references() {
    let golden = match golden() {
        Ok(golden) => golden,
        Err(reason) => return println!("skipped, POLYTASK_GOLDEN is to say where the folder is: {reason}"),
    };
    let mut compared = 0;
    for case in golden["cases"].as_array().expect("a list of cases") {
        let gradients = matrix(&case["jacobian"]);
        let tasks: Vec<String> = (0..gradients.len()).map(|task| format!("task-{task}")).collect();
        let rows: Vec<Vec<f64>> =
            gradients.iter().map(|left| gradients.iter().map(|right| dot(left, right)).collect()).collect();
        let seen = Seen::new(vec![Some(1.0); gradients.len()])
            .and_then(|seen| seen.with_gramian(Gramian::new(&rows)?))
            .expect("a valid step");
        for (method, result) in case["results"].as_object().expect("results by method") {
            let (key, options) = options(method, &result["params"]).unwrap_or_else(|| panic!("no method {method}"));
            let options: Map<String, Value> = options.as_object().cloned().expect("a table");
            let balancer = (find(key).expect("a method").build)(&options, &tasks).expect("valid options");
            let weights = balancer.weigh(&mut balancer.init(tasks.len()), &seen).expect("weights").into_vec();
            let expected: Vec<f64> = serde_json::from_value(result["direction"].clone()).expect("a direction");
            let column = |entry: usize| gradients.iter().map(|gradient| gradient[entry]).collect::<Vec<_>>();
            let found: Vec<f64> = (0..expected.len()).map(|entry| dot(&weights, &column(entry))).collect();
            let apart: Vec<f64> = found.iter().zip(&expected).map(|(found, expected)| found - expected).collect();
            let error = dot(&apart, &apart).sqrt();
            // A direction that is zero has no relative error: the gradients' lengths are its scale.
            let length = dot(&expected, &expected).sqrt();
            let longest = gradients.iter().map(|gradient| dot(gradient, gradient)).fold(0.0, f64::max).sqrt();
            let scale = if length <= 1e-12 * longest { longest } else { length };
            println!("{:28} {method:12} {:e}", case["name"].as_str().unwrap_or_default(), error / scale);
            assert!(error <= tolerance(method) * scale, "{}, {method}: {error} of {scale}", case["name"]);
            compared += 1;
        }
    }
    assert!(compared > 0, "the golden file holds no result");
}
