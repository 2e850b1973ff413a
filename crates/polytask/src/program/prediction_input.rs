//! Which texts are to be predicted? Lines, CoNLL columns or JSON lines, read as they come.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

use super::args::InputFormat;
use super::failure::Failure;

/// One text to predict.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The `id` of a JSON object, handed through.
    pub id: Option<Value>,
    /// What stands there.
    pub content: Content,
}

/// A text, or its words.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// To be cut into words as the model's input does.
    Text(String),
    /// Taken as words.
    Words(Vec<String>),
}

/// Reads texts one after the other.
pub struct Texts<'a> {
    reader: BufReader<Box<dyn Read + 'a>>,
    name: String,
    format: InputFormat,
    line: usize,
}

/// The format that a file's name tells.
pub fn format_of(file: Option<&Path>) -> InputFormat {
    match file.and_then(Path::extension).and_then(|extension| extension.to_str()) {
        Some("jsonl" | "json" | "ndjson") => InputFormat::Jsonl,
        Some("conll" | "iob" | "bio") => InputFormat::Conll,
        _ => InputFormat::Lines,
    }
}

impl<'a> Texts<'a> {
    /// Reads from `reader`, called `name` in messages.
    pub fn new(reader: Box<dyn Read + 'a>, name: String, format: InputFormat) -> Texts<'a> {
        let reader = BufReader::new(reader);
        Texts { reader, name, format, line: 0 }
    }

    /// Whether more was read already than was handed out.
    pub fn at_hand(&self) -> bool {
        !self.reader.buffer().is_empty()
    }

    /// The next text; `None` at the end.
    ///
    /// # Errors
    ///
    /// Where the input cannot be read, is not UTF-8, or is no JSON object with `text` or `tokens`; naming the line.
    pub fn next_text(&mut self) -> Result<Option<Text>, Failure> {
        match self.format {
            InputFormat::Conll => self.next_sentence(),
            InputFormat::Lines => {
                let Some(text) = self.next_line()? else { return Ok(None) };
                Ok(Some(Text { id: None, content: Content::Text(text) }))
            }
            InputFormat::Jsonl => loop {
                match self.next_line()? {
                    None => return Ok(None),
                    Some(line) if line.trim().is_empty() => {}
                    Some(line) => return self.object(&line).map(Some),
                }
            },
        }
    }

    fn next_sentence(&mut self) -> Result<Option<Text>, Failure> {
        let mut words = Vec::new();
        while let Some(line) = self.next_line()? {
            match line.split_whitespace().next() {
                None if words.is_empty() => {}
                None => break,
                Some("-DOCSTART-") => {}
                Some(word) => words.push(word.to_owned()),
            }
        }
        Ok((!words.is_empty()).then_some(Text { id: None, content: Content::Words(words) }))
    }

    fn object(&self, line: &str) -> Result<Text, Failure> {
        let mut value: Value = serde_json::from_str(line).map_err(|error| {
            let message = error.to_string();
            // The line that serde_json counts is always 1 here.
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
            let text = excerpt(line);
            let help = "write one object a line, or name another --format";
            self.wrong(
                Some(error.column()),
                &format!("expected a JSON object, found {text}: {message}\n  help: {help}"),
            )
        })?;
        let id = value.get_mut("id").map(Value::take);
        if let Some(text) = value.get("text").and_then(Value::as_str) {
            return Ok(Text { id, content: Content::Text(text.to_owned()) });
        }
        let words = value.get("tokens").and_then(Value::as_array).map(|words| {
            let words = words.iter().map(|word| word.as_str().map(str::to_owned));
            words.collect::<Option<Vec<String>>>()
        });
        match words {
            Some(Some(words)) => Ok(Text { id, content: Content::Words(words) }),
            _ => {
                let accepted = "an object with `text` (a string) or `tokens` (a list of strings)";
                Err(self.wrong(None, &format!("expected {accepted}, found {}", excerpt(line))))
            }
        }
    }

    fn next_line(&mut self) -> Result<Option<String>, Failure> {
        let mut bytes = Vec::new();
        if self.reader.read_until(b'\n', &mut bytes).map_err(|error| self.wrong(None, &error.to_string()))? == 0 {
            return Ok(None);
        }
        self.line += 1;
        while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            bytes.pop();
        }
        let start = if self.line == 1 && bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        match std::str::from_utf8(&bytes[start..]) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(error) => {
                let at = error.valid_up_to();
                let help = "convert the input, for example with `iconv -f windows-1252 -t utf-8`";
                let what = format!("expected UTF-8, found the byte 0x{:02X}\n  help: {help}", bytes[start + at]);
                Err(self.wrong(Some(at + 1), &what))
            }
        }
    }

    /// A failure at the current line, and at a column in bytes from 1.
    fn wrong(&self, column: Option<usize>, what: &str) -> Failure {
        let column = column.map_or_else(String::new, |column| format!(":{column}"));
        Failure::Data(format!("{}:{}{column}: {what}", self.name, self.line))
    }
}

/// A quoted beginning of a line that is short enough for a message.
fn excerpt(line: &str) -> String {
    const SHOWN: usize = 60;
    match line.char_indices().nth(SHOWN) {
        None => format!("`{line}`"),
        Some((end, _)) => format!("`{}`...", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: InputFormat, input: &str) -> Result<Vec<Text>, Failure> {
        let mut texts = Texts::new(Box::new(input.as_bytes()), "in".into(), format);
        std::iter::from_fn(|| texts.next_text().transpose()).collect()
    }

    #[test]
    fn lines_keep_their_text_and_lose_their_ends() {
        let texts = read(InputFormat::Lines, "\u{feff}a b\r\n\nlast").unwrap();
        let contents: Vec<_> = texts.into_iter().map(|text| text.content).collect();
        assert_eq!(contents, ["a b", "", "last"].map(|text| Content::Text(text.into())));
    }

    #[test]
    fn conll_takes_the_first_column_sentence_by_sentence() {
        let texts = read(InputFormat::Conll, "-DOCSTART- O\n\nEU NNP\nrejects VBZ\n\n\nlamb NN").unwrap();
        assert_eq!(texts[0].content, Content::Words(vec!["EU".into(), "rejects".into()]));
        assert_eq!((texts.len(), &texts[1].content), (2, &Content::Words(vec!["lamb".into()])));
    }

    #[test]
    fn json_lines_hand_ids_through_and_name_the_line_of_an_error() {
        let texts = read(InputFormat::Jsonl, "{\"id\": 3, \"text\": \"a\"}\n\n{\"tokens\": [\"b\"]}").unwrap();
        assert_eq!((texts[0].id.clone(), texts[1].content.clone()), (Some(3.into()), Content::Words(vec!["b".into()])));
        for (input, part) in [
            ("{}\n", "in:1: expected"),
            ("\n{\"a\"", "in:2:4: expected a JSON object, found `{\"a\"`"),
            ("{\"tokens\": [1]}", "in:1"),
        ] {
            let Err(Failure::Data(text)) = read(InputFormat::Jsonl, input) else { panic!("{input} was accepted") };
            assert!(text.contains(part), "{text}");
        }
    }
}
