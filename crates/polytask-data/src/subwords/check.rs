//! Is a `tokenizer.json` one that can be used? Says why not, more plainly than the library that reads it.
//!
//! What the library lets pass and gives a meaning of its own is refused: numbers that skip some or stand twice, and
//! dropout. So every number has one token, and the largest number is bounded by the size of the file.

use serde_json::{Map, Value};

/// The one version of the format.
const VERSION: &str = "1.0";

/// Models by their `type`.
const MODELS: &[&str] = &["BPE", "WordPiece", "Unigram", "WordLevel"];

/// Normalizers by their `type`.
const NORMALIZERS: &[&str] = &[
    "BertNormalizer",
    "ByteLevel",
    "Lowercase",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Nmt",
    "Precompiled",
    "Prepend",
    "Replace",
    "Sequence",
    "Strip",
    "StripAccents",
];

/// Pre-tokenizers by their `type`.
const PRE_TOKENIZERS: &[&str] = &[
    "BertPreTokenizer",
    "ByteLevel",
    "Delimiter",
    "Digits",
    "FixedLength",
    "Metaspace",
    "Punctuation",
    "Sequence",
    "Split",
    "UnicodeScripts",
    "Whitespace",
    "WhitespaceSplit",
];

/// Checks what the library does not, or does not explain; gives the name of the unknown token.
pub(super) fn check(text: &str) -> Result<Option<String>, String> {
    let json: Value = serde_json::from_str(text).map_err(|error| format!("no valid JSON: {error}"))?;
    let version = json.get("version").unwrap_or(&Value::Null);
    if !version.is_null() && version.as_str() != Some(VERSION) {
        return Err(format!("its `version` is {version}, but only \"{VERSION}\" is known"));
    }
    let model = json.get("model").and_then(Value::as_object).ok_or("it has no `model`")?;
    let kind = kind(model)?;
    let mut tokens = match kind {
        "BPE" | "WordPiece" | "WordLevel" => numbered(model)?,
        "Unigram" => pieces(model)?,
        _ => return Err(unknown_type("model", kind, MODELS)),
    };
    known_types(json.get("normalizer"), "normalizer", "normalizers", NORMALIZERS)?;
    known_types(json.get("pre_tokenizer"), "pre_tokenizer", "pretokenizers", PRE_TOKENIZERS)?;
    let unknown = match kind {
        "BPE" => bpe(model, &tokens)?,
        "WordPiece" => Some(word_piece(model, &tokens)?),
        "Unigram" => Some(unigram(model)?),
        _ => Some(unknown_token(model, &tokens)?),
    };
    added(json.get("added_tokens"), &mut tokens)?;
    Ok(unknown)
}

/// What model it is: early files do not say, and are known by their keys.
fn kind(model: &Map<String, Value>) -> Result<&str, String> {
    let has = |key: &str| model.contains_key(key);
    match model.get("type") {
        Some(kind) => kind.as_str().ok_or_else(|| format!("its `model.type` is {kind}, not text")),
        None if has("merges") => Ok("BPE"),
        None if has("unk_id") => Ok("Unigram"),
        None if has("continuing_subword_prefix") => Ok("WordPiece"),
        None if has("vocab") => Ok("WordLevel"),
        None => Err("its `model` has no `type`".into()),
    }
}

fn unknown_type(part: &str, kind: &str, known: &[&str]) -> String {
    format!("its `{part}.type` is {kind:?}, but only {} are known", known.join(", "))
}

/// Checks the `type` of a part and, where it is a sequence, of those that it is made of.
fn known_types(part: Option<&Value>, path: &str, members: &str, known: &[&str]) -> Result<(), String> {
    let Some(part) = part else { return Ok(()) };
    if let Some(kind) = part.get("type").and_then(Value::as_str).filter(|kind| !known.contains(kind)) {
        return Err(unknown_type(path, kind, known));
    }
    let parts = part.get(members).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    parts
        .iter()
        .enumerate()
        .try_for_each(|(index, part)| known_types(Some(part), &format!("{path}.{members}[{index}]"), members, known))
}

/// Tokens and their numbers.
type Tokens = Map<String, Value>;

/// The vocabulary of a model that maps tokens to numbers: all from 0 to one less than there are tokens.
fn numbered(model: &Map<String, Value>) -> Result<Tokens, String> {
    let tokens = model.get("vocab").and_then(Value::as_object).ok_or("its `model.vocab` is no table of tokens")?;
    let mut names: Vec<Option<&str>> = vec![None; tokens.len()];
    for (token, id) in tokens {
        let slot = id.as_u64().and_then(|id| names.get_mut(usize::try_from(id).ok()?)).ok_or_else(|| {
            format!(
                "its `model.vocab` gives the token {token:?} the number {id}; {} tokens have the numbers from 0 to {}, \
                 each once",
                tokens.len(),
                tokens.len() - 1
            )
        })?;
        if let Some(other) = slot.replace(token) {
            let (first, second) = (token.as_str().min(other), token.as_str().max(other));
            return Err(format!("its `model.vocab` gives the tokens {first:?} and {second:?} the same number, {id}"));
        }
    }
    match tokens.is_empty() {
        true => Err("its `model.vocab` is empty".into()),
        false => Ok(tokens.clone()),
    }
}

