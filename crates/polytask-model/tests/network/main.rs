//! Is a network the sum of its parts? Gradients, masks, padding, fused layers, sharing and saving, on small examples.

mod branches;
mod features;
mod fixture;
mod heads;
mod layers;

use burn::tensor::Tensor;
use fixture::{CNN, DIM, Fixture, LSTM_AND_SHAPE, MISSING, UNLABELLED, tag_count};
use heads::HEADS;
use polytask_data::rng::Rng;
use polytask_model::{
    Gradients, LossSum, Mode, Model, Owner, Pass, Restore, TargetBatch, Targets, TaskId, load, save, weights,
};

const ALL: [u32; 6] = [0, 1, 2, 3, 4, 5];

/// Every kind of layer and task; one task reads several layers, two read one dataset.
const DEEP: &str = r#"
[encoder.trunk]
layers = [
    { name = "low", kind = "bilstm", hidden = 3, dropout = DROPOUT },
    { name = "high", kind = "conv", widths = [2, 3], filters = 3, activation = "tanh", dropout = DROPOUT },
    { name = "mid", kind = "dense", units = 4, activation = "tanh" },
    { name = "whole", kind = "pool", pool = "mean", dropout = DROPOUT },
    { name = "top", kind = "dense", units = 3, activation = "none" },
]

[task]
ner = { data = "news", target = "ner", kind = "tag", decoder = "crf", attach = "low", dropout = DROPOUT }
pos = { data = "news", target = "pos", kind = "tag", attach = ["low", "mid"] }
topic = { data = "mail", target = "label", kind = "classify", attach = ["low", "high", "top"], pool = "mean" }
stars = { data = "shop", target = "stars", kind = "regress", attach = "high", dropout = DROPOUT }
"#;

/// Two encoders on one input, rectified, with maxima on top of convolutions.
const WIDE: &str = r#"
[encoder.left]
layers = [
    { name = "wide", kind = "conv", widths = [1, 3, 3], filters = 4 },
    { kind = "pool" },
    { kind = "dense", units = 4, dropout = DROPOUT },
]

[encoder.right]
layers = [{ kind = "conv", widths = [4], filters = 5 }, { kind = "bilstm", hidden = 2 }]

[task]
topic = { data = "mail", target = "label", kind = "classify", encoder = "left" }
mood = { data = "mail", target = "label", kind = "classify", encoder = "left", attach = "wide" }
stars = { data = "shop", target = "stars", kind = "regress", encoder = "right", pool = "mean" }
pos = { data = "news", target = "pos", kind = "tag", encoder = "left", attach = "wide" }
ner = { data = "news", target = "ner", kind = "tag", encoder = "right", decoder = "crf", attach = "conv1" }
"#;

const NETWORKS: [&str; 6] = [DEEP, WIDE, HEADS, layers::RECURRENT, layers::ATTENTIVE, branches::BRANCHED];

#[track_caller]
fn close(got: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(got.len(), want.len());
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() <= tolerance * want.abs().max(1.0), "element {at}: got {got}, want {want}");
    }
}

/// A direction of length one: half along the gradient, so that the derivative is large, half at random.
fn direction(gradient: &[f32], rng: &mut Rng) -> Vec<f64> {
    let unit = |values: Vec<f64>| {
        let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-12);
        values.into_iter().map(|value| value / norm).collect::<Vec<f64>>()
    };
    let along = unit(gradient.iter().copied().map(f64::from).collect());
    let random = unit(gradient.iter().map(|_| rng.uniform() - 0.5).collect());
    unit(along.iter().zip(random).map(|(a, b)| a + b).collect())
}

/// Panics unless `gradient` is the slope of the loss along some directions, found by moving with `step`.
#[track_caller]
fn assert_slope(name: &str, gradient: &[f32], mut loss: impl FnMut(&[f64]) -> f64) {
    const STEP: f64 = 1e-3;
    let mut rng = Rng::derive(1, name, 0);
    for _ in 0..3 {
        let direction = direction(gradient, &mut rng);
        let mut at = |scale: f64| loss(&direction.iter().map(|value| value * scale).collect::<Vec<_>>());
        let slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        let expected: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(*g) * d).sum();
        // A loss of about 5 is known to 5e-7: half a thousandth of a slope at this step.
        assert!(
            (slope - expected).abs() <= 1e-2 * expected.abs() + 5e-4,
            "{name}: {expected}, but moving gives {slope}"
        );
    }
}

fn moved(values: &mut [f32], by: &[f64]) {
    values.iter_mut().zip(by).for_each(|(value, by)| *value = (f64::from(*value) + by) as f32);
}

