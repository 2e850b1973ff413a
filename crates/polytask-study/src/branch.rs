//! What is the configuration in which tasks part above a layer?
//!
//! What stands above the layer is there once a task, or once for tasks that share a head; the layer and what it builds on are
//! shared as before.

use indexmap::IndexMap;
use polytask_spec::Spec;
use polytask_spec::network::{Encoder, Layer};
use polytask_spec::task::{Attach, Task};
use serde::{Deserialize, Serialize};

/// A layer above which tasks part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parted {
    /// Its encoder.
    pub encoder: String,
    /// The layer, the highest that is shared.
    pub layer: String,
}

/// Every layer above which some layer is shared that need not be, from the lowest.
pub(crate) fn partings(spec: &Spec) -> Vec<Parted> {
    let of_encoder = |(name, encoder): (&String, &Encoder)| {
        let shared_above = |layer: usize| {
            let above = (0..encoder.layers.len()).filter(|&at| at != layer && encoder.chain(at).any(|of| of == layer));
            above.into_iter().any(|at| readers(spec, name, at).len() > 1)
        };
        let layers = (0..encoder.layers.len()).filter(|&layer| shared_above(layer));
        let parted = |layer: usize| Parted { encoder: name.clone(), layer: encoder.layers[layer].name_at(layer) };
        layers.map(parted).collect::<Vec<Parted>>()
    };
    spec.encoder.iter().flat_map(of_encoder).collect()
}

/// The configuration in which the tasks part there; layers that are parted are named after their tasks, or the head that these
/// share.
pub(crate) fn part(spec: &mut Spec, parted: &Parted) {
    let Some(encoder) = spec.encoder.get(&parted.encoder).cloned() else { return };
    let names: Vec<String> = encoder.layers.iter().enumerate().map(|(at, layer)| layer.name_at(at)).collect();
    let Some(shared) = names.iter().position(|name| *name == parted.layer) else { return };
    let (mut layers, mut copies): (Vec<Layer>, IndexMap<(usize, String), String>) = (Vec::new(), IndexMap::new());
    for (at, layer) in encoder.layers.iter().enumerate() {
        let is_above = at != shared && encoder.chain(at).any(|below| below == shared);
        let owners = readers(spec, &parted.encoder, at);
        let below = encoder.below(at);
        let reading =
            |reads: Option<&String>, name: String| Layer { name: Some(name), reads: reads.cloned(), ..layer.clone() };
        if !is_above || owners.len() < 2 {
            // Its name may follow from its place, which changes; and it is the branch of its only owner, if any.
            let owner = owners.first().filter(|_| is_above);
            let copy = below.zip(owner).and_then(|(below, owner)| copies.get(&(below, owner.clone())));
            layers.push(reading(copy.or(below.map(|below| &names[below])), names[at].clone()));
            continue;
        }
        for owner in owners {
            let mut name = format!("{}-{owner}", names[at]);
            while names.contains(&name) || copies.values().any(|taken| *taken == name) {
                name.push_str("-own");
            }
            let copy = below.and_then(|below| copies.get(&(below, owner.clone())));
            layers.push(reading(copy.or(below.map(|below| &names[below])), name.clone()));
            copies.insert((at, owner), name);
        }
    }
    // Where the encoder's tasks attach, which for some follows from its last layer.
    let attached_of = |task: &Task| (spec.encoder_of(task) == parted.encoder).then(|| spec.attach_of(task));
    let attached: Vec<Option<Vec<String>>> = spec.task.values().map(attached_of).collect();
    for ((name, task), attached) in spec.task.iter_mut().zip(attached) {
        let Some(attached) = attached else { continue };
        let owner = owner(name, task);
        let own = |layer: String| {
            let at = names.iter().position(|name| *name == layer);
            at.and_then(|at| copies.get(&(at, owner.clone())).cloned()).unwrap_or(layer)
        };
        let mut attached: Vec<String> = attached.into_iter().map(own).collect();
        task.attach = Some(if attached.len() == 1 { Attach::One(attached.remove(0)) } else { Attach::Many(attached) });
    }
    let scale = &mut spec.optimizer.scale.layers;
    for ((at, _), copy) in &copies {
        let key = |layer: &str| format!("{}.{layer}", parted.encoder);
        if let Some(factor) = scale.get(&key(&names[*at])).copied() {
            scale.insert(key(copy), factor);
        }
    }
    let is_gone = |key: &String| copies.keys().any(|(at, _)| *key == format!("{}.{}", parted.encoder, names[*at]));
    scale.retain(|key, _| !is_gone(key));
    spec.encoder[&parted.encoder].layers = layers;
}

/// Whose a layer would be: that of a task, or of the head that several share.
fn owner(name: &str, task: &Task) -> String {
    task.head.clone().unwrap_or_else(|| name.to_owned())
}

