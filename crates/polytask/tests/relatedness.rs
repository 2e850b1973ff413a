//! Is the affinity of tasks what its definition says, does measuring it leave training as it is, and are representations those of
//! the network?

mod common;

use std::fs;
use std::path::Path;

use common::{assert_same_files, files, parse, read, run, scratch, small_project};
use polytask::data::open::Roots;
use polytask::data::sampler::{BatchRef, Step};
use polytask::model::{InputKnowledge, Knowledge, TaskId};
use polytask::spec::Override;
use polytask::spec::training::OptimizerMethod;
use polytask::study::relatedness::{Matrix, linear_cka};
use polytask::train::{Plan, Schedule, State, Stepped, extensions, open_model, take_step, validation_texts};

/// Word vectors, their mean over a text, and a linear layer a task with squared loss: all that is shared are the vectors.
const LINEAR: &str = r#"
version = 1
seed = 5
data.one = { format = "jsonl", train = "one.jsonl", valid = "one.jsonl" }
data.two = { format = "jsonl", train = "two.jsonl", valid = "two.jsonl" }
input.words = { kind = "words", dim = 3, min_count = 1 }
encoder.trunk = { layers = [{ kind = "pool", pool = "mean" }] }
task.x = { data = "one", kind = "regress", target = "x" }
task.y = { data = "one", kind = "regress", target = "y" }
task.z = { data = "two", kind = "regress", target = "z" }
optimizer = { method = "sgd", momentum = 0, learning_rate = 0.3, clip_norm = 0.5, scale = { vectors = 2.0 } }
train = { sampling = "joint", batch_size = 4 }
balance = { method = "fixed", weights = { x = 3.0, y = 1.0, z = 0.5 }, watch = 2, affinity = true }
"#;

const ONE: [(&str, f64, f64); 5] =
    [("up down", 1.0, 0.5), ("up up left", -2.0, 1.5), ("left", 0.5, -1.0), ("down right", 3.0, 2.0), ("up", 0.0, 4.0)];
const TWO: [(&str, f64); 4] = [("left up", 2.0), ("right", -1.0), ("up right down", 0.5), ("left left", 3.5)];

fn plan(folder: &Path, config: &str, changes: &[String]) -> Plan {
    let changes: Vec<Override> = changes.iter().map(|change| change.parse().expect("a change")).collect();
    let spec = polytask::spec::parse("test", config, &changes, &extensions());
    let spec = spec.unwrap_or_else(|errors| panic!("{errors}")).spec;
    Plan::new(spec, &Roots { dirs: vec![folder.into()] }).unwrap_or_else(|error| panic!("{error}"))
}

/// The steps of the first epoch.
fn steps(plan: &Plan) -> Vec<Step> {
    let sources = plan.corpus.sources.len();
    plan.sampler.epoch(0, &vec![true; sources], &vec![0; sources])
}

/// The network of [`LINEAR`] in 64 bits.
#[derive(Clone)]
struct Linear {
    /// `[row][feature]`.
    vectors: Vec<Vec<f64>>,
    /// Of each task: weights, bias, mean and deviation of its targets.
    heads: Vec<(Vec<f64>, f64, [f64; 2])>,
}

impl Linear {
    fn of(plan: &Plan) -> Linear {
        let parameters = &plan.model.parameters;
        let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
        let value = |name: String| {
            let found = parameters.dense().iter().find(|parameter| parameter.name == name);
            wide(&found.expect("the head has it").to_vec())
        };
        let head = |(task, knowledge): (&String, &Knowledge)| {
            let Knowledge::Regress { mean, deviation } = knowledge else { panic!("{task}") };
            let part = |part: &str| value(format!("task.{task}.head.{part}"));
            (part("weight"), part("bias")[0], [*mean, *deviation])
        };
        let vectors = parameters.tables()[0].values.chunks(3).map(wide).collect();
        Linear { vectors, heads: plan.description.tasks.iter().map(head).collect() }
    }

    /// The loss of a task on examples `(rows of the words, target)`, and its gradient in the vectors and in all there is, squared.
    fn loss(&self, task: usize, examples: &[(Vec<usize>, f64)]) -> (f64, Vec<Vec<f64>>, f64) {
        let (weights, bias, [mean, deviation]) = &self.heads[task];
        let (mut loss, mut of_vectors) = (0.0, vec![vec![0.0; 3]; self.vectors.len()]);
        let (mut of_weights, mut of_bias) = ([0.0; 3], 0.0);
        for (rows, target) in examples {
            let share = 1.0 / rows.len() as f64;
            let pooled = |feature: usize| rows.iter().map(|&row| share * self.vectors[row][feature]).sum::<f64>();
            let output = bias + (0..3).map(|feature| weights[feature] * pooled(feature)).sum::<f64>();
            let error = output - (target - mean) / deviation;
            loss += error * error / examples.len() as f64;
            let slope = 2.0 * error / examples.len() as f64;
            of_bias += slope;
            for feature in 0..3 {
                of_weights[feature] += slope * pooled(feature);
                rows.iter().for_each(|&row| of_vectors[row][feature] += slope * share * weights[feature]);
            }
        }
        let squares = of_vectors.iter().flatten().chain(&of_weights).chain([&of_bias]).map(|g| g * g).sum();
        (loss, of_vectors, squares)
    }
}