/// Compares the gradient of every parameter and of the rows of word vectors with slopes of the loss.
fn check_gradients(mut fixture: Fixture) {
    let tasks = fixture.tasks();
    let Gradients { dense, rows } = fixture.gradients(&ALL, &tasks);
    for (index, gradient) in dense.iter().enumerate() {
        let name = fixture.model.parameters.dense()[index].name.clone();
        let gradient = gradient.as_ref().unwrap_or_else(|| panic!("`{name}` has no gradient"));
        let start = fixture.model.parameters.dense()[index].to_vec();
        assert_slope(&name, gradient, |by| {
            fixture.model.parameters.update(index, |values| moved(values, by));
            let loss = fixture.total(&ALL, &tasks);
            fixture.model.parameters.update(index, |values| values.copy_from_slice(&start));
            loss
        });
    }
    assert_eq!(rows.len(), 1);
    let start = fixture.model.parameters.tables()[0].values.clone();
    assert_eq!(rows[0].values.len(), rows[0].rows.len() * DIM);
    assert_slope("input.words.vectors", &rows[0].values, |by| {
        let table = fixture.model.parameters.table_mut(0);
        for (&row, by) in rows[0].rows.iter().zip(by.chunks(DIM)) {
            moved(&mut table.values[row as usize * DIM..][..DIM], by);
        }
        let loss = fixture.total(&ALL, &tasks);
        fixture.model.parameters.table_mut(0).values.copy_from_slice(&start);
        loss
    });
}

#[test]
fn gradients_are_slopes_of_the_loss() {
    for network in NETWORKS {
        check_gradients(Fixture::new(network));
    }
}

#[test]
fn gradients_are_slopes_of_the_loss_under_dropout() {
    for network in NETWORKS {
        check_gradients(Fixture::with_dropout(network, "0.3"));
    }
}

#[test]
fn missing_targets_have_no_loss_and_no_gradient() {
    let fixture = Fixture::new(DEEP);
    let (tasks, present) = (fixture.tasks(), [0, 1, 3, 4, 5]);
    assert_eq!(fixture.loss_values(&[UNLABELLED], &tasks), vec![None; tasks.len()]);
    let (with, without) = (fixture.loss_values(&ALL, &tasks), fixture.loss_values(&present, &tasks));
    for (with, without) in with.iter().zip(&without) {
        assert!((with.unwrap() - without.unwrap()).abs() < 1e-5, "{with:?}, {without:?}");
    }
    let (with, without) = (fixture.gradients(&ALL, &tasks), fixture.gradients(&present, &tasks));
    for (with, without) in with.dense.iter().zip(&without.dense) {
        close(with.as_ref().unwrap(), without.as_ref().unwrap(), 1e-5);
    }
    // Words of the example without targets: rows of zeros, the others as without it.
    let (with, without) = (&with.rows[0], &without.rows[0]);
    assert!(with.rows.len() > without.rows.len());
    for (row, values) in with.rows.iter().zip(with.values.chunks(DIM)) {
        match without.rows.iter().position(|other| other == row) {
            Some(at) => close(values, &without.values[at * DIM..][..DIM], 1e-5),
            None => assert!(values.iter().all(|value| *value == 0.0), "row {row}: {values:?}"),
        }
    }
}

/// The mean loss of inferred scores.
fn host_loss(fixture: &Fixture, index: &[u32], task: TaskId) -> LossSum {
    let scores = fixture.infer(index, &[task]).remove(0);
    let pass = Pass::new(&fixture.model.parameters, Mode::Infer);
    let targets = TargetBatch { targets: &fixture.targets[task.0], index };
    fixture.model.head(task).loss_of(&pass, &scores, targets)
}

#[test]
fn a_missing_tag_leaves_out_its_token_and_from_a_chain_its_sentence() {
    let fixture = Fixture::new(DEEP);
    let (pos, ner) = (fixture.task("pos"), fixture.task("ner"));
    assert_eq!(host_loss(&fixture, &ALL, pos).count, 4 + 2 + 5);
    assert_eq!(host_loss(&fixture, &ALL, ner).count, 4 + 1 + 2 + 6);
    let Targets::Tags(tags) = &fixture.targets[pos.0] else { panic!("a tagger has tags") };
    let (gold, count) = (tags.get(5), tag_count(&fixture, "pos"));
    let scores = fixture.infer(&[5], &[pos]).remove(0).values;
    let token = |(row, &tag): (&[f32], &u32)| {
        let total: f64 = row.iter().map(|score| f64::from(*score).exp()).sum();
        (tag != MISSING).then(|| total.ln() - f64::from(row[tag as usize]))
    };
    let sum: f64 = scores.chunks(count).zip(gold).filter_map(token).sum();
    assert!((host_loss(&fixture, &[5], pos).sum - sum).abs() < 1e-5);
}

