//! `polytask report`: what a run or a study taught, as a page, as text or as JSON.

use std::path::Path;

use indexmap::IndexMap;
use polytask::report::{page, read, sheet_page, sheet_text, text};
use polytask::run::{RunError, write_atomically};
use polytask::spec::parse;
use polytask::study::{Answer, Cost};
use polytask::train::extensions;
use serde::de::DeserializeOwned;

use super::args::ReportArgs;
use super::failure::Failure;
use super::study_sheet::sheet;
use super::{print, print_json};

/// Writes the page of a run and prints where it is, or prints the same as text or JSON.
pub fn run(args: &ReportArgs) -> Result<(), Failure> {
    if args.run.join("runs").is_dir() && args.run.join("config.toml").is_file() {
        return study(args);
    }
    let report = read(&args.run)?;
    if args.text {
        return print(&text(&report));
    }
    if args.json {
        return print_json(&report);
    }
    write(args, &page(&report))
}

/// The same of a study.
fn study(args: &ReportArgs) -> Result<(), Failure> {
    if !args.run.join("study.json").is_file() {
        let help = "let `polytask study FILE --resume` go on to its end; its runs are reported one by one";
        return Err(Failure::Config(format!("{}: the study has no answer yet\n  help: {help}", args.run.display())));
    }
    let answer: Answer = read_json(&args.run.join("study.json"))?;
    let costs: IndexMap<String, Cost> = read_json(&args.run.join("costs.json"))?;
    if args.json {
        return print_json(&answer);
    }
    let config = read_to_string(&args.run.join("config.toml"))?;
    // A damaged configuration is no reason to withhold the answer: the folder's name stands in.
    let folder = || args.run.file_name().map_or_else(|| "study".into(), |name| name.to_string_lossy().into_owned());
    let name = parse("config.toml", &config, &[], &extensions()).map_or_else(|_| folder(), |parsed| parsed.spec.name);
    let sheet = sheet(&name, &answer, &costs);
    if args.text {
        return print(&sheet_text(&sheet));
    }
    write(args, &sheet_page(&sheet))
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = read_to_string(path)?;
    let damaged = |error: serde_json::Error| RunError::Damaged { path: path.into(), what: error.to_string() };
    Ok(serde_json::from_str(&text).map_err(damaged)?)
}

fn read_to_string(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::Data(format!("{}: {error}", path.display())))
}

/// Writes a page and prints where it is.
fn write(args: &ReportArgs, page: &str) -> Result<(), Failure> {
    let out = args.out.clone().unwrap_or_else(|| args.run.join("report.html"));
    write_atomically(&out, page.as_bytes()).map_err(|error| {
        Failure::Failed(format!("{}: {error}\n  help: name another file with --out", out.display()))
    })?;
    print(&format!("{}\n", out.display()))
}