/// The vocabulary of a model that is a list of pieces, numbered as they stand.
fn pieces(model: &Map<String, Value>) -> Result<Tokens, String> {
    let pieces = model.get("vocab").and_then(Value::as_array).ok_or("its `model.vocab` is no list of pieces")?;
    let mut tokens = Tokens::new();
    for (index, piece) in pieces.iter().enumerate() {
        let name = match piece.as_array().map(Vec::as_slice) {
            Some([Value::String(name), Value::Number(_)]) if !name.is_empty() => name,
            _ => return Err(format!("its `model.vocab[{index}]` is no piece with its score: {piece}")),
        };
        if let Some(other) = tokens.insert(name.clone(), index.into()) {
            return Err(format!("its `model.vocab[{index}]` is {name:?}, as `model.vocab[{other}]` is"));
        }
    }
    match tokens.is_empty() {
        true => Err("its `model.vocab` is empty".into()),
        false => Ok(tokens),
    }
}

/// Tokens beside the model's: they have its numbers, or follow on from them in the order of the list.
fn added(list: Option<&Value>, tokens: &mut Tokens) -> Result<(), String> {
    let list = match list {
        None | Some(Value::Null) => return Ok(()),
        Some(list) => list.as_array().ok_or("its `added_tokens` is no list")?,
    };
    for (index, token) in list.iter().enumerate() {
        let content = token.get("content").and_then(Value::as_str).filter(|content| !content.is_empty());
        let content = content.ok_or_else(|| format!("its `added_tokens[{index}]` has no `content`"))?;
        let next = Value::from(tokens.len());
        let expected = tokens.entry(content).or_insert(next);
        match token.get("id") {
            Some(id) if id == expected => {}
            Some(id) => {
                return Err(format!(
                    "its `added_tokens[{index}]` gives the token {content:?} the number {id}, but {expected} is its \
                     number: tokens that `model.vocab` lacks follow on from it, in their order"
                ));
            }
            None => return Err(format!("its `added_tokens[{index}]` has no `id`")),
        }
    }
    Ok(())
}

/// An option that is text; none where it is absent or null.
fn text<'a>(model: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, String> {
    match model.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("its `model.{key}` is {other}, not text")),
    }
}

fn known(tokens: &Tokens, key: &str, token: &str) -> Result<(), String> {
    match tokens.contains_key(token) {
        true => Ok(()),
        false => Err(format!("its `model.{key}` names {token:?}, which is not in its vocabulary")),
    }
}

fn unknown_token(model: &Map<String, Value>, tokens: &Tokens) -> Result<String, String> {
    let unknown = text(model, "unk_token")?.ok_or("its `model` has no `unk_token`")?;
    known(tokens, "unk_token", unknown)?;
    Ok(unknown.to_string())
}

fn bpe(model: &Map<String, Value>, tokens: &Tokens) -> Result<Option<String>, String> {
    if model.get("dropout").and_then(Value::as_f64).is_some_and(|dropout| dropout != 0.0) {
        return Err("its `model.dropout` makes the same text other tokens each time; set it to null".into());
    }
    let prefix = text(model, "continuing_subword_prefix")?.unwrap_or_default();
    let merges = model.get("merges").and_then(Value::as_array).ok_or("its `model.merges` is no list")?;
    for (index, merge) in merges.iter().enumerate() {
        let pair = match merge {
            Value::String(pair) => pair.split_once(' '),
            Value::Array(pair) => match pair.as_slice() {
                [Value::String(left), Value::String(right)] => Some((left.as_str(), right.as_str())),
                _ => None,
            },
            _ => None,
        };
        let (left, right) = pair.ok_or_else(|| format!("its `model.merges[{index}]` is no pair of tokens: {merge}"))?;
        let rest = right.strip_prefix(prefix).ok_or_else(|| {
            format!("its `model.merges[{index}]` joins {right:?}, which does not begin with {prefix:?}")
        })?;
        for token in [left, right, &format!("{left}{rest}")] {
            known(tokens, &format!("merges[{index}]"), token)?;
        }
    }
    match text(model, "unk_token")? {
        None => Ok(None),
        Some(_) => unknown_token(model, tokens).map(Some),
    }
}

fn word_piece(model: &Map<String, Value>, tokens: &Tokens) -> Result<String, String> {
    text(model, "continuing_subword_prefix")?.ok_or("its `model` has no `continuing_subword_prefix`")?;
    if model.get("max_input_chars_per_word").and_then(Value::as_u64).is_none() {
        return Err("its `model.max_input_chars_per_word` is no count of characters".into());
    }
    unknown_token(model, tokens)
}

fn unigram(model: &Map<String, Value>) -> Result<String, String> {
    let names = model.get("vocab").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let unknown = model.get("unk_id").and_then(Value::as_u64).ok_or("its `model` has no `unk_id`")?;
    let piece = usize::try_from(unknown).ok().and_then(|unknown| names.get(unknown));
    let name = piece.and_then(|piece| piece.get(0)?.as_str());
    name.map(str::to_string)
        .ok_or_else(|| format!("its `model.unk_id` is {unknown}, but there are {} pieces", names.len()))
}