#[test]
fn of_a_linear_network_it_is_what_the_definition_gives() {
    let folder = scratch("affinity-linear");
    let one = ONE.map(|(text, x, y)| format!("{{\"text\": \"{text}\", \"x\": {x:?}, \"y\": {y:?}}}\n"));
    let two = TWO.map(|(text, z)| format!("{{\"text\": \"{text}\", \"z\": {z:?}}}\n"));
    fs::write(folder.join("one.jsonl"), one.concat()).expect("data can be written");
    fs::write(folder.join("two.jsonl"), two.concat()).expect("data can be written");
    let mut plan = plan(&folder, LINEAR, &[]);
    let (steps, mut state) = (steps(&plan), State::new(&plan));
    let schedule = Schedule::new(&plan.spec.optimizer, 1000, 1);
    let first = take_step(&mut plan, &mut state, &schedule, &steps[..1]).expect("a step can be taken");
    assert!(first.looked.is_none(), "every second step is looked at");
    // The network before the second step, which is looked at.
    let network = Linear::of(&plan);
    let InputKnowledge::Words(words) = &plan.description.inputs["words"] else { panic!("words") };
    let rows =
        |text: &str| -> Vec<usize> { text.split(' ').map(|word| words.vocabulary.lookup(word).0 as usize).collect() };
    let batch = |task: usize| -> Vec<(Vec<usize>, f64)> {
        let of = |batch: &&BatchRef| plan.corpus.sources[batch.source].tasks.contains(&TaskId(task));
        let batch = steps[1].batches.iter().find(of).expect("every task is in every step");
        let example = |&at: &u32| match task {
            2 => (rows(TWO[at as usize].0), TWO[at as usize].1),
            _ => (rows(ONE[at as usize].0), [ONE[at as usize].1, ONE[at as usize].2][task]),
        };
        batch.examples.iter().map(example).collect()
    };
    let batches = [batch(0), batch(1), batch(2)];
    let looked = take_step(&mut plan, &mut state, &schedule, &steps[1..2]).expect("a step").looked.expect("a look");
    assert_eq!(looked.affinities.len(), 6);
    let mut clipped = 0;
    for found in &looked.affinities {
        let (_, gradient, squares) = network.loss(found.of, &batches[found.of]);
        // A rate of 0.3, twice that for vectors; clipped to 0.5 over the task's whole gradient.
        clipped += usize::from(squares.sqrt() > 0.5);
        let rate = 0.6 * (0.5 / squares.sqrt()).min(1.0);
        let mut moved = network.clone();
        for (vector, gradient) in moved.vectors.iter_mut().zip(&gradient) {
            vector.iter_mut().zip(gradient).for_each(|(value, gradient)| *value -= rate * gradient);
        }
        let loss = |network: &Linear| network.loss(found.on, &batches[found.on]).0;
        let expected = 1.0 - loss(&moved) / loss(&network);
        let off = (found.affinity - expected).abs();
        // Losses are 32 bits wide, and a step may multiply them.
        assert!(off < 1e-5 * (1.0 - expected) && expected.abs() > 1e-4, "{found:?} instead of {expected}");
    }
    assert!(clipped > 0, "no gradient was clipped");
}

/// A network with all kinds of parameters, dropout at every place, and tasks that leave it at different depths.
const DEEP: &str = r#"
version = 1
seed = 7
data.reviews = { format = "lines", train = "reviews.tsv", valid = "reviews.tsv" }
data.names = { format = "conll", columns = ["token", "ner"], train = "names.conll", valid = "names.conll" }
input.words = { kind = "words", dim = 6, dropout = 0.2, characters = { dim = 4, filters = 4 } }
encoder.trunk = { layers = [{ name = "low", kind = "bilstm", hidden = 4, dropout = 0.2 }, { name = "high", kind = "conv", filters = 6, dropout = 0.1 }] }
task.reviews = { data = "reviews", kind = "classify", target = "label", dropout = 0.3 }
task.again = { data = "reviews", kind = "classify", target = "label", attach = "low" }
task.names = { data = "names", kind = "tag", target = "ner", attach = "low" }
train = { epochs = 6, batch_size = 2, sampling = "joint" }
optimizer = { ema = 0.9, warmup = 0.1, weight_decay = 0.01 }
"#;

