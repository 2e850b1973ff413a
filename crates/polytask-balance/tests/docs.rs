//! Are the pages that list the methods what the catalogue and the methods' own documentation say?
//!
//! `POLYTASK_BLESS=1 cargo test -p polytask-balance --test docs` writes them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use polytask_balance::{Entry, Laws, Needs, Scale, all};
use serde_json::Value;

const INTRODUCTION: &str = "# Balancers

A balancer decides how the tasks of a step are traded off: `[balance] method = \"...\"` in a config, or the crate
[`polytask-balance`](../crates/polytask-balance/README.md) in a program of your own. `equal` is the default and the control:
another method is worth its cost only where it beats `equal` with as well tuned a learning rate.

T is the number of tasks, `L_t` a task's loss, `g_t` its gradient in the shared parameters, `G` their Gramian
`g_sᵀ g_t`, `w_t` the weights. The direction of a step is `Σ w_t g_t`. Methods on losses weigh every parameter; for methods on gradients a parameter that
one task alone reaches follows that task's gradient, unweighted.

This page is written by a test, from the catalogue and the methods' source: `POLYTASK_BLESS=1 cargo test -p polytask-balance
--test docs`.

## What a method needs to see
";

const MEASURED: &str = "
## Measured cost

Microseconds a step of the method's arithmetic alone, on one thread, with a random Gramian; the passes above come on top.
Methods that read gradients entry by entry also rewrite 1,000 entries a task. Printed by `cargo run --release -p
polytask-balance --example cost`; the rows between the two marks are kept as they are.

";

const MEASURED_START: &str = "<!-- measured -->\n";
const MEASURED_END: &str = "<!-- /measured -->\n";
const METHODS_START: &str = "<!-- methods -->\n";
const METHODS_END: &str = "<!-- /methods -->\n";

const NEEDS: [(Needs, &str); 6] = [
    (Needs::Losses, "the loss of each task"),
    (Needs::LossesAfter, "the losses, and those of the same batch again after the optimizer's step"),
    (Needs::Gramian, "the products of the tasks' gradients in the shared parameters"),
    (Needs::CrossGramian, "the products of the tasks' gradients on one batch with those on another"),
    (Needs::RepresentationGradients, "the products of the tasks' gradients at the shared representation"),
    (Needs::TaskGradients, "the tasks' gradients, entry by entry"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.replace("\r\n", "\n")
}

/// The documentation at the head of a method's file, without its marks.
fn module_doc(entry: &Entry) -> String {
    let source = read(&root().join("src/methods").join(format!("{}.rs", entry.key.replace('-', "_"))));
    let lines = source.lines().take_while(|line| line.starts_with("//!"));
    lines.map(|line| line.trim_start_matches("//!").strip_prefix(' ').unwrap_or_default().to_owned() + "\n").collect()
}

/// Its paragraphs.
fn paragraphs(entry: &Entry) -> Vec<String> {
    module_doc(entry).trim_end().split("\n\n").map(str::to_owned).collect()
}

/// The paragraph that tells cost and reference.
fn cost_paragraph(entry: &Entry) -> String {
    let found = paragraphs(entry).into_iter().find(|paragraph| paragraph.starts_with("Cost a step:"));
    found.unwrap_or_else(|| panic!("{}: the documentation tells no cost", entry.key))
}

fn laws_of(entry: &Entry) -> Laws {
    let tasks = ["first".to_owned(), "second".to_owned()];
    (entry.build)(&(entry.example)(&tasks), &tasks).unwrap_or_else(|error| panic!("{}: {error}", entry.key)).laws()
}

fn laws(laws: Laws) -> String {
    let scale = match laws.scale {
        Scale::Invariant => Some("the direction does not depend on a common scale of the losses"),
        Scale::Linear => Some("the direction is multiplied as all losses are"),
        Scale::Neither => None,
    };
    let told = [
        laws.permutation.then_some("the order of the tasks does not matter"),
        laws.symmetric.then_some("tasks that are alike get equal weights"),
        laws.non_conflicting.then_some("no task gets worse to first order"),
        laws.stationary.then_some("the direction is zero where none improves every task"),
        scale,
    ];
    told.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The options of a method as rows of a table; empty where it has none.
fn options(entry: &Entry) -> String {
    let schema = (entry.schema)();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let mut rows = String::new();
    for (name, option) in properties.iter().filter(|(name, _)| *name != "method") {
        let default = match option.get("default") {
            None if required.contains(&Value::from(name.as_str())) => "required".to_owned(),
            None | Some(Value::Null) => "none".to_owned(),
            Some(value) => format!("`{value}`"),
        };
        let mut what = one_line(option["description"].as_str().unwrap_or_default());
        let choices = choices(option);
        if !choices.is_empty() {
            let _ = write!(what, " {choices}");
        }
        let _ = writeln!(rows, "| `{name}` | {default} | {} |", what.replace('|', "\\|"));
    }
    rows
}

/// The named values of an option.
fn choices(option: &Value) -> String {
    let choices = option["oneOf"].as_array().cloned().unwrap_or_default();
    let told = choices.iter().filter_map(|choice| {
        let what = one_line(choice["description"].as_str()?);
        Some(format!("`{}`: {what}", choice["const"]))
    });
    told.collect::<Vec<_>>().join(" ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The methods in one table.
fn table() -> String {
    let mut table = "| method | what it does | needs | cost a step |\n|---|---|---|---|\n".to_owned();
    for entry in all() {
        let _ = writeln!(table, "| `{}` | {} | {} | {} |", entry.key, entry.summary, entry.needs.key(), entry.cost);
    }
    table
}

/// The page, with the measured rows of the page that is there.
fn page(measured: &str) -> String {
    let mut page = INTRODUCTION.to_owned();
    page += "\n| needs | what it is | what it costs to provide |\n|---|---|---|\n";
    for (needs, what) in NEEDS {
        let _ = writeln!(page, "| {} | {what} | {} |", needs.key(), needs.passes());
    }
    let _ = write!(page, "\n## The methods\n\n{}", table());
    page += MEASURED;
    let _ = write!(page, "{MEASURED_START}{measured}{MEASURED_END}");
    for entry in all() {
        let _ = write!(page, "\n## `{}`\n\n{}\n", entry.key, section(entry));
    }
    page
}

fn section(entry: &Entry) -> String {
    let cost = cost_paragraph(entry);
    let (cost, reference) = cost.split_once("Reference: ").unwrap_or((&cost, entry.reference));
    let text: Vec<String> = paragraphs(entry).into_iter().filter(|text| !text.starts_with("Cost a step:")).collect();
    let mut section = text.join("\n\n");
    let _ = writeln!(section, "\n\n- Needs: {}, which costs {}.", entry.needs.key(), entry.needs.passes());
    let _ = writeln!(section, "- {}", one_line(cost));
    let _ = writeln!(section, "- Promises, with the default options: {}.", laws(laws_of(entry)));
    let _ = writeln!(section, "- Reference: {}", one_line(reference));
    match options(entry) {
        rows if rows.is_empty() => section += "- Options: none.",
        rows => {
            let _ = write!(section, "\n| option | default | what |\n|---|---|---|\n{rows}");
        }
    }
    section.trim_end().to_owned()
}

/// What stands between two marks, or what is wrong.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split_once(end)?.0)
}

/// Compares a page with what it should be, or writes it.
fn compare(path: &Path, page: &str) {
    if std::env::var_os("POLYTASK_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path, page).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let kept = read(path);
    let (old, new) = kept.lines().zip(page.lines()).find(|(old, new)| old != new).unwrap_or(("(its end)", "(its end)"));
    assert!(
        kept == page,
        "{} has\n  {old}\nwhere the catalogue says\n  {new}\nWhere the new words are right, run `POLYTASK_BLESS=1 cargo test \
         -p polytask-balance --test docs` and commit it.",
        path.display()
    );
}

#[test]
fn the_page_of_the_methods_is_current() {
    let path = root().join("../../docs/balancers.md");
    let kept = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    let measured = between(&kept, MEASURED_START, MEASURED_END).unwrap_or("Not measured yet.\n");
    check_rows(measured);
    compare(&path, &page(measured));
}

/// Checks that there is a row for each method, or none at all.
fn check_rows(measured: &str) {
    let rows: Vec<&str> = measured.lines().filter(|line| line.starts_with("| `")).collect();
    if rows.is_empty() {
        return;
    }
    let keys: Vec<String> = rows.iter().map(|row| row.split('`').nth(1).unwrap_or_default().to_owned()).collect();
    assert_eq!(keys, all().iter().map(|entry| entry.key).collect::<Vec<_>>());
    for row in rows {
        let cells: Vec<f64> = row.split('|').skip(2).filter_map(|cell| cell.trim().parse().ok()).collect();
        assert!(cells.len() == 3 && cells.iter().all(|cell| *cell > 0.0), "{row}");
    }
}

