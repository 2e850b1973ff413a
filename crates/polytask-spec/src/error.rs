//! What is wrong with a configuration, and where?

use std::fmt;
use std::ops::Range;

/// A place in the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file's name, as given to [`parse`](crate::parse).
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes of the text, for drawing the place.
    pub span: Range<usize>,
}

impl Location {
    /// The location of a byte range; a range outside the text is moved into it.
    pub fn new(file: &str, text: &str, span: Range<usize>) -> Location {
        let start = floor_boundary(text, span.start);
        let end = floor_boundary(text, span.end).max(start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        // A byte order mark takes no column in an editor.
        let column = before[line_start..].trim_start_matches('\u{feff}').chars().count() + 1;
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        Location { file: file.into(), line, column, span: start..end }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One thing that is wrong: what was found, what is accepted, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong; names the `--set` where the cause is an override.
    pub message: String,
    /// Where it stands in the file; absent for overrides and for a file that cannot be read.
    pub location: Option<Location>,
    /// What is accepted, or what to do.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(out, "{location}: ")?;
        }
        write!(out, "{}", self.message)?;
        match &self.help {
            Some(help) => write!(out, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a configuration, in the order of the file; overrides come last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errors {
    /// The file's name.
    pub file: String,
    /// The file's text, which the spans point into.
    pub text: String,
    /// What is wrong; at least one entry.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for Errors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            write!(out, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// The candidate that was probably meant by a misspelt word.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |word: &str| word.to_lowercase().replace('_', "-");
    let word = fold(word);
    let longest = match word.chars().count() {
        0 => return None,
        1..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= longest && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `a`? accepted: `a`, `b`" for a word that is none of the candidates.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let accepted = list(candidates.clone());
    match did_you_mean(word, candidates) {
        Some(meant) => format!("did you mean `{meant}`? accepted: {accepted}"),
        None => format!("accepted: {accepted}"),
    }
}

/// Names in back ticks, with commas.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_not_the_byte_order_mark() {
        let text = "\u{feff}ä = 1\r\nöx = 2";
        let at = |needle: &str| {
            let start = text.find(needle).unwrap();
            let location = Location::new("f", text, start..start + 1);
            (location.line, location.column)
        };
        assert_eq!(at("ä"), (1, 1));
        assert_eq!(at("= 1"), (1, 3));
        assert_eq!(at("x"), (2, 2));
        assert_eq!(Location::new("f", text, 900..905).line, 2);
    }

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        assert_eq!(did_you_mean("epoch", ["batch_size", "epochs"]), Some("epochs"));
        assert_eq!(did_you_mean("batch-size", ["batch_size", "epochs"]), Some("batch_size"));
        assert_eq!(did_you_mean("Conll", ["conll"]), Some("conll"));
        assert_eq!(did_you_mean("zebra", ["conll", "imdb"]), None);
        assert_eq!(did_you_mean("", ["a"]), None);
        assert_eq!(did_you_mean("x", ["y"]), None);
    }
}
