//! Do the factors on the learning rate name layers and tasks that exist?

use crate::error::suggest;
use crate::node::{Node, Value};
use crate::references::{fault_at, layer_name, names};
use crate::validate::Fault;

/// Faults of `optimizer.scale.layers` and `optimizer.scale.tasks`.
pub(crate) fn check(root: &Node) -> Vec<Fault> {
    let scale = root.get("optimizer").and_then(|optimizer| optimizer.get("scale"));
    let Some(scale) = scale else { return Vec::new() };
    let mut faults = Vec::new();
    let tasks: Vec<String> = names(root, "task").into_iter().map(str::to_string).collect();
    for (key, known, what) in [("layers", layers(root), "encoder or layer"), ("tasks", tasks, "task")] {
        let Some(Value::Table(entries)) = scale.get(key).map(|node| &node.value) else { continue };
        for (name, entry) in entries {
            if !known.contains(name) {
                let message = format!("`optimizer.scale.{key}` names `{name}`, which is no {what}");
                let help = suggest(name, known.iter().map(String::as_str));
                let mut fault = fault_at(root, &["optimizer", "scale", key, name], message, Some(help));
                fault.origin = entry.key.clone();
                faults.push(fault);
            }
        }
    }
    faults
}

/// Every encoder, each followed by its layers as `ENCODER.LAYER`.
fn layers(root: &Node) -> Vec<String> {
    let mut known = Vec::new();
    for encoder in names(root, "encoder") {
        known.push(encoder.to_string());
        let layers = root.get("encoder").and_then(|encoders| encoders.get(encoder)?.get("layers")?.array());
        for (index, layer) in layers.unwrap_or_default().iter().enumerate() {
            known.extend(layer_name(layer, index).map(|name| format!("{encoder}.{name}")));
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use crate::test_support::{THREE_TASKS, messages, spec};

    fn with(scale: &str) -> String {
        THREE_TASKS.replace("[optimizer]\n", &format!("[optimizer]\nscale = {{ {scale} }}\n"))
    }

    #[test]
    fn layers_and_tasks_are_named() {
        let scale = spec(&with("trunk = 0.5, layers = { trunk = 0.1, \"trunk.low\" = 2 }, tasks = { ner = 0 }"))
            .optimizer
            .scale;
        assert_eq!((scale.trunk, scale.layers["trunk.low"], scale.tasks["ner"]), (0.5, 2.0, 0.0));
        for (scale, fragments) in [
            ("layers = { \"trunk.lwo\" = 1 }", ["names `trunk.lwo`, which is no encoder or layer", "`trunk.low`"]),
            ("layers = { low = 1 }", ["names `low`", "accepted: `trunk`, `trunk.low`, `trunk.high`"]),
            ("tasks = { nre = 1 }", ["`optimizer.scale.tasks` names `nre`, which is no task", "did you mean `ner`?"]),
            ("tasks = { ner = -1 }", ["`optimizer.scale.tasks.ner` must be at least 0", "found -1"]),
        ] {
            let found = messages(&with(scale));
            assert_eq!(found.len(), 1, "{scale}: {found:#?}");
            fragments.iter().for_each(|fragment| assert!(found[0].contains(fragment), "{fragment}: {found:#?}"));
        }
    }
}
