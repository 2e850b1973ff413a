//! What does a binary file of word2vec hold? A line `COUNT DIM`; then each word, a space, and `DIM` little-endian `f32`.
//!
//! Some writers end a record with a line end and others do not; both are read. Reference: the program `word2vec`
//! (Mikolov et al., 2013), option `-binary 1`.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, ErrorKind, Read};

use super::chunks::Text;
use super::{VectorsProblem, WordVectors, sizes, trim_end};

/// Bytes from the start of a file that decide whether it is text.
const START: usize = 8 << 10;

/// Longest word in bytes; longer ones mean that the file holds something else.
const WORD_BYTES_MAX: usize = 1 << 12;

/// Largest width of a vector; a larger one means that the header lies.
const DIM_MAX: usize = 1 << 16;

/// What is wrong with a binary file. Vectors count from 1.
#[derive(Debug, thiserror::Error)]
pub enum Word2vecProblem {
    /// The width in the header is none that vectors have.
    #[error(
        "the header of this word2vec file announces vectors of {found} numbers; 1 to {DIM_MAX} are read\n\
         \x20 help: the file is damaged: fetch it again"
    )]
    Dim {
        /// The width in the header.
        found: usize,
    },
    /// The file ends before its last vector does.
    #[error("ends in vector {vector} of the {of} that its header announces\n  help: fetch the file again")]
    Ends {
        /// The vector that is not whole.
        vector: u64,
        /// Vectors that the header announces.
        of: u64,
    },
    /// The file goes on after its last vector.
    #[error(
        "goes on after the {of} vectors that its header announces\n\
         \x20 help: the header or the width is wrong: write the file again, or use its text form"
    )]
    GoesOn {
        /// Vectors that the header announces.
        of: u64,
    },
    /// Where a word should end, none does.
    #[error(
        "vector {vector} has no word of up to {WORD_BYTES_MAX} bytes before its numbers\n\
         \x20 help: the file is damaged, or the width in its header is wrong"
    )]
    Word {
        /// The vector.
        vector: u64,
    },
    /// A number is NaN or infinite.
    #[error(
        "vector {vector}, of {word:?}, holds a number that is not finite\n  help: remove the word, or fetch the file again"
    )]
    NotFinite {
        /// The vector.
        vector: u64,
        /// Its word.
        word: String,
    },
    /// The compressed data are damaged.
    #[error("the .gz file is damaged after vector {vector}: {source}\n  help: fetch the file again")]
    Damaged {
        /// The last whole vector; `0` where there is none.
        vector: u64,
        /// What the decoder says.
        source: std::io::Error,
    },
}

/// Vectors and numbers a vector that the header of a binary file announces; none where the file is text.
///
/// A file is binary where a header `COUNT DIM` is followed by bytes that no text has: numbers in binary form have some.
pub(super) fn header(text: &mut Text) -> Option<(u64, usize)> {
    let start = text.peek(START);
    let line_end = start.iter().position(|&byte| byte == b'\n')?;
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    sizes(trim_end(&start[..line_end])).filter(|_| start[line_end..].iter().any(is_control))
}

/// Reads the vectors of the wanted words. Of a word that comes twice the first vector counts; a word that is not UTF-8, as
/// word2vec leaves them where it cuts long ones, is no word of any text and is passed over.
pub(super) fn read(
    text: Text,
    (count, dim): (u64, usize),
    wanted: &dyn Fn(&str) -> bool,
) -> Result<WordVectors, VectorsProblem> {
    if !(1..=DIM_MAX).contains(&dim) {
        return Err(Word2vecProblem::Dim { found: dim }.into());
    }
    let compressed = text.is_compressed();
    let problem = |vector: u64, error: std::io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => VectorsProblem::from(Word2vecProblem::Ends { vector, of: count }),
        _ if compressed && error.raw_os_error().is_none() => {
            Word2vecProblem::Damaged { vector: vector.saturating_sub(1), source: error }.into()
        }
        _ => VectorsProblem::Io(error),
    };
    let mut reader = BufReader::with_capacity(1 << 17, text.into_reader());
    reader.skip_until(b'\n').map_err(|error| problem(0, error))?;
    let mut vectors = WordVectors { dim, words: Vec::new(), values: Vec::new(), lines_read: 1 };
    let (mut seen, mut name, mut numbers) = (HashSet::new(), Vec::new(), vec![0; 4 * dim]);
    for vector in 1..=count {
        name.clear();
        let limit = WORD_BYTES_MAX as u64 + 2;
        (&mut reader).take(limit).read_until(b' ', &mut name).map_err(|error| problem(vector, error))?;
        if name.pop_if(|byte| *byte == b' ').is_none() {
            let is_end = name.len() < limit as usize;
            let of = count;
            return Err(
                if is_end { Word2vecProblem::Ends { vector, of } } else { Word2vecProblem::Word { vector } }.into()
            );
        }
        reader.read_exact(&mut numbers).map_err(|error| problem(vector, error))?;
        vectors.lines_read += 1;
        let name = name.strip_prefix(b"\n").unwrap_or(&name);
        let Ok(word) = str::from_utf8(name) else { continue };
        if !wanted(word) || seen.contains(word) {
            continue;
        }
        let before = vectors.values.len();
        vectors.values.extend(numbers.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
        if vectors.values[before..].iter().any(|value| !value.is_finite()) {
            return Err(Word2vecProblem::NotFinite { vector, word: word.to_owned() }.into());
        }
        seen.insert(word.to_owned());
        vectors.words.push(word.to_owned());
    }
    let mut rest = Vec::new();
    reader.take(16).read_to_end(&mut rest).map_err(|error| problem(count + 1, error))?;
    match rest.iter().all(u8::is_ascii_whitespace) {
        true if count == 0 => Err(VectorsProblem::Empty),
        true => Ok(vectors),
        false => Err(Word2vecProblem::GoesOn { of: count }.into()),
    }
}
