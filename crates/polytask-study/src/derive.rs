//! What is the configuration of a part of the tasks, or of tasks in groups that share nothing?

use indexmap::IndexMap;
use polytask_balance::{Needs, find};
use polytask_spec::Spec;
use polytask_spec::training::{GradientsAt, Sampling};
use serde_json::Value;

/// The configuration of some of its tasks alone, in their order: with the datasets, inputs and encoders that they read.
///
/// Options of the balancer that have an entry a task keep the entries of these. `[study]` and `threads` go away: they are
/// no part of what a run is.
pub fn restrict(spec: &Spec, tasks: &[String]) -> Spec {
    let mut part = spec.clone();
    (part.study, part.threads) = (None, None);
    let names: Vec<&String> = spec.task.keys().collect();
    for value in part.balance.options.values_mut() {
        match value {
            Value::Object(entries) if entries.keys().any(|key| names.contains(&key)) => {
                entries.retain(|key, _| !names.contains(&key) || tasks.contains(key));
            }
            Value::Array(entries) if entries.len() == names.len() => {
                let mut kept = names.iter().map(|name| tasks.contains(name));
                entries.retain(|_| kept.next().unwrap_or(true));
            }
            _ => {}
        }
    }
    part.task.retain(|name, _| tasks.contains(name));
    keep_used(&mut part);
    part_heads(&mut part, std::slice::from_ref(&tasks.to_vec()));
    let (scale, encoders) = (&mut part.optimizer.scale, &part.encoder);
    scale.tasks.retain(|name, _| tasks.contains(name));
    scale.layers.retain(|name, _| encoders.contains_key(encoder_of_scale(name)));
    part
}

/// The encoder that a key of `optimizer.scale.layers` is about: `ENCODER`, or `ENCODER.LAYER`.
fn encoder_of_scale(key: &str) -> &str {
    key.split_once('.').map_or(key, |(encoder, _)| encoder)
}

/// Lets tasks share a head within a group only: a head that one task of a group names is its own, and groups that name one head
/// have a head each.
fn part_heads(spec: &mut Spec, groups: &[Vec<String>]) {
    let mut taken: Vec<String> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let heads: Vec<Option<String>> = group.iter().map(|name| spec.task.get(name)?.head.clone()).collect();
        let mut given: IndexMap<&String, String> = IndexMap::new();
        for head in heads.iter().flatten() {
            let mut own = head.clone();
            while given.get(head).is_none() && taken.contains(&own) {
                own = format!("{own}-{}", index + 1);
            }
            given.entry(head).or_insert(own);
        }
        for (name, head) in group.iter().zip(&heads) {
            let (Some(head), Some(task)) = (head, spec.task.get_mut(name)) else { continue };
            let shared = heads.iter().flatten().filter(|other| *other == head).count() > 1;
            task.head = given.get(head).filter(|_| shared).cloned();
        }
        taken.extend(given.into_values());
    }
}

/// Takes out datasets, encoders and inputs that no task reads, after tasks say which they read.
fn keep_used(spec: &mut Spec) {
    name_choices(spec);
    let used =
        |pick: &dyn Fn(&polytask_spec::task::Task) -> String| -> Vec<String> { spec.task.values().map(pick).collect() };
    let data = used(&|task| task.data.clone());
    let encoders = used(&|task| spec.encoder_of(task).to_owned());
    let inputs: Vec<String> = encoders.iter().map(|encoder| spec.encoder_input(encoder).to_owned()).collect();
    spec.data.retain(|name, _| data.contains(name));
    spec.encoder.retain(|name, _| encoders.contains(name));
    spec.input.retain(|name, _| inputs.contains(name));
}

/// Names the encoder of each task and the input of each encoder, where there are several.
fn name_choices(spec: &mut Spec) {
    let encoders: Vec<String> = spec.task.values().map(|task| spec.encoder_of(task).to_owned()).collect();
    let inputs: Vec<String> = spec.encoder.keys().map(|encoder| spec.encoder_input(encoder).to_owned()).collect();
    if spec.encoder.len() > 1 {
        spec.task.values_mut().zip(encoders).for_each(|(task, encoder)| task.encoder = Some(encoder));
    }
    if spec.input.len() > 1 {
        spec.encoder.values_mut().zip(inputs).for_each(|(encoder, input)| encoder.input = Some(input));
    }
}

/// Draws the splits of every dataset by the file's own seed, so that runs of all seeds train and are judged on the same
/// examples.
pub fn pin_splits(spec: &mut Spec) {
    let seed = spec.seed;
    for data in spec.data.values_mut() {
        data.files_mut().split.seed.get_or_insert(seed);
    }
}