const REVIEWS: &str =
    "good\ta fine film\nbad\ta dull film\ngood\tso very good\nbad\tso very bad\ngood\tfine and good\n";
const NAMES: &str = "Anna B-PER\nsings O\n\nOslo B-LOC\nsings O\n\nAnna B-PER\ndances O\n\nOslo B-LOC\nis O\n";

/// Takes the steps of an epoch, looking at each: what they saw, and all values and the state afterwards.
fn taken(folder: &Path, changes: &[String]) -> (Vec<Stepped>, Vec<Vec<f32>>, State) {
    let mut plan = plan(folder, DEEP, changes);
    let (steps, mut state) = (steps(&plan), State::new(&plan));
    let schedule = Schedule::new(&plan.spec.optimizer, 10, 1);
    let take = |step: &[Step]| take_step(&mut plan, &mut state, &schedule, step).expect("a step can be taken");
    let stepped = steps.chunks(1).map(take).collect();
    let parameters = &plan.model.parameters;
    let tables = parameters.tables().iter().map(|table| table.values.clone());
    (stepped, parameters.dense().iter().map(|of| of.to_vec()).chain(tables).collect(), state)
}

#[test]
fn whatever_the_optimizer_training_is_the_same_with_and_without() {
    let folder = scratch("affinity-same");
    fs::write(folder.join("reviews.tsv"), REVIEWS).expect("data can be written");
    fs::write(folder.join("names.conll"), NAMES).expect("data can be written");
    let bits = |values: &[Vec<f32>]| -> Vec<Vec<u32>> {
        values.iter().map(|values| values.iter().map(|value| value.to_bits()).collect()).collect()
    };
    let methods = OptimizerMethod::NAMES.into_iter().flat_map(|name| ["lazy", "dense"].map(|rows| (name, rows)));
    for (name, rows) in methods {
        for balance in ["equal", "nash-mtl"] {
            let changes = |affinity: bool| {
                [
                    format!("optimizer.method={name}"),
                    format!("optimizer.rows={rows}"),
                    format!("balance={{ method = \"{balance}\", watch = 1, affinity = {affinity} }}"),
                ]
            };
            let (mut with, with_values, with_state) = taken(&folder, &changes(true));
            let (without, values, state) = taken(&folder, &changes(false));
            for stepped in &mut with {
                let looked = stepped.looked.as_mut().expect("every step is looked at");
                assert!(looked.affinities.len() == 6, "{name}: {:?}", looked.affinities);
                looked.affinities.clear();
            }
            assert!(with == without, "{name}, {rows}, {balance}: what steps saw");
            assert!(bits(&with_values) == bits(&values), "{name}, {rows}, {balance}: parameters");
            assert!(with_state.optimizer == state.optimizer, "{name}, {rows}, {balance}: moments");
            assert!(with_state.average == state.average, "{name}, {rows}, {balance}: averages");
            assert_eq!((with_state.tally, with_state.draws), (state.tally, state.draws));
        }
    }
}

#[test]
fn a_run_leaves_the_same_files_with_and_without() {
    let folder = small_project("affinity-files");
    let config = folder.join("small.toml").display().to_string();
    let train = |out: &str, affinity: &str| {
        let path = folder.join(out).display().to_string();
        let changes = ["train.epochs=2", "train.sampling=joint", "balance.watch=2", affinity];
        let changes = changes.iter().flat_map(|change| ["--set", change]);
        run(["train", &config, "--out", &path].into_iter().chain(changes)).ok();
        let mut files = files(&folder.join(out));
        files.retain(|name, _| !name.contains("toml") && !name.contains("json"));
        (files, read(&folder.join(out).join("metrics.json")), read(&folder.join(out).join("events.jsonl")))
    };
    let (with, without) = (train("with", "balance.affinity=true"), train("without", "balance.affinity=false"));
    assert!(with.0.contains_key("checkpoints/last.safetensors") && with.0.contains_key("model/weights.safetensors"));
    let weights = |files: &std::collections::BTreeMap<String, Vec<u8>>| files["model/weights.safetensors"].clone();
    assert!(weights(&with.0) == weights(&without.0), "weights");
    assert_eq!(with.1, without.1);
    let mut looks = 0;
    let lines = with.2.lines().zip(without.2.lines());
    for (with, without) in lines {
        let mut with = parse(with);
        if let Some(found) = with.as_object_mut().expect("an event").remove("affinities") {
            // Four tasks: each on three others.
            assert_eq!(found.as_array().map(Vec::len), Some(12), "{found}");
            assert!(found[0]["of"] == "movies" && found[0]["on"] == "products", "{found}");
            looks += 1;
        }
        assert_eq!(with, parse(without));
    }
    assert!(looks > 2 && with.2.lines().count() == without.2.lines().count());
    let kept = |files: std::collections::BTreeMap<String, Vec<u8>>| {
        files.into_iter().filter(|(name, _)| name.contains("kept")).collect()
    };
    assert_same_files(&kept(with.0), &kept(without.0), "the kept weights");
    let checked = run(["check", &config, "--set", "train.sampling=joint", "--set", "balance.affinity=true"]).ok();
    assert!(checked.contains("affinities of tasks: 5 forward passes of all tasks more every 100 steps"), "{checked}");
}