#[test]
fn losses_on_the_tape_are_those_of_inferred_scores() {
    for network in NETWORKS {
        let fixture = Fixture::new(network);
        for task in fixture.tasks() {
            for index in [&ALL[..], &[5, 0], &[4]] {
                let mean = host_loss(&fixture, index, task).mean();
                let on_tape = fixture.loss_values(index, &[task])[0].unwrap();
                assert!((mean - on_tape).abs() < 1e-5 * on_tape.abs().max(1.0), "{task:?}: {on_tape}");
            }
        }
    }
}

#[test]
fn scores_do_not_depend_on_the_batch() {
    let all = NETWORKS.map(|network| (network, CNN)).into_iter().chain([(DEEP, LSTM_AND_SHAPE)]);
    for (network, input) in all {
        let fixture = Fixture::with_input(network, "0.0", input);
        let tasks = fixture.tasks();
        let together = fixture.infer(&ALL, &tasks);
        for example in ALL {
            let alone = fixture.infer(&[example], &tasks);
            for (together, alone) in together.iter().zip(&alone) {
                let stride = together.values.len() / ALL.len();
                let length = alone.lengths.first().copied();
                // Taggers score padding too, which nobody reads.
                let width = length.map_or(alone.values.len(), |length| alone.values.len() / length.max(1) * length);
                close(&together.values[example as usize * stride..][..width], &alone.values[..width], 1e-5);
            }
        }
    }
}

#[test]
fn a_fused_maximum_gives_the_same_scores_and_gradients() {
    let fixture = Fixture::new(WIDE);
    let [topic, mood, pos] = ["topic", "mood", "pos"].map(|name| fixture.task(name));
    // A tagger on the convolution makes it keep its tokens.
    let (fused, whole) = (fixture.infer(&ALL, &[topic, mood]), fixture.infer(&ALL, &[topic, mood, pos]));
    for (fused, whole) in fused.iter().zip(&whole) {
        close(&fused.values, &whole.values, 1e-5);
    }
    let gradients = |also: &[TaskId]| {
        let pass = fixture.pass();
        let losses = fixture.losses(&pass, &ALL, &[&[topic, mood], also].concat());
        let total = losses.into_iter().take(2).flatten().reduce(|sum, loss| sum + loss).unwrap();
        pass.backward(total)
    };
    let (fused, whole) = (gradients(&[]), gradients(&[pos]));
    for (parameter, (fused, whole)) in fixture.model.parameters.dense().iter().zip(fused.dense.iter().zip(&whole.dense))
    {
        assert_eq!(fused.is_some(), whole.is_some(), "{}", parameter.name);
        close(fused.as_deref().unwrap_or_default(), whole.as_deref().unwrap_or_default(), 1e-5);
    }
    close(&fused.rows[0].values, &whole.rows[0].values, 1e-5);
}

#[test]
fn batches_that_run_as_one_give_what_they_give_apart() {
    let fixture = Fixture::new(WIDE);
    let [topic, mood, pos] = ["topic", "mood", "pos"].map(|name| fixture.task(name));
    let (first, second) = ([2, 0], [1, 3]);
    // Of the first two the network is asked the same; the last is asked for tokens and runs alone in any case.
    let parts: [(&[u32], &[TaskId]); 4] = [(&first, &[topic]), (&second, &[topic]), (&second, &[mood]), (&ALL, &[pos])];
    let pass = fixture.pass();
    let together = fixture.model.losses(&pass, &parts.map(|(index, tasks)| fixture.batch(index, tasks)));
    let mut apart = parts.iter().map(|(index, tasks)| fixture.losses(&pass, index, tasks));
    let number = |loss: &Tensor<1>| f64::from(loss.clone().into_scalar::<f32>());
    for losses in &together {
        let alone = apart.next().unwrap();
        assert_eq!(losses.len(), alone.len());
        for (one, other) in losses.iter().flatten().zip(alone.iter().flatten()) {
            assert!((number(one) - number(other)).abs() < 1e-5);
        }
    }
    let total = together.into_iter().flatten().flatten().reduce(|sum, loss| sum + loss).unwrap();
    let joined = pass.backward(total);
    let pass = fixture.pass();
    let losses = parts.iter().flat_map(|(index, tasks)| fixture.losses(&pass, index, tasks));
    let total = losses.flatten().reduce(|sum, loss| sum + loss).unwrap();
    let separate = pass.backward(total);
    for (one, other) in joined.dense.iter().zip(&separate.dense) {
        close(one.as_deref().unwrap_or_default(), other.as_deref().unwrap_or_default(), 1e-5);
    }
    assert_eq!(joined.rows[0].rows, separate.rows[0].rows);
    close(&joined.rows[0].values, &separate.rows[0].values, 1e-5);
}

