//! Fixed weights: the sum of the losses, each times a number that the user gives.
//!
//! ```text
//! w_t = c_t
//! ```
//!
//! For weights known from the application, and for the sweep that any adaptive method has to beat. The weights are
//! used as they are, not normalised: doubling all of them doubles the gradient.
//!
//! Cost a step: none.
//! Reference: Xin, Ghorbani, Garg, Firat and Gilmer, "Do current multi-task optimization methods in deep learning even
//! help?", NeurIPS 2022.
//!
//! Nothing is left to an implementation: LibMTL and Nash-MTL's code (linear scalarisation) have the same sum.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Balancer, Error, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of fixed weights.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    /// One weight a task, at least 0: a list in task order, or a table by task name.
    pub weights: FixedWeights,
}

/// One weight a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`weights` must be a list of numbers in task order, or a table of numbers by task name")]
pub enum FixedWeights {
    /// In task order.
    InOrder(Vec<f64>),
    /// By task name; every task must be there.
    ByName(BTreeMap<String, f64>),
}

impl Balancer for Fixed {
    const KEY: &'static str = "fixed";
    const SUMMARY: &'static str = "the sum of the losses with given weights";
    const REFERENCE: &'static str =
        "Xin et al., Do current multi-task optimization methods in deep learning even help?, NeurIPS 2022";
    const NEEDS: Needs = Needs::Losses;
    const COST: &'static str = "none";

    fn bind(self, tasks: &[String]) -> Result<Self> {
        let weights = match self.weights {
            FixedWeights::InOrder(weights) => weights,
            FixedWeights::ByName(by_name) => in_order(&by_name, tasks)?,
        };
        if weights.len() != tasks.len() {
            let (found, expected) = (weights.len(), tasks.len());
            return Err(wrong(format!(
                "`weights` lists {found} numbers for {expected} tasks: {}",
                quoted(tasks.iter())
            )));
        }
        for (weight, task) in weights.iter().zip(tasks) {
            if !(weight.is_finite() && *weight >= 0.0) {
                return Err(wrong(format!(
                    "the weight of `{task}` is {weight}, expected a finite number of at least 0"
                )));
            }
        }
        Ok(Fixed { weights: FixedWeights::InOrder(weights) })
    }

    fn example(tasks: &[String]) -> Map<String, Value> {
        // All different, so that a weight given to the wrong task is noticed.
        let weight = |place: usize| Value::from(1.0 / (place + 1) as f64);
        let weights: Map<String, Value> =
            tasks.iter().enumerate().map(|(place, task)| (task.clone(), weight(place))).collect();
        Map::from_iter([("weights".to_owned(), Value::Object(weights))])
    }

    fn laws(&self) -> Laws {
        // Weights by name follow their tasks; a list is bound to the order that it was written for.
        Laws { permutation: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let FixedWeights::InOrder(given) = &self.weights else {
            return Err(wrong("weights by name must be bound to the tasks before use".to_owned()));
        };
        if given.len() != seen.tasks() {
            return Err(Error::Tasks { what: "`weights`", expected: seen.tasks(), found: given.len() });
        }
        let weights = Weights::of_present(seen, |task, _| given[task])?;
        state.step += 1;
        Ok(weights)
    }
}

fn in_order(by_name: &BTreeMap<String, f64>, tasks: &[String]) -> Result<Vec<f64>> {
    let missing: Vec<&String> = tasks.iter().filter(|task| !by_name.contains_key(*task)).collect();
    let unknown: Vec<&String> = by_name.keys().filter(|name| !tasks.contains(name)).collect();
    let mut faults = Vec::new();
    if !missing.is_empty() {
        faults.push(format!("`weights` has none for {}", quoted(missing.into_iter())));
    }
    if !unknown.is_empty() {
        faults.push(format!("`weights` names {}, not a task", quoted(unknown.into_iter())));
    }
    if !faults.is_empty() {
        return Err(wrong(format!("{}; the tasks are {}", faults.join("; "), quoted(tasks.iter()))));
    }
    Ok(tasks.iter().map(|task| by_name[task]).collect())
}

fn quoted<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn wrong(message: String) -> Error {
    Error::Options { method: Fixed::KEY, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bind(weights: Value, tasks: &[&str]) -> std::result::Result<Vec<f64>, String> {
        let tasks: Vec<String> = tasks.iter().map(ToString::to_string).collect();
        let fixed: Fixed = serde_json::from_value(json!({ "weights": weights })).map_err(|error| error.to_string())?;
        let fixed = fixed.bind(&tasks).map_err(|error| error.to_string())?;
        let seen = Seen::new(vec![Some(1.0); tasks.len()]).map_err(|error| error.to_string())?;
        let weights = fixed.weigh(&mut State::default(), &seen).map_err(|error| error.to_string())?;
        Ok(weights.into_vec())
    }

    #[test]
    fn a_list_or_a_table() {
        assert_eq!(bind(json!([1, 0.25]), &["ner", "chunk"]), Ok(vec![1.0, 0.25]));
        assert_eq!(bind(json!({"ner": 1, "chunk": 0.25}), &["chunk", "ner"]), Ok(vec![0.25, 1.0]));
    }

    #[test]
    fn messages_name_the_tasks() {
        let tasks = ["ner", "chunk", "pos"];
        let cases = [
            (json!({"ner": 1}), "`weights` has none for `chunk`, `pos`; the tasks are `ner`, `chunk`, `pos`"),
            (json!({"ner": 1, "chunk": 1, "pos": 1, "srl": 1}), "`weights` names `srl`, not a task; the tasks are"),
            (json!([1, 2]), "`weights` lists 2 numbers for 3 tasks: `ner`, `chunk`, `pos`"),
            (json!([1, -2, 3]), "the weight of `chunk` is -2, expected a finite number of at least 0"),
            (json!("ner"), "`weights` must be a list of numbers in task order, or a table of numbers by task name"),
        ];
        for (weights, expected) in cases {
            let message = bind(weights, &tasks).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn weights_must_fit_the_step() {
        let tasks = ["a".to_owned()];
        let fixed = Fixed { weights: FixedWeights::InOrder(vec![2.0]) }.bind(&tasks).unwrap();
        let seen = Seen::new(vec![Some(1.0), Some(1.0)]).unwrap();
        assert!(matches!(fixed.weigh(&mut State::default(), &seen), Err(Error::Tasks { .. })));
        let unbound = Fixed { weights: FixedWeights::ByName(BTreeMap::new()) };
        assert!(matches!(unbound.weigh(&mut State::default(), &seen), Err(Error::Options { .. })));
    }
}
