//! How does text become a checked configuration?

use std::path::Path;

use serde_json::Value as Json;
use toml::de::DeTable;

use crate::error::{Diagnostic, Errors, Location};
use crate::node::{self, Node, Origin, Override};
use crate::schema::{self, Extension, schema};
use crate::validate::{Fault, validate};
use crate::{Spec, check, heads, options, references, scales, study};

/// Tables whose entries the user names.
pub(crate) const MAPS: [&str; 4] = ["data", "input", "encoder", "task"];

/// A checked configuration, and where its keys stand.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// What the user asked for.
    pub spec: Spec,
    file: String,
    text: String,
    root: Node,
    overrides: Vec<Override>,
}

impl Parsed {
    /// Where a key stands: the value, or the key of a table; elements of a list are named by position from 0.
    ///
    /// None where the file does not have the key (its default holds), or an override gave it.
    pub fn locate(&self, path: &[&str]) -> Option<Location> {
        match self.root.trace(path) {
            (Origin::File(span), true) => Some(Location::new(&self.file, &self.text, span.clone())),
            _ => None,
        }
    }

    /// A diagnostic at a key, at the nearest table that holds it where the key is absent, or that names the override.
    pub fn diagnostic(&self, path: &[&str], message: impl Into<String>, help: Option<String>) -> Diagnostic {
        let origin = self.root.trace(path).0;
        place(&self.file, &self.text, &self.overrides, origin, message.into(), help)
    }

    /// Diagnostics that were found after parsing, as the errors of this file.
    pub fn errors(&self, diagnostics: Vec<Diagnostic>) -> Errors {
        Errors { file: self.file.clone(), text: self.text.clone(), diagnostics }
    }

    /// The file's text as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Reads and checks a configuration file.
///
/// # Errors
/// A file that is missing, is a folder or is not UTF-8, and everything that [`parse`] reports.
pub fn parse_file(path: &Path, overrides: &[Override], extensions: &[Extension]) -> Result<Parsed, Errors> {
    let file = path.display().to_string();
    let failed = |text: String, message: String, location: Option<Location>, help: Option<&str>| Errors {
        file: file.clone(),
        text,
        diagnostics: vec![Diagnostic { message, location, help: help.map(str::to_string) }],
    };
    if path.is_dir() {
        return Err(failed(String::new(), format!("`{file}` is a folder"), None, Some("name the .toml file in it")));
    }
    let bytes = std::fs::read(path).map_err(|error| {
        let help = (error.kind() == std::io::ErrorKind::NotFound).then_some("check the path");
        failed(String::new(), format!("cannot read `{file}`: {error}"), None, help)
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => parse(&file, &text, overrides, extensions),
        Err(error) => {
            let start = error.utf8_error().valid_up_to();
            // The lossy text agrees with the bytes up to the first bad one, which becomes a replacement character.
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let location = Location::new(&file, &text, start..start + '\u{fffd}'.len_utf8());
            let message = format!("the file is not UTF-8: byte 0x{:02X} at offset {start}", error.as_bytes()[start]);
            Err(failed(text, message, Some(location), Some("save the file as UTF-8")))
        }
    }
}

/// Parses and checks a configuration; `file_name` is used in messages only.
///
/// A byte order mark at the start and CRLF line ends are accepted.
///
/// # Errors
/// Every fault at once: syntax errors alone, otherwise unknown, missing and mistyped keys, values out of range, and
/// everything that does not fit together.
pub fn parse(file_name: &str, text: &str, overrides: &[Override], extensions: &[Extension]) -> Result<Parsed, Errors> {
    let place = |origin: &Origin, message: String, help| place(file_name, text, overrides, origin, message, help);
    let errors = |diagnostics| Errors { file: file_name.into(), text: text.into(), diagnostics };
    let mut root = read(text).map_err(|faults| {
        errors(faults.into_iter().map(|fault| place(&fault.origin, fault.message, fault.help)).collect())
    })?;
    let mut faults = Vec::new();
    for (index, set) in overrides.iter().enumerate() {
        if let Err(message) = node::apply(&mut root, index, set) {
            faults.push(Fault { path: Vec::new(), origin: Origin::Override(index), message, help: None });
        }
    }
    let unapplied = faults.len();
    let schema = schema(extensions);
    faults.extend(validate(&root, &schema));
    let sound = sound_part(&root, &schema, extensions, &faults[unapplied..]);
    let spec = serde_json::from_value::<Spec>(sound);
    faults.extend(references::check(&root));
    faults.extend(scales::check(&root));
    match &spec {
        Ok(spec) => {
            faults.extend(check::check(spec, &root));
            faults.extend(heads::check(spec, &root));
            faults.extend(options::check(spec, &root));
            faults.extend(study::check(spec.study.as_ref(), spec.seed, &root));
        }
        // What validation let through must deserialise; where it reported something, that says it better.
        Err(error) if faults.is_empty() => faults.push(Fault {
            path: Vec::new(),
            origin: root.origin.clone(),
            message: format!("the configuration cannot be read: {error}"),
            help: None,
        }),
        Err(_) => {}
    }
    match spec {
        Ok(spec) if faults.is_empty() => {
            Ok(Parsed { spec, file: file_name.into(), text: text.into(), root, overrides: overrides.to_vec() })
        }
        _ => {
            faults.sort_by_key(|fault| match &fault.origin {
                Origin::File(span) => (0, span.start),
                Origin::Override(index) => (1, *index),
            });
            Err(errors(faults.into_iter().map(|fault| place(&fault.origin, fault.message, fault.help)).collect()))
        }
    }
}

/// Syntax errors that are told; the rest of a file that lost a bracket or a quote is nothing but errors.
const SYNTAX_ERRORS_MAX: usize = 3;

/// The tree of the text, or its first syntax errors, one a line.
fn read(text: &str) -> Result<Node, Vec<Fault>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(node::from_table(table.get_ref(), &Origin::File, 0..0));
    }
    let end = text.len()..text.len();
    let mut errors: Vec<_> = errors.iter().map(|error| (error.span().unwrap_or(end.clone()), error)).collect();
    errors.sort_by_key(|(span, _)| span.start);
    let mut lines = Vec::new();
    let mut faults = Vec::new();
    for (span, error) in errors {
        let line = Location::new("", text, span.clone()).line;
        // What follows on the same line is most often a consequence of the first error.
        if lines.contains(&line) {
            continue;
        }
        lines.push(line);
        let message = format!("not valid TOML: {}", error.message());
        let help = "text stands in quotes, a list ends with `]`, a table in one line with `}`".to_string();
        faults.push(Fault { path: Vec::new(), origin: Origin::File(span), message, help: Some(help) });
        if faults.len() == SYNTAX_ERRORS_MAX {
            break;
        }
    }
    Err(faults)
}

