//! `polytask predict`: texts in, JSON lines out, as they come.

use std::fs::File;
use std::io::{BufReader, IsTerminal, Write, stdin, stdout};
use std::ops::Range;

use polytask::metrics::spans;
use polytask::model::{Knowledge, Prediction, Predictor, TaskId};
use serde_json::{Map, Value, json};

use super::args::{InputFormat, PredictArgs};
use super::eval::model_directory;
use super::failure::Failure;
use super::prediction_input::{Content, Text, Texts, format_of};
use super::set_threads;

/// Texts predicted together; few enough to stream, many enough to share the work.
const BATCH: usize = 64;

/// Reads texts and writes one JSON object a text.
pub fn run(args: &PredictArgs) -> Result<(), Failure> {
    let predictor = Predictor::open(&model_directory(&args.run)?, burn::tensor::Device::flex())?;
    set_threads(predictor.saved().spec.threads);
    let task = predictor.task(&args.task).ok_or_else(|| {
        let known: Vec<&str> = predictor.saved().spec.task.keys().map(String::as_str).collect();
        Failure::Config(format!("the model has no task `{}`\n  help: its tasks are {}", args.task, known.join(", ")))
    })?;
    let format = args.format.unwrap_or_else(|| format_of(args.file.as_deref()));
    let mut texts = open(args, format)?;
    // Somebody who types wants an answer to each line.
    let batch = if args.file.is_none() && stdin().is_terminal() && format == InputFormat::Lines { 1 } else { BATCH };
    let mut out = stdout().lock();
    loop {
        let mut pending = Vec::with_capacity(batch);
        while pending.len() < batch {
            match texts.next_text()? {
                Some(text) => pending.push(text),
                None => break,
            }
        }
        if pending.is_empty() {
            return Ok(());
        }
        for line in predict(&predictor, task, &pending) {
            if let Err(error) = writeln!(out, "{line}") {
                return if error.kind() == std::io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error.into()) };
            }
        }
        out.flush()?;
    }
}

fn open<'a>(args: &PredictArgs, format: InputFormat) -> Result<Texts<'a>, Failure> {
    match &args.file {
        None => Ok(Texts::new(Box::new(BufReader::new(stdin())), "standard input".into(), format)),
        Some(path) => {
            let file = File::open(path).map_err(|error| Failure::Data(format!("{}: {error}", path.display())))?;
            Ok(Texts::new(Box::new(BufReader::new(file)), path.display().to_string(), format))
        }
    }
}

/// One JSON object a text.
pub fn predict(predictor: &Predictor, task: TaskId, texts: &[Text]) -> Vec<Value> {
    let places: Vec<Vec<Range<usize>>> = texts
        .iter()
        .map(|text| match &text.content {
            Content::Text(text) => predictor.words(task, text),
            Content::Words(_) => Vec::new(),
        })
        .collect();
    let words: Vec<Vec<&str>> = texts
        .iter()
        .zip(&places)
        .map(|(text, places)| match &text.content {
            Content::Text(text) => places.iter().map(|place| &text[place.clone()]).collect(),
            Content::Words(words) => words.iter().map(String::as_str).collect(),
        })
        .collect();
    let predictions = predictor.predict(task, &words);
    let knowledge = predictor.knowledge(task);
    texts
        .iter()
        .zip(&words)
        .zip(&places)
        .zip(predictions)
        .map(|(((text, words), places), prediction)| object(knowledge, text, words, places, prediction))
        .collect()
}

fn object(
    knowledge: &Knowledge,
    text: &Text,
    words: &[&str],
    places: &[Range<usize>],
    prediction: Prediction,
) -> Value {
    let mut object = Map::new();
    if let Some(id) = &text.id {
        object.insert("id".into(), id.clone());
    }
    if let Content::Text(text) = &text.content {
        object.insert("text".into(), text.clone().into());
    }
    match (prediction, knowledge) {
        (Prediction::Label { label, probabilities }, Knowledge::Classify { labels }) => {
            object.insert("label".into(), labels[label as usize].clone().into());
            object.insert("probability".into(), figure(probabilities[label as usize]));
            let all = labels.iter().zip(&probabilities).map(|(label, &p)| (label.clone(), figure(p)));
            object.insert("probabilities".into(), Value::Object(all.collect()));
        }
        (Prediction::Number(number), _) => {
            object.insert("value".into(), json!(number));
        }
        (Prediction::Tags { tags, probabilities }, Knowledge::Tag(set)) => {
            let names = set.text(&tags);
            object.insert("tokens".into(), json!(words));
            object.insert("tags".into(), json!(names));
            if set.scheme.is_some() {
                let source = match &text.content {
                    Content::Text(text) => Some(text.as_str()),
                    Content::Words(_) => None,
                };
                let found = spans(&names);
                let spans = found.iter().map(|span| {
                    let tokens = span.first..span.last + 1;
                    let least = probabilities[tokens.clone()].iter().copied().fold(1.0, f32::min);
                    span_object(&span.kind, tokens, source.map(|source| (source, places)), words, least)
                });
                object.insert("spans".into(), spans.collect());
            }
        }
        (Prediction::Label { .. } | Prediction::Tags { .. }, _) => {}
    }
    Value::Object(object)
}

/// A span: its type, tokens, text and, where the text was given, its offsets in characters (the end excluded).
fn span_object(
    kind: &str,
    tokens: Range<usize>,
    source: Option<(&str, &[Range<usize>])>,
    words: &[&str],
    probability: f32,
) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), kind.into());
    match source {
        Some((text, places)) => {
            let bytes = places[tokens.start].start..places[tokens.end - 1].end;
            let start = text[..bytes.start].chars().count();
            object.insert("text".into(), text[bytes.clone()].into());
            object.insert("start".into(), start.into());
            object.insert("end".into(), (start + text[bytes].chars().count()).into());
        }
        None => {
            object.insert("text".into(), words[tokens.clone()].join(" ").into());
        }
    }
    object.insert("first_token".into(), tokens.start.into());
    object.insert("last_token".into(), (tokens.end - 1).into());
    object.insert("probability".into(), figure(probability));
    Value::Object(object)
}

/// A probability to six digits.
fn figure(value: f32) -> Value {
    json!((f64::from(value) * 1e6).round() / 1e6)
}
