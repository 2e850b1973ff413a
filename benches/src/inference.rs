//! How many texts a second does a trained model predict?
//!
//! Texts come as their words. What is timed here is everything from there on: looking words and characters up, the
//! network, decoding, and each tag's or class's probability.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use polytask::data::open::Roots;
use polytask::data::readers;
use polytask::data::record::{Part, Record, Value};
use polytask::model::{Knowledge, Prediction, Predictor, TaskId};
use serde_json::json;

use crate::process;
use crate::sizes::Sizes;

/// What `start` tags.
const SENTENCE: &str = "Mary Smith of Example Ltd visited Berlin on Monday .";

/// The task of the trained model that a workload asks, unless `task` names another.
fn task(workload: &str) -> &'static str {
    if workload == "classify-imdb" { "imdb" } else { "ner" }
}

/// Predicts texts; a line of JSON with texts a second. Predictions go to the file `out`, one text a line.
///
/// # Errors
///
/// Where the model or the texts cannot be read.
pub fn run(workload: &str, sizes: &Sizes) -> Result<String, String> {
    process::set_threads(sizes)?;
    let batch = sizes.number("batch", 64)?.max(1);
    let seconds = Duration::from_secs(sizes.number("secs", 6)? as u64);
    let start = Instant::now();
    let (predictor, task) = open(workload, sizes)?;
    let load = start.elapsed();
    let texts = match sizes.get("texts") {
        None => read(workload, sizes, &predictor, task)?,
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
            text.lines().map(words).collect()
        }
    };
    // Sorted by length, so that a batch has little padding.
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&index| texts[index].len());
    let batches: Vec<Vec<Vec<&str>>> = order
        .chunks(batch)
        .map(|batch| batch.iter().map(|&text| texts[text].iter().map(String::as_str).collect()).collect())
        .collect();
    let (mut rates, mut predictions) = (Vec::new(), Vec::new());
    let began = Instant::now();
    while rates.is_empty() || began.elapsed() < seconds {
        let start = Instant::now();
        predictions = batches.iter().flat_map(|batch| predictor.predict(task, batch)).collect();
        rates.push(texts.len() as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    if let Some(out) = sizes.get("out") {
        let mut lines = vec![String::new(); texts.len()];
        for (&index, prediction) in order.iter().zip(&predictions) {
            lines[index] = names(predictor.knowledge(task), prediction);
        }
        std::fs::write(out, lines.join("\n") + "\n").map_err(|error| format!("{out}: {error}"))?;
    }
    Ok(json!({
        "side": "polytask", "workload": workload, "per_second": rates[rates.len() / 2], "texts": texts.len(),
        "tokens": texts.iter().map(Vec::len).sum::<usize>(), "passes": rates.len(),
        "load_ms": load.as_secs_f64() * 1e3, "peak_mib": process::peak_mib(),
    })
    .to_string())
}

/// Writes a workload's texts, or about `limit` of them, one a line, its words apart by a space: both sides read these.
///
/// # Errors
///
/// Where the model or the data cannot be read.
pub fn write_texts(workload: &str, sizes: &Sizes, file: &Path) -> Result<(), String> {
    let (predictor, task) = open(workload, sizes)?;
    let texts = read(workload, sizes, &predictor, task)?;
    // Spread over the whole set, whose first half may be of one class.
    let step = texts.len().div_ceil(sizes.number("limit", texts.len())?.max(1));
    let lines: String = texts.iter().step_by(step).flat_map(|text| [text.join(" "), "\n".to_owned()]).collect();
    std::fs::write(file, lines).map_err(|error| format!("{}: {error}", file.display()))
}

fn open(workload: &str, sizes: &Sizes) -> Result<(Predictor, TaskId), String> {
    let model = Path::new(sizes.required("run")?).join("model");
    let predictor = Predictor::open(&model, burn::tensor::Device::flex()).map_err(|error| error.to_string())?;
    let name = sizes.word("task", task(workload));
    let task = predictor.task(name).ok_or_else(|| format!("{}: the model has no task `{name}`", model.display()))?;
    Ok((predictor, task))
}

/// The words of each test text of the task's dataset; of one sentence for `start`.
fn read(workload: &str, sizes: &Sizes, predictor: &Predictor, task: TaskId) -> Result<Vec<Vec<String>>, String> {
    if workload == "start" {
        return Ok(vec![words(SENTENCE)]);
    }
    let spec = &predictor.saved().spec;
    let data = &spec.data[&spec.task[task.0].data];
    let roots = Roots { dirs: vec![PathBuf::from(sizes.required("data")?)] };
    let files = data.files();
    let paths: Vec<&str> = match &files.test {
        Some(paths) => paths.as_slice().iter().map(String::as_str).collect(),
        None => files.path.iter().map(String::as_str).collect(),
    };
    let mut records: Vec<Record> = Vec::new();
    for path in paths {
        let path = roots.resolve(path).map_err(|error| error.to_string())?;
        let mut take = |record: Record| {
            records.push(record);
            Ok(())
        };
        readers::for_data(data, &[]).read(&path, Part::Test, &mut take).map_err(|error| error.to_string())?;
    }
    records.sort_by_key(|record| record.order);
    let texts = records.into_iter().filter_map(|record| {
        record.values.into_iter().find_map(|value| match value {
            Value::Tokens(words) => Some(Ok(words)),
            Value::Text(text) => {
                Some(predictor.words(task, &text).map(|words| words.into_iter().map(|(_, word)| word).collect()))
            }
            _ => None,
        })
    });
    texts.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A prediction in words: a class, or tags apart by a space.
fn names(knowledge: &Knowledge, prediction: &Prediction) -> String {
    match (knowledge, prediction) {
        (Knowledge::Classify { labels, .. }, Prediction::Label { label, .. }) => labels[*label as usize].clone(),
        (Knowledge::Tag(set), Prediction::Tags { tags, .. }) => set.text(tags).join(" "),
        (_, prediction) => format!("{prediction:?}"),
    }
}
