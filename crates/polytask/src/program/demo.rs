//! `polytask demo`: a complete run on generated data.

use std::path::Path;
use std::time::Instant;

use polytask::demo::{CONFIG_NAME, example_sentences, write};
use polytask::model::{Predictor, TaskId};
use polytask::spec::parse_file;
use polytask::train::extensions;

use super::args::DemoArgs;
use super::failure::Failure;
use super::predict::predict;
use super::prediction_input::{Content, Text};
use super::table::{Table, count, duration};
use super::train::{tables, train_into};
use super::{demo_study, print, roots};

/// Seed of the generated corpora.
const SEED: u64 = 7;

/// Writes corpora, trains, evaluates, predicts, and says what to type next.
pub fn run(args: &DemoArgs) -> Result<(), Failure> {
    let began = Instant::now();
    let (out, config) = (&args.out, args.out.join(CONFIG_NAME));
    let run = out.join("run");
    if out.exists() && out.read_dir().map_or(true, |mut entries| entries.next().is_some()) {
        return Err(occupied(out));
    }
    if args.study {
        return demo_study::run(out);
    }
    std::fs::create_dir_all(out).map_err(|error| Failure::Failed(format!("{}: {error}", out.display())))?;
    let summary = write(out, SEED).map_err(|error| Failure::Failed(format!("{}: {error}", out.display())))?;
    let mut table = Table::new(["generated file", "what", "examples"]);
    for (path, what, examples) in &summary.files {
        table.row([path.clone(), what.clone(), count(*examples)]);
    }
    print(&format!("{table}\nconfig: {}\n\n", config.display()))?;
    let parsed = parse_file(&config, &[], &extensions())?;
    let metrics = train_into(&parsed, &roots(&config, None), &run, false).map_err(|failure| match failure {
        Failure::Interrupted(_) => Failure::Interrupted(format!(
            "interrupted; go on with `polytask train {} --out {} --resume`",
            config.display(),
            run.display()
        )),
        other => other,
    })?;
    print(&format!("{}\n", tables(&metrics, &run)))?;
    print(&format!("predictions on texts that no task has seen:\n{}\n", predictions(&run)?))?;
    print(&next(out, began.elapsed().as_secs_f64()))
}

fn occupied(out: &Path) -> Failure {
    Failure::Config(format!("{} is not empty\n  help: remove it, or name another directory with --out", out.display()))
}

fn predictions(run: &Path) -> Result<String, Failure> {
    let predictor = Predictor::open(&run.join("model"), burn::tensor::Device::flex())?;
    let examples = example_sentences();
    let mut text = String::new();
    for (task, sentence) in [("movies", examples.movie), ("products", examples.product), ("names", examples.names)] {
        let id: TaskId = predictor.task(task).expect("the demo's config has these tasks");
        let input = Text { id: None, content: Content::Text(sentence.into()), second: None };
        for value in predict(&predictor, id, &[input])? {
            let said = match value.get("spans").and_then(serde_json::Value::as_array) {
                Some(spans) => {
                    let spans = spans.iter().map(|span| format!("{} {}", span["text"], span["type"]).replace('"', ""));
                    spans.collect::<Vec<_>>().join(", ")
                }
                None => format!("{} ({:.2})", value["label"], value["probability"].as_f64().unwrap_or_default())
                    .replace('"', ""),
            };
            text.push_str(&format!("  {task}: {sentence}\n    -> {said}\n"));
        }
    }
    Ok(text)
}

fn next(out: &Path, seconds: f64) -> String {
    let (run, config) = (out.join("run"), out.join(CONFIG_NAME));
    let (run, config) = (run.display(), config.display());
    // The program as it was called: it need not be on the search path.
    let program = std::env::args().next().unwrap_or_else(|| "polytask".into());
    format!(
        "done in {}. Next:\n  \
         {program} check {config}\n  \
         {program} eval {run} --split test\n  \
         echo 'A dull and lifeless film.' | {program} predict {run} --task movies\n  \
         {program} train {config} --set balance.method=equal --out {}\n\
         Then copy {config} and point it at your own files; `{program} list readers` shows the formats.\n",
        duration(seconds),
        out.join("run-equal").display(),
    )
}
