//! Do all ways to get the tasks' gradients give the same direction? Weights that a balancer found are given to plain weighted
//! losses, whose gradient is one walk back: what tasks share must move alike.

use std::fmt::Write;
use std::path::Path;

use polytask::data::open::Roots;
use polytask::data::sampler::Step;
use polytask::model::{Batch, Mode, Owner};
use polytask::train::{Plan, Schedule, State, Stepped, extensions, take_step};

/// Word vectors, trained or not, under one of two trunks: convolution under a maximum, or a BiLSTM that tasks leave at
/// different depths.
#[derive(Debug, Clone, Copy)]
struct Network {
    tune: bool,
    recurrent: bool,
    /// Datasets: three tasks read one, or three.
    datasets: usize,
}

fn texts(seed: u64, count: usize) -> String {
    let mut number = seed;
    let mut next = |bound: u64| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) % bound
    };
    let mut lines = String::new();
    for _ in 0..count {
        let words: Vec<String> = (0..3 + next(9)).map(|_| format!("w{}", (b'a' + next(20) as u8) as char)).collect();
        let labels = [next(2), next(3), next(2)];
        let _ = writeln!(
            lines,
            "{{\"text\": \"{}\", \"a\": \"a{}\", \"b\": \"b{}\", \"c\": \"c{}\"}}",
            words.join(" "),
            labels[0],
            labels[1],
            labels[2]
        );
    }
    lines
}

fn config(network: Network, balance: &str) -> String {
    let mut config = format!(
        "version = 1\nname = \"n\"\nseed = 5\n[input.words]\nkind = \"words\"\ndim = 6\nmin_count = 1\ntune = {}\n\
         tokenize = \"spaces\"\n[optimizer]\nmethod = \"sgd\"\nmomentum = 0\nlearning_rate = 0.5\nclip_norm = 0\n\
         [train]\nsampling = \"joint\"\nbatch_size = 6\n[balance]\n{balance}\n",
        network.tune
    );
    let layers = match network.recurrent {
        false => "{ name = \"low\", kind = \"conv\", widths = [1, 2], filters = 5 }",
        true => {
            "{ name = \"low\", kind = \"bilstm\", hidden = 4 }, { name = \"high\", kind = \"conv\", widths = [2], filters = 4 }"
        }
    };
    let _ = writeln!(config, "[encoder.trunk]\nlayers = [{layers}]");
    for dataset in 0..network.datasets {
        let _ = writeln!(
            config,
            "[data.d{dataset}]\nformat = \"jsonl\"\ntrain = \"{dataset}.jsonl\"\nvalid = \"{dataset}.jsonl\""
        );
    }
    for (index, task) in ["a", "b", "c"].into_iter().enumerate() {
        let attach = if network.recurrent && index > 0 { "high" } else { "low" };
        let _ = writeln!(
            config,
            "[task.{task}]\ndata = \"d{}\"\nkind = \"classify\"\ntarget = \"{task}\"\nattach = \"{attach}\"",
            index % network.datasets
        );
    }
    config
}

fn plan(folder: &Path, config: &str) -> Plan {
    let spec = polytask::spec::parse("n", config, &[], &extensions()).expect("the config is right").spec;
    Plan::new(spec, &Roots { dirs: vec![folder.to_path_buf()] }).expect("a plan can be made")
}

fn first_step(plan: &Plan) -> Step {
    let sources = plan.corpus.sources.len();
    plan.sampler.epoch(0, &vec![true; sources], &vec![0; sources]).swap_remove(0)
}

/// The first step under a balancer: what it saw, and all trained values afterwards, those of tables behind the others.
fn step(folder: &Path, network: Network, balance: &str) -> (Stepped, Vec<(String, Owner, Vec<f32>)>) {
    let mut plan = plan(folder, &config(network, balance));
    let mut state = State::new(&plan);
    let schedule = Schedule::new(&plan.spec.optimizer, 1000, 1);
    let first = first_step(&plan);
    let stepped = take_step(&mut plan, &mut state, &schedule, &[first]).expect("a step can be taken");
    let parameters = &plan.model.parameters;
    let dense = parameters.dense().iter().map(|of| (of.name.clone(), of.owner, of.to_vec()));
    let tables = parameters.tables().iter().map(|of| (of.name.clone(), of.owner, of.values.clone()));
    (stepped, dense.chain(tables).collect())
}

