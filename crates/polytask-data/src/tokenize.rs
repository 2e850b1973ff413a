//! How is text cut into words?
//!
//! At Unicode word boundaries (UAX #29): punctuation stands alone, a number keeps its inner `,` and `.`, a hyphen
//! separates. English contractions are then split as in the Penn Treebank: `don't` is `do` `n't`, `John's` is `John`
//! `'s`. Plain ASCII, nearly all of an English text, takes a short path with the same result.

use std::ops::Range;

use polytask_spec::network::Tokenize;
use unicode_segmentation::UnicodeSegmentation;

/// Calls `f` with the byte range in `text` and the text of each word, from first to last.
///
/// The word is the text of its range, but for one thing: a typographic apostrophe in an English contraction becomes
/// an ASCII one (`n’t` is `n't`), because word vectors are published with that. White space and control characters
/// are no words.
pub fn tokenize(text: &str, how: Tokenize, mut f: impl FnMut(Range<usize>, &str)) {
    for piece in text.split_whitespace() {
        // A piece is a slice of `text`, so the distance of their addresses is its offset.
        let start = piece.as_ptr() as usize - text.as_ptr() as usize;
        match how {
            Tokenize::Spaces => f(start..start + piece.len(), piece),
            Tokenize::Words => cut_piece(start, piece, &mut f),
        }
    }
}

/// Cuts text without white space that begins at byte `start`.
fn cut_piece(start: usize, piece: &str, f: &mut impl FnMut(Range<usize>, &str)) {
    // Text that was tokenised before has its clitics apart already: ` 's `.
    if last_clitic(piece) == Some(0) {
        return emit(start, piece, f);
    }
    if piece.is_ascii() {
        return cut_ascii(start, piece, f);
    }
    for (at, segment) in piece.split_word_bound_indices() {
        cut_word(start + at, segment, f);
    }
}

