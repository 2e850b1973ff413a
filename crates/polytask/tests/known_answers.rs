//! Does a study of generated tasks come to the answer that is known?

mod common;

use std::fs;
use std::path::PathBuf;

use common::{parse, read, run, scratch};
use polytask::demo::{RelatedTask, Sizes, write_related};
use serde_json::Value;

/// A study of two generated tasks with one output layer, the second of this relatedness to the first.
fn study(name: &str, relatedness: f64, arms: &str) -> (PathBuf, Value, String) {
    study_of(name, &[("first", 1.0), ("second", relatedness)], arms, "")
}

/// The same of any tasks, with one more layer.
fn study_of(name: &str, tasks: &[(&'static str, f64)], arms: &str, layer: &str) -> (PathBuf, Value, String) {
    let folder = scratch(name);
    let tasks: Vec<RelatedTask> = tasks.iter().map(|&(name, relatedness)| RelatedTask { name, relatedness }).collect();
    write_related(&folder, &tasks, Sizes { train: 160, valid: 200, test: 400 }, 5).expect("texts can be written");
    let mut config = String::from("version = 1\nname = \"dial\"\nseed = 1\n");
    for RelatedTask { name: task, .. } in &tasks {
        let files = ["train", "valid", "test"].map(|split| format!("{split} = \"{task}.{split}.tsv\""));
        config += &format!("data.{task} = {{ format = \"lines\", {} }}\n", files.join(", "));
        let kind = "kind = \"classify\", target = \"label\", metric = \"accuracy\", head = \"opinion\"";
        config += &format!("task.{task} = {{ data = \"{task}\", {kind} }}\n");
    }
    config += &format!("encoder.trunk = {{ layers = [{{ kind = \"pool\", pool = \"mean\" }}{layer}] }}\n");
    config += "input.words = { kind = \"words\", dim = 8 }\n\
               optimizer = { learning_rate = 0.03 }\n\
               balance = { method = \"equal\", watch = 5 }\n\
               train = { epochs = 10, batch_size = 16, sampling = \"joint\", patience = 0, checkpoint_seconds = 600 }\n";
    let measures = "\"affinity\", \"cka\"";
    config += &format!("study = {{ budget.runs = 100, arms = [{arms}], measures = [{measures}] }}\n");
    fs::write(folder.join("study.toml"), config).expect("a config can be written");
    let [config, out] = [folder.join("study.toml"), folder.join("out")].map(|path| path.display().to_string());
    let text = run(["study", &config, "--out", &out]).ok();
    let answer = parse(&read(&folder.join("out/study.json")));
    (folder, answer, text)
}

/// The affinity of each of two tasks onto the other.
fn affinities(answer: &Value) -> [f64; 2] {
    let found = answer["relatedness"]["affinities"].as_array().expect("affinities");
    let [first, second] = found.as_slice() else { panic!("{found:?}") };
    assert!(first["of"] == "first" && first["on"] == "second" && second["of"] == "second", "{found:?}");
    [first, second].map(|pair| pair["affinity"].as_f64().expect("a number"))
}

/// How alike the networks of the two tasks alone are.
fn cka(answer: &Value) -> f64 {
    let found = &answer["relatedness"]["similarities"][0];
    // All validation texts of both datasets.
    assert_eq!(found["texts"], 400, "{found}");
    found["cka"].as_f64().expect("a CKA")
}

fn verdicts(answer: &Value) -> Vec<&str> {
    let tasks = answer["tasks"].as_object().expect("tasks");
    tasks.values().map(|task| task["comparison"]["verdict"].as_str().expect("a verdict")).collect()
}

#[test]
fn tasks_that_are_the_same_share() {
    let (folder, answer, text) = study("dial-same", 1.0, "\"separate\", \"joint\"");
    assert_eq!(verdicts(&answer), ["helped", "helped"], "{text}");
    assert_eq!(answer["recommendation"]["decision"], "share-all", "{text}");
    assert!(answer["relatedness"]["cosines"][0]["cosine"].as_f64().expect("a cosine") > 0.0, "{text}");
    for task in ["first", "second"] {
        let (task, mean) = (&answer["tasks"][task], |value: &Value| value.as_f64().expect("a number"));
        let [low, high] = ["low", "high"].map(|end| mean(&task["bootstrap_examples"][end]));
        assert!(low > 0.0 && low < mean(&task["comparison"]["paired"]["mean"]), "{text}");
        assert!(high > mean(&task["comparison"]["paired"]["mean"]) && high < 0.5, "{text}");
    }
    assert!(affinities(&answer).iter().all(|affinity| *affinity > 0.0), "{text}");
    assert!(text.contains("what a step for one task does for another"), "{text}");
    // numpy on the saved vectors of both networks and the mean over the words of each text: 0.2486347914.
    assert!((cka(&answer) - 0.248_634_8).abs() < 0.01, "{text}");
    assert!(answer["delta_m_paired"]["interval"]["low"].as_f64().expect("an interval") > 0.0, "{text}");
    let config = folder.join("out/recommended.toml").display().to_string();
    let checked = run(["check", &config, "--data", &folder.display().to_string()]).ok();
    assert!(checked.contains("nothing is wrong"), "{checked}");
    assert!(read(&folder.join("out/recommended.toml")).contains("head = \"opinion\""));
}

#[test]
fn networks_of_equal_total_size_are_narrower_and_compared() {
    let (folder, answer, text) = study_of(
        "dial-size",
        &[("first", 1.0), ("second", 1.0)],
        "\"separate\", \"equal-size\", \"joint\"",
        ", { kind = \"dense\", units = 20 }",
    );
    assert!(text.contains("joint against separate networks of equal total size"), "{text}");
    let layers = |run: &str| {
        let path = folder.join("out/runs").join(run).join("model/weights.safetensors");
        let bytes = fs::read(path).expect("a model");
        let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
        let header = parse(std::str::from_utf8(&bytes[8..8 + length]).expect("a header"));
        let arrays = header.as_object().expect("arrays").iter().filter(|(name, _)| name.starts_with("encoder."));
        let size = |array: &Value| {
            array["shape"]
                .as_array()
                .expect("a shape")
                .iter()
                .map(|side| side.as_u64().expect("a side"))
                .product::<u64>()
        };
        arrays.map(|(_, array)| size(array)).sum::<u64>()
    };
    // 8 features into 20 units and their biases: 180; two networks of 10 units have as many.
    assert_eq!((layers("joint.equal.adam.1"), layers("separate.first.adam.1")), (180, 180));
    assert_eq!(layers("equal-size.first.adam.1") + layers("equal-size.second.adam.1"), 180);
    for task in ["first", "second"] {
        assert_eq!(answer["tasks"][task]["equal_size"]["gains"].as_array().map(Vec::len), Some(5), "{text}");
        assert!(answer["tasks"][task]["arms"]["equal-size"]["mean"].as_f64().is_some_and(|mean| mean > 0.6), "{text}");
    }
    assert!(text.contains("Against separate networks of equal total size, "), "{text}");
}

#[test]
fn tasks_that_contradict_each_other_are_kept_apart() {
    let (folder, answer, text) = study("dial-contradiction", -1.0, "\"separate\", \"joint\"");
    assert_eq!(verdicts(&answer), ["hurt", "hurt"], "{text}");
    assert_eq!(answer["recommendation"]["decision"], "keep-apart", "{text}");
    assert_eq!(answer["recommendation"]["groups"], parse(r#"[["first"], ["second"]]"#), "{text}");
    assert!(answer["relatedness"]["cosines"][0]["cosine"].as_f64().expect("a cosine") < 0.0, "{text}");
    assert!(affinities(&answer).iter().all(|affinity| *affinity < 0.0), "{text}");
    // As above: 0.2289907468. What two networks tell apart is the same where they disagree about which is which.
    assert!((cka(&answer) - 0.228_990_7).abs() < 0.01 && text.contains("likeness of the networks"), "{text}");
    let config = folder.join("out/recommended.toml");
    assert!(!read(&config).contains("head ="), "{}", read(&config));
    // What is recommended is as good as each task alone: that is what it does.
    let [config, out, data] = [config, folder.join("run"), folder.clone()].map(|path| path.display().to_string());
    run(["train", &config, "--out", &out, "--data", &data]).ok();
    let metrics = parse(&read(&folder.join("run/metrics.json")));
    for task in ["first", "second"] {
        let score = metrics["splits"]["test"][task]["accuracy"].as_f64().expect("an accuracy");
        let alone = answer["tasks"][task]["arms"]["separate"]["mean"].as_f64().expect("a mean");
        assert!((score - alone).abs() < 0.06, "{task}: {score} and {alone}\n{text}");
    }
}

#[test]
fn groups_that_pairs_promise_are_trained() {
    let tasks = [("first", 1.0), ("second", 1.0), ("third", 1.0), ("against", -1.0)];
    let arms = "\"separate\", \"joint\", \"pairs\", \"groups\"";
    let (folder, answer, text) = study_of("dial-groups", &tasks, arms, "");
    let groups = parse(r#"[["first", "second", "third"], ["against"]]"#);
    assert_eq!(answer["groups"]["groups"], groups, "{text}");
    assert_eq!(answer["recommendation"]["groups"], groups, "{text}");
    assert!(folder.join("out/runs/group.first.second.third.equal.adam.1/model").is_dir());
    let delta = |key: &str| answer["groups"][key].as_f64().expect("a gain");
    assert!(delta("delta_m") > 0.02 && delta("delta_m_valid") > 0.02, "{text}");
    for task in ["first", "second", "third"] {
        let mean = |arm: &str| answer["tasks"][task]["arms"][arm]["mean"].as_f64().expect("a mean");
        assert!(mean("groups") > mean("separate") && mean("groups") > mean("joint"), "{task}: {text}");
    }
    assert_eq!(answer["tasks"]["against"]["arms"]["groups"], answer["tasks"]["against"]["arms"]["separate"]);
    assert!(
        text.contains("groups, trained") && text.contains("Trained, the groups `first`, `second`, `third`"),
        "{text}"
    );
    let config = folder.join("study.toml").display().to_string();
    let checked = run(["check", &config, "--data", &folder.display().to_string()]).ok();
    assert!(checked.contains("groups follow from what pairs gain: 5 runs more at most"), "{checked}");
}

#[test]
fn the_demo_finds_who_should_share_and_reports_it() {
    let folder = scratch("demo-study");
    let out = run(["demo", "--study", "--out", &folder.join("demo").display().to_string()]).ok();
    let path = folder.join("demo/study");
    let answer = parse(&read(&path.join("study.json")));
    assert_eq!(answer["recommendation"]["decision"], "groups", "{out}");
    let groups = &answer["recommendation"]["groups"];
    let pair = parse(r#"["novels", "films"]"#);
    assert!(groups.as_array().is_some_and(|groups| groups.len() == 2 && groups.contains(&pair)), "{out}");
    let cosine = |a: &str, b: &str| {
        let cosines = answer["relatedness"]["cosines"].as_array().expect("cosines");
        let between = parse(&format!("[\"{a}\", \"{b}\"]"));
        let found = cosines.iter().find(|pair| pair["between"] == between).expect("the pair was looked at");
        found["cosine"].as_f64().expect("a cosine")
    };
    assert!(cosine("novels", "films") > 0.0 && cosine("novels", "satire") < 0.0, "{out}");
    let path = path.display().to_string();
    let text = run(["report", &path, "--text"]).ok();
    for part in
        ["joint against each task alone", "two tasks together", "group them: `novels`, `films` | `satire`", "conflict"]
    {
        assert!(text.contains(part) && out.contains(part), "{part:?} is not in\n{text}");
    }
    assert_eq!(run(["report", &path, "--json"]).json(), answer);
    let page = run(["report", &path]).ok();
    assert!(read(std::path::Path::new(page.trim())).contains("<svg"), "{page}");
    fs::remove_file(folder.join("demo/study/study.json")).expect("the answer was there");
    let none = run(["report", &path]);
    assert!(none.code == Some(2) && none.err.contains("no answer yet"), "{}", none.err);
}