/// The part of the tree that later checks may rely on: what has a fault is left out, whole entries of the named tables.
fn sound_part(root: &Node, schema: &Json, extensions: &[Extension], faults: &[Fault]) -> Json {
    let mut sound = root.to_json();
    let Json::Object(table) = &mut sound else { return sound };
    for fault in faults {
        let Some(first) = fault.path.first() else { continue };
        match (MAPS.contains(&first.as_str()), fault.path.get(1)) {
            (true, Some(name)) => {
                if let Some(Json::Object(items)) = table.get_mut(first) {
                    items.shift_remove(name);
                }
            }
            _ => {
                table.shift_remove(first);
            }
        }
    }
    if !faults.is_empty() {
        table.entry("version").or_insert(1.into());
        for name in MAPS {
            table.entry(name).or_insert_with(|| Json::Object(Default::default()));
        }
    }
    schema::fill_tags(table, schema);
    for extension in extensions {
        let Some(schema) = schema.pointer("/properties").and_then(|keys| keys.get(extension.pointer)) else { continue };
        if !table.contains_key(extension.pointer)
            && let Some(default) = schema.get("default")
        {
            table.insert(extension.pointer.into(), default.clone());
        }
        if let Some(value) = table.get_mut(extension.pointer) {
            schema::fill_defaults(value, schema);
        }
    }
    sound
}