/// UAX #29 restricted to ASCII without white space.
fn cut_ascii(start: usize, piece: &str, f: &mut impl FnMut(Range<usize>, &str)) {
    let bytes = piece.as_bytes();
    let mut begin = 0;
    while begin < bytes.len() {
        let mut end = begin + 1;
        if is_word(bytes[begin]) {
            while end < bytes.len() && (is_word(bytes[end]) || joins(bytes, end)) {
                end += 1;
            }
        }
        cut_word(start + begin, &piece[begin..end], f);
        begin = end;
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether the punctuation at `at`, which a word byte precedes, joins it with the next byte (rules WB6, 7, 11, 12).
fn joins(bytes: &[u8], at: usize) -> bool {
    let (before, Some(&after)) = (bytes[at - 1], bytes.get(at + 1)) else { return false };
    match bytes[at] {
        b'.' | b'\'' => {
            before.is_ascii_alphabetic() && after.is_ascii_alphabetic()
                || before.is_ascii_digit() && after.is_ascii_digit()
        }
        b':' => before.is_ascii_alphabetic() && after.is_ascii_alphabetic(),
        b',' | b';' => before.is_ascii_digit() && after.is_ascii_digit(),
        _ => false,
    }
}

/// Splits the clitics from a word that Unicode leaves whole: `couldn't've` is `could` `n't` `'ve`.
fn cut_word(start: usize, word: &str, f: &mut impl FnMut(Range<usize>, &str)) {
    const MOST: usize = 4;
    let (mut begins, mut count, mut stem) = ([0; MOST], 0, word);
    while count < MOST {
        match last_clitic(stem) {
            Some(begin) if begin > 0 => {
                (begins[count], stem) = (begin, &stem[..begin]);
                count += 1;
            }
            _ => break,
        }
    }
    if stem.chars().all(char::is_control) {
        return;
    }
    f(start..start + stem.len(), stem);
    for index in (0..count).rev() {
        let end = if index == 0 { word.len() } else { begins[index - 1] };
        emit(start + begins[index], &word[begins[index]..end], f);
    }
}

/// Passes on a clitic with an ASCII apostrophe.
fn emit(start: usize, clitic: &str, f: &mut impl FnMut(Range<usize>, &str)) {
    let range = start..start + clitic.len();
    match clitic.is_ascii() {
        true => f(range, clitic),
        false => f(range, &clitic.replace('\u{2019}', "'")),
    }
}

/// Where the clitic begins that ends `word`: `n't`, `'s`, `'m`, `'d`, `'re`, `'ve` or `'ll`, in any case.
fn last_clitic(word: &str) -> Option<usize> {
    let bytes = word.as_bytes();
    // The letters after the apostrophe are one or two.
    let letters = bytes.iter().rev().take(3).take_while(|byte| byte.is_ascii_alphabetic()).count();
    if !(1..=2).contains(&letters) {
        return None;
    }
    let (stem, tail) = bytes.split_at(bytes.len() - letters);
    let apostrophe = stem.len() - ["'", "\u{2019}"].iter().find(|mark| stem.ends_with(mark.as_bytes()))?.len();
    let is = |clitic: &str| tail.eq_ignore_ascii_case(clitic.as_bytes());
    if is("t") {
        return (apostrophe > 0 && stem[apostrophe - 1].eq_ignore_ascii_case(&b'n')).then(|| apostrophe - 1);
    }
    ["s", "m", "d", "re", "ve", "ll"].into_iter().any(is).then_some(apostrophe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut end = 0;
        tokenize(text, Tokenize::Words, |range, word| {
            assert!(range.start >= end, "words overlap in {text:?}");
            end = range.end;
            assert_eq!(text[range].replace('\u{2019}', "'"), word.replace('\u{2019}', "'"));
            found.push(word.to_string());
        });
        found
    }

    #[test]
    fn words_are_cut_as_expected() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            (" \t\r\n\u{85}\u{2028} ", &[]),
            ("Hello, world!", &["Hello", ",", "world", "!"]),
            ("don't it's John's we'll", &["do", "n't", "it", "'s", "John", "'s", "we", "'ll"]),
            ("I'd've CAN'T couldn't've", &["I", "'d", "'ve", "CA", "N'T", "could", "n't", "'ve"]),
            ("don’t It’s café’s", &["do", "n't", "It", "'s", "café", "'s"]),
            ("do n't it 's n’t", &["do", "n't", "it", "'s", "n't"]),
            ("O'Brien ma'am dogs' 'quoted'", &["O'Brien", "ma'am", "dogs", "'", "'", "quoted", "'"]),
            ("1,000.50 3.5, 10:30", &["1,000.50", "3.5", ",", "10", ":", "30"]),
            ("well-known U.S. e.g. snake_case", &["well", "-", "known", "U.S", ".", "e.g", ".", "snake_case"]),
            ("...!?", &[".", ".", ".", "!", "?"]),
            ("naïve—Ünïcödé 日本 👨‍👩‍👧!", &["naïve", "—", "Ünïcödé", "日", "本", "👨‍👩‍👧", "!"]),
            ("clich\u{1a}s \u{1a}", &["clich", "s"]),
            ("'t t' ' '' n't's", &["'", "t", "t", "'", "'", "'", "'", "n't", "'s"]),
        ];
        for (text, expected) in table {
            assert_eq!(words(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn spaces_cut_at_white_space_only() {
        let mut found = Vec::new();
        tokenize(" don't\u{a0}stop ,\u{85}now\n", Tokenize::Spaces, |range, word| {
            found.push((range, word.to_string()))
        });
        let expected = [(1..6, "don't"), (8..12, "stop"), (13..14, ","), (16..19, "now")];
        assert_eq!(found, expected.map(|(range, word)| (range, word.to_string())));
    }

    #[test]
    fn the_short_path_agrees_with_the_full_rules() {
        // Every string of up to five characters over one character of each class, and its like in the full rules.
        let alphabet = ['a', 'Z', '7', '_', '.', ',', ':', '\'', '-', '"'];
        let mut text = String::new();
        for number in 0..100_000_usize {
            text.clear();
            text.extend((0..5).map(|digit| alphabet[number / 10_usize.pow(digit) % 10]));
            let (mut short, mut full) = (Vec::new(), Vec::new());
            cut_ascii(0, &text, &mut |range, word| short.push((range, word.to_string())));
            for (at, segment) in text.split_word_bound_indices() {
                cut_word(at, segment, &mut |range, word| full.push((range, word.to_string())));
            }
            assert_eq!(short, full, "{text}");
        }
    }

    #[test]
    fn hostile_text_is_cut_without_panic() {
        for text in ["'", "’", "’s", "s’", "\u{301}a", "a\u{200d}", "\0", "n’t’s’s’s’s’s’s", &"a'".repeat(10_000)]
        {
            words(text);
        }
        assert_eq!(words("x’s’s’s’s’s’s").concat().replace('\'', "’"), "x’s’s’s’s’s’s");
    }
}
