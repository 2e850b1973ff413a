//! Are texts cut as the Python library cuts them? It has another engine for regular expressions.
//!
//! The files are those of tokenizers 0.23.3, trained on four sentences of our own, and the numbers are what
//! `Tokenizer.from_file(FILE).encode(TEXT, add_special_tokens=False).ids` gives. The trainers and parts:
//!
//! ```text
//! bpe         BPE()                   Split(LLAMA_3, "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)
//!             BpeTrainer(vocab_size=150, initial_alphabet=[], special_tokens=["<|end|>"])
//! word-piece  WordPiece("[UNK]")      BertNormalizer(), BertPreTokenizer()
//!             WordPieceTrainer(vocab_size=110, special_tokens=["[UNK]", "[CLS]"])
//! unigram     Unigram()               NFKC(), Replace(Regex(" {2,}"), " "), Metaspace()
//!             UnigramTrainer(vocab_size=75, special_tokens=["<unk>"], unk_token="<unk>"), scores to three places
//! ```

use super::{cut, subwords};

const BPE: &str = include_str!("../../../tests/fixtures/tokenizers/bpe.json");
const WORD_PIECE: &str = include_str!("../../../tests/fixtures/tokenizers/word-piece.json");
const UNIGRAM: &str = include_str!("../../../tests/fixtures/tokenizers/unigram.json");

const TEXTS: [&str; 4] = [
    "The keeper isn't counting 12508 ships.",
    "Un  café naïve,\tcrème brûlée: 3,50 €!",
    "LIGHTHOUSES\n\nreturn… <|end|> they'LL ½ ² кот 日本",
    "the the  the   ",
];

const BPE_IDS: [&[u32]; 4] = [
    &[96, 83, 135, 28, 90, 71, 53, 45, 91, 8, 4, 87, 3],
    &[97, 45, 143, 80, 136, 128, 2, 18, 84, 75, 66, 65, 129, 20, 10, 45, 7, 2, 93, 140, 40],
    &[14, 15, 13, 13, 51, 79, 31, 28, 44, 45, 0, 149, 1, 45, 45, 45, 46, 45, 40],
    &[33, 48, 58, 45, 58, 45, 45, 45],
];

const WORD_PIECE_IDS: [&[u32]; 4] = [
    &[63, 88, 107, 47, 2, 30, 76, 65, 0, 93, 4],
    &[31, 47, 102, 59, 40, 25, 85, 56, 40, 3, 103, 87, 99, 45, 54, 64, 11, 8, 3, 96, 35, 0],
    &[75, 36, 44, 45, 39, 40, 39, 89, 83, 0, 0, 0, 17, 47, 50, 0, 0, 63, 55, 2, 109, 0, 0, 0, 0, 0],
    &[63, 63, 63],
];

const UNIGRAM_IDS: [&[u32]; 4] = [
    &[1, 50, 26, 37, 39, 3, 4, 18, 5, 20, 9, 35, 47, 29, 30, 0, 33, 11],
    &[
        1, 55, 4, 21, 7, 31, 28, 1, 4, 7, 56, 58, 2, 6, 0, 40, 34, 32, 2, 19, 8, 51, 16, 28, 2, 49, 1, 53, 6, 29, 30,
        1, 52, 0,
    ],
    &[
        1, 0, 50, 0, 55, 57, 0, 57, 0, 24, 5, 10, 8, 4, 11, 11, 11, 1, 0, 2, 4, 12, 0, 13, 17, 18, 0, 35, 0, 47, 1, 47,
        1, 0, 1, 0,
    ],
    &[13, 13, 13, 1],
];

#[test]
fn texts_are_cut_as_by_the_python_library() {
    for (json, ids, rows) in [(BPE, BPE_IDS, 150), (WORD_PIECE, WORD_PIECE_IDS, 110), (UNIGRAM, UNIGRAM_IDS, 72)] {
        let tokenizer = subwords(json);
        assert_eq!(tokenizer.rows(), rows);
        for (text, ids) in TEXTS.into_iter().zip(ids) {
            assert_eq!(cut(&tokenizer, text).0, ids, "{text}");
        }
    }
}

#[test]
fn files_from_before_models_had_a_type_are_read() {
    for (json, kind, ids) in
        [(BPE, "BPE", BPE_IDS), (WORD_PIECE, "WordPiece", WORD_PIECE_IDS), (UNIGRAM, "Unigram", UNIGRAM_IDS)]
    {
        let early = json.replace(&format!("\"type\":\"{kind}\","), "");
        assert_ne!(early, json);
        assert_eq!(cut(&subwords(&early), TEXTS[0]).0, ids[0]);
    }
}
