//! Which texts are to be predicted? Lines, CoNLL columns, JSON lines or tables, read as they come.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use polytask::data::readers::csv::Rows;
use polytask::spec::suggest;
use serde_json::Value;

use super::args::InputFormat;
use super::failure::Failure;

/// One text to predict, or a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The `id` of a JSON object or row, handed through.
    pub id: Option<Value>,
    /// What stands there.
    pub content: Content,
    /// The second text of a pair.
    pub second: Option<Content>,
}

/// The columns, or fields, that hold what is predicted from.
#[derive(Debug, Clone, PartialEq)]
pub enum Columns {
    /// One text: the first of these columns that a table has; objects have `text` or `tokens`.
    One(Vec<String>),
    /// Two texts.
    Pair([String; 2]),
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
    source: Source<'a>,
    name: String,
    format: InputFormat,
    columns: Columns,
    /// What the first row of a table said.
    header: Option<Header>,
    line: usize,
}

type Input<'a> = BufReader<Box<dyn Read + 'a>>;

/// What is read from.
enum Source<'a> {
    Lines(Input<'a>),
    Csv(Rows<Input<'a>>),
}

/// Where the cells of a row are that matter.
#[derive(Debug, Clone)]
struct Header {
    width: usize,
    id: Option<usize>,
    texts: Vec<usize>,
}

/// The format that a file's name tells.
pub fn format_of(file: Option<&Path>) -> InputFormat {
    match file.and_then(Path::extension).and_then(|extension| extension.to_str()) {
        Some("jsonl" | "json" | "ndjson") => InputFormat::Jsonl,
        Some("conll" | "iob" | "bio") => InputFormat::Conll,
        Some("csv") => InputFormat::Csv,
        Some("tsv") => InputFormat::Tsv,
        _ => InputFormat::Lines,
    }
}

impl<'a> Texts<'a> {
    /// Reads from `reader`, called `name` in messages.
    ///
    /// # Errors
    ///
    /// Where a pair is to be read from a format of single texts.
    pub fn new(
        reader: Box<dyn Read + 'a>,
        name: String,
        format: InputFormat,
        columns: Columns,
    ) -> Result<Texts<'a>, Failure> {
        if let (Columns::Pair([first, second]), InputFormat::Lines | InputFormat::Conll) = (&columns, format) {
            return Err(Failure::Config(format!(
                "the task compares two texts, `{first}` and `{second}`, and this input has one a line\n  help: give JSON \
                 lines with both (`--format jsonl`), or a table with both columns (`--format csv`)"
            )));
        }
        let reader = BufReader::new(reader);
        let source = match format {
            InputFormat::Csv => Source::Csv(Rows::new(reader, &name, ',')),
            _ => Source::Lines(reader),
        };
        Ok(Texts { source, name, format, columns, header: None, line: 0 })
    }

    /// Whether more was read already than was handed out.
    pub fn at_hand(&self) -> bool {
        let reader = match &self.source {
            Source::Lines(reader) => reader,
            Source::Csv(rows) => rows.reader(),
        };
        !reader.buffer().is_empty()
    }

    /// The next text; `None` at the end.
    ///
    /// # Errors
    ///
    /// Where the input cannot be read, is not UTF-8, or is no JSON object with `text` or `tokens`; naming the line.
    pub fn next_text(&mut self) -> Result<Option<Text>, Failure> {
        match self.format {
            InputFormat::Conll => self.next_sentence(),
            InputFormat::Csv | InputFormat::Tsv => self.next_of_table(),
            InputFormat::Lines => {
                let Some(text) = self.next_line()? else { return Ok(None) };
                Ok(Some(Text { id: None, content: Content::Text(text), second: None }))
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
        Ok((!words.is_empty()).then_some(Text { id: None, content: Content::Words(words), second: None }))
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
        if let Columns::Pair(names) = &self.columns {
            let [first, second] = names.each_ref().map(|name| value.get(name).and_then(content));
            let (Some(first), Some(second)) = (first, second) else {
                let [first, second] = names;
                let accepted = format!("an object with `{first}` and `{second}`, each a string or a list of strings");
                return Err(self.wrong(None, &format!("expected {accepted}, found {}", excerpt(line))));
            };
            return Ok(Text { id, content: first, second: Some(second) });
        }
        if let Some(text) = value.get("text").and_then(Value::as_str) {
            return Ok(Text { id, content: Content::Text(text.to_owned()), second: None });
        }
        match value.get("tokens").filter(|tokens| tokens.is_array()).and_then(content) {
            Some(words) => Ok(Text { id, content: words, second: None }),
            _ => {
                let accepted = "an object with `text` (a string) or `tokens` (a list of strings)";
                Err(self.wrong(None, &format!("expected {accepted}, found {}", excerpt(line))))
            }
        }
    }

    fn next_of_table(&mut self) -> Result<Option<Text>, Failure> {
        if self.header.is_none() {
            let Some(names) = self.next_row()? else { return Ok(None) };
            self.header = Some(self.read_header(&names)?);
        }
        let Some(mut cells) = self.next_row()? else { return Ok(None) };
        let Some(Header { width, id, texts }) = self.header.clone() else { return Ok(None) };
        if cells.len() != width {
            let found = excerpt(&cells.join(" | "));
            return Err(self.wrong(None, &format!("expected {width} cells, found {}: {found}", cells.len())));
        }
        let id = id.map(|at| Value::from(std::mem::take(&mut cells[at])));
        let mut contents = texts.iter().map(|&at| Content::Text(std::mem::take(&mut cells[at])));
        Ok(contents.next().map(|content| Text { id, content, second: contents.next() }))
    }

    /// Finds the texts, and an `id`, among the columns of a table.
    fn read_header(&self, names: &[String]) -> Result<Header, Failure> {
        let names: Vec<&str> = names.iter().map(|name| name.trim()).collect();
        let find = |wanted: &str| names.iter().position(|name| *name == wanted);
        let texts = match &self.columns {
            Columns::One(likely) => vec![likely.iter().find_map(|name| find(name)).ok_or(likely[0].as_str())],
            Columns::Pair(pair) => pair.iter().map(|name| find(name).ok_or(name.as_str())).collect(),
        };
        let texts: Result<Vec<usize>, &str> = texts.into_iter().collect();
        let texts = texts.map_err(|missing| {
            let found: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let help = suggest(missing, names.iter().copied());
            self.wrong(None, &format!("expected a column `{missing}`, found {}\n  help: {help}", found.join(", ")))
        })?;
        Ok(Header { width: names.len(), id: find("id").filter(|at| !texts.contains(at)), texts })
    }

    /// The cells of the next row that has any.
    fn next_row(&mut self) -> Result<Option<Vec<String>>, Failure> {
        if let Source::Csv(rows) = &mut self.source {
            let row = rows.next_row().map_err(|error| Failure::Data(error.to_string()))?;
            return Ok(row.map(|(line, cells)| {
                self.line = line as usize;
                cells
            }));
        }
        loop {
            match self.next_line()? {
                Some(line) if line.is_empty() => {}
                line => return Ok(line.map(|line| line.split('\t').map(str::to_owned).collect())),
            }
        }
    }

    fn next_line(&mut self) -> Result<Option<String>, Failure> {
        let mut bytes = Vec::new();
        let Source::Lines(reader) = &mut self.source else { return Ok(None) };
        let read = reader.read_until(b'\n', &mut bytes);
        if read.map_err(|error| self.wrong(None, &error.to_string()))? == 0 {
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

/// What a field holds: text, or words; `None` where it is neither.
fn content(value: &Value) -> Option<Content> {
    match value {
        Value::String(text) => Some(Content::Text(text.clone())),
        Value::Array(words) => {
            words.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<_>>().map(Content::Words)
        }
        _ => None,
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
        read_as(Columns::One(vec!["text".into(), "review".into()]), format, input)
    }

    fn read_as(columns: Columns, format: InputFormat, input: &str) -> Result<Vec<Text>, Failure> {
        let mut texts = Texts::new(Box::new(input.as_bytes()), "in".into(), format, columns)?;
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
    /// The message of a failure, whatever its kind.
    fn message(read: Result<Vec<Text>, Failure>) -> String {
        match read {
            Err(Failure::Data(text) | Failure::Config(text)) => text,
            _ => panic!("a failure with a message was expected"),
        }
    }

    #[test]
    fn tables_have_a_column_of_texts() {
        let csv = "review,id\n\"good, \"\"so\"\"\ngood\",7\n\nbad,\n";
        let tsv = "id\treview\r\n7\tgood, \"so\"\r\n\r\n\tbad\r\n";
        for (format, input, first) in
            [(InputFormat::Csv, csv, "good, \"so\"\ngood"), (InputFormat::Tsv, tsv, "good, \"so\"")]
        {
            let texts = read(format, input).unwrap();
            let texts: Vec<_> = texts.into_iter().map(|text| (text.id, text.content, text.second)).collect();
            let of = |id: &str, text: &str| (Some(Value::from(id)), Content::Text(text.into()), None);
            assert_eq!(texts, [of("7", first), of("", "bad")]);
        }
        for (format, input, expected) in [
            (
                InputFormat::Csv,
                "txt,id\n",
                "in:1: expected a column `text`, found `txt`, `id`\n  help: did you mean `txt`?",
            ),
            (InputFormat::Csv, "text,id\na\n", "in:2: expected 2 cells, found 1: `a`"),
            (InputFormat::Csv, "text\n\"a\n", "in:2:1: expected a second quote"),
            (InputFormat::Tsv, "text\tid\n\na\tb\tc\n", "in:3: expected 2 cells, found 3: `a | b | c`"),
        ] {
            let text = message(read(format, input));
            assert!(text.starts_with(expected), "{text}");
        }
        assert!(read(InputFormat::Csv, "").unwrap().is_empty());
    }

    #[test]
    fn pairs_have_both_texts() {
        let pair = || Columns::Pair(["q".into(), "p".into()]);
        let of = |text: &str| Content::Text(text.into());
        for (format, input) in [
            (InputFormat::Jsonl, "{\"p\": \"b\", \"q\": \"a\", \"text\": \"c\"}"),
            (InputFormat::Csv, "p,text,q\nb,c,a\n"),
            (InputFormat::Tsv, "p\ttext\tq\nb\tc\ta\n"),
        ] {
            let texts = read_as(pair(), format, input).unwrap();
            assert_eq!((&texts[0].content, texts[0].second.as_ref(), texts.len()), (&of("a"), Some(&of("b")), 1));
        }
        let words = read_as(pair(), InputFormat::Jsonl, "{\"q\": [\"a\"], \"p\": \"b\"}").unwrap();
        assert_eq!(words[0].content, Content::Words(vec!["a".into()]));
        let text = message(read_as(pair(), InputFormat::Jsonl, "\n{\"q\": \"a\"}"));
        assert!(text.starts_with("in:2: expected an object with `q` and `p`"), "{text}");
        let text = message(read_as(pair(), InputFormat::Csv, "q,r\na,b\n"));
        assert!(text.starts_with("in:1: expected a column `p`, found `q`, `r`"), "{text}");
        for format in [InputFormat::Lines, InputFormat::Conll] {
            let text = message(read_as(pair(), format, "a\n"));
            assert!(text.contains("compares two texts, `q` and `p`") && text.contains("--format jsonl"), "{text}");
        }
    }
}
