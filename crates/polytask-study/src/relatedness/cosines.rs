//! How did the gradients of two tasks stand to each other over a run?

use std::fs;
use std::path::Path;

use indexmap::IndexMap;
use polytask_run::{Event, RunError};
use serde::{Deserialize, Serialize};

/// What the looks at two tasks' gradients saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairCosine {
    /// The tasks, in the order of the configuration.
    pub between: [String; 2],
    /// Mean cosine of the angle between their gradients in what they share, from -1 to 1.
    pub cosine: f64,
    /// Share of looks in which they pointed against each other.
    pub conflict_rate: f64,
    /// Number of looks.
    pub looks: u64,
}

/// Means over all `balance` events, in the order in which pairs first appear.
pub fn mean_cosines<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<PairCosine> {
    let mut sums: IndexMap<[String; 2], (f64, u64, u64)> = IndexMap::new();
    for event in events {
        let Event::Balance { cosines, .. } = event else { continue };
        for seen in cosines {
            let sum = sums.entry(seen.between.clone()).or_default();
            *sum = (sum.0 + seen.cosine, sum.1 + u64::from(seen.cosine < 0.0), sum.2 + 1);
        }
    }
    let mean = |(between, (sum, against, looks)): ([String; 2], (f64, u64, u64))| PairCosine {
        between,
        cosine: sum / looks as f64,
        conflict_rate: against as f64 / looks as f64,
        looks,
    };
    sums.into_iter().map(mean).collect()
}

/// The `balance` events of a run's `events.jsonl`.
///
/// # Errors
///
/// Where the file cannot be read or holds a line that is no event.
pub fn read_events(run: &Path) -> Result<Vec<Event>, RunError> {
    let path = run.join("events.jsonl");
    let text = fs::read_to_string(&path).map_err(|source| RunError::Io { path: path.clone(), source })?;
    let mut events: Vec<Event> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let damaged = |error| RunError::Damaged { path: path.clone(), what: format!("line {}: {error}", index + 1) };
        let event: Event = serde_json::from_str(line).map_err(damaged)?;
        if matches!(event, Event::Balance { .. }) {
            events.push(event);
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOKS: &str = r#"{"event":"end","epochs":1,"step":3,"kept_epoch":1}
{"event":"balance","epoch":1,"step":1,"tasks":{},"cosines":[{"between":["a","b"],"cosine":0.5},{"between":["a","c"],"cosine":-0.25}]}
{"event":"balance","epoch":1,"step":2,"tasks":{},"cosines":[{"between":["a","b"],"cosine":-0.1}]}
"#;

    #[test]
    fn means_by_hand_over_two_runs() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("events.jsonl"), LOOKS).unwrap();
        let events = [read_events(folder.path()).unwrap(), read_events(folder.path()).unwrap()].concat();
        let found = mean_cosines(&events);
        let [ab, ac] = found.as_slice() else { panic!("{found:?}") };
        assert!((ab.cosine - 0.2).abs() < 1e-12);
        assert_eq!((ab.conflict_rate, ab.looks), (0.5, 4));
        assert_eq!(
            (ac.between.clone(), ac.cosine, ac.conflict_rate, ac.looks),
            (["a", "c"].map(String::from), -0.25, 1.0, 2)
        );
        assert_eq!(mean_cosines(&[]), []);
    }

    #[test]
    fn a_damaged_line_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read_events(folder.path()), Err(RunError::Io { .. })));
        fs::write(folder.path().join("events.jsonl"), format!("{LOOKS}{{\n")).unwrap();
        let error = read_events(folder.path()).unwrap_err().to_string();
        assert!(error.contains("events.jsonl") && error.contains("line 4"), "{error}");
    }
}
