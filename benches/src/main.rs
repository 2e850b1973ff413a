//! How fast is a step, next to PyTorch?
//!
//! ```text
//! polytask-bench run WORKLOAD [key=value ...]        one measurement of polytask, as a line of JSON
//! polytask-bench compare PYTHON [WORKLOAD ...] [key=value ...]
//!                                                    polytask and benches/peers.py by turns, medians and ratios
//! ```
//!
//! Every workload goes through the product: a configuration, generated files, `Plan`, and the step that `train` takes.

mod compare;
mod measure;
mod sizes;
mod workload;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[allow(clippy::print_stderr, clippy::print_stdout)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["run", workload, sizes @ ..] => measure::run(workload, sizes).map(|line| println!("{line}")),
        ["compare", python, rest @ ..] => compare::compare(python, rest),
        _ => {
            Err("usage: polytask-bench run WORKLOAD [key=value ...] | compare PYTHON [WORKLOAD ...] [key=value ...]"
                .into())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
