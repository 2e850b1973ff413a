//! Are texts cut as a reader of the file would cut them by hand, and are damaged files refused?

mod reference;

use super::*;

/// Letters, and three merges in the order of their rank.
const BPE: &str = r#"{ "version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null, "decoder": null,
  "pre_tokenizer": { "type": "Whitespace" },
  "model": { "type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
    "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
    "vocab": { "l": 0, "o": 1, "w": 2, "e": 3, "r": 4, "lo": 5, "low": 6, "er": 7, "<unk>": 8 },
    "merges": ["l o", "lo w", "e r"] } }"#;

/// Bytes as characters: a space is `Ġ`, and `é`, the bytes C3 A9, is `Ã` `©`.
const BYTES: &str = r#"{ "version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null, "decoder": null,
  "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
  "model": { "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
    "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
    "vocab": { "a": 0, "b": 1, "Ġ": 2, "Ġa": 3, "Ã": 4, "©": 5, "Ã©": 6 },
    "merges": [["Ġ", "a"], ["Ã", "©"]] } }"#;

/// Longest match first, lower-cased, with tokens that would be put around a text.
const WORD_PIECE: &str = r###"{ "version": "1.0",
  "added_tokens": [
    { "id": 7, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
      "special": true },
    { "id": 8, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
      "special": true } ],
  "truncation": { "direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0 },
  "padding": { "strategy": { "Fixed": 50 }, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
    "pad_type_id": 0, "pad_token": "[UNK]" },
  "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
    "lowercase": true },
  "pre_tokenizer": { "type": "BertPreTokenizer" },
  "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", 8], "cls": ["[CLS]", 7] }, "decoder": null,
  "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
    "max_input_chars_per_word": 100,
    "vocab": { "[UNK]": 0, "play": 1, "##ing": 2, "##ed": 3, "un": 4, "##play": 5, ",": 6 } } }"###;

/// Pieces with their log probabilities; `▁` begins a word.
const UNIGRAM: &str = r#"{ "version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null, "decoder": null,
  "pre_tokenizer": { "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true },
  "model": { "type": "Unigram", "unk_id": 0, "byte_fallback": false,
    "vocab": [["<unk>", 0.0], ["▁", -2.0], ["▁a", -1.5], ["b", -3.0], ["ab", -1.0], ["▁ab", -3.5], ["c", -4.0]] } }"#;

const WORD_LEVEL: &str = r#"{ "version": "1.0", "added_tokens": [], "normalizer": { "type": "Lowercase" },
  "pre_tokenizer": { "type": "Whitespace" }, "post_processor": null, "decoder": null,
  "model": { "type": "WordLevel", "unk_token": "[UNK]", "vocab": { "[UNK]": 0, "good": 1, "bad": 2 } } }"#;

const ALL: [&str; 5] = [BPE, BYTES, WORD_PIECE, UNIGRAM, WORD_LEVEL];

fn subwords(json: &str) -> Subwords {
    Subwords::try_from(json.to_string()).unwrap()
}

/// Rows and text of the tokens of a text.
fn cut(subwords: &Subwords, text: &str) -> (Vec<u32>, Vec<String>) {
    let (mut rows, mut parts) = (Vec::new(), Vec::new());
    let each = |range: Range<usize>, token: &str| {
        rows.push(subwords.row(token));
        parts.push(text[range].to_string());
    };
    subwords.cut(text, each).unwrap();
    (rows, parts)
}

#[test]
fn texts_are_cut_as_by_hand() {
    let table: [(&str, &str, &[u32], &[&str]); 6] = [
        // `l o` first, then `lo w`; `x` is unknown.
        (BPE, "low lower lox", &[6, 6, 7, 5, 8], &["low", "low", "er", "lo", "x"]),
        (BYTES, "a b aé", &[0, 2, 1, 3, 6], &[]),
        (WORD_PIECE, "Playing, unplayed xyz", &[1, 2, 6, 4, 5, 3, 0], &["Play", "ing", ",", "un", "play", "ed", "xyz"]),
        // `▁` and `ab` make -3.0, more than `▁ab` with -3.5, and than `▁a` and `b` with -4.5.
        (UNIGRAM, "ab abc x", &[1, 4, 1, 4, 6, 1, 0], &[]),
        (WORD_LEVEL, "Good BAD film", &[1, 2, 0], &["Good", "BAD", "film"]),
        (BPE, "", &[], &[]),
    ];
    for (json, text, rows, parts) in table {
        let found = cut(&subwords(json), text);
        assert_eq!(found.0, rows, "{text}");
        // Which bytes a token of a space has is the library's affair.
        if json != BYTES && json != UNIGRAM {
            assert_eq!(found.1, parts, "{text}");
        }
    }
}

