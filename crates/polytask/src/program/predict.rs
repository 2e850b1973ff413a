//! `polytask predict`: texts in, JSON lines or rows of a table out, as they come.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write, stdin, stdout};
use std::ops::Range;

use polytask::metrics::spans;
use polytask::model::{Knowledge, Prediction, Predictor, TaskId};
use polytask::spec::data::NamedColumns;
use polytask::spec::suggest;
use serde_json::{Map, Value, json};

use super::args::{InputFormat, OutputFormat, PredictArgs};
use super::eval::model_directory;
use super::failure::Failure;
use super::prediction_csv::Table;
use super::prediction_input::{Columns, Content, Text, Texts, format_of};
use super::set_threads;

/// Texts predicted together; few enough to stream, many enough to share the work.
const BATCH: usize = 64;

/// Deviations on either side of the mean between which 95 % of a normal distribution lie.
const INTERVAL: f64 = 1.959_963_984_540_054;

/// Reads texts and writes one JSON object a text.
pub fn run(args: &PredictArgs) -> Result<(), Failure> {
    let predictor = Predictor::open(&model_directory(&args.run)?, burn::tensor::Device::flex())?;
    set_threads(predictor.saved().spec.threads);
    let task = predictor.task(&args.task).ok_or_else(|| {
        let known = predictor.saved().spec.task.keys().map(String::as_str);
        Failure::Config(format!("the model has no task `{}`\n  help: {}", args.task, suggest(&args.task, known)))
    })?;
    let format = args.format.unwrap_or_else(|| format_of(args.file.as_deref()));
    let mut texts = open(args, format, columns(&predictor, task))?;
    let mut table = Table::new(&predictor, task);
    let mut out = BufWriter::new(stdout().lock());
    loop {
        let (mut pending, mut last) = (Vec::with_capacity(BATCH), None);
        // Whoever waits for an answer at the other end of a pipe gets it before the next text is waited for.
        while pending.len() < BATCH && last.is_none() && (pending.is_empty() || texts.at_hand()) {
            match texts.next_text() {
                Ok(Some(text)) => pending.push(text),
                Ok(None) => last = Some(Ok(())),
                // What came before the fault is still answered.
                Err(failure) => last = Some(Err(failure)),
            }
        }
        let objects = predict(&predictor, task, &pending)?;
        let lines = match args.output {
            OutputFormat::Jsonl => objects.iter().map(Value::to_string).collect(),
            OutputFormat::Csv => table.lines(&objects),
        };
        let written = lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
        match (written, last) {
            // A reader that went away has seen enough.
            (Err(error), _) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            (Err(error), _) => return Err(error.into()),
            (Ok(()), Some(end)) => return end,
            (Ok(()), None) => {}
        }
    }
}

/// The columns that hold what a task reads.
fn columns(predictor: &Predictor, task: TaskId) -> Columns {
    if let Some([first, second]) = predictor.pair(task) {
        return Columns::Pair([first.to_owned(), second.to_owned()]);
    }
    let spec = &predictor.saved().spec;
    let named = spec.data.get(&spec.task[task.0].data).and_then(|data| data.named());
    match named.and_then(|named| named.texts().first()) {
        Some(text) => Columns::One(vec![text.clone()]),
        None => {
            let tagged = matches!(predictor.knowledge(task), Knowledge::Tag(_));
            Columns::One(NamedColumns::likely_texts(tagged).map(str::to_owned).collect())
        }
    }
}

fn open<'a>(args: &PredictArgs, format: InputFormat, columns: Columns) -> Result<Texts<'a>, Failure> {
    match &args.file {
        None => Texts::new(Box::new(stdin()), "standard input".into(), format, columns),
        Some(path) => {
            let refused = |what: &str| Failure::Data(format!("{}: {what}", path.display()));
            let file = match File::open(path) {
                _ if path.is_dir() => return Err(refused("cannot be read: it is a folder, a file is needed")),
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Err(refused("no such file\n  help: check the path"));
                }
                Err(error) => return Err(refused(&format!("cannot be read: {error}"))),
            };
            Texts::new(Box::new(file), path.display().to_string(), format, columns)
        }
    }
}

