//! `polytask check`: what would go wrong, or what a run would do.

use polytask::study::{jobs, pace};
use polytask::train::{DatasetSurvey, Plan, Survey, survey};
use serde::Serialize;

use super::args::CheckArgs;
use super::failure::Failure;
use super::study::{Planned, failure};
use super::table::{Table, count};
use super::{print, print_json, read_config, roots, set_threads};

/// Reads config and data, builds the network, and prints the figures.
pub fn run(args: &CheckArgs) -> Result<(), Failure> {
    let parsed = read_config(&args.config)?;
    let name = parsed.spec.name.clone();
    let jobs = parsed.spec.study.as_ref().map(|_| jobs(&parsed.spec)).transpose();
    let jobs = jobs.map_err(|error| failure(error, &parsed))?;
    let roots = roots(&args.config.file, args.config.data.as_deref());
    let plan = Plan::new(parsed.spec.clone(), &roots).map_err(|error| Failure::of_plan(error, &parsed))?;
    let survey = survey(&plan);
    let study = jobs.map(|jobs| {
        set_threads(parsed.spec.threads);
        Planned::new(&jobs, &parsed.spec, pace(plan, &jobs.planned).as_ref())
    });
    if args.json {
        return print_json(&Checked { survey, study });
    }
    let study = study.map_or_else(String::new, |study| format!("\n{}", study.text()));
    print(&format!("{name}: nothing is wrong\n\n{}{study}", text(&survey)))
}

/// What `--json` prints.
#[derive(Serialize)]
struct Checked {
    #[serde(flatten)]
    survey: Survey,
    #[serde(skip_serializing_if = "Option::is_none")]
    study: Option<Planned>,
}

fn text(survey: &Survey) -> String {
    let mut parts = vec![datasets(&survey.datasets), coverage(&survey.datasets), tasks(survey)];
    if !survey.duplicates.is_empty() {
        let mut table = Table::new(["stands in training of", "and in", "examples"]);
        for duplicate in &survey.duplicates {
            table.row([duplicate.train.clone(), duplicate.other.clone(), count(duplicate.examples)]);
        }
        parts.push(format!("exact duplicates:\n{table}"));
    } else {
        parts.push("exact duplicates between training and other splits: none\n".to_owned());
    }
    let megabytes = survey.memory_bytes.div_ceil(1 << 20);
    parts.push(format!(
        "parameters: {} shared, {} frozen; memory about {} MiB; {} steps an epoch, {} epochs at most\n",
        count(survey.shared_parameters),
        count(survey.frozen_parameters),
        count(megabytes),
        count(survey.steps_per_epoch),
        survey.epochs
    ));
    let notes = survey.datasets.iter().flat_map(|dataset| &dataset.notes).chain(&survey.notes);
    let notes: String = notes.map(|note| format!("note: {note}\n")).collect();
    parts.push(notes);
    parts.join("\n")
}

fn datasets(datasets: &[DatasetSurvey]) -> String {
    let header = ["dataset", "split", "examples", "tokens", "median", "90 %", "99 %", "longest", "cut"];
    let mut table = Table::new(header);
    for dataset in datasets {
        for split in &dataset.splits {
            let lengths = split.lengths.map(|length| count(length as usize));
            let start = [dataset.name.clone(), split.split.to_owned(), count(split.examples), count(split.tokens)];
            table.row(start.into_iter().chain(lengths).chain([count(split.truncated)]));
        }
    }
    format!("data, lengths in tokens:\n{table}")
}

fn coverage(datasets: &[DatasetSurvey]) -> String {
    let mut names: Vec<&str> = Vec::new();
    let splits = || datasets.iter().flat_map(|dataset| dataset.splits.iter().map(move |split| (dataset, split)));
    for name in splits().flat_map(|(_, split)| split.coverage.keys()) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let mut table = Table::new(["dataset", "split"].into_iter().chain(names.iter().copied()));
    for (dataset, split) in splits() {
        let share =
            |name: &&str| split.coverage.get(*name).map_or_else(String::new, |share| format!("{:.1} %", 100.0 * share));
        let start = [dataset.name.clone(), split.split.to_owned()];
        table.row(start.into_iter().chain(names.iter().map(share)));
    }
    format!("share of tokens by how they find their vector:\n{table}")
}

fn tasks(survey: &Survey) -> String {
    let mut table = Table::new(["task", "kind", "data", "decided by", "own parameters", "training targets"]);
    for task in &survey.tasks {
        let targets = match task.scale {
            Some([mean, deviation]) => format!("mean {mean:.3}, deviation {deviation:.3}"),
            None => balance(&task.classes),
        };
        let figures = [task.metric.to_owned(), count(task.own_parameters), targets];
        table.row([task.name.clone(), task.kind.to_owned(), task.data.clone()].into_iter().chain(figures));
    }
    format!("tasks:\n{table}")
}

/// The shares of the most frequent classes.
fn balance(classes: &[(String, usize)]) -> String {
    const SHOWN: usize = 5;
    let total: usize = classes.iter().map(|(_, count)| count).sum();
    let mut sorted: Vec<_> = classes.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let share = |count: usize| 100.0 * count as f64 / total.max(1) as f64;
    let shown: Vec<String> =
        sorted.iter().take(SHOWN).map(|(name, count)| format!("{name} {:.1} %", share(*count))).collect();
    let rest = classes.len().saturating_sub(SHOWN);
    if rest > 0 { format!("{} and {rest} more", shown.join(", ")) } else { shown.join(", ") }
}