#[test]
fn every_token_has_a_row() {
    assert_eq!(ALL.map(|json| subwords(json).rows()), [9, 7, 9, 7, 3]);
    assert_eq!(ALL.map(|json| subwords(json).unknown()), [Some(8), None, Some(0), Some(0), Some(0)]);
    let pieces = subwords(WORD_PIECE);
    assert_eq!(["play", "[SEP]", "no such"].map(|token| pieces.row(token)), [1, 8, 0]);
    assert_eq!(subwords(BYTES).row("no such"), 0);
}

#[test]
fn a_text_is_never_cut_short_or_padded() {
    assert_eq!(cut(&subwords(WORD_PIECE), &"play ".repeat(300)).0, vec![1; 300]);
}

#[test]
fn it_is_saved_as_its_file() {
    for json in ALL {
        let before = subwords(json);
        let saved = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<String>(&saved).unwrap(), json);
        let after: Subwords = serde_json::from_str(&saved).unwrap();
        assert_eq!(cut(&before, "play low good ab"), cut(&after, "play low good ab"));
    }
    assert!(serde_json::from_str::<Subwords>("\"{}\"").unwrap_err().to_string().contains("it has no `model`"));
}

#[test]
fn tokens_take_their_vectors() {
    let words = ["a", "Ã©", "zebra", "ab"].map(String::from).to_vec();
    let vectors = WordVectors { dim: 2, values: (0..8).map(|x| x as f32).collect(), words, lines_read: 4 };
    let bytes = subwords(BYTES);
    assert!(["a", "Ġa", "Ã©"].iter().all(|form| bytes.needed().contains(form)));
    let (values, found) = bytes.initial_values(Some(&vectors), 2, 7);
    // `Ġa` is `a` at the beginning of a word.
    assert_eq!((found, values.len()), (vec![0, 3, 6], 14));
    assert_eq!((&values[..2], &values[6..8], &values[12..]), (&[0.0, 1.0][..], &[0.0, 1.0][..], &[2.0, 3.0][..]));
    assert_eq!(subwords(UNIGRAM).initial_values(Some(&vectors), 2, 7).1, [2, 4, 5]);
    let (drawn, none) = bytes.initial_values(None, 2, 7);
    assert!(none.is_empty() && drawn.iter().all(|value| value.abs() <= 1.5_f32.sqrt()));
    assert_eq!(drawn[2..6], values[2..6]);
    assert_ne!(drawn, bytes.initial_values(None, 2, 8).0);
}

/// A file with one place changed is refused, with a message that has the fragment.
fn refused(json: &str, (from, to): (&str, &str), fragment: &str) {
    assert!(json.contains(from), "{from}");
    let error = Subwords::try_from(json.replacen(from, to, 1)).unwrap_err().to_string();
    assert!(error.contains(fragment), "{to}: {error}");
}

#[test]
fn what_is_no_tokenizer_is_refused_with_the_reason() {
    for (from, to, fragment) in [
        (BPE, "", "no valid JSON: EOF"),
        (BPE, "[1, 2]", "it has no `model`"),
        (BPE, "{ \"model\": {} }", "its `model` has no `type`"),
        ("\"type\": \"BPE\"", "\"type\": \"Morse\"", "`model.type` is \"Morse\", but only BPE, WordPiece"),
        ("\"type\": \"BPE\"", "\"type\": 7", "`model.type` is 7, not text"),
        ("\"dropout\": null", "\"dropout\": 0.1", "other tokens each time; set it to null"),
        ("\"unk_token\": \"<unk>\"", "\"unk_token\": \"[UNK]\"", "`model.unk_token` names \"[UNK]\""),
        ("\"unk_token\": \"<unk>\"", "\"unk_token\": 3", "`model.unk_token` is 3, not text"),
        ("\"l o\"", "\"l x\"", "`model.merges[0]` names \"x\", which is not in its vocabulary"),
        ("\"l o\"", "\"l w\"", "`model.merges[0]` names \"lw\""),
        ("\"l o\"", "\"lo\"", "`model.merges[0]` is no pair"),
        ("\"continuing_subword_prefix\": null", "\"continuing_subword_prefix\": \"##\"", "does not begin with \"##\""),
        ("[\"l o\", \"lo w\", \"e r\"]", "3", "`model.merges` is no list"),
        ("\"type\": \"Whitespace\"", "\"type\": \"Blank\"", "`pre_tokenizer.type` is \"Blank\", but only Bert"),
        ("\"type\": \"Whitespace\"", "\"type\": \"Split\"", "the tokenizers library refuses it: "),
        ("\"normalizer\": null", "\"normalizer\": { \"type\": \"Spell\" }", "`normalizer.type` is \"Spell\", but only"),
        (
            "\"normalizer\": null",
            "\"normalizer\": { \"type\": \"Sequence\", \"normalizers\": [{ \"type\": \"NFC\" }, { \"type\": \"NFX\" }] }",
            "`normalizer.normalizers[1].type` is \"NFX\"",
        ),
        ("\"version\": \"1.0\"", "\"version\": \"2.0\"", "its `version` is \"2.0\", but only \"1.0\" is known"),
    ] {
        refused(BPE, (from, to), fragment);
    }
    for (json, from, to, fragment) in [
        (UNIGRAM, "\"unk_id\": 0", "\"unk_id\": 7", "`model.unk_id` is 7, but there are 7 pieces"),
        (UNIGRAM, "\"unk_id\": 0", "\"unk_id\": null", "has no `unk_id`"),
        (UNIGRAM, "[\"b\", -3.0]", "[\"b\"]", "`model.vocab[3]` is no piece with its score"),
        (UNIGRAM, "[\"b\", -3.0]", "[\"▁a\", -3.0]", "`model.vocab[3]` is \"▁a\", as `model.vocab[2]` is"),
        (WORD_PIECE, "\"unk_token\": \"[UNK]\"", "\"unk_token\": \"[unk]\"", "names \"[unk]\""),
        (WORD_PIECE, "\"unk_token\": \"[UNK]\",", "", "has no `unk_token`"),
        (WORD_PIECE, "\"continuing_subword_prefix\": \"##\",", "", "has no `continuing_subword_prefix`"),
        (WORD_PIECE, "\"max_input_chars_per_word\": 100", "\"max_input_chars_per_word\": -1", "no count of characters"),
        (WORD_LEVEL, "{ \"[UNK]\": 0, \"good\": 1, \"bad\": 2 }", "{}", "`model.vocab` is empty"),
        (WORD_LEVEL, "{ \"[UNK]\": 0, \"good\": 1, \"bad\": 2 }", "[]", "`model.vocab` is no table of tokens"),
    ] {
        refused(json, (from, to), fragment);
    }
}

