//! Does a network begin with the weights of another one, and does what is there of them help?

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use common::{parse, read, run, scratch};
use polytask::data::open::Roots;
use polytask::demo::{RelatedTask, Sizes, write_related};
use polytask::model::{InputKnowledge, WordsKnowledge, load};
use polytask::spec::{Spec, parse_file};
use polytask::train::{Plan, extensions};

const NETWORK: &str = r#"
version = 1
name = "start"
seed = 1
input.words = { kind = "words", dim = 6, characters = { dim = 3, filters = 4 } }
encoder.trunk = { layers = [{ kind = "pool", pool = "mean" }, { kind = "dense", units = 6 }] }
optimizer = { learning_rate = 0.03 }
train = { epochs = 8, batch_size = 16, patience = 0, checkpoint_seconds = 600 }
"#;

/// Two tasks that judge words alike; the second has few examples and words that the first one does not know.
fn project(name: &str) -> PathBuf {
    let folder = scratch(name);
    let task = |name| RelatedTask { name, relatedness: 1.0 };
    write_related(&folder, &[task("first")], Sizes { train: 400, valid: 100, test: 100 }, 3).expect("written");
    write_related(&folder, &[task("second")], Sizes { train: 60, valid: 400, test: 100 }, 3).expect("written");
    let second = folder.join("second.train.tsv");
    fs::write(&second, format!("{}good\twhizz whizz yawn\n", read(&second))).expect("written");
    for tasks in [&["first"][..], &["second"], &["first", "second"]] {
        let mut config = NETWORK.to_owned();
        for task in tasks {
            let files = ["train", "valid", "test"].map(|split| format!("{split} = \"{task}.{split}.tsv\""));
            config += &format!("data.{task} = {{ format = \"lines\", {} }}\n", files.join(", "));
            config += &format!("task.{task} = {{ data = \"{task}\", kind = \"classify\", target = \"label\" }}\n");
        }
        fs::write(folder.join(format!("{}.toml", tasks.join("-"))), config).expect("written");
    }
    folder
}

fn shown(path: PathBuf) -> String {
    path.display().to_string()
}

fn plan(folder: &Path, start: Option<&str>) -> Plan {
    let parsed =
        parse_file(&folder.join("second.toml"), &[], &extensions()).unwrap_or_else(|errors| panic!("{errors}"));
    let mut spec: Spec = parsed.spec;
    spec.train.start = start.map(str::to_owned);
    Plan::new(spec, &Roots { dirs: vec![folder.into()] }).expect("a plan")
}

#[test]
fn what_both_networks_have_is_taken_over() {
    let folder = project("start-taken");
    run(["train", &shown(folder.join("first.toml")), "--out", &shown(folder.join("run"))]).ok();
    let (fresh, begun) = (plan(&folder, None), plan(&folder, Some("run")));
    let saved = load(&folder.join("run/model"), Device::flex()).expect("a model");
    let InputKnowledge::Words(own) = &begun.description.inputs["words"] else { panic!("words") };
    let InputKnowledge::Words(other) = &saved.description.inputs["words"] else { panic!("words") };
    let tables = [&begun, &fresh].map(|plan| plan.model.parameters.tables()[0].clone());
    let (mut known, mut new) = (0, 0);
    for row in 0..own.vocabulary.rows() as u32 {
        let word = own.vocabulary.word(row);
        let found = word.map_or(0, |word| other.vocabulary.lookup(word).0);
        let values = |table: &polytask::model::Table, row: u32| {
            table.values[row as usize * table.dim..(row as usize + 1) * table.dim].to_vec()
        };
        if word.is_none() || other.vocabulary.word(found) == word {
            assert_eq!(values(&tables[0], row), values(&saved.model.parameters.tables()[0], found), "{word:?}");
            known += 1;
        } else {
            assert_eq!(values(&tables[0], row), values(&tables[1], row), "{word:?}");
            new += 1;
        }
    }
    assert!(known > 50 && new == 1, "{known} and {new}: `yawn` stands once, `whizz` twice");
    let letters =
        |words: &WordsKnowledge, letter: char| 3 * words.characters.as_ref().expect("characters").id(letter) as usize;
    for (begun, fresh) in begun.model.parameters.dense().iter().zip(fresh.model.parameters.dense()) {
        let found = saved.model.parameters.dense().iter().find(|found| found.name == begun.name);
        let (values, initial) = (begun.to_vec(), fresh.to_vec());
        match (begun.name.as_str(), found.map(polytask::model::Parameter::to_vec)) {
            ("input.words.characters.vectors", Some(found)) => {
                let [at, known] = [letters(own, 'k'), letters(other, 'k')];
                assert_eq!(values[at..at + 3], found[known..known + 3]);
                let new = letters(own, 'w');
                assert_eq!(values[new..new + 3], initial[new..new + 3]);
                assert_ne!(at, known, "the letters of new words stand before `k`");
            }
            (name, Some(found)) => assert_eq!(values, found, "{name}"),
            (name, None) => {
                assert!(name.starts_with("task.second."), "{name}");
                assert_eq!(values, initial, "{name}");
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_told() {
    let folder = project("start-faults");
    run(["train", &shown(folder.join("first.toml")), "--out", &shown(folder.join("run")), "--set", "train.epochs=1"])
        .ok();
    let check = |start: &str, more: &str| {
        let start = format!("train.start={start}");
        run(["check", &shown(folder.join("second.toml")), "--set", &start, "--set", more])
    };
    let none = check("nowhere", "seed=1");
    assert!(none.code == Some(3) && none.err.contains("nowhere"), "{}", none.err);
    let empty = check("first.toml", "seed=1");
    assert!(empty.code == Some(2) && empty.err.contains("`first.toml` is a file"), "{}", empty.err);
    let text = read(&folder.join("second.toml")).replace(".words", ".other").replace("trunk", "tree");
    fs::write(folder.join("second.toml"), text).expect("written");
    let other = check("run", "seed=1");
    assert!(other.code == Some(2) && other.err.contains("no parameter of the same name and shape"), "{}", other.err);
}

#[test]
fn transfer_between_tasks_of_one_kind_helps() {
    let folder = project("start-study");
    let arms = "study.arms=[\"separate\", \"transfer\"]";
    let study = |out: &str, workers: &str| {
        let config = shown(folder.join("first-second.toml"));
        let out = shown(folder.join(out));
        let settings = ["study.budget.runs=50", "study.seeds=3", arms, workers].into_iter();
        let settings = settings.flat_map(|setting| ["--set".to_owned(), setting.to_owned()]);
        run(["study".to_owned(), config, "--out".to_owned(), out].into_iter().chain(settings)).ok()
    };
    let text = study("one", "study.workers=1");
    assert!(text.contains("a task that begins with another one's network against alone"), "{text}");
    let answer = parse(&read(&folder.join("one/study.json")));
    let gains = answer["relatedness"]["transfer_gains"].as_array().expect("gains");
    let gain = |task: &str| {
        let found = gains.iter().find(|gain| gain["task"] == task).expect("the task has a source");
        found["gain"].as_f64().expect("a gain")
    };
    // The task with few examples gains by that with many.
    assert!(gains.len() == 2 && gain("second") > 0.02, "{text}");
    assert!(
        read(&folder.join("one/runs/transfer.first.second.adam.1/config.toml"))
            .contains("runs/separate.first.adam.1/model")
    );
    // Runs that go on from others wait for them.
    study("three", "study.workers=3");
    assert_eq!(read(&folder.join("three/study.json")), read(&folder.join("one/study.json")));
}