/// The configuration in which groups of tasks share within a group and nothing across: each further group has encoders, inputs
/// and, where another group reads the same, datasets of its own.
///
/// `groups` hold every task once.
pub fn keep_apart(spec: &Spec, groups: &[Vec<String>]) -> Spec {
    let mut apart = spec.clone();
    apart.study = None;
    if groups.len() < 2 {
        return apart;
    }
    pin_splits(&mut apart);
    (apart.data, apart.input, apart.encoder) = (IndexMap::new(), IndexMap::new(), IndexMap::new());
    let mut pinned = spec.clone();
    pin_splits(&mut pinned);
    for (index, group) in groups.iter().enumerate() {
        let mut names = Names { suffix: index + 1, given: IndexMap::new() };
        for name in group {
            let Some(task) = pinned.task.get(name) else { continue };
            let encoder = pinned.encoder_of(task).to_owned();
            let input = pinned.encoder_input(&encoder).to_owned();
            let new_input = names.copy("input", &input, &pinned.input, &mut apart.input);
            let new_encoder = names.copy("encoder", &encoder, &pinned.encoder, &mut apart.encoder);
            let new_data = names.copy("data", &task.data, &pinned.data, &mut apart.data);
            apart.encoder[&new_encoder].input = Some(new_input);
            copy_scale(&mut apart, &encoder, &new_encoder);
            let task = &mut apart.task[name];
            (task.encoder, task.data) = (Some(new_encoder), new_data);
        }
    }
    part_heads(&mut apart, groups);
    // What compares gradients needs a batch of every dataset, and there may be several now.
    let compares =
        find(&apart.balance.method).is_some_and(|entry| !matches!(entry.needs, Needs::Losses | Needs::LossesAfter));
    if compares {
        apart.train.sampling = Sampling::Joint;
    }
    apart.balance.gradients = GradientsAt::Parameters;
    apart
}

/// Gives the copy of an encoder the factors on the learning rate that the encoder has.
fn copy_scale(spec: &mut Spec, encoder: &str, copy: &str) {
    let layers = &mut spec.optimizer.scale.layers;
    let own = layers.iter().filter(|(key, _)| encoder_of_scale(key) == encoder);
    let own: Vec<(String, f64)> =
        own.map(|(key, scale)| (format!("{copy}{}", &key[encoder.len()..]), *scale)).collect();
    layers.extend(own);
}

