//! Does `predict` answer every text, whatever it holds and however it comes?

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;

use common::{Ran, command, parse, scratch, wait};
use serde_json::{Value, json};

/// A model that knows names, trained once for all tests of this file.
static RUN: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = scratch("predict");
    polytask::demo::write(&folder, 7).expect("the corpora can be written");
    let (config, out) = (folder.join("demo.toml"), folder.join("run"));
    let start = ["train".as_ref(), config.as_os_str(), "--out".as_ref(), out.as_os_str()];
    common::run(start.into_iter().chain(["--set".as_ref(), "train.epochs=4".as_ref()])).ok();
    out
});

const TASKS: [&str; 3] = ["movies", "products", "names"];

const SENTENCE: &str = "Officials in Ravhaven met Lucia Hartworth on Friday .";

fn arguments(task: &str, more: &[&str]) -> Vec<String> {
    let start = ["predict", &RUN.display().to_string(), "--task", task].map(str::to_owned);
    start.into_iter().chain(more.iter().map(|&argument| argument.to_owned())).collect()
}

/// Predicts what comes on standard input.
fn piped(task: &str, more: &[&str], input: &str) -> Ran {
    let mut child = command(arguments(task, more)).stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let ran = wait(child);
    // The program may stop reading early: at a fault.
    let _ = writer.join().expect("the writer ends");
    ran
}

fn lines(task: &str, input: &str) -> Vec<Value> {
    piped(task, &[], input).json_lines()
}

/// A file beside the run.
fn file(name: &str, text: &str) -> String {
    let path = RUN.with_file_name(name);
    fs::write(&path, text).expect("an input can be written");
    path.display().to_string()
}

#[test]
fn every_format_gives_the_same_prediction() {
    let words: Vec<&str> = SENTENCE.split(' ').collect();
    let columns: String = words.iter().map(|word| format!("{word} X O\n")).collect();
    let (text, tokens) = (json!({ "text": SENTENCE }).to_string(), json!({ "tokens": words }).to_string());
    let inputs = [
        ("in.txt", "lines", format!("{SENTENCE}\n")),
        ("in.conll", "conll", format!("-DOCSTART- X O\n\n{columns}\n")),
        ("in.jsonl", "jsonl", format!("{text}\n")),
        ("in.ndjson", "jsonl", tokens),
        ("crlf.txt", "lines", format!("\u{feff}{SENTENCE}\r\n")),
    ];
    let expected = lines("names", SENTENCE).remove(0);
    let kinds: Vec<&Value> = expected["spans"].as_array().expect("spans").iter().map(|span| &span["type"]).collect();
    assert_eq!(kinds, ["LOC", "PER"], "{expected}");
    for (name, format, input) in inputs {
        // The format is told by the name, by the option, and for standard input by the option alone.
        let path = file(name, &input);
        let by_name = common::run(arguments("names", &[&path])).json_lines();
        let by_option = common::run(arguments("names", &["--format", format, &path])).json_lines();
        assert_eq!(by_name, by_option, "{name}");
        assert_eq!(by_name, piped("names", &["--format", format], &input).json_lines(), "{name}");
        assert_eq!(by_name.len(), 1, "{name}");
        assert_eq!((&by_name[0]["tokens"], &by_name[0]["tags"]), (&expected["tokens"], &expected["tags"]), "{name}");
        assert_eq!(by_name[0].get("text").is_some(), by_name[0]["spans"][0].get("start").is_some(), "{name}");
    }
}

#[test]
fn offsets_count_characters() {
    let texts = [
        "Žižek — 😀😀 — über Łódź : Officials in Ravhaven met Lucia Hartworth on Friday .",
        "e\u{301}e\u{301} 日本語 Lucia  Hartworth\u{a0}, Ravhaven",
        "😀Lucia Hartworth😀 Ravhaven",
    ];
    let mut beyond = 0;
    for (text, object) in texts.iter().zip(lines("names", &texts.join("\n"))) {
        assert_eq!(object["text"], *text);
        let characters: Vec<char> = text.chars().collect();
        for span in object["spans"].as_array().expect("spans") {
            let at = |key: &str| span[key].as_u64().expect("an offset") as usize;
            let slice: String = characters[at("start")..at("end")].iter().collect();
            assert_eq!(span["text"], slice, "{object}");
            let tokens: Vec<&str> = object["tokens"].as_array().expect("tokens")[at("first_token")..=at("last_token")]
                .iter()
                .filter_map(Value::as_str)
                .collect();
            assert_eq!(slice.split_whitespace().collect::<String>(), tokens.concat());
            beyond += usize::from(!text[..text.find(&slice).expect("it stands there")].is_ascii());
        }
    }
    assert!(beyond > 0, "no span stands after a character of several bytes");
}