#[test]
fn every_number_has_one_token_and_none_is_larger_than_there_are_tokens() {
    let numbers = "9 tokens have the numbers from 0 to 8, each once";
    for (to, fragment) in [
        ("\"w\": -2", "gives the token \"w\" the number -2; 9 tokens"),
        ("\"w\": 2.5", "gives the token \"w\" the number 2.5; 9 tokens"),
        ("\"w\": 9", numbers),
        ("\"w\": 4294967295", numbers),
        ("\"w\": 18446744073709551615", numbers),
        ("\"w\": 1e300", numbers),
        ("\"w\": 4", "gives the tokens \"r\" and \"w\" the same number, 4"),
        ("\"w\": 2, \"w\": 2, \"l\": 2", "the same number, 2"),
    ] {
        refused(BPE, ("\"w\": 2", to), fragment);
    }
    for (from, to, fragment) in [
        ("\"id\": 8", "\"id\": 9", "`added_tokens[1]` gives the token \"[SEP]\" the number 9, but 8 is its number"),
        ("\"id\": 7", "\"id\": 4000000000", "`added_tokens[0]` gives the token \"[CLS]\" the number 4000000000, but 7"),
        ("\"content\": \"[CLS]\"", "\"content\": \"play\"", "\"play\" the number 7, but 1 is its number"),
        ("\"id\": 7,", "", "`added_tokens[0]` has no `id`"),
        ("\"content\": \"[CLS]\"", "\"content\": \"\"", "`added_tokens[0]` has no `content`"),
        ("\"single_word\": false, ", "", "the tokenizers library refuses it: missing field `single_word`"),
    ] {
        refused(WORD_PIECE, (from, to), fragment);
    }
    // One that stands in the vocabulary too has the number it has there.
    let both = WORD_PIECE.replacen("\",\": 6", "\",\": 6, \"[CLS]\": 7", 1);
    assert_eq!((subwords(&both).rows(), subwords(&both).row("[SEP]")), (9, 8));
}

#[test]
fn a_damaged_file_is_an_error_or_another_tokenizer_and_never_a_panic() {
    for json in ALL {
        let ends = (0..json.len()).step_by(7).filter(|&end| json.is_char_boundary(end));
        for end in ends {
            assert!(Subwords::try_from(json[..end].to_string()).is_err());
        }
        // A number or a quote changed at every place that has one.
        for (at, character) in json.char_indices().filter(|(_, character)| character.is_ascii_digit()) {
            let mut damaged = json.to_string();
            damaged.replace_range(at..at + character.len_utf8(), "9");
            if let Ok(subwords) = Subwords::try_from(damaged) {
                // It may fail on a text, but not panic.
                let _ = subwords.cut("low play good ab é 12", |_, _| {});
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    let error = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Subwords::read(&path).unwrap_err().to_string()
    };
    assert!(
        error(b"{ \"model\": \"\xff\" }").contains("tokenizer.json: expected UTF-8, found the byte 0xFF at offset 12")
    );
    let message = error(b"[]");
    assert!(message.contains("tokenizer.json: it has no `model`\n  help: give a `tokenizer.json`"), "{message}");
    std::fs::write(&path, BPE).unwrap();
    assert_eq!(Subwords::read(&path).unwrap(), subwords(BPE));
    let missing = Subwords::read(&folder.path().join("no.json")).unwrap_err().to_string();
    assert!(missing.contains("no.json: no such file"), "{missing}");
}