/// The names that a group gives to what it reads.
struct Names {
    suffix: usize,
    given: IndexMap<(&'static str, String), String>,
}

impl Names {
    /// Copies an entry for this group, under its own name where no group has taken it yet.
    fn copy<T: Clone>(
        &mut self,
        section: &'static str,
        name: &str,
        from: &IndexMap<String, T>,
        to: &mut IndexMap<String, T>,
    ) -> String {
        let key = (section, name.to_owned());
        if let Some(known) = self.given.get(&key) {
            return known.clone();
        }
        let mut own = name.to_owned();
        while to.contains_key(&own) || (own != name && from.contains_key(&own)) {
            own = format!("{own}-{}", self.suffix);
        }
        to.insert(own.clone(), from[name].clone());
        self.given.insert(key, own.clone());
        own
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use polytask_spec::parse;
    use polytask_train::{balancer, extensions};

    use super::*;

    pub(crate) const FOUR: &str = r#"
version = 1
name = "four"
seed = 3
data.reviews = { format = "amazon", path = "a.jsonl", split = { valid = 0.1, test = 0.1 } }
data.names = { format = "conll", columns = ["token", "ner"], train = "t", valid = "v" }
data.films = { format = "lines", train = "f", split = { valid = 0.1, seed = 8 } }
input.words = { kind = "words" }
encoder.trunk = { layers = [{ kind = "conv" }] }
encoder.other = { layers = [{ kind = "bilstm" }] }
task.polarity = { data = "reviews", kind = "classify", target = "polarity", encoder = "trunk" }
task.stars = { data = "reviews", kind = "regress", target = "stars", encoder = "trunk" }
task.names = { data = "names", kind = "tag", target = "ner", encoder = "other" }
task.films = { data = "films", kind = "classify", target = "label", encoder = "trunk" }
balance = { method = "fixed", weights = { polarity = 1.0, stars = 0.5, names = 2.0, films = 1.0 } }
"#;

    pub(crate) fn spec(text: &str) -> Spec {
        parse("polytask.toml", text, &[], &extensions()).unwrap_or_else(|errors| panic!("{errors}\n{text}")).spec
    }

    fn names(text: &[&str]) -> Vec<String> {
        text.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn a_part_keeps_what_its_tasks_read() {
        let part = restrict(&spec(FOUR), &names(&["stars", "polarity"]));
        assert_eq!(part.task.keys().collect::<Vec<_>>(), ["polarity", "stars"]);
        assert_eq!(part.data.keys().collect::<Vec<_>>(), ["reviews"]);
        assert_eq!(part.encoder.keys().collect::<Vec<_>>(), ["trunk"]);
        assert_eq!(part.balance.options["weights"], serde_json::json!({ "polarity": 1.0, "stars": 0.5 }));
        assert!(balancer(&part).is_ok());
        assert_eq!(spec(&part.to_toml()), part);
        let list = FOUR.replace("{ polarity = 1.0, stars = 0.5, names = 2.0, films = 1.0 }", "[1.0, 0.5, 2.0, 4.0]");
        let part = restrict(&spec(&list), &names(&["names", "films"]));
        assert_eq!(part.balance.options["weights"], serde_json::json!([2.0, 4.0]));
        assert_eq!(part.encoder.len(), 2);
    }

    #[test]
    fn splits_are_pinned_to_the_files_seed() {
        let mut pinned = spec(FOUR);
        pin_splits(&mut pinned);
        let seeds: Vec<Option<u64>> = pinned.data.values().map(|data| data.files().split.seed).collect();
        assert_eq!(seeds, [Some(3), Some(3), Some(8)]);
    }

    #[test]
    fn groups_share_nothing() {
        let groups = [names(&["polarity", "names"]), names(&["films"]), names(&["stars"])];
        let apart = keep_apart(&spec(FOUR), &groups);
        let inputs: Vec<&str> = apart.task.values().map(|task| apart.input_of(task)).collect();
        assert_eq!(inputs, ["words", "words-3", "words", "words-2"]);
        let encoders: Vec<&str> = apart.task.values().map(|task| apart.encoder_of(task)).collect();
        assert_eq!(encoders, ["trunk", "trunk-3", "other", "trunk-2"]);
        let data: Vec<&str> = apart.task.values().map(|task| task.data.as_str()).collect();
        assert_eq!(data, ["reviews", "reviews-3", "names", "films"]);
        assert_eq!(spec(&apart.to_toml()), apart);
        assert!(balancer(&apart).is_ok());
        let one = keep_apart(&spec(FOUR), &[names(&["polarity", "stars", "names", "films"])]);
        assert_eq!(one, spec(FOUR));
    }

    #[test]
    fn heads_and_rates_go_with_their_groups() {
        let text = FOUR
            .replace("encoder.other", "optimizer.scale = { layers = { trunk = 0.5, \"trunk.conv1\" = 2.0 }, tasks = { stars = 0.1 } }\nencoder.other")
            .replace("task.films =", "task.more = { data = \"films\", kind = \"classify\", target = \"label\", encoder = \"trunk\", head = \"both\" }\ntask.films =")
            .replace("target = \"label\", encoder = \"trunk\" }", "target = \"label\", encoder = \"trunk\", head = \"both\" }")
            .replace("films = 1.0 }", "more = 1.0, films = 1.0 }");
        let whole = spec(&text);
        let both = restrict(&whole, &names(&["more", "films"]));
        assert_eq!(both.task["films"].head.as_deref(), Some("both"));
        assert!(both.optimizer.scale.tasks.is_empty() && both.optimizer.scale.layers.len() == 2);
        let one = restrict(&whole, &names(&["films", "names"]));
        assert_eq!((one.task["films"].head.as_deref(), spec(&one.to_toml())), (None, one.clone()));
        assert!(restrict(&whole, &names(&["names"])).optimizer.scale.layers.is_empty());
        let apart = keep_apart(&whole, &[names(&["polarity", "stars", "names"]), names(&["more", "films"])]);
        assert_eq!(apart.task["more"].head.as_deref(), Some("both"));
        assert_eq!(apart.optimizer.scale.layers["trunk-2.conv1"], 2.0);
        assert_eq!(spec(&apart.to_toml()), apart);
        let apart = keep_apart(&whole, &[names(&["polarity", "stars", "names", "more"]), names(&["films"])]);
        assert!(apart.task.values().all(|task| task.head.is_none()));
        let mut shared = whole;
        shared.task["polarity"].head = Some("both".into());
        shared.task["stars"].head = Some("both".into());
        part_heads(&mut shared, &[names(&["polarity", "stars"]), names(&["more", "films", "names"])]);
        let heads: Vec<Option<&str>> = shared.task.values().map(|task| task.head.as_deref()).collect();
        assert_eq!(heads, [Some("both"), Some("both"), None, Some("both-2"), Some("both-2")]);
    }

    #[test]
    fn what_compares_gradients_gets_every_batch() {
        let mgda = FOUR.replace("balance = {", "train.sampling = \"joint\"\nbalance = { method = \"mgda\" }\n#");
        let mut base = spec(&mgda);
        base.train.sampling = Sampling::Proportional;
        let apart = keep_apart(&base, &[names(&["polarity", "stars"]), names(&["names", "films"])]);
        assert_eq!(apart.train.sampling, Sampling::Joint);
        assert!(balancer(&apart).is_ok());
    }
}
