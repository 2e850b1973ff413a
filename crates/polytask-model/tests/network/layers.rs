//! Do layers, pools, residual connections and dropouts do in a network what they say?

use burn::tensor::Tensor;
use polytask_model::{Mode, Owner, Pass};

use crate::fixture::{Fixture, on_both_paths, on_one_path};
use crate::{ALL, close};

/// Recurrent layers in one direction and both, normalised, with connections past them, pooled at their ends.
pub const RECURRENT: &str = r#"
[encoder.trunk]
layers = [
    { name = "low", kind = "gru", hidden = 3, residual = true, dropout = DROPOUT },
    { name = "forth", kind = "gru", hidden = 3, directions = "forward", locked_dropout = DROPOUT },
    { name = "long", kind = "lstm", hidden = 3, residual = true, word_dropout = DROPOUT },
    { name = "even", kind = "norm", epsilon = 0.1 },
    { name = "both", kind = "bilstm", hidden = 2, residual = true, locked_dropout = DROPOUT, word_dropout = DROPOUT },
    { name = "fine", kind = "norm", epsilon = 0.1 },
    { name = "whole", kind = "pool", pool = "last" },
    { name = "top", kind = "dense", units = 4, activation = "tanh", residual = true },
    { name = "flat", kind = "norm" },
]

[task]
ner = { data = "news", target = "ner", kind = "tag", decoder = "crf", attach = "low", dropout = DROPOUT }
pos = { data = "news", target = "pos", kind = "tag", attach = ["long", "both"] }
topic = { data = "mail", target = "label", kind = "classify", attach = ["low", "even", "flat"], pool = "last" }
stars = { data = "shop", target = "stars", kind = "regress", attach = "forth", pool = "first" }
"#;

/// Transformers and pools by attention; words that no layer below has spelled out.
pub const ATTENTIVE: &str = r#"
[encoder.left]
layers = [
    { name = "calm", kind = "norm" },
    { name = "wide", kind = "dense", units = 9, activation = "tanh", residual = true },
    { name = "deep", kind = "transformer", blocks = 2, width = 6, heads = 2, feedforward = 5, dropout = DROPOUT },
    { name = "whole", kind = "pool", pool = "attention", dropout = DROPOUT },
]

[encoder.right]
layers = [
    { name = "deep", kind = "transformer", blocks = 1, width = 9, heads = 3, feedforward = 4, activation = "relu", positions = "learned", max_positions = 5, dropout = DROPOUT },
    { name = "past", kind = "conv", widths = [2, 1], filters = 3, activation = "tanh", residual = true },
    { kind = "pool" },
]

[task]
topic = { data = "mail", target = "label", kind = "classify", encoder = "left" }
mood = { data = "mail", target = "label", kind = "classify", encoder = "left", attach = ["wide", "deep"], pool = "attention" }
stars = { data = "shop", target = "stars", kind = "regress", encoder = "right", attach = "pool3" }
pos = { data = "news", target = "pos", kind = "tag", encoder = "left", attach = "wide" }
ner = { data = "news", target = "ner", kind = "tag", encoder = "right", decoder = "crf", attach = "deep" }
"#;

fn names(fixture: &Fixture, beginning: &str) -> Vec<(String, Vec<usize>, Owner)> {
    let parameters = fixture.model.parameters.dense().iter();
    let of = parameters.filter(|parameter| parameter.name.starts_with(beginning));
    of.map(|parameter| (parameter.name[beginning.len()..].to_owned(), parameter.shape.clone(), parameter.owner))
        .collect()
}

