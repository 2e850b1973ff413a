//! Does `init` write, for data of each format, a config that checks and trains as it is? And what do `data` commands say?

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder with small data of every format.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    };
    let (mut csv, mut tsv, mut json) =
        ("id,body,verdict,stars\n".to_owned(), "label\tsentence\n".to_owned(), String::new());
    let (mut lines, mut amazon, mut conll) = (String::new(), String::new(), String::new());
    for index in 0..80 {
        let (label, word, stars) = if index % 2 == 0 { ("pos", "good", 5) } else { ("neg", "bad", 1) };
        let text = format!("a very {word} film number {index} , says everybody here");
        csv += &format!("{index},\"{text}\",{label},{}\n", f64::from(stars) - index as f64 / 100.0);
        tsv += &format!("{label}\t{text}\n");
        json += &format!("{{\"text\": \"{text}\", \"topic\": \"{label}\", \"id\": \"x{index}\"}}\n");
        lines += &format!("{}\t{text}\n", index % 2);
        let review =
            format!("<review>\n<rating>\n{stars}.0\n</rating>\n<review_text>\n{text}\n</review_text>\n</review>\n");
        amazon += &review;
        conll += &format!("Anna{} NNP B-PER\nsings VBZ O\nin IN O\nOslo NNP B-LOC\n\n", index % 7);
        write(&format!("imdb/{}/{label}/{index}_{}.txt", ["train", "test"][index / 60], 2 * stars - 1), &text);
    }
    write("a.csv", &csv);
    write("b.tsv", &tsv);
    write("c.jsonl", &json);
    write("fdu/books.task.train", &lines);
    write("fdu/books.task.test", &lines);
    write("fdu/dvd.task.train", &lines);
    write("fdu/dvd.task.test", &lines);
    write("amazon/books/all.review", &amazon);
    write("amazon/dvd/all.review", &amazon);
    for part in ["train", "dev", "test"] {
        write(&format!("names/{part}.conll"), &conll);
    }
    let numbers = |seed: usize| (0..8).map(|at| format!(" 0.{}", (seed + at) % 10)).collect::<String>();
    let words = ["good", "bad", "film", "very", "Oslo", "in"];
    let vectors: String = words.iter().enumerate().map(|(at, word)| format!("{word}{}\n", numbers(at))).collect();
    write("vectors.txt", &vectors);
    folder
}

fn polytask(folder: &Path, command: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_polytask"))
        .args(command.split_whitespace())
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("the program starts")
}

/// Runs a command that must succeed; what it says.
fn done(folder: &Path, command: &str) -> (String, String) {
    let output = polytask(folder, command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, said) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "polytask {command}: {said}");
    (out, said)
}

#[test]
fn every_format_gives_a_config_that_checks_and_trains_as_it_is() {
    let folder = folder();
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../polytask-data/tests/fixtures");
    let table = [
        ("a.csv", "verdict"),
        ("b.tsv", "label"),
        ("c.jsonl", "topic"),
        ("fdu", "label"),
        ("amazon", "polarity"),
        ("imdb", "polarity"),
        ("names --vectors vectors.txt", "ner"),
        ("names imdb a.csv vectors.txt", "ner"),
    ];
    for (index, (data, target)) in table.into_iter().enumerate() {
        let config = format!("config-{index}.toml");
        let (out, said) = done(folder.path(), &format!("init {data} -o {config}"));
        assert_eq!(out, format!("{config}\n"), "{said}");
        let text = fs::read_to_string(folder.path().join(&config)).expect("it is written");
        assert!(text.contains(&format!("target = \"{target}\"")), "{data}:\n{text}");
        assert!(said.contains("task: ") && said.contains(&format!("next: polytask check {config}")), "{said}");
        done(folder.path(), &format!("check {config}"));
        done(folder.path(), &format!("train {config} --out run-{index}"));
    }
    let text = fs::read_to_string(folder.path().join("config-7.toml")).expect("it is written");
    for part in
        ["[task.names]", "[task.imdb]", "[task.a]", "vectors = \"vectors.txt\"", "kind = \"bilstm\"", "# [task."]
    {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let reviews = fixtures.join("reviews.parquet");
    done(folder.path(), &format!("init {} -o parquet.toml", reviews.display()));
}

#[test]
fn a_config_is_replaced_only_if_asked() {
    let folder = folder();
    fs::write(folder.path().join("polytask.toml"), "mine").expect("files can be written");
    let output = polytask(folder.path(), "init a.csv");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read(folder.path().join("polytask.toml")).expect("it is there"), b"mine");
    done(folder.path(), "init a.csv --force");
    assert!(fs::read_to_string(folder.path().join("polytask.toml")).expect("it is there").contains("[data.a]"));
}