/// The owners of what is attached to a layer or above it, in the order of their tasks.
fn readers(spec: &Spec, encoder: &str, layer: usize) -> Vec<String> {
    let layers = &spec.encoder[encoder];
    let mut readers: Vec<String> = Vec::new();
    for (name, task) in spec.task.iter().filter(|(_, task)| spec.encoder_of(task) == encoder) {
        let attached = spec.attach_of(task);
        let mut attached = (0..layers.layers.len()).filter(|&at| attached.contains(&layers.layers[at].name_at(at)));
        let owner = owner(name, task);
        if attached.any(|at| layers.chain(at).any(|below| below == layer)) && !readers.contains(&owner) {
            readers.push(owner);
        }
    }
    readers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::tests::{FOUR, spec};
    use crate::job::jobs;
    use crate::variant::joint_spec;

    fn deeper() -> Spec {
        let layers = "[{ kind = \"bilstm\" }, { kind = \"conv\", name = \"high\" }, { kind = \"dense\" }]";
        let text = FOUR
            .replace("[{ kind = \"conv\" }]", layers)
            .replace("task.films = {", "task.films = { attach = [\"bilstm1\", \"high\"],");
        let mut found = spec(&text);
        found.optimizer.scale.layers.clear();
        found.optimizer.scale.layers.insert("trunk.high".into(), 2.0);
        found
    }

    fn attached(spec: &Spec, task: &str) -> Vec<String> {
        spec.attach_of(&spec.task[task])
    }

    #[test]
    fn tasks_part_above_each_layer_that_has_shared_ones_above_it() {
        let whole = deeper();
        let layers: Vec<String> = partings(&whole).into_iter().map(|parted| parted.layer).collect();
        assert_eq!(layers, ["bilstm1", "high"]);
        let mut parted = whole.clone();
        part(&mut parted, &partings(&whole)[1]);
        assert_eq!(spec(&parted.to_toml()), parted);
        assert_eq!(attached(&parted, "films"), ["bilstm1", "high"], "what stands below stays");
        assert_eq!(attached(&parted, "stars"), ["dense3-stars"]);
        let mut parted = whole.clone();
        part(&mut parted, &partings(&whole)[0]);
        assert_eq!(spec(&parted.to_toml()), parted);
        assert_eq!(attached(&parted, "films"), ["bilstm1", "high-films"]);
        let layers = &parted.encoder["trunk"].layers;
        let of = |name: &str| layers.iter().find(|layer| layer.name.as_deref() == Some(name)).unwrap();
        assert_eq!(of("high-stars").reads.as_deref(), Some("bilstm1"));
        assert_eq!(of("dense3-stars").reads.as_deref(), Some("high-stars"));
        assert_eq!(parted.optimizer.scale.layers["trunk.high-stars"], 2.0);
        assert!(!parted.optimizer.scale.layers.contains_key("trunk.high"));
        assert!(partings(&parted).is_empty(), "nothing above a branch is shared any more");
        assert!(partings(&spec(FOUR)).is_empty(), "one layer has nothing above it");
    }

    #[test]
    fn tasks_that_share_a_head_stay_together() {
        let mut whole = deeper();
        for task in ["polarity", "stars"] {
            whole.task[task].head = Some("reviews".into());
        }
        let parting = partings(&whole)[0].clone();
        part(&mut whole, &parting);
        assert_eq!(attached(&whole, "polarity"), ["dense3"], "theirs alone, and needs no other name");
        assert_eq!(attached(&whole, "polarity"), attached(&whole, "stars"));
        let layers = &whole.encoder["trunk"].layers;
        let names: Vec<Option<&str>> = layers.iter().map(|layer| layer.name.as_deref()).collect();
        assert_eq!(names, [Some("bilstm1"), Some("high-reviews"), Some("high-films"), Some("dense3")]);
        assert_eq!(layers[3].reads.as_deref(), Some("high-reviews"));
    }

    #[test]
    fn a_study_tries_to_part_above_each_layer() {
        let deeper = FOUR.replace("[{ kind = \"conv\" }]", "[{ kind = \"bilstm\" }, { kind = \"conv\" }]");
        let text = format!("{deeper}[study]\nseeds = 1\nbudget.runs = 9\narms = [\"joint\"]\nbranch = true\n");
        let found = jobs(&spec(&text)).unwrap().planned;
        let ids: Vec<&str> = found.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["joint.fixed.adam.3", "joint.fixed.adam.parted-above-trunk-bilstm1.3"]);
        assert_eq!(attached(&found[1].spec, "stars"), ["conv2-stars"]);
        assert_eq!(spec(&found[1].spec.to_toml()), found[1].spec);
        assert_eq!(found[1].variant.words(), "fixed and adam, parted above `bilstm1` of `trunk`");
        let recommended = joint_spec(&spec(&text), &found[1].variant);
        assert_eq!(recommended.encoder, found[1].spec.encoder);
    }
}
