//! How fast is polytask, next to PyTorch and ONNX Runtime?
//!
//! ```text
//! polytask-bench run WORKLOAD [key=value ...]     one measurement of polytask, as a line of JSON
//! polytask-bench compare PYTHON [WORKLOAD[:key=value,...] ...] [key=value ...]
//!                                                 polytask and benches/peers/ by turns: medians, ratios, memory
//! polytask-bench own METHOD[,METHOD ...] [key=value ...]
//!                                                 a step of `tasks`, or of config=FILE over data=FOLDER, under each balancer
//!                                                 next to one of the plain sum
//! polytask-bench balancers data=FOLDER out=FOLDER [config=FILE] [methods=a,b] [seeds=1,2,3] [set=KEY=VALUE,..]
//!                                                 every balancer on real data at equal budgets, as a table
//! ```
//!
//! | workload | what | judged by |
//! |---|---|---|
//! | `gemm` | a product of two `f32` matrices | GFLOP a second |
//! | `w1` `w2` `w2-crf` `w5` `tasks` | a training step on generated data | milliseconds |
//! | `epoch` | `config` trained for `epochs`, from the files in `data` to a saved model | seconds |
//! | `tag-conll` `classify-imdb` | the test texts in `data` with the model of `run` | texts a second |
//! | `start` | one sentence tagged, from the start of the process to its end | milliseconds |
//!
//! `all` is every workload. Steps go through the product: a configuration, files, `Plan`, and the step that `train` takes.

mod balancers;
mod compare;
mod epoch;
mod flops;
mod gemm;
mod inference;
mod process;
mod sizes;
mod steps;
mod workload;

use std::process::ExitCode;

use sizes::Sizes;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: polytask-bench run WORKLOAD [key=value ...] | \
                     compare PYTHON [WORKLOAD[:key=value,...] ...] [key=value ...] | \
                     own METHOD[,METHOD ...] [key=value ...] | \
                     balancers data=FOLDER out=FOLDER [key=value ...]";

#[allow(clippy::print_stderr, clippy::print_stdout)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["run", workload, sizes @ ..] => run(workload, sizes).map(|line| println!("{line}")),
        ["own", methods, sizes @ ..] => {
            Sizes::parse(sizes).and_then(|sizes| steps::against_sum(methods, &sizes)).map(|table| print!("{table}"))
        }
        ["balancers", sizes @ ..] => {
            Sizes::parse(sizes).and_then(|sizes| balancers::run(&sizes)).map(|table| println!("{table}"))
        }
        ["compare", python, rest @ ..] => compare::compare(python, rest),
        _ => Err(USAGE.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(workload: &str, words: &[&str]) -> Result<String, String> {
    let sizes = Sizes::parse(words)?;
    match workload {
        "gemm" => gemm::run(&sizes),
        "epoch" => epoch::run(&sizes),
        "tag-conll" | "classify-imdb" | "start" => inference::run(workload, &sizes),
        _ => steps::run(workload, &sizes),
    }
}
