//! Does the book hang together, and does it say what the program understands?

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use polytask::spec::parse;
use polytask::train::extensions;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages below a folder, as paths from the folder `docs`, sorted.
fn pages(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let path = workspace().join("docs").join(folder);
    for entry in fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
        let entry = entry.expect("a folder of pages can be read");
        let name = entry.file_name().into_string().expect("names of pages are UTF-8");
        let inside = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if entry.path().is_dir() {
            found.extend(pages(&inside));
        } else if inside.ends_with(".md") {
            found.push(inside);
        }
    }
    found.sort();
    found
}

/// A fenced block of a page: its language and its text.
struct Block {
    language: String,
    text: String,
}

/// The prose of a page, and its fenced blocks.
fn parts(page: &str) -> (String, Vec<Block>) {
    let (mut prose, mut blocks) = (String::new(), Vec::<Block>::new());
    let mut inside = false;
    for line in page.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(language), false) => {
                blocks.push(Block { language: language.trim().to_owned(), text: String::new() });
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => {
                if let Some(block) = blocks.last_mut() {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            }
            (None, false) => {
                prose.push_str(line);
                prose.push('\n');
            }
        }
    }
    assert!(!inside, "a fenced block is not closed");
    (prose, blocks)
}

/// The targets of links outside code.
fn links(prose: &str) -> Vec<String> {
    let without_code: String = prose.split('`').step_by(2).collect::<Vec<_>>().join("code");
    let after_text = without_code.split("](").skip(1);
    after_text.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

#[test]
fn the_summary_lists_every_page_once() {
    let book: toml::Table = read(&workspace().join("book.toml")).parse().expect("book.toml is TOML");
    let source = book.get("book").and_then(|book| book.get("src")).and_then(toml::Value::as_str);
    assert_eq!(source, Some("docs"));
    let summary = read(&workspace().join("docs/SUMMARY.md"));
    let mut listed = links(&summary);
    listed.sort();
    let mut there = pages("");
    there.retain(|page| page != "SUMMARY.md");
    assert!(there.len() > 10, "{there:?}");
    assert_eq!(listed, there);
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let mut count = 0;
    for page in pages("") {
        let path = workspace().join("docs").join(&page);
        let folder = path.parent().expect("a page is in a folder");
        for link in links(&parts(&read(&path)).0) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            assert!(folder.join(file).exists(), "docs/{page} links to {link}, which is not there");
            count += 1;
        }
    }
    assert!(count > 30, "only {count} links were found");
}

#[test]
fn whole_configs_parse() {
    let mut count = 0;
    for page in pages("book") {
        let blocks = parts(&read(&workspace().join("docs").join(&page))).1;
        let whole = |block: &&Block| block.language == "toml" && block.text.lines().any(|line| line == "version = 1");
        for block in blocks.iter().filter(whole) {
            let parsed = parse(&page, &block.text, &[], &extensions()).unwrap_or_else(|errors| panic!("{errors}"));
            assert!(!parsed.spec.task.is_empty());
            count += 1;
        }
    }
    assert!(count >= 2, "only {count} whole configs were found");
}

#[test]
fn the_config_of_the_first_chapter_is_the_demos() {
    let page = read(&workspace().join("docs/book/multi-task-learning.md"));
    let blocks = parts(&page).1;
    let text = &blocks.iter().find(|block| block.language == "toml").expect("the chapter has a config").text;
    let shown = parse("book", text, &[], &extensions()).unwrap_or_else(|errors| panic!("{errors}")).spec;
    let written =
        parse("demo.toml", polytask::demo::CONFIG, &[], &extensions()).unwrap_or_else(|errors| panic!("{errors}")).spec;
    assert_eq!(shown, written);
}

/// The calls of the program in a block of shell commands: the words of each, without quotes.
fn calls(shell: &str) -> Vec<Vec<String>> {
    let joined = shell.replace("\\\n", " ");
    let commands = joined.split(['\n', '|', ';']).map(str::trim);
    let calls = commands.filter_map(|command| command.strip_prefix("polytask "));
    calls.map(|call| call.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn commands_name_what_the_program_has() {
    let mut count = 0;
    for page in pages("book") {
        let blocks = parts(&read(&workspace().join("docs").join(&page))).1;
        for call in blocks.iter().filter(|block| block.language == "sh").flat_map(|block| calls(&block.text)) {
            let output = Command::new(env!("CARGO_BIN_EXE_polytask"))
                .args([call[0].as_str(), "--help"])
                .output()
                .expect("the program runs");
            assert!(output.status.success(), "docs/{page}: `polytask {}`", call[0]);
            let help = String::from_utf8_lossy(&output.stdout);
            let options: Vec<&str> = help.split(|at: char| at.is_whitespace() || at == ',').collect();
            for option in call.iter().filter(|word| word.starts_with("--")) {
                assert!(options.contains(&option.as_str()), "docs/{page}: `{}` has no {option}", call[0]);
            }
            count += 1;
        }
    }
    assert!(count > 15, "only {count} calls were found");
}
