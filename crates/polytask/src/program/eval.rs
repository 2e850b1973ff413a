//! `polytask eval`: scores of a trained model.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use polytask::data::open::Roots;
use polytask::metrics::TaskScores;
use polytask::model::load;
use polytask::train::{SplitName, evaluate_split, reopen};
use serde::Serialize;

use super::args::{EvalArgs, Split};
use super::failure::Failure;
use super::scores::{class_table, split_table};
use super::{print, print_json, set_threads};

#[derive(Serialize)]
struct Evaluation {
    split: &'static str,
    tasks: IndexMap<String, TaskScores>,
}

/// Scores every task on a split and prints a table, or JSON.
pub fn run(args: &EvalArgs) -> Result<(), Failure> {
    let saved = load(&model_directory(&args.run)?, burn::tensor::Device::flex())?;
    set_threads(saved.spec.threads);
    let reopened = reopen(&saved, &roots(args))?;
    let split = match args.split {
        Split::Train => SplitName::Train,
        Split::Valid => SplitName::Valid,
        Split::Test => SplitName::Test,
    };
    let names: Vec<String> = saved.spec.task.keys().cloned().collect();
    let (tasks, _) = evaluate_split(&saved.model, &reopened.corpus, &reopened.targets, &names, split);
    if tasks.is_empty() {
        return Err(Failure::Data(format!(
            "no dataset of this model has a {} set\n  help: name another part with --split, or give the datasets one",
            split.name()
        )));
    }
    if args.json {
        return print_json(&Evaluation { split: split.name(), tasks });
    }
    print(&format!("{}:\n{}\n{}", split.name(), split_table(&tasks), class_table(&tasks)))
}

/// The model of a run directory, or the directory itself where it is a model.
pub fn model_directory(run: &Path) -> Result<PathBuf, Failure> {
    let inside = run.join("model");
    if inside.is_dir() {
        return Ok(inside);
    }
    if run.join("model.json").is_file() {
        return Ok(run.to_path_buf());
    }
    if !run.exists() {
        return Err(Failure::Config(format!("{}: no such file or folder\n  help: check the path", run.display())));
    }
    let help = if run.join("run.json").is_file() {
        "the run is not complete: go on with `polytask train FILE --resume`"
    } else {
        "name a run directory that `polytask train` wrote, or its model/"
    };
    Err(Failure::Config(format!("{}: no model here\n  help: {help}", run.display())))
}

/// Data is looked for in `--data`, beside the run, and in the working directory.
fn roots(args: &EvalArgs) -> Roots {
    let beside = args.run.parent().filter(|parent| !parent.as_os_str().is_empty()).map(Path::to_path_buf);
    Roots { dirs: args.data.clone().into_iter().chain(beside).chain([PathBuf::from(".")]).collect() }
}