#[test]
fn parameters_belong_to_who_reaches_them() {
    let fixture = Fixture::new(RECURRENT);
    let shapes = |beginning: &str| -> Vec<(String, Vec<usize>)> {
        names(&fixture, beginning).into_iter().map(|(name, shape, _)| (name, shape)).collect()
    };
    let expected = [
        ("forward.weight_ih", vec![9, 9]),
        ("forward.weight_hh", vec![3, 9]),
        ("forward.bias", vec![9]),
        ("forward.candidate_bias", vec![3]),
        ("backward.weight_ih", vec![9, 9]),
        ("backward.weight_hh", vec![3, 9]),
        ("backward.bias", vec![9]),
        ("backward.candidate_bias", vec![3]),
        ("residual.weight", vec![9, 6]),
    ];
    assert_eq!(shapes("encoder.trunk.low."), expected.map(|(name, shape)| (name.to_owned(), shape)));
    // Between equal widths nothing is learned.
    assert!(shapes("encoder.trunk.long.").iter().all(|(name, _)| name.starts_with("forward.")));
    assert_eq!(shapes("encoder.trunk.even."), [("weight".to_owned(), vec![3]), ("bias".to_owned(), vec![3])]);
    let topic = fixture.task("topic");
    assert!(names(&fixture, "encoder.trunk.flat.").iter().all(|(_, _, owner)| *owner == Owner::Task(topic)));
    let fixture = Fixture::new(ATTENTIVE);
    let [topic, mood] = ["topic", "mood"].map(|name| Owner::Task(fixture.task(name)));
    let attention = |dim: usize, owner: Owner| {
        [("weight", vec![dim, dim]), ("bias", vec![dim]), ("query", vec![dim, 1])]
            .map(|(name, shape)| (name.to_owned(), shape, owner))
    };
    assert_eq!(names(&fixture, "encoder.left.whole."), attention(6, topic));
    assert_eq!(names(&fixture, "task.mood.pool.wide."), attention(9, mood));
    assert_eq!(names(&fixture, "task.mood.pool.deep."), attention(6, mood));
    assert_eq!(names(&fixture, "encoder.left.deep.input.").len(), 2);
    assert_eq!(names(&fixture, "encoder.right.deep.input.").len(), 0);
}

/// The scores of a task whose head hands on what it reads: its weight is the identity, its bias zero.
fn read_by_head(fixture: &mut Fixture, task: &str) -> Vec<f32> {
    let [weight, bias] = ["weight", "bias"].map(|part| fixture.dense(&format!("task.{task}.head.{part}")));
    let classes = 3;
    fixture.model.parameters.update(weight, |values| {
        values.fill(0.0);
        (0..classes).for_each(|at| values[at * classes + at] = 1.0);
    });
    fixture.model.parameters.update(bias, |values| values.fill(0.0));
    let task = fixture.task(task);
    fixture.infer(&ALL, &[task]).remove(0).values
}

/// A network whose task reads the ends of a recurrent layer, and one that tags by every token of the same layer.
fn ends(kind: &str, pool: &str) -> Fixture {
    let network = format!(
        "[encoder.trunk]\nlayers = [{{ name = \"low\", {kind} }}, {{ name = \"flat\", kind = \"dense\", units = 3, activation = \"none\" }}]\n\
         [task]\n\
         topic = {{ data = \"mail\", target = \"label\", kind = \"classify\", attach = \"low\", pool = \"{pool}\" }}\n\
         pos = {{ data = \"news\", target = \"pos\", kind = \"tag\", attach = \"low\" }}\n"
    );
    Fixture::new(&network)
}

#[test]
fn ends_are_the_tokens_that_they_name() {
    // Three features go to three classes, and a tagger of three tags reads the same three from every token.
    for (kind, pool, last) in [
        ("kind = \"gru\", hidden = 3, directions = \"forward\"", "last", true),
        ("kind = \"lstm\", hidden = 3", "first", false),
        ("kind = \"conv\", filters = 3, widths = [2]", "last", true),
    ] {
        let mut fixture = ends(kind, pool);
        let pooled = read_by_head(&mut fixture, "topic");
        let by_token = read_by_head(&mut fixture, "pos");
        let (time, lengths) = (by_token.len() / ALL.len() / 3, [4, 1, 9, 0, 2, 6]);
        for (text, length) in lengths.into_iter().enumerate() {
            let got = &pooled[text * 3..][..3];
            let at = if last { length.max(1) - 1 } else { 0 };
            let want = if length == 0 { &[0.0; 3][..] } else { &by_token[(text * time + at) * 3..][..3] };
            close(got, want, 1e-6);
        }
    }
}

#[test]
fn the_end_of_a_bidirectional_layer_has_read_the_text_both_ways() {
    for kind in ["bilstm", "gru"] {
        let mut fixture = ends(&format!("kind = \"{kind}\", hidden = 3"), "last");
        let heads = ["topic", "pos"].map(|task| fixture.dense(&format!("task.{task}.head.weight")));
        // The backward half of the features, then the forward one.
        for (half, place) in [(1, 0), (0, usize::MAX)] {
            for head in heads {
                fixture.model.parameters.update(head, |values| {
                    values.fill(0.0);
                    (0..3).for_each(|at| values[(half * 3 + at) * 3 + at] = 1.0);
                });
            }
            let tasks = ["topic", "pos"].map(|task| fixture.task(task));
            for task in ["topic", "pos"] {
                let bias = fixture.dense(&format!("task.{task}.head.bias"));
                fixture.model.parameters.update(bias, |values| values.fill(0.0));
            }
            let [pooled, by_token] = [0, 1].map(|at| fixture.infer(&ALL, &tasks)[at].values.clone());
            let time = by_token.len() / ALL.len() / 3;
            for (text, length) in [4, 1, 9, 0, 2, 6].into_iter().enumerate().filter(|(_, length)| *length > 0) {
                let at = place.min(length - 1);
                close(&pooled[text * 3..][..3], &by_token[(text * time + at) * 3..][..3], 1e-6);
            }
        }
    }
}