/// One JSON object a text, or a pair of texts.
///
/// # Errors
///
/// Where the tokenizer of the task's input cannot cut a text.
pub fn predict(predictor: &Predictor, task: TaskId, texts: &[Text]) -> Result<Vec<Value>, Failure> {
    let (mut places, mut words): (Vec<Vec<Range<usize>>>, Vec<Vec<String>>) = (Vec::new(), Vec::new());
    let cut = |content: &Content| -> Result<(Vec<Range<usize>>, Vec<String>), Failure> {
        match content {
            Content::Text(text) => predictor.words(task, text).map(|words| words.into_iter().unzip()),
            Content::Words(words) => predictor.given_words(task, words).map(|words| (Vec::new(), words)),
        }
        .map_err(|error| Failure::Data(format!("the model's tokenizer cannot cut a text: {error}")))
    };
    for text in texts {
        let (ranges, found) = cut(&text.content)?;
        places.push(ranges);
        words.push(found);
    }
    let second = texts.iter().filter_map(|text| Some(cut(text.second.as_ref()?).map(|(_, words)| words)));
    let second: Vec<Vec<String>> = second.collect::<Result<_, _>>()?;
    let predictions = match predictor.pair(task) {
        None => predictor.predict(task, &words),
        Some(_) => {
            let pairs: Vec<[Vec<String>; 2]> = words.iter().cloned().zip(second.clone()).map(|(a, b)| [a, b]).collect();
            predictor.predict_pairs(task, &pairs)
        }
    };
    let knowledge = predictor.knowledge(task);
    let read = texts.iter().zip(&words).zip(&places).zip(predictions).enumerate();
    let objects = read.map(|(index, (((text, words), places), prediction))| {
        let mut value = described(predictor, task, text);
        say(&mut value, knowledge, text, (words, places), prediction);
        let lengths = [words.len(), second.get(index).map_or(0, Vec::len)];
        if lengths.into_iter().any(|length| predictor.is_cut(task, length)) {
            value.insert("truncated".into(), true.into());
        }
        Value::Object(value)
    });
    Ok(objects.collect())
}

/// What was given: the `id`, and what came as text.
fn described(predictor: &Predictor, task: TaskId, text: &Text) -> Map<String, Value> {
    let mut object = Map::new();
    if let Some(id) = &text.id {
        object.insert("id".into(), id.clone());
    }
    let names = predictor.pair(task).unwrap_or(["text"; 2]);
    for (name, content) in names.into_iter().zip([Some(&text.content), text.second.as_ref()]) {
        if let Some(Content::Text(text)) = content {
            object.insert(name.into(), text.clone().into());
        }
    }
    object
}

/// Adds what is predicted.
fn say(
    object: &mut Map<String, Value>,
    knowledge: &Knowledge,
    text: &Text,
    (words, places): (&[String], &[Range<usize>]),
    prediction: Prediction,
) {
    match (prediction, knowledge) {
        (Prediction::Label { label, probabilities }, Knowledge::Classify { labels, .. }) => {
            object.insert("label".into(), labels[label as usize].clone().into());
            object.insert("probability".into(), figure(probabilities[label as usize]));
            object.insert("probabilities".into(), by_name(labels, &probabilities));
        }
        (Prediction::Labels { labels: found, probabilities }, Knowledge::Multilabel { labels, .. }) => {
            let found: Vec<&str> = found.iter().map(|&label| labels[label as usize].as_str()).collect();
            object.insert("labels".into(), json!(found));
            object.insert("probabilities".into(), by_name(labels, &probabilities));
        }
        (Prediction::Number(number), _) => {
            object.insert("value".into(), json!(number));
        }
        (Prediction::Normal { mean, deviation }, _) => {
            let reach = INTERVAL * deviation;
            object.insert("value".into(), json!(mean));
            object.insert("deviation".into(), json!(deviation));
            object.insert("interval".into(), json!([mean - reach, mean + reach]));
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
        (Prediction::Label { .. } | Prediction::Labels { .. } | Prediction::Tags { .. }, _) => {}
    }
}

/// Probabilities by the name of what they belong to.
fn by_name(labels: &[String], probabilities: &[f32]) -> Value {
    Value::Object(labels.iter().zip(probabilities).map(|(label, &p)| (label.clone(), figure(p))).collect())
}

/// A span: its type, tokens, text and, where the text was given, its offsets in characters (the end excluded).
fn span_object(
    kind: &str,
    tokens: Range<usize>,
    source: Option<(&str, &[Range<usize>])>,
    words: &[String],
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
