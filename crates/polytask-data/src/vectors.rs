//! Which vector does a word have? Reads text files, a word and its numbers a line, and word2vec's binary ones.

mod chunks;
mod error;
mod word2vec;

pub use error::{VectorsError, VectorsProblem};
pub use word2vec::Word2vecProblem;

use chunks::{Chunk, LINE_BYTES_MAX, Stop};
use std::collections::HashSet;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

/// Words and their vectors, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct WordVectors {
    /// Numbers in a vector.
    pub dim: usize,
    /// The words, without repeats.
    pub words: Vec<String>,
    /// Their vectors `[words, dim]`, all finite.
    pub values: Vec<f32>,
    /// Lines of the file, or vectors of a binary one, wanted or not, a header included.
    pub lines_read: usize,
}

impl WordVectors {
    /// The vector `[dim]` of the word at `index`.
    ///
    /// # Panics
    /// If `index` is not below the number of words.
    pub fn vector(&self, index: usize) -> &[f32] {
        &self.values[index * self.dim..][..self.dim]
    }
}

/// Reads the vectors of the wanted words from a file: text as GloVe, word2vec and fastText (`.vec`) write it, or binary as
/// word2vec does (`.bin`); plain or gzip. All are told apart by their content.
///
/// The width is that of the first line, or of a header `COUNT DIM` as word2vec and fastText write it. Words may hold
/// spaces: the last `dim` fields are the vector. Of a word that comes twice the first vector counts. Lines of other
/// words are checked for their width and their encoding only.
///
/// # Errors
/// The file cannot be read, is truncated, damaged, binary or empty; a vector has another width than the first; a number
/// is none, or not finite; a word is not UTF-8. All but the first tell the line.
pub fn read_vectors(path: &Path, wanted: &(dyn Fn(&str) -> bool + Sync)) -> Result<WordVectors, VectorsError> {
    read(path, wanted).map_err(|problem| VectorsError { path: path.to_path_buf(), problem })
}

fn read(path: &Path, wanted: &(dyn Fn(&str) -> bool + Sync)) -> Result<WordVectors, VectorsProblem> {
    let mut text = chunks::open(path)?;
    if let Some(sizes) = word2vec::header(&mut text) {
        return word2vec::read(text, sizes, wanted);
    }
    let mut parser = Parser::new(wanted);
    let first = text.next();
    if text.is_ended() {
        // A small file is not worth a thread.
        return match first {
            Some(Ok(chunk)) => parser.chunk(&chunk).and_then(|()| parser.finish()),
            Some(Err(stop)) => Err(parser.stopped(stop)),
            None => parser.finish(),
        };
    }
    // Decompression takes as long as parsing: they overlap, a few chunks apart.
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(4);
        scope.spawn(move || text.send(first, &sender));
        for chunk in &receiver {
            match chunk {
                Ok(chunk) => parser.chunk(&chunk).map_err(|problem| parser.cause(problem, &receiver))?,
                Err(stop) => return Err(parser.stopped(stop)),
            }
        }
        parser.finish()
    })
}

struct Parser<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    seen: HashSet<String>,
    is_empty: bool,
    vectors: WordVectors,
}

