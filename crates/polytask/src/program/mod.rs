//! What does the program do? Words go to standard error, results to standard output.

mod args;
mod check;
mod data;
mod demo;
mod demo_study;
mod display;
mod eval;
mod failure;
mod init;
mod list;
mod predict;
mod prediction_csv;
mod prediction_input;
mod relatedness_sheet;
mod report;
mod scores;
mod settings;
mod study;
mod study_sheet;
mod table;
mod train;

use std::io::Write;
use std::path::Path;

pub use args::Cli;
use args::{Command, ConfigArgs};
pub use failure::Failure;
use polytask::data::open::Roots;
use polytask::spec::{Parsed, parse_file, schema};
use polytask::train::extensions;

/// Does what was typed.
///
/// # Errors
///
/// Where it cannot be done; the failure carries the exit code.
pub fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Study(args) => study::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Data(args) => data::run(args),
        Command::Report(args) => report::run(&args),
        Command::List(args) => list::run(&args),
        Command::Schema => print_json(&schema(&extensions())),
    }
}

/// Reads the config with its overrides.
fn read_config(args: &ConfigArgs) -> Result<Parsed, Failure> {
    Ok(parse_file(&args.file, &args.overrides, &extensions())?)
}

/// Where the config's relative paths are looked for: beside it, then in `--data`.
fn roots(file: &Path, data: Option<&Path>) -> Roots {
    let beside = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Roots { dirs: std::iter::once(beside).chain(data).map(Path::to_path_buf).collect() }
}

/// Sets the number of threads that compute; all cores where the config names none.
fn set_threads(threads: Option<usize>) -> usize {
    if let Some(threads) = threads {
        // A pool exists already only where a command trains twice, and then it has the same size.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
    rayon::current_num_threads()
}

/// Writes to standard output; a reader that went away is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(value).map_err(|error| Failure::Failed(error.to_string()))?;
    print(&format!("{json}\n"))
}
