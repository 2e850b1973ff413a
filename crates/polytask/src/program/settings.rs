//! Which settings may change when a run goes on?

use polytask::run::RunDirectory;
use polytask::spec::{Spec, parse};
use polytask::train::extensions;
use serde_json::Value;

use super::failure::Failure;

/// Keys that change how training goes on, not what is trained.
const CHANGEABLE: [&str; 10] = [
    "threads",
    "train.epochs",
    "train.patience",
    "train.checkpoint_seconds",
    "optimizer.learning_rate",
    "optimizer.scale",
    "optimizer.clip_norm",
    "optimizer.weight_decay",
    "optimizer.decay",
    "task.NAME.alone",
];

/// The keys in which a configuration differs from the one that a run began with.
///
/// # Errors
///
/// Where one of them decides what is trained, or the run's configuration cannot be read.
pub fn changed(run: &RunDirectory, now: &Spec) -> Result<Vec<String>, Failure> {
    let text = run.config()?;
    let place = run.path().join("config.toml");
    let began = parse(&place.display().to_string(), &text, &[], &extensions())?.spec;
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for (spec, out) in [(&began, &mut old), (now, &mut new)] {
        let value = serde_json::to_value(spec).map_err(|error| Failure::Failed(error.to_string()))?;
        flatten("", &value, out);
    }
    let differs = |key: &&String| find(&old, key) != find(&new, key);
    let mut keys: Vec<String> = old.iter().chain(&new).map(|(key, _)| key).filter(differs).cloned().collect();
    keys.sort_unstable();
    keys.dedup();
    let may_change = |key: &str| CHANGEABLE.iter().any(|known| is_below(key, known));
    match keys.iter().find(|key| !may_change(key)) {
        None => Ok(keys),
        Some(key) => {
            let say = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), Value::to_string);
            Err(Failure::Config(format!(
                "{}: the run began with `{key}` {}, now it is {}\n  help: restore it, or name another directory with \
                 --out; what may change is {}",
                place.display(),
                say(find(&old, key)),
                say(find(&new, key)),
                CHANGEABLE.join(", ")
            )))
        }
    }
}

/// Whether a key is this known one, in which `NAME` stands for any name, or one in the table of it.
fn is_below(key: &str, known: &str) -> bool {
    let mut parts = key.split('.');
    known.split('.').all(|known| parts.next().is_some_and(|part| known == "NAME" || part == known))
}

fn find<'a>(values: &'a [(String, Value)], key: &str) -> Option<&'a Value> {
    values.iter().find(|(known, _)| known == key).map(|(_, value)| value)
}

/// Every value that is no table, by its dotted key.
fn flatten(prefix: &str, value: &Value, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&key, value, out);
            }
        }
        other => out.push((prefix.to_owned(), other.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_key_stands_for_its_table_and_for_any_name() {
        assert!(is_below("optimizer.scale", "optimizer.scale") && is_below("optimizer.scale.trunk", "optimizer.scale"));
        assert!(!is_below("optimizer", "optimizer.scale") && !is_below("optimizer.scales", "optimizer.scale"));
        assert!(is_below("task.ner.alone", "task.NAME.alone") && !is_below("task.ner.metric", "task.NAME.alone"));
    }
}
