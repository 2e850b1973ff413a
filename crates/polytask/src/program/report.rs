//! `polytask report`: what a run taught, as a page, as text or as JSON.

use polytask::report::{page, read, text};
use polytask::run::write_atomically;

use super::args::ReportArgs;
use super::failure::Failure;
use super::{print, print_json};

/// Writes the page of a run and prints where it is, or prints the same as text or JSON.
pub fn run(args: &ReportArgs) -> Result<(), Failure> {
    let report = read(&args.run)?;
    if args.text {
        return print(&text(&report));
    }
    if args.json {
        return print_json(&report);
    }
    let out = args.out.clone().unwrap_or_else(|| args.run.join("report.html"));
    write_atomically(&out, page(&report).as_bytes()).map_err(|error| {
        Failure::Failed(format!("{}: {error}\n  help: name another file with --out", out.display()))
    })?;
    print(&format!("{}\n", out.display()))
}