#[test]
fn nothing_to_read_is_a_prediction_too() {
    for task in TASKS {
        let objects = lines(task, "\n   \n\t\nx\n\n");
        assert_eq!(objects.len(), 5, "{task}: {objects:?}");
        for (object, text) in objects.iter().zip(["", "   ", "\t", "x", ""]) {
            assert_eq!(object["text"], text, "{task}");
            if task == "names" {
                let tokens: &[&str] = if text == "x" { &["x"] } else { &[] };
                assert_eq!(object["tokens"], json!(tokens), "{task}");
                assert_eq!(object["tags"].as_array().map(Vec::len), Some(tokens.len()), "{task}");
            } else {
                assert!(object["probability"].as_f64() >= Some(0.5), "{task}: {object}");
            }
        }
        assert_eq!(lines(task, ""), [Value::Null; 0], "{task}");
        let odd = "{\"tokens\": []}\n{\"tokens\": [\"\", \" \", \"EU\"]}\n\n{\"text\": \"\"}\n";
        assert_eq!(piped(task, &["--format", "jsonl"], odd).json_lines().len(), 3, "{task}");
    }
}

#[test]
fn a_line_of_ten_thousand_tokens_is_one_prediction() {
    let long = ["Lucia Hartworth met the EU envoy in Ravhaven ."; 1200].join(" ");
    let object = lines("names", &format!("{SENTENCE}\n{long}\n")).remove(1);
    assert_eq!(object["tags"].as_array().map(Vec::len), Some(1200 * 9));
    let last = object["spans"].as_array().and_then(|spans| spans.last()).expect("spans");
    assert!(last["end"].as_u64() > Some(50_000), "{last}");
    assert_eq!(lines("movies", &long).len(), 1);
    let unbroken = "a".repeat(100_000);
    assert_eq!(lines("names", &unbroken)[0]["tokens"], json!([unbroken]));
}

#[test]
fn order_and_ids_are_kept_over_many_batches() {
    let ids = [json!(3), json!("three"), json!({ "a": [1, null] }), json!(0.5), Value::Null, json!(true)];
    let mut input = String::new();
    for index in 0..210 {
        let text = format!("{}{index}", "The film is dull . ".repeat(index * 7 % 40));
        input.push_str(&format!("{}\n", json!({ "id": ids[index % ids.len()], "text": text, "more": index })));
    }
    for task in TASKS {
        let objects = piped(task, &["--format", "jsonl"], &input).json_lines();
        assert_eq!(objects.len(), 210, "{task}");
        for (index, (object, asked)) in objects.iter().zip(input.lines().map(parse)).enumerate() {
            assert_eq!((&object["id"], &object["text"]), (&asked["id"], &asked["text"]), "{task} {index}");
        }
    }
    let without = piped("movies", &["--format", "jsonl"], "{\"text\": \"a\"}").json_lines();
    assert!(without[0].get("id").is_none(), "{without:?}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let path = file("many.txt", &format!("{SENTENCE}\n").repeat(3000));
    let mut child = command(arguments("movies", &[&path])).spawn().expect("the program starts");
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("its output is a pipe")).read_line(&mut first).expect("a line comes");
    assert_eq!(parse(&first)["text"], SENTENCE);
    let ran = wait(child);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

#[test]
fn what_comes_before_a_fault_is_answered() {
    let input =
        format!("{}\n{}\nno JSON\n{}\n", json!({ "text": "a" }), json!({ "text": "b" }), json!({ "text": "c" }));
    let ran = piped("movies", &["--format", "jsonl"], &input);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(ran.err.contains("standard input:3"), "{}", ran.err);
    let texts: Vec<Value> = ran.out.lines().map(|line| parse(line)["text"].clone()).collect();
    assert_eq!(texts, ["a", "b"]);
    assert!(!Path::new("no such file").exists());
    let missing = common::run(arguments("movies", &["no such file"]));
    assert_eq!(missing.code, Some(3), "{}", missing.err);
    assert!(missing.err.contains("no such file"), "{}", missing.err);
}

/// Every number in a value, with where it stands.
fn numbers(value: &Value, at: &str, found: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => found.push((at.to_owned(), number.as_f64().expect("a number"))),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(i, value)| numbers(value, &format!("{at}/{i}"), found));
        }
        Value::Object(values) => {
            values.iter().for_each(|(key, value)| numbers(value, &format!("{at}/{key}"), found));
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[test]
fn a_prediction_does_not_depend_on_its_neighbours() {
    let praise = "I liked this film , it is superb and never boring .";
    let texts = ["", "good", "dull film", SENTENCE, praise, &format!("{praise} ").repeat(25), &"very ".repeat(700)];
    for task in TASKS {
        let together = lines(task, &texts.join("\n"));
        assert_eq!(together.len(), texts.len(), "{task}");
        for (text, among) in texts.iter().zip(together) {
            let alone = lines(task, &format!("{text}\n")).remove(0);
            let (mut one, mut other) = (Vec::new(), Vec::new());
            numbers(&alone, "", &mut one);
            numbers(&among, "", &mut other);
            assert_eq!(one.len(), other.len(), "{task}: {alone} and {among}");
            for ((at, one), (_, other)) in one.iter().zip(&other) {
                assert!((one - other).abs() <= 1e-5, "{task}{at} of {text:?}: {one} alone, {other} among others");
            }
        }
    }
}