fn place(
    file: &str,
    text: &str,
    overrides: &[Override],
    origin: &Origin,
    message: String,
    help: Option<String>,
) -> Diagnostic {
    match origin {
        Origin::File(span) => Diagnostic { message, location: Some(Location::new(file, text, span.clone())), help },
        Origin::Override(index) => {
            let message = overrides.get(*index).map(|set| format!("`{set}`: {message}")).unwrap_or(message);
            Diagnostic { message, location: None, help }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{THREE_TASKS, messages, spec};

    fn with_overrides(overrides: &[&str]) -> Result<Parsed, Errors> {
        let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().unwrap()).collect();
        parse("polytask.toml", THREE_TASKS, &overrides, &[])
    }

    #[test]
    fn the_example_parses() {
        let spec = spec(THREE_TASKS);
        assert_eq!(spec.data.keys().collect::<Vec<_>>(), ["conll", "imdb", "amazon"]);
        assert_eq!(spec.task.keys().collect::<Vec<_>>(), ["ner", "imdb", "stars"]);
        let stars = &spec.task["stars"];
        assert_eq!((spec.encoder_of(stars), spec.input_of(stars)), ("trunk", "words"));
        assert_eq!(spec.attach_of(stars), ["low", "high"]);
        assert_eq!(spec.layer_name("trunk", 1).as_deref(), Some("high"));
        assert_eq!((spec.layer_name("trunk", 2), spec.batch_size("conll")), (None, 32));
        assert_eq!(spec.attach_of(&crate::task::Task { attach: None, ..stars.clone() }), ["high"]);
    }

    #[test]
    fn everything_is_reported_in_the_order_of_the_file() {
        let text = THREE_TASKS
            .replace("seed = 7", "seed = \"seven\"")
            .replace("\"token\", ", "")
            .replace("dim = 30", "dim = 0")
            .replace("data    = \"conll\"", "data = \"conl\"\nlr = 3")
            .replace("target = \"stars\"", "target = \"star\"")
            .replace("epochs ", "epoch ");
        let found = messages(&text);
        let lines: Vec<&str> = found.iter().filter_map(|message| message.split(':').nth(1)).collect();
        assert_eq!(lines, ["3", "10", "25", "35", "36", "52", "63"], "{found:#?}");
        let whole = parse("polytask.toml", &text, &[], &[]).unwrap_err().to_string();
        assert!(whole.contains("polytask.toml:63:1: unknown key `epoch` in [train]\n  help: did you mean `epochs`? "));
        assert!(
            messages("")
                .iter()
                .map(|text| text.split('`').nth(1))
                .eq(["version", "data", "input", "encoder", "task"].map(Some))
        );
        assert_eq!(messages("version = 1\n[data]\n[input]\n[encoder]\n[task]\n").len(), 4);
    }

    #[test]
    fn syntax_errors_have_a_place() {
        let found = messages("version = 1\nname = \"open\nseed = = 3\n");
        assert!(found[0].starts_with("polytask.toml:2:") && found[0].contains("not valid TOML"), "{found:#?}");
        assert!(found.iter().any(|text| text.starts_with("polytask.toml:3:")), "{found:#?}");
        assert_eq!(messages(&format!("a = [1,\n{}", "b = 1\n".repeat(100))).len(), SYNTAX_ERRORS_MAX);
        let found = messages("[train]\nepochs = 3\nepochs = 4\n");
        assert!(found.len() == 1 && found[0].starts_with("polytask.toml:3:1: not valid TOML: duplicate"), "{found:#?}");
    }

    #[test]
    fn a_byte_order_mark_and_crlf_change_nothing() {
        let text = format!("\u{feff}{}", THREE_TASKS.replace('\n', "\r\n"));
        assert_eq!(spec(&text), spec(THREE_TASKS));
        let found = messages(&text.replace("version", "wersion").replace("epochs ", "epoch "));
        assert!(
            found[0].starts_with("polytask.toml:1:1: ") && found[1].starts_with("polytask.toml:62:1: "),
            "{found:#?}"
        );
    }

    #[test]
    fn overrides_win_and_are_named() {
        let parsed = with_overrides(&["train.epochs=3", "encoder.trunk.layers.0.hidden=7", "name=quick try"]).unwrap();
        assert_eq!((parsed.spec.train.epochs, parsed.spec.name.as_str()), (3, "quick try"));
        assert!(parsed.locate(&["train", "epochs"]).is_none());
        let diagnostic = parsed.diagnostic(&["train", "epochs"], "too few", None);
        assert_eq!(diagnostic.to_string(), "`--set train.epochs=3`: too few");
        let failed = with_overrides(&["train.epochs=x", "train.epoch=3", "name.x=1", "name=7", "task.ner.data=conl"]);
        let found: Vec<String> = failed.unwrap_err().diagnostics.iter().map(ToString::to_string).collect();
        for fragment in [
            "`--set train.epochs=x`: `train.epochs` must be an integer, found the string `\"x\"`",
            "`--set train.epoch=3`: unknown key `epoch` in [train]",
            "`--set name.x=1`: `name` is the string `\"reviews\"`, which has no keys",
            "quote text that looks like another value",
            "`--set task.ner.data=conl`: `task.ner.data` names `conl`",
        ] {
            assert!(found.iter().any(|text| text.contains(fragment)), "{fragment} is not in {found:#?}");
        }
        assert_eq!(found.len(), 5);
    }

    #[test]
    fn keys_can_be_located() {
        let parsed = with_overrides(&[]).unwrap();
        let at =
            |path: &[&str]| parsed.locate(path).map(|place| (place.line, place.column, &parsed.text()[place.span]));
        assert_eq!(at(&["data", "imdb", "path"]), Some((14, 10, "\"imdb/aclImdb.tar.gz\"")));
        assert_eq!(at(&["data", "imdb"]), Some((12, 7, "imdb")));
        assert_eq!(at(&["encoder", "trunk", "layers", "1", "widths"]), Some((29, 53, "[3, 4, 5]")));
        assert_eq!(at(&["train", "select"]), None);
        let diagnostic = parsed.diagnostic(&["train", "select"], "no", Some("yes".into()));
        assert_eq!(parsed.errors(vec![diagnostic]).to_string(), "polytask.toml:61:2: no\n  help: yes");
    }

    #[test]
    fn an_extension_says_what_a_table_accepts() {
        let schema = serde_json::json!({ "oneOf": [
            { "type": "object", "properties": { "method": { "type": "string", "const": "equal" } }, "required": ["method"] },
            { "type": "object", "required": ["method"], "properties": {
                "method": { "type": "string", "const": "gradnorm" },
                "alpha": { "type": "number", "exclusiveMinimum": 0.0, "default": 1.5 } } },
        ] });
        let extensions = [Extension { pointer: "balance", schema }];
        let run = |balance: &str| {
            let text = THREE_TASKS.replace("[balance]\nmethod = \"uncertainty\"", balance);
            parse("f", &text, &[], &extensions).map(|parsed| parsed.spec).map_err(|errors| errors.to_string())
        };
        assert_eq!(run("").unwrap().balance.method, "equal");
        let filled = run("[balance]\nmethod = \"gradnorm\"").unwrap();
        assert_eq!(filled.balance.options["alpha"], 1.5);
        assert_eq!(parse("f", &filled.to_toml(), &[], &extensions).unwrap().spec, filled);
        assert!(run("[balance]\nmethod = \"gradnrom\"").unwrap_err().contains("did you mean `gradnorm`?"));
        assert!(run("[balance]\n").unwrap_err().contains("[balance] has no `method`"));
        assert!(
            run("[balance]\nmethod = \"equal\"\nalpha = 1").unwrap_err().contains("belongs to `method = \"gradnorm\"`")
        );
        assert!(run("[balance]\nmethod = \"gradnorm\"\nalpha = 0").unwrap_err().contains("more than 0, found 0"));
    }

    #[test]
    fn files_that_cannot_be_read_are_diagnostics() {
        let folder = std::env::temp_dir().join(format!("polytask-spec-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let failed = |path: &Path| parse_file(path, &[], &[]).unwrap_err().diagnostics.remove(0);
        assert!(failed(&folder).message.contains("is a folder"));
        assert!(failed(&folder.join("none.toml")).message.contains("cannot read"));
        let path = folder.join("bad.toml");
        std::fs::write(&path, b"version = 1\nname = \"\xE4\"\n").unwrap();
        let diagnostic = failed(&path);
        assert_eq!(diagnostic.message, "the file is not UTF-8: byte 0xE4 at offset 20");
        assert_eq!(diagnostic.location.map(|place| (place.line, place.column)), Some((2, 9)));
        std::fs::write(&path, THREE_TASKS).unwrap();
        assert!(parse_file(&path, &[], &[]).is_ok());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