#[test]
fn tasks_of_one_batch_touch_no_other_head() {
    let _kernels = fixture::on_one_path();
    let fixture = Fixture::new(DEEP);
    let (ner, pos) = (fixture.task("ner"), fixture.task("pos"));
    let gradients = fixture.gradients(&ALL, &[ner, pos]);
    for (parameter, gradient) in fixture.model.parameters.dense().iter().zip(&gradients.dense) {
        let expected = match parameter.owner {
            Owner::Task(task) => task == ner || task == pos,
            Owner::Shared => true,
        };
        assert_eq!(gradient.is_some(), expected, "{}", parameter.name);
    }
    // A loss on two tasks is the sum of the losses on one.
    let alone = [ner, pos].map(|task| fixture.loss_values(&ALL, &[task])[0].unwrap());
    assert_eq!(fixture.loss_values(&ALL, &[ner, pos]), alone.map(Some));
}

#[test]
fn parameters_are_named_and_counted_by_who_shares_them() {
    let fixture = Fixture::new(DEEP);
    let Model { parameters, .. } = &fixture.model;
    let names: Vec<&str> = parameters.dense().iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(parameters.tables()[0].name, "input.words.vectors");
    let expected = [
        "input.words.characters.vectors",
        "input.words.characters.weight",
        "input.words.characters.bias",
        "encoder.trunk.low.forward.weight_ih",
        "encoder.trunk.low.forward.weight_hh",
        "encoder.trunk.low.forward.bias",
        "encoder.trunk.low.backward.weight_ih",
        "encoder.trunk.low.backward.weight_hh",
        "encoder.trunk.low.backward.bias",
        "encoder.trunk.high.width2.weight",
        "encoder.trunk.high.width3.weight",
        "encoder.trunk.high.bias",
        "encoder.trunk.mid.weight",
        "encoder.trunk.mid.bias",
        "encoder.trunk.top.weight",
        "encoder.trunk.top.bias",
        "task.ner.head.weight",
        "task.ner.head.bias",
        "task.ner.head.transitions",
        "task.ner.head.start",
        "task.ner.head.end",
        "task.pos.head.weight",
        "task.pos.head.bias",
        "task.topic.head.weight",
        "task.topic.head.bias",
        "task.stars.head.weight",
        "task.stars.head.bias",
    ];
    assert_eq!(names, expected);
    let table = parameters.tables()[0].values.len();
    let characters = parameters.dense()[0].len() + 3 * 3 * 4 + 4;
    let low = 2 * (9 * 12 + 3 * 12 + 12);
    let high = (2 + 3) * 6 * 3 + 6;
    let (mid, top) = (6 * 4 + 4, 4 * 3 + 3);
    assert_eq!(parameters.shared_len(), table + characters + low + high + mid);
    let tags = tag_count(&fixture, "ner");
    // The layer `top` serves the topics alone.
    let own = [6 * tags + tags + tags * tags + 2 * tags, 10 * 3 + 3, (6 + 6 + 3) * 3 + 3 + top, 6 + 1];
    assert_eq!(fixture.tasks().into_iter().map(|task| parameters.own_len(task)).collect::<Vec<_>>(), own);
    assert_eq!(parameters.frozen_len(), 0);
}

#[test]
fn repeated_widths_have_names_of_their_own() {
    let fixture = Fixture::new(WIDE);
    let [first, second] = ["encoder.left.wide.width3.weight", "encoder.left.wide.width3_2.weight"];
    assert_ne!(fixture.dense(first), fixture.dense(second));
}

#[test]
fn a_saved_model_is_the_same_to_the_last_bit() {
    let _kernels = fixture::on_one_path();
    let all = NETWORKS.map(|network| (network, CNN)).into_iter().chain([(WIDE, LSTM_AND_SHAPE)]);
    for (network, input) in all {
        let fixture = Fixture::with_input(network, "0.0", input);
        let directory = tempfile::tempdir().unwrap();
        save(directory.path(), &fixture.spec, &fixture.description, &fixture.model.parameters).unwrap();
        let saved = load(directory.path(), fixture.model.parameters.device().clone()).unwrap();
        assert_eq!(saved.spec, fixture.spec);
        let [before, after] =
            [&fixture.model, &saved.model].map(|model| weights(&model.parameters, Restore::Everything));
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            assert_eq!((&before.name, &before.shape, &before.values), (&after.name, &after.shape, &after.values));
        }
        let restored = Fixture {
            model: saved.model,
            description: saved.description,
            ..Fixture::with_input(network, "0.0", input)
        };
        let (before, after) = (fixture.infer(&ALL, &fixture.tasks()), restored.infer(&ALL, &fixture.tasks()));
        for (before, after) in before.iter().zip(&after) {
            assert_eq!((&before.values, &before.lengths), (&after.values, &after.lengths));
        }
    }
}
