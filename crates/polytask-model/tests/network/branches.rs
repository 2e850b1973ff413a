//! Is a branch what its layers would be as a stack of their own?

use burn::tensor::Tensor;
use polytask_model::{Gradients, Mode, Owner, Pass, TargetBatch};
use polytask_spec::network::Pool;

use crate::fixture::{DIM, Fixture};
use crate::{ALL, close};

/// Three branches on the lowest layer, of which one parts again above a pool; a layer that nobody reads stands between them.
pub const BRANCHED: &str = r#"
[encoder.trunk]
layers = [
    { name = "low", kind = "bilstm", hidden = 3, dropout = DROPOUT },
    { name = "tags", kind = "conv", widths = [3], filters = 4, activation = "tanh", dropout = DROPOUT },
    { name = "idle", kind = "dense", units = 7 },
    { name = "texts", reads = "low", kind = "conv", widths = [2, 3], filters = 3, activation = "tanh" },
    { name = "whole", kind = "pool", pool = "mean" },
    { name = "top", kind = "dense", units = 3, activation = "tanh" },
    { name = "price", reads = "whole", kind = "dense", units = 2, activation = "none", dropout = DROPOUT },
    { name = "names", reads = "low", kind = "gru", hidden = 2 },
]

[task]
ner = { data = "news", target = "ner", kind = "tag", decoder = "crf", dropout = DROPOUT }
pos = { data = "news", target = "pos", kind = "tag", attach = ["low", "tags"] }
topic = { data = "mail", target = "label", kind = "classify", attach = "top" }
stars = { data = "shop", target = "stars", kind = "regress", attach = "price" }
"#;

/// The branches of [`BRANCHED`] that end in tags, one after the other without a branch between them.
const STACKS: [(&str, &str); 2] = [
    ("pos", "{ name = \"tags\", kind = \"conv\", widths = [3], filters = 4, activation = \"tanh\" }"),
    ("ner", "{ name = \"names\", kind = \"gru\", hidden = 2 }"),
];

#[test]
fn a_branch_is_its_own_stack() {
    let branched = Fixture::new(BRANCHED);
    for (task, layer) in STACKS {
        let attach = if task == "pos" { ", attach = [\"low\", \"tags\"]" } else { ", decoder = \"crf\"" };
        let stack = format!(
            "[encoder.trunk]\nlayers = [{{ name = \"low\", kind = \"bilstm\", hidden = 3 }}, {layer}]\n\
             [task]\n{task} = {{ data = \"news\", target = \"{task}\", kind = \"tag\"{attach} }}\n"
        );
        let mut alone = Fixture::new(&stack);
        let names: Vec<String> = alone.model.parameters.dense().iter().map(|one| one.name.clone()).collect();
        for (index, name) in names.iter().enumerate() {
            let values = branched.model.parameters.dense()[branched.dense(name)].to_vec();
            alone.model.parameters.update(index, |own| own.copy_from_slice(&values));
        }
        let table = branched.model.parameters.tables()[0].values.clone();
        alone.model.parameters.table_mut(0).values.copy_from_slice(&table);
        let [left, right] = [&branched, &alone].map(|of| of.infer(&ALL, &[of.task(task)]).remove(0));
        close(&left.values, &right.values, 1e-6);
        let [left, right] = [&branched, &alone].map(|of| of.gradients(&ALL, &[of.task(task)]));
        for (name, gradient) in names.iter().zip(&right.dense) {
            close(left.dense[branched.dense(name)].as_deref().unwrap(), gradient.as_deref().unwrap(), 1e-5);
        }
    }
}

#[test]
fn layers_belong_to_the_tasks_above_them_and_idle_ones_are_not_built() {
    let fixture = Fixture::new(BRANCHED);
    let owner = |layer: &str| {
        let prefix = format!("encoder.trunk.{layer}.");
        fixture.model.parameters.dense().iter().find(|one| one.name.starts_with(&prefix)).map(|one| one.owner)
    };
    let task = |name: &str| Some(Owner::Task(fixture.task(name)));
    assert_eq!([owner("low"), owner("texts")], [Some(Owner::Shared); 2]);
    assert_eq!([owner("tags"), owner("top"), owner("price")], [task("pos"), task("topic"), task("stars")]);
    assert_eq!([owner("names"), owner("idle")], [task("ner"), None]);
}

#[test]
fn what_tasks_have_in_common_ends_where_they_part() {
    // Both taggers read the news, and build on the lowest layer by branches of their own.
    let is_tagger = |line: &&str| !line.starts_with("topic") && !line.starts_with("stars");
    let network: String = BRANCHED.lines().filter(is_tagger).flat_map(|line| [line, "\n"]).collect();
    let fixture = Fixture::new(&network);
    let pass = Pass::new(&fixture.model.parameters, Mode::Train { seed: 3, step: 7 });
    let shared = fixture.model.shared_representation(&pass, fixture.feed(&ALL));
    assert_eq!(shared.clone().pooled(Pool::Mean).dims()[1], 6, "the lowest layer has six features");
    let mut total: Option<Tensor<1>> = None;
    for task in fixture.tasks() {
        let targets = TargetBatch { targets: &fixture.targets[task.0], index: &ALL };
        let from_shared = fixture.model.loss_from_shared(&pass, shared.clone(), (task, targets)).unwrap();
        let whole = fixture.loss_values(&ALL, &[task])[0].unwrap();
        assert!((f64::from(from_shared.clone().into_scalar::<f32>()) - whole).abs() < 1e-5);
        total = Some(total.map_or(from_shared.clone(), |total| total + from_shared));
    }
    let Gradients { rows, .. } = pass.backward(total.unwrap());
    assert_eq!(rows[0].values.len(), rows[0].rows.len() * DIM);
}
