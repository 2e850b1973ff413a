//! Is the page that shows what is said still true?

use std::fmt::Write;
use std::path::PathBuf;

/// What was said about a case.
pub struct Answer {
    /// What is wrong.
    pub name: &'static str,
    /// What was typed after `polytask`.
    pub command: &'static str,
    /// The exit code.
    pub code: i32,
    /// Standard error.
    pub said: String,
}

/// A title and its answers.
pub type Section = (&'static str, Vec<Answer>);

const INTRODUCTION: &str = "# What is said about bad input

Each case takes a small project that is right, breaks one thing in it and runs the program. Below is what the program
then writes to standard error. No file is made or changed, and standard output stays empty; `predict` still answers
what stands before a fault. Exit codes: 2 the command or the config is wrong, 3 the data, a model or a run is wrong.
What `polytask check` refuses, `polytask train` refuses with the same words before it writes anything.

Accepted as they are: byte order marks, CRLF line ends, a last line without its end, and gzip or a zip archive whatever
a file is called.
Bytes that are not UTF-8 in the texts of reviews are read as Windows-1252, and `check` says where.

This page is written by a test: `POLYTASK_BLESS=1 cargo test -p polytask --test bad_input`.
";

/// Compares the page with what was said, or writes it where `POLYTASK_BLESS` is `1`; returns what is wrong.
pub fn compare(sections: &[Section]) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/bad-input.md");
    let page = page(sections);
    if std::env::var_os("POLYTASK_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, page).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return None;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let (old, new) = kept.lines().zip(page.lines()).find(|(old, new)| old != new).unwrap_or(("(its end)", "(its end)"));
    (kept != page).then(|| {
        format!(
            "docs/bad-input.md is not what the program says: it has\n  {old}\nwhere now is said\n  {new}\n\
             Where the new words are right, run `POLYTASK_BLESS=1 cargo test -p polytask --test bad_input` and commit it."
        )
    })
}

fn page(sections: &[Section]) -> String {
    let mut page = INTRODUCTION.to_owned();
    for (title, answers) in sections {
        let _ = write!(page, "\n## {title}\n");
        for Answer { name, command, code, said } in answers {
            let lines: Vec<&str> = said.trim_end().lines().map(str::trim_end).collect();
            let _ = write!(
                page,
                "\n**{name}.** `polytask {command}`, exit code {code}:\n\n```text\n{}\n```\n",
                lines.join("\n")
            );
        }
    }
    page
}