#[test]
fn inspect_counts_what_is_there() {
    let folder = folder();
    let (out, _) = done(folder.path(), "data inspect fdu");
    for part in ["books: format lines", "dvd: format lines", "train", "0 40, 1 40", "the first examples:"] {
        assert!(out.contains(part), "{part} is not in\n{out}");
    }
    let (out, _) = done(folder.path(), "data inspect names --json");
    let report: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    let train = &report["datasets"][0]["parts"][0];
    assert_eq!((train["examples"].as_u64(), train["lengths"]["median"].as_u64()), (Some(80), Some(4)));
    let ner = train["columns"].as_array().expect("a list").iter().find(|column| column["name"] == "ner");
    assert_eq!(ner.expect("it is there")["values"][0], serde_json::json!(["O", 160]));
    let (out, _) = done(folder.path(), "data inspect vectors.txt");
    assert!(out.contains("6 words of 8 numbers: good bad film very Oslo in"), "{out}");
}

#[test]
fn what_is_known_is_listed() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let (out, _) = done(folder.path(), "data list");
    for name in ["imdb", "glove-6b", "conll2003", "fdu-mtl", "ud-english-ewt", "word2vec-google-news"] {
        assert!(out.lines().any(|line| line.starts_with(name)), "{name} is not in\n{out}");
    }
    let (out, _) = done(folder.path(), "data list --json");
    let entries: Vec<serde_json::Value> = serde_json::from_str(&out).expect("it is JSON");
    assert!(entries.iter().any(|entry| entry["name"] == "imdb" && entry["files"][0]["sha256"].is_string()));
}

/// Serves bytes on this machine; the first answer breaks off after half of them.
fn serve(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}/data/small.csv?x=1", listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().enumerate() {
            let mut stream = stream.expect("the client connects");
            let mut from = 0;
            for line in BufReader::new(stream.try_clone().expect("a second handle")).lines() {
                let line = line.expect("the request is text").to_lowercase();
                if let Some(start) = line.strip_prefix("range: bytes=") {
                    from = start.trim_end_matches('-').parse().expect("a number");
                }
                if line.is_empty() {
                    break;
                }
            }
            let (length, status) = (bytes.len(), if from == 0 { "200 ok" } else { "206 part" });
            let head = format!(
                "HTTP/1.1 {status}\r\netag: \"1\"\r\ncontent-range: bytes {from}-{}/{length}\r\ncontent-length: {}\r\n\r\n",
                length - 1,
                length - from
            );
            let end = if index == 0 { length / 2 } else { length };
            // The client may go away.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes[from..end]));
        }
    });
    url
}

#[test]
fn a_file_is_fetched_and_remembered() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let bytes = b"text,label\ngood film,1\nbad film,0\n".repeat(50);
    let url = serve(bytes.clone());
    let (out, said) = done(folder.path(), &format!("data get {url} --to here"));
    assert_eq!(out.trim(), Path::new("here").join("small.csv").display().to_string());
    assert!(said.contains("trying again") && said.contains("nobody publishes its hash"), "{said}");
    assert_eq!(fs::read(folder.path().join("here/small.csv")).expect("it is there"), bytes);
    let (_, said) = done(folder.path(), &format!("data get {url} --to here"));
    assert!(said.contains("was there") && said.contains("the hash of the first download"), "{said}");
    fs::write(folder.path().join("here/small.csv"), "changed").expect("files can be written");
    let output = polytask(folder.path(), &format!("data get {url} --to here"));
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn real_data_are_recognised() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::var_os("POLYTASK_DATA").map_or_else(|| workspace.join("../shared/data"), PathBuf::from);
    if !data.is_dir() {
        println!("skipped: no real data at {} (set POLYTASK_DATA)", data.display());
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let table = [
        ("conll2003/iob1-original", "columns = [\"token\", \"pos\", \"chunk\", \"ner\"]", 1),
        ("conll2003", "[task.iob2-docstart]", 2),
        ("imdb/aclImdb.tar.gz", "format = \"imdb\"", 1),
        ("imdb", "format = \"imdb\"", 1),
        ("amazon-blitzer", "format = \"amazon\"", 1),
        ("fdu-mtl", "[task.toys-games]", 16),
    ];
    for (name, expected, tasks) in table.into_iter().filter(|(name, ..)| data.join(name).exists()) {
        let command = format!("init {} --force", data.join(name).display());
        let (_, said) = done(folder.path(), &command);
        let text = fs::read_to_string(folder.path().join("polytask.toml")).expect("it is written");
        assert!(text.contains(expected), "{name}: {said}\n{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("[task.")).count(), tasks, "{name}: {said}\n{text}");
    }
    for (name, expected) in [("mnist", "images in the idx format"), ("school", "MATLAB"), ("landmine", "MATLAB")] {
        let path = data.join(name);
        if path.exists() {
            let output = polytask(folder.path(), &format!("init {} -o {name}.toml", path.display()));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.code() == Some(3) && said.contains(expected), "{name}: {said}");
        }
    }
}
