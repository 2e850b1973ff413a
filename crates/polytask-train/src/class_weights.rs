//! How much does a target count?
//!
//! Balanced classes weigh `n / (classes * n_c)`, so that each class counts alike and the weights of all examples have the
//! mean 1 (King and Zeng, "Logistic regression in rare events data", Political Analysis, 2001, and scikit-learn's
//! `class_weight="balanced"`). Balanced labels weigh `(n - n_l) / n_l` where they are there, so that occurrences and
//! absences of a label count alike, as PyTorch recommends for `pos_weight`.

use polytask_data::table::Ragged;
use polytask_spec::suggest;
use polytask_spec::task::ClassWeights;

use crate::error::{Faults, TrainError};

/// The weight of each class of `classify`; empty where all count alike.
///
/// # Errors
///
/// Where a weight is given to what is no class.
pub fn of_classes(
    task: &str,
    weights: Option<&ClassWeights>,
    labels: &[String],
    targets: &[u32],
) -> Result<Vec<f32>, TrainError> {
    let counts = counts(labels.len(), targets.iter());
    let present: usize = counts.iter().sum();
    let balanced = |count: usize| present as f64 / (labels.len() * count.max(1)) as f64;
    resolve((task, "class_weights"), weights, labels, || counts.iter().map(|&count| balanced(count)).collect())
}

/// The weight of each label of `multilabel` where it is there; empty where all count alike.
///
/// # Errors
///
/// Where a weight is given to what is no label.
pub fn of_labels(
    task: &str,
    weights: Option<&ClassWeights>,
    labels: &[String],
    sets: &Ragged<u32>,
) -> Result<Vec<f32>, TrainError> {
    let counts = counts(labels.len(), sets.values().iter());
    let present = sets.iter().filter(|set| !set.contains(&u32::MAX)).count();
    // A label that every example has, or none of those that are kept, leaves nothing to balance.
    let balanced = |count: usize| match count {
        0 => 1.0,
        count if count == present => 1.0,
        count => (present - count) as f64 / count as f64,
    };
    resolve((task, "positive_weights"), weights, labels, || counts.iter().map(|&count| balanced(count)).collect())
}

fn counts<'a>(classes: usize, targets: impl Iterator<Item = &'a u32>) -> Vec<usize> {
    let mut counts = vec![0; classes];
    targets.filter(|&&target| target != u32::MAX).for_each(|&target| counts[target as usize] += 1);
    counts
}

fn resolve(
    (task, key): (&str, &str),
    weights: Option<&ClassWeights>,
    labels: &[String],
    balanced: impl FnOnce() -> Vec<f64>,
) -> Result<Vec<f32>, TrainError> {
    let given = match weights {
        None => return Ok(Vec::new()),
        Some(ClassWeights::Named(_)) => return Ok(balanced().into_iter().map(|weight| weight as f32).collect()),
        Some(ClassWeights::Given(given)) => given,
    };
    let mut faults = Faults::default();
    for class in given.keys().filter(|class| !labels.contains(class)) {
        let message = format!("training has no class `{class}`");
        let help = suggest(class, labels.iter().map(String::as_str));
        faults.take::<()>(Err(TrainError::config(&["task", task, key, class], message, help)));
    }
    let weight = |label: &String| given.get(label).map_or(1.0, |&weight| weight as f32);
    faults.finish(Some(labels.iter().map(weight).collect()))
}

#[cfg(test)]
mod tests {
    use polytask_spec::task::Balanced;

    use super::*;

    const BALANCED: Option<&ClassWeights> = Some(&ClassWeights::Named(Balanced::Balanced));

    fn labels() -> Vec<String> {
        ["a", "b", "c"].map(String::from).to_vec()
    }

    #[test]
    fn balanced_classes_count_alike() {
        // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 2, 2]) of scikit-learn: 6 / (3 * count).
        let weights = of_classes("t", BALANCED, &labels(), &[0, 0, 0, 1, u32::MAX, 2, 2]).unwrap();
        assert_eq!(weights, [2.0 / 3.0, 2.0, 1.0]);
        assert!(of_classes("t", None, &labels(), &[0]).unwrap().is_empty());
    }

    #[test]
    fn balanced_labels_weigh_as_their_absences() {
        let mut sets = Ragged::new();
        [&[0, 2][..], &[2], &[], &[u32::MAX], &[2, 0], &[2]].into_iter().for_each(|set| sets.push(set));
        assert_eq!(of_labels("t", BALANCED, &labels(), &sets).unwrap(), [1.5, 1.0, 0.25]);
    }

    #[test]
    fn weights_are_given_by_name() {
        let given = |name: &str| ClassWeights::Given([(name.to_string(), 4.0)].into_iter().collect());
        assert_eq!(of_classes("t", Some(&given("b")), &labels(), &[0]).unwrap(), [1.0, 4.0, 1.0]);
        let message = of_classes("t", Some(&given("bb")), &labels(), &[0]).unwrap_err().to_string();
        assert!(message.starts_with("task.t.class_weights.bb: training has no class `bb`"), "{message}");
    }
}