#[test]
fn attention_with_a_query_of_zero_is_the_mean() {
    let network = |pool: &str| {
        format!(
            "[encoder.trunk]\nlayers = [{{ name = \"low\", kind = \"gru\", hidden = 3 }}]\n\
             [task]\n\
         topic = {{ data = \"mail\", target = \"label\", kind = \"classify\", pool = \"{pool}\" }}\n"
        )
    };
    let mut attentive = Fixture::new(&network("attention"));
    let query = attentive.dense("task.topic.pool.low.query");
    attentive.model.parameters.update(query, |values| values.fill(0.0));
    let mut mean = Fixture::new(&network("mean"));
    for parameter in mean.model.parameters.dense().to_vec() {
        let values = attentive.model.parameters.dense()[attentive.dense(&parameter.name)].to_vec();
        let index = mean.dense(&parameter.name);
        mean.model.parameters.update(index, |own| own.copy_from_slice(&values));
    }
    let scores = |fixture: &Fixture| fixture.infer(&ALL, &fixture.tasks()).remove(0).values;
    close(&scores(&attentive), &scores(&mean), 1e-5);
}

/// A network that tags and classifies by its words alone.
const WORDS: &str = r#"
[encoder.trunk]
layers = [{ name = "low", kind = "dense", units = 4, activation = "none" }]
[task]
pos = { data = "news", target = "pos", kind = "tag" }
topic = { data = "mail", target = "label", kind = "classify", pool = "mean" }
"#;

#[test]
fn dropout_of_words_and_features_is_for_training_alone_and_follows_from_seed_and_step() {
    let _kernels = on_one_path();
    for (options, other) in
        [("locked_dropout = 0.4", "word_dropout = 0.4"), ("word_dropout = 0.4", "locked_dropout = 0.4")]
    {
        let [plain, dropped, other] = ["", options, other].map(|options| Fixture::with_options(WORDS, "0.0", options));
        let tasks = plain.tasks();
        let scores =
            |fixture: &Fixture| fixture.infer(&ALL, &tasks).into_iter().map(|scores| scores.values).collect::<Vec<_>>();
        assert_eq!(scores(&plain), scores(&dropped));
        assert_ne!(plain.loss_values(&ALL, &tasks), dropped.loss_values(&ALL, &tasks));
        assert_ne!(other.loss_values(&ALL, &tasks), dropped.loss_values(&ALL, &tasks));
        assert_eq!(dropped.loss_values(&ALL, &tasks), dropped.loss_values(&ALL, &tasks));
        let at_step = |step: u64| {
            let pass = Pass::new(&dropped.model.parameters, Mode::Train { seed: 3, step });
            let losses = dropped.losses(&pass, &ALL, &tasks);
            losses.into_iter().flatten().map(|loss: Tensor<1>| loss.into_scalar::<f32>()).collect::<Vec<_>>()
        };
        assert_ne!(at_step(7), at_step(8));
    }
}

#[test]
fn what_is_learned_under_dropout_of_words_has_slopes_of_the_loss() {
    for options in ["locked_dropout = 0.3", "word_dropout = 0.3", "locked_dropout = 0.2\nword_dropout = 0.2"] {
        crate::check_gradients(Fixture::with_options(WORDS, "0.0", options));
    }
}

#[test]
fn without_kernels_the_network_is_the_same() {
    for network in [RECURRENT, ATTENTIVE] {
        let fixture = Fixture::with_dropout(network, "0.2");
        let tasks = fixture.tasks();
        let [plain, kernels] = on_both_paths(|| (fixture.loss_values(&ALL, &tasks), fixture.gradients(&ALL, &tasks)));
        for (plain, kernels) in plain.0.iter().zip(&kernels.0) {
            assert!((plain.unwrap() - kernels.unwrap()).abs() < 1e-5);
        }
        for (plain, kernels) in plain.1.dense.iter().zip(&kernels.1.dense) {
            close(plain.as_ref().unwrap(), kernels.as_ref().unwrap(), 1e-5);
        }
        close(&plain.1.rows[0].values, &kernels.1.rows[0].values, 1e-5);
    }
}