#[test]
fn representations_are_what_heads_read() {
    let folder = scratch("representations");
    let one = ONE.map(|(text, x, y)| format!("{{\"text\": \"{text}\", \"x\": {x:?}, \"y\": {y:?}}}\n"));
    fs::write(folder.join("one.jsonl"), one.concat() + "{\"text\": \"\", \"x\": 1.0, \"y\": 1.0}\n").expect("written");
    let two = TWO.map(|(text, z)| format!("{{\"text\": \"{text}\", \"z\": {z:?}}}\n"));
    fs::write(folder.join("two.jsonl"), two.concat()).expect("written");
    fs::write(folder.join("linear.toml"), LINEAR).expect("written");
    let [config, out] = ["linear.toml", "out"].map(|name| folder.join(name).display().to_string());
    run(["train", &config, "--out", &out, "--set", "train.epochs=2"]).ok();
    let model = open_model(&folder.join("out/model")).expect("the model is there");
    let roots = Roots { dirs: vec![folder.clone()] };
    let words = |texts: &[&str]| -> Vec<Vec<String>> {
        texts.iter().map(|text| text.split(' ').map(str::to_owned).collect()).collect()
    };
    let texts = |count: usize| validation_texts(model.saved(), &roots, TaskId(0), count).expect("the data is there");
    // Evenly spaced over those that have words.
    assert_eq!(texts(9), words(&ONE.map(|(text, ..)| text)));
    assert_eq!(texts(2), words(&[ONE[0].0, ONE[2].0]));
    let InputKnowledge::Words(known) = &model.saved().description.inputs["words"] else { panic!("words") };
    let table = &model.saved().model.parameters.tables()[0].values;
    // The mean of a text's vectors; zeros for a text without words, and the unknown word's vector for strangers.
    let mut asked = texts(9);
    asked.push(Vec::new());
    asked.push(vec!["stranger".to_owned()]);
    let found = model.representations(TaskId(0), &asked);
    for (text, found) in asked.iter().zip(&found) {
        let rows = text.iter().map(|word| &table[known.vocabulary.lookup(word).0 as usize * 3..][..3]);
        let mut mean = [0.0_f32; 3];
        rows.for_each(|row| mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / text.len() as f32));
        assert!(
            found.iter().zip(mean).all(|(found, mean)| (found - mean).abs() < 1e-6),
            "{text:?}: {found:?} {mean:?}"
        );
    }
    // A network is wholly like itself.
    let wide = |row: &Vec<f32>| row.iter().copied().map(f64::from).collect::<Vec<f64>>();
    let matrix = Matrix::new(&found.iter().map(wide).collect::<Vec<_>>()).expect("vectors of one width");
    assert!((linear_cka(&matrix, &matrix).expect("texts differ") - 1.0).abs() < 1e-12);
}

#[test]
fn of_a_task_that_reads_tokens_it_is_the_mean_over_them() {
    let folder = scratch("representations-tokens");
    fs::write(folder.join("names.conll"), NAMES).expect("written");
    let config = r#"
version = 1
seed = 7
data.names = { format = "conll", columns = ["token", "ner"], train = "names.conll", valid = "names.conll" }
input.words = { kind = "words", dim = 6 }
encoder.trunk = { layers = [{ kind = "dense", units = 5 }] }
task.names = { data = "names", kind = "tag", target = "ner" }
train = { epochs = 1 }
"#;
    fs::write(folder.join("names.toml"), config).expect("written");
    let [config, out] = ["names.toml", "out"].map(|name| folder.join(name).display().to_string());
    run(["train", &config, "--out", &out]).ok();
    let model = open_model(&folder.join("out/model")).expect("the model is there");
    let texts = [vec!["Anna"], vec!["sings"], vec!["Anna", "sings"]];
    let [anna, sings, both] = &model.representations(TaskId(0), &texts)[..] else { panic!("three texts") };
    assert_eq!(both.len(), 5);
    for ((anna, sings), both) in anna.iter().zip(sings).zip(both) {
        assert!(((anna + sings) / 2.0 - both).abs() < 1e-6);
    }
    assert_ne!(anna, sings);
}
