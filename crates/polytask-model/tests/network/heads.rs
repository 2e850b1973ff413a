//! Losses with options, sets of labels, heads that tasks share, and pairs of texts.

use burn::tensor::Tensor;
use polytask_model::{Owner, Prediction, TaskId};

use super::close;
use super::fixture::{Fixture, UNLABELLED};

/// Every loss; two tasks share a head, two compare texts.
pub const HEADS: &str = r#"
[encoder.trunk]
layers = [
    { name = "low", kind = "bilstm", hidden = 3, dropout = DROPOUT },
    { name = "high", kind = "conv", widths = [2], filters = 3, activation = "tanh" },
]

[task]
genres = { data = "films", target = "genres", kind = "multilabel", pool = "mean", dropout = DROPOUT }
themes = { data = "films", target = "themes", kind = "multilabel", positive_weights = "balanced", threshold = 0.3 }
mood = { data = "mail", target = "label", kind = "classify", head = "mood", focal_gamma = 2, class_weights = { fair = 2 } }
tone = { data = "mail", target = "label", kind = "classify", head = "mood", label_smoothing = 0.2 }
entails = { data = "pairs", target = "entails", kind = "classify", class_weights = "balanced", attach = ["low", "high"] }
near = { data = "pairs", target = "near", kind = "regress", loss = "gaussian-nll", pool = "mean", dropout = DROPOUT }
stars = { data = "shop", target = "stars", kind = "regress", loss = "huber", huber_delta = 0.3, attach = "low" }
price = { data = "films", target = "price", kind = "regress", loss = "mae" }
"#;

#[test]
fn tasks_that_share_a_head_move_the_same_parameters() {
    let fixture = Fixture::new(HEADS);
    let parameters = &fixture.model.parameters;
    let heads = parameters.dense().iter().filter(|parameter| parameter.name.contains("mood"));
    let heads: Vec<_> = heads.map(|parameter| (parameter.name.as_str(), parameter.owner)).collect();
    assert_eq!(heads, [("head.mood.weight", Owner::Shared), ("head.mood.bias", Owner::Shared)]);
    let (mood, tone) = (fixture.task("mood"), fixture.task("tone"));
    assert_eq!((parameters.own_len(mood), parameters.own_len(tone)), (0, 0));
    let weight = fixture.dense("head.mood.weight");
    let gradient =
        |tasks: &[TaskId]| fixture.gradients(&[0, 1, 3], tasks).dense[weight].clone().expect("it is reached");
    let (of_mood, of_tone) = (gradient(&[mood]), gradient(&[tone]));
    assert!([&of_mood, &of_tone].iter().all(|gradient| gradient.iter().any(|value| value.abs() > 1e-3)));
    // The second task weighs 1.5 in the sum.
    let sum: Vec<f32> = of_mood.iter().zip(&of_tone).map(|(a, b)| a + 1.5 * b).collect();
    close(&gradient(&[mood, tone]), &sum, 1e-5);
    // Without dropout the two say the same, and their losses differ.
    let scores = fixture.infer(&[0, 3], &[mood, tone]);
    assert_eq!(scores[0].values, scores[1].values);
    let losses = fixture.loss_values(&[0, 3], &[mood, tone]);
    assert!((losses[0].unwrap() - losses[1].unwrap()).abs() > 1e-3, "{losses:?}");
}

#[test]
fn a_pair_is_compared_by_its_vectors() {
    let fixture = Fixture::new(HEADS);
    let near = fixture.task("near");
    let names: Vec<&str> = fixture.model.parameters.dense().iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("encoder.")).count(), 8, "both texts read one encoder");
    let at = |name: &str| fixture.model.parameters.dense()[fixture.dense(name)].to_vec();
    assert_eq!(at("task.near.head.weight").len(), 4 * 3 * 2);
    assert_eq!(at("task.entails.head.weight").len(), 4 * (6 + 3) * 3);
    // Exchanging the texts exchanges u and v, and changes neither |u - v| nor u * v.
    let scores = fixture.infer(&[0, 5], &[near]).remove(0).values;
    let weight = at("task.near.head.weight");
    let swapped = [&weight[6..12], &weight[..6], &weight[12..]].concat();
    let mut other = Fixture::new(HEADS);
    let index = other.dense("task.near.head.weight");
    other.model.parameters.update(index, |values| values.copy_from_slice(&swapped));
    // The second text of an example is the first one of its mirror image.
    let mirrored = other.infer(&[5, 0], &[near]).remove(0).values;
    close(&scores, &mirrored, 1e-5);
    assert!((scores[0] - scores[2]).abs() > 1e-4, "{scores:?}");
}

#[test]
fn pairs_that_run_as_one_batch_give_what_they_give_apart() {
    let fixture = Fixture::new(HEADS);
    let [entails, mood] = ["entails", "mood"].map(|name| fixture.task(name));
    let (first, second) = ([5, 0], [1, 3, 4]);
    let parts: [(&[u32], &[TaskId]); 3] = [(&first, &[entails]), (&second, &[entails]), (&second, &[mood])];
    let pass = fixture.pass();
    let together = fixture.model.losses(&pass, &parts.map(|(index, tasks)| fixture.batch(index, tasks)));
    let number = |loss: &Tensor<1>| f64::from(loss.clone().into_scalar::<f32>());
    for ((index, tasks), losses) in parts.iter().zip(&together) {
        let alone = fixture.losses(&pass, index, tasks);
        assert!((number(losses[0].as_ref().unwrap()) - number(alone[0].as_ref().unwrap())).abs() < 1e-5);
    }
}

#[test]
fn missing_targets_of_every_loss_have_none() {
    let fixture = Fixture::new(HEADS);
    let tasks = fixture.tasks();
    assert_eq!(fixture.loss_values(&[UNLABELLED], &tasks), vec![None; tasks.len()]);
    let (with, without) = (fixture.loss_values(&[0, 2, 3], &tasks), fixture.loss_values(&[0, 3], &tasks));
    for (with, without) in with.iter().zip(&without) {
        assert!((with.unwrap() - without.unwrap()).abs() < 1e-5, "{with:?}, {without:?}");
    }
}

#[test]
fn predictions_say_sets_and_distributions() {
    let fixture = Fixture::new(HEADS);
    let predict = |name: &str| {
        let task = fixture.task(name);
        let scores = fixture.infer(&[0, 1, 3], &[task]).remove(0);
        let pass = polytask_model::Pass::new(&fixture.model.parameters, polytask_model::Mode::Infer);
        (scores.values.clone(), fixture.model.head(task).predict(&pass, &scores))
    };
    for (name, threshold) in [("genres", 0.5), ("themes", 0.3)] {
        let (scores, predictions) = predict(name);
        for (row, prediction) in scores.chunks(2).zip(predictions) {
            let expected: Vec<f32> = row.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect();
            let chosen: Vec<u32> = (0..2).filter(|&label| expected[label as usize] >= threshold).collect();
            let Prediction::Labels { labels, probabilities } = prediction else { panic!("a set of labels") };
            close(&probabilities, &expected, 1e-5);
            assert_eq!(labels, chosen);
        }
    }
    let (scores, predictions) = predict("near");
    for (row, prediction) in scores.chunks(2).zip(predictions) {
        let Prediction::Normal { mean, deviation } = prediction else { panic!("a distribution") };
        // The training targets have the mean 3 and the deviation 1.5.
        let variance = (1.0 + f64::from(row[1]).exp()).ln();
        assert!((mean - (3.0 + 1.5 * f64::from(row[0]))).abs() < 1e-5);
        assert!((deviation - 1.5 * variance.sqrt()).abs() < 1e-5);
    }
}