fn networks() -> impl Iterator<Item = Network> {
    let trunks = [false, true].into_iter().flat_map(|tune| [false, true].map(|recurrent| (tune, recurrent)));
    trunks.flat_map(|(tune, recurrent)| [1, 3].map(|datasets| Network { tune, recurrent, datasets }))
}

/// What `balance` moves is what fixed weights move in all that tasks share, and what even weights move in a task's own.
fn assert_like_fixed(folder: &Path, network: Network, balance: &str) {
    let (stepped, moved) = step(folder, network, balance);
    let fixed = |weights: &[f64]| {
        let weights: Vec<String> = ["a", "b", "c"].iter().zip(weights).map(|(t, w)| format!("{t} = {w:?}")).collect();
        step(folder, network, &format!("method = \"fixed\"\nweights = {{ {} }}", weights.join(", "))).1
    };
    let (of_shared, of_own) = (fixed(&stepped.weights), fixed(&[1.0; 3]));
    for ((name, owner, values), (shared, own)) in moved.iter().zip(of_shared.iter().zip(&of_own)) {
        let expected = if *owner == Owner::Shared { &shared.2 } else { &own.2 };
        let scale = expected.iter().fold(0.1_f32, |most, value| most.max(value.abs()));
        for (value, expected) in values.iter().zip(expected) {
            let off = (value - expected).abs();
            assert!(off <= 2e-5 * scale, "{network:?}, {balance}: {name}: {value} instead of {expected}");
        }
    }
}

#[test]
fn a_direction_is_the_weighted_sum_of_gradients_however_they_are_got() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    (0..3).for_each(|set| {
        std::fs::write(folder.path().join(format!("{set}.jsonl")), texts(set, 40)).expect("data can be written");
    });
    for network in networks() {
        for method in ["mgda", "pcgrad", "nash-mtl", "upgrad"] {
            assert_like_fixed(folder.path(), network, &format!("method = \"{method}\""));
            if network.datasets == 1 {
                let balance = format!("method = \"{method}\"\ngradients = \"representation\"");
                assert_like_fixed(folder.path(), network, &balance);
            }
        }
        // Methods that read every entry, with options under which they leave it as it is.
        for balance in [
            "method = \"graddrop\"\nleak = 1.0",
            "method = \"moco\"\ntracking_rate = 1.0\ntracking_decay = 0.0",
            "method = \"excess-mtl\"",
        ] {
            assert_like_fixed(folder.path(), network, balance);
        }
    }
}

#[test]
fn tasks_that_share_all_there_is_conflict_as_their_gradients_say() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("0.jsonl"), texts(0, 40)).expect("data can be written");
    let network = Network { tune: true, recurrent: false, datasets: 1 };
    let compared = step(folder.path(), network, "method = \"mgda\"").0.looked.expect("mgda looks at every step");
    let watched =
        step(folder.path(), network, "method = \"equal\"\nwatch = 1").0.looked.expect("every step is watched");
    assert_eq!(compared, watched);
    assert_eq!(compared.tasks, [0, 1, 2]);
    assert!(step(folder.path(), network, "method = \"equal\"\nwatch = 2").0.looked.is_none());
}

#[test]
fn only_convolutions_over_words_of_which_nothing_is_dropped_are_computed_ahead() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    (0..3).for_each(|set| {
        std::fs::write(folder.path().join(format!("{set}.jsonl")), texts(set, 40)).expect("data can be written");
    });
    for network in networks() {
        for (dropout, drops) in [("dropout = 0.0", false), ("dropout = 0.2", true), ("word_dropout = 0.2", true)] {
            let config =
                config(network, "method = \"mgda\"").replace("min_count = 1", &format!("min_count = 1\n{dropout}"));
            let plan = plan(folder.path(), &config);
            let first = first_step(&plan);
            let mut batches = Vec::new();
            for of in &first.batches {
                let source = &plan.corpus.sources[of.source];
                let targets = source.tasks.iter().map(|&task| (task, plan.targets[task.0].train_batch(&of.examples)));
                let feed = source.feed(&source.dataset.train, &of.examples);
                batches.push(Batch { feed, tasks: targets.collect() });
            }
            let ahead = plan.model.look_ahead(Mode::Train { seed: 1, step: 0 }, &batches);
            let expected = !network.recurrent && !drops;
            assert!(ahead.iter().all(|ahead| ahead.is_some() == expected), "{network:?}, {dropout}: {ahead:?}");
        }
    }
}