impl<'a> Parser<'a> {
    fn new(wanted: &'a dyn Fn(&str) -> bool) -> Parser<'a> {
        let vectors = WordVectors { dim: 0, words: Vec::new(), values: Vec::new(), lines_read: 0 };
        Parser { wanted, seen: HashSet::new(), is_empty: true, vectors }
    }

    fn chunk(&mut self, chunk: &[u8]) -> Result<(), VectorsProblem> {
        let chunk = match self.vectors.lines_read {
            0 => chunk.strip_prefix(b"\xef\xbb\xbf").unwrap_or(chunk),
            _ => chunk,
        };
        chunk.split_inclusive(|&byte| byte == b'\n').try_for_each(|line| self.line(line))
    }

    fn line(&mut self, line: &[u8]) -> Result<(), VectorsProblem> {
        self.vectors.lines_read += 1;
        let line = trim_end(line);
        if line.is_empty() {
            return Ok(());
        }
        if self.vectors.dim == 0 {
            if let Some((_, dim)) = sizes(line).filter(|&(_, dim)| dim > 0) {
                self.vectors.dim = dim;
                return Ok(());
            }
            self.vectors.dim = self.first_width(line)?;
        }
        self.is_empty = false;
        let word_end = self.word_end(line)?;
        let word = str::from_utf8(&line[..word_end]).map_err(|_| self.bad_word(line, &line[..word_end]))?;
        if !(self.wanted)(word) || self.seen.contains(word) {
            return Ok(());
        }
        self.numbers(line, word_end)?;
        self.seen.insert(word.to_owned());
        self.vectors.words.push(word.to_owned());
        Ok(())
    }

    /// Finds where the word ends: before the last `dim` fields.
    fn word_end(&self, line: &[u8]) -> Result<usize, VectorsProblem> {
        let dim = self.vectors.dim;
        if line.iter().filter(|&&byte| is_space(byte)).count() == dim {
            return Ok(line.iter().position(|&byte| is_space(byte)).unwrap_or(line.len()));
        }
        let fields: Vec<(usize, &[u8])> = fields(line, 0).collect();
        let found = fields.len() - 1;
        // A further decimal number is no part of a word: the vector is too long.
        if found < dim || fields[1..=found - dim].iter().any(|(_, field)| is_decimal(field)) {
            return Err(self.bad_width(line, found));
        }
        Ok(trim_end(&line[..fields[found - dim + 1].0]).len())
    }

    /// Numbers on the first line: all that follow the last field that is none.
    fn first_width(&self, line: &[u8]) -> Result<usize, VectorsProblem> {
        let fields: Vec<(usize, &[u8])> = fields(line, 0).collect();
        let last_of_word = fields.iter().rposition(|(_, field)| parse(field).is_none()).unwrap_or(0);
        // A word may hold spaces, but no decimal numbers: between those, a field that is none is a mistake.
        if last_of_word > 0 && fields[1..last_of_word].iter().any(|(_, field)| is_decimal(field)) {
            return Err(self.bad_number(line, fields[last_of_word].0, fields[last_of_word].1));
        }
        match fields.len() - 1 - last_of_word {
            0 => Err(match fields[1..].first() {
                Some(&(start, field)) => self.bad_number(line, start, field),
                None => self.bad_width(line, 0),
            }),
            dim => Ok(dim),
        }
    }

    /// Appends the numbers after the word.
    fn numbers(&mut self, line: &[u8], word_end: usize) -> Result<(), VectorsProblem> {
        let before = self.vectors.values.len();
        for (start, field) in fields(line, word_end) {
            match parse(field) {
                Some(value) if value.is_finite() => self.vectors.values.push(value),
                _ => return Err(self.bad_number(line, start, field)),
            }
        }
        match self.vectors.values.len() - before {
            found if found == self.vectors.dim => Ok(()),
            found => Err(self.bad_width(line, found)),
        }
    }

    fn finish(self) -> Result<WordVectors, VectorsProblem> {
        if self.is_empty { Err(VectorsProblem::Empty) } else { Ok(self.vectors) }
    }

    /// Damaged data come out as nonsense before the decoder notices: then the damage is what is wrong, not the line.
    fn cause(&self, problem: VectorsProblem, rest: &Receiver<Chunk>) -> VectorsProblem {
        match rest.iter().find_map(Result::err) {
            Some(Stop::Damaged(source)) => VectorsProblem::Damaged { line: self.vectors.lines_read - 1, source },
            _ => problem,
        }
    }

    fn stopped(&self, stop: Stop) -> VectorsProblem {
        let line = self.vectors.lines_read;
        match stop {
            Stop::Io(error) => VectorsProblem::Io(error),
            Stop::Truncated => VectorsProblem::Truncated { line },
            Stop::Damaged(source) => VectorsProblem::Damaged { line, source },
            Stop::LongLine => VectorsProblem::LongLine { line: line + 1, limit: LINE_BYTES_MAX },
        }
    }

    fn bad_word(&self, line: &[u8], word: &[u8]) -> VectorsProblem {
        self.binary(line)
            .unwrap_or_else(|| VectorsProblem::Encoding { line: self.vectors.lines_read, word: shown(word) })
    }

    fn bad_width(&self, line: &[u8], found: usize) -> VectorsProblem {
        let word = line.split(|&byte| is_space(byte)).next().unwrap_or_default();
        self.binary(line).unwrap_or_else(|| VectorsProblem::Width {
            line: self.vectors.lines_read,
            word: shown(word),
            found,
            expected: self.vectors.dim,
        })
    }

    fn bad_number(&self, text: &[u8], start: usize, field: &[u8]) -> VectorsProblem {
        let line = self.vectors.lines_read;
        let column = String::from_utf8_lossy(&text[..start]).chars().count() + 1;
        let token = shown(field);
        self.binary(text).unwrap_or_else(|| match parse(field) {
            Some(_) => VectorsProblem::NotFinite { line, column, token },
            None => VectorsProblem::Number { line, column, token },
        })
    }

    /// Whatever else is wrong with a line that holds control characters: it is no text.
    fn binary(&self, line: &[u8]) -> Option<VectorsProblem> {
        let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
        line.iter().any(is_control).then_some(VectorsProblem::Binary { line: self.vectors.lines_read })
    }
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn trim_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|&byte| !(is_space(byte) || byte == b'\r' || byte == b'\n'));
    &line[..end.map_or(0, |at| at + 1)]
}

/// The fields of a line from byte `from` on, and where each starts.
fn fields(line: &[u8], from: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = from;
    std::iter::from_fn(move || {
        let start = at + line[at..].iter().position(|&byte| !is_space(byte))?;
        let length = line[start..].iter().position(|&byte| is_space(byte));
        at = length.map_or(line.len(), |length| start + length);
        Some((start, &line[start..at]))
    })
}

/// The number that a field is, not always a finite one.
fn parse(field: &[u8]) -> Option<f32> {
    str::from_utf8(field).ok()?.parse().ok()
}

fn is_decimal(field: &[u8]) -> bool {
    field.contains(&b'.') && parse(field).is_some()
}

/// The numbers of a header `COUNT DIM`.
fn sizes(line: &[u8]) -> Option<(u64, usize)> {
    let (count, dim) = str::from_utf8(line).ok()?.split_once([' ', '\t'])?;
    Some((count.parse().ok()?, dim.trim_start().parse().ok()?))
}

/// The first characters of a field, for a message.
fn shown(field: &[u8]) -> String {
    String::from_utf8_lossy(field).chars().take(60).collect()
}

#[cfg(test)]
mod tests;
