//! What is there to try against it, in the words of this configuration?

use polytask_balance::Needs;
use polytask_run::Measured;
use polytask_spec::Spec;
use polytask_spec::training::Sampling;

/// Projects conflicts away.
const AGAINST_CONFLICT: &str = "pcgrad";

/// Methods that compare gradients, but only their lengths.
const LENGTHS_ALONE: [&str; 2] = ["gradnorm", "db-mtl"];

/// Makes gradients alike in length, as do these others.
const AGAINST_DOMINATION: &str = "gradnorm";
const AGAINST_DOMINATION_TOO: [&str; 2] = ["imtl-g", "db-mtl"];

/// What may help against what was measured of these tasks, the least change first.
pub(super) fn of(spec: &Spec, measured: &Measured, tasks: &[String]) -> Vec<String> {
    match (measured, tasks) {
        (Measured::Conflict { .. }, [first, second]) => conflict(spec, first, second),
        (Measured::Domination { .. }, [task]) => domination(spec, task),
        (Measured::NegativeTransfer { .. }, [task]) => negative_transfer(spec, task),
        _ => Vec::new(),
    }
}

fn conflict(spec: &Spec, first: &str, second: &str) -> Vec<String> {
    let mut advice = Vec::new();
    if !compares(spec) || LENGTHS_ALONE.contains(&spec.balance.method.as_str()) {
        advice.push(method(spec, AGAINST_CONFLICT));
    }
    let head = |task: &str| spec.task.get(task).and_then(|task| task.head.as_ref());
    if head(first).is_some() && head(first) == head(second) {
        advice.push(own_head(second));
        return advice;
    }
    let encoder = |task: &str| spec.task.get(task).map(|task| spec.encoder_of(task));
    if encoder(first) != encoder(second) {
        // What they share is the input.
        advice
            .extend(encoder(second).map(|name| format!("an input of its own for `{second}` (`encoder.{name}.input`)")));
        return advice;
    }
    // What two tasks share ends where the one that attaches lower does.
    let lower = if depth(spec, second) < depth(spec, first) { second } else { first };
    advice.extend(attach_lower(spec, lower));
    advice.push(own_encoder(second));
    advice
}

fn domination(spec: &Spec, task: &str) -> Vec<String> {
    let own = spec.balance.method.as_str();
    let mut advice = Vec::new();
    if own != AGAINST_DOMINATION && !AGAINST_DOMINATION_TOO.contains(&own) {
        advice.push(method(spec, AGAINST_DOMINATION));
    }
    advice.push(match own {
        "fixed" => format!("a smaller weight for `{task}` (`balance.weights`)"),
        _ => format!("`balance.method = \"fixed\"` with a smaller weight for `{task}` (`balance.weights`)"),
    });
    advice
}

fn negative_transfer(spec: &Spec, task: &str) -> Vec<String> {
    let mut advice = Vec::new();
    let shares_head = spec.task.get(task).and_then(|task| task.head.as_deref());
    if shares_head.is_some_and(|head| spec.tasks_of_head(head).count() > 1) {
        advice.push(own_head(task));
    } else {
        advice.extend(attach_lower(spec, task));
        advice.push(own_encoder(task));
    }
    advice.push("`polytask study`, which finds out who should share".to_owned());
    advice
}

/// A balancer, with the sampling that it needs where it compares gradients.
fn method(spec: &Spec, key: &str) -> String {
    let joint = spec.data.len() > 1 && spec.train.sampling != Sampling::Joint;
    let sampling = if joint { " with `train.sampling = \"joint\"`" } else { "" };
    format!("`balance.method = \"{key}\"`{sampling}")
}

/// Whether the balancer compares gradients already.
fn compares(spec: &Spec) -> bool {
    let entry = polytask_balance::find(&spec.balance.method);
    entry.is_some_and(|entry| !matches!(entry.needs, Needs::Losses | Needs::LossesAfter))
}

/// Index of the highest layer that a task's head reads; 0 for the first.
fn depth(spec: &Spec, task: &str) -> usize {
    let Some(task) = spec.task.get(task) else { return 0 };
    let (encoder, attached) = (spec.encoder_of(task), spec.attach_of(task));
    let layers = spec.encoder.get(encoder).map_or(0, |encoder| encoder.layers.len());
    let is_read = |index: &usize| spec.layer_name(encoder, *index).is_some_and(|name| attached.contains(&name));
    (0..layers).rev().find(is_read).unwrap_or(0)
}

/// The layer below the one that a task reads, where there is one.
fn attach_lower(spec: &Spec, task: &str) -> Option<String> {
    let encoder = spec.encoder_of(spec.task.get(task)?);
    let layer = spec.layer_name(encoder, spec.encoder.get(encoder)?.below(depth(spec, task))?)?;
    Some(format!("`task.{task}.attach = \"{layer}\"`"))
}

fn own_encoder(task: &str) -> String {
    format!("an encoder of its own for `{task}` (`task.{task}.encoder`)")
}

fn own_head(task: &str) -> String {
    format!("a head of its own for `{task}` (no `task.{task}.head`)")
}