#[test]
#[should_panic(expected = "left: [\"mgda\"]")]
fn measured_rows_are_of_all_methods() {
    check_rows("| method | T = 2 | T = 4 | T = 16 |\n| `mgda` | 0.10 | 0.20 | 0.30 |\n");
}

#[test]
fn the_table_in_the_readme_is_current() {
    let path = root().join("README.md");
    let readme = read(&path);
    let kept = between(&readme, METHODS_START, METHODS_END).expect("the README has the marks");
    let page = readme
        .replace(&format!("{METHODS_START}{kept}{METHODS_END}"), &format!("{METHODS_START}{}{METHODS_END}", table()));
    compare(&path, &page);
    assert!(page.contains(&format!("Here are {} methods", all().len())), "the README counts other methods");
}

#[test]
fn every_method_is_documented_like_the_others() {
    for entry in all() {
        let paragraphs = paragraphs(entry);
        let cost = one_line(&cost_paragraph(entry));
        let told = format!("Cost a step: {}", entry.cost);
        let ends = cost[..].strip_prefix(&told).and_then(|rest| rest.chars().next());
        assert!(
            ends.is_some_and(|next| ",.; ".contains(next)),
            "{}: the catalogue says {:?}, the text {cost}",
            entry.key,
            entry.cost
        );
        assert!(cost.contains("Reference: "), "{}: no reference", entry.key);
        assert!(paragraphs.iter().any(|paragraph| paragraph.starts_with("```text")), "{}: no equation", entry.key);
        let last = paragraphs.last().expect("some text");
        assert!(!last.starts_with("Cost a step:"), "{}: whose version is followed, and why?", entry.key);
        assert!(!module_doc(entry).contains("super::"), "{}: a page cannot link to code", entry.key);
    }
}

#[test]
fn options_of_a_method_are_rows_with_their_defaults() {
    let rows = options(polytask_balance::find("mgda").expect("a method"));
    assert!(rows.starts_with("| `scale_by` | `\"nothing\"` | What each gradient is divided by"), "{rows}");
    assert!(rows.contains("`\"loss-norm\"`: Its length times its task's loss."), "{rows}");
    let rows = options(polytask_balance::find("fixed").expect("a method"));
    assert!(rows.starts_with("| `weights` | required | "), "{rows}");
    let rows = options(polytask_balance::find("pcgrad").expect("a method"));
    assert!(rows.starts_with("| `seed` | none | "), "{rows}");
    assert!(options(polytask_balance::find("upgrad").expect("a method")).is_empty());
}
