//! What users read when a configuration is wrong: one fault at a time in a file that is right otherwise.

use polytask_spec::parse;

const THREE_TASKS: &str = include_str!("three_tasks.toml");

fn messages(text: &str) -> Vec<String> {
    let errors = parse("polytask.toml", text, &[], &[]).expect_err("the text has faults");
    errors.diagnostics.iter().map(ToString::to_string).collect()
}

/// One replacement in the example, the only message, and the place it names.
fn check(from: &str, to: &str, place: &str, fragments: &[&str]) {
    assert!(THREE_TASKS.contains(from), "{from}");
    let found = messages(&THREE_TASKS.replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{to}: {found:#?}");
    assert!(found[0].starts_with(&format!("polytask.toml:{place}: ")), "{to}: {place}? {found:#?}");
    for fragment in fragments {
        assert!(found[0].contains(fragment), "{to}: {fragment:?} is not in {found:#?}");
    }
}

#[test]
fn unknown_keys() {
    check(
        "epochs ",
        "epoch ",
        "62:1",
        &["unknown key `epoch` in [train]", "did you mean `epochs`? accepted: `epochs`, "],
    );
    check("seed = 7", "sed = 7", "3:1", &["unknown key `sed` at the top level", "did you mean `seed`?"]);
    check("seed = 7", "epochs = 7", "3:1", &["`epochs` belongs into `[train]`"]);
    check("[sharing]", "[sharign]", "31:2", &["unknown key `sharign`", "did you mean `sharing`?"]);
    check("dim = 30", "dims = 30", "25:33", &["in [input.words.characters]", "did you mean `dim`?"]);
    check("hidden = 200", "hiden = 200", "28:46", &["in `encoder.trunk.layers[0]`", "did you mean `hidden`?"]);
    check("hidden = 200", "filters = 200", "28:46", &["`filters` belongs to `kind = \"conv\"`"]);
    check("pool   = \"max\"", "decoder = \"crf\"", "46:1", &["`decoder` belongs to `kind = \"tag\"`"]);
    check("scheme = \"hard\"", "groups = []", "32:1", &["unknown key `groups` in [sharing]", "accepted: `scheme`"]);
}

#[test]
fn types_and_ranges() {
    let epochs = "epochs     = 30";
    check(
        epochs,
        "epochs = \"ten\"",
        "62:10",
        &["`train.epochs` must be an integer, found the string `\"ten\"`", "Default: 20"],
    );
    check(epochs, "epochs = 3.0", "62:10", &["must be an integer, found the number 3.0"]);
    check(epochs, "epochs = 0", "62:10", &["must be at least 1, found 0"]);
    check(epochs, "epochs = 36893488147419103232", "62:10", &["between 0 and 18446744073709551615"]);
    check(epochs, "epochs = 1979-05-27", "62:10", &["found the date or time 1979-05-27"]);
    check("version = 1", "version = 2", "1:11", &["`version` must be 1, found 2"]);
    check("version = 1", "", "1:1", &["the file has no `version`"]);
    check("seed = 7", "seed = -1", "3:8", &["`seed` must be", "found -1"]);
    check("valid = 0.1 }", "valid = 1.5 }", "15:20", &["`data.imdb.split.valid` must be between 0 and 0.9, found 1.5"]);
    check("1e-3", "inf", "59:17", &["`optimizer.learning_rate` must be", "not finite"]);
    check("1e-3", "nan", "59:17", &["must be a finite number, found NaN"]);
    check("1e-3", "true", "59:17", &["must be a number, found `true`"]);
    check(
        "split  = { valid = 0.1 }  ",
        "split = 0.1",
        "15:9",
        &["`data.imdb.split` must be a table, found the number 0.1"],
    );
    check("\"conll2003/eng.train\"", "3", "7:11", &["must be a string or a list of strings, found the integer 3"]);
    check("[\"conll2003/eng.testb\"]", "[\"a\", 3]", "9:17", &["`data.conll.test[1]` must be a string"]);
    check("widths = [3, 4, 5]", "widths = []", "29:53", &["must have at least 1 element, found 0"]);
    check("[3, 4, 5]", "[3, 65]", "29:57", &["`encoder.trunk.layers[1].widths[1]` must be between 1 and 64, found 65"]);
    check("[3, 4, 5]", "[0]", "29:54", &["must be between 1 and 64, found 0"]);
    check("widths = [3, 4, 5]", "widths = 3", "29:53", &["must be a list of integers, found the integer 3"]);
    check("[sharing]\nscheme = \"hard\"", "[[sharing]]", "31:1", &["`sharing` must be a table, found a list"]);
}

#[test]
fn choices() {
    check(
        "\"conll\"",
        "\"conl\"",
        "6:11",
        &["`data.conll.format` cannot be", "did you mean `conll`? accepted: `conll`, `imdb`"],
    );
    check(
        "format = \"imdb\"",
        "format = 3",
        "13:10",
        &["`data.imdb.format` cannot be the integer 3", "accepted: `conll`"],
    );
    check(
        "format = \"imdb\"",
        "",
        "12:7",
        &["[data.imdb] has no `format`", "add `format = \"...\"`; accepted: `conll`"],
    );
    check("format = \"imdb\"", "formt = \"imdb\"", "12:7", &["has no `format`", "is `formt` meant to be `format`?"]);
    check("kind = \"bilstm\", ", "", "28:12", &["`encoder.trunk.layers[0]` has no `kind`", "`bilstm`"]);
    check(
        "\"crf\"",
        "\"cfr\"",
        "38:11",
        &["`task.ner.decoder` cannot be", "did you mean `crf`? accepted: `softmax`, `crf`"],
    );
    check("\"crf\"", "1", "38:11", &["must be one of `softmax`, `crf`, found the integer 1"]);
}

#[test]
fn missing_keys() {
    check("data    = \"conll\"\n", "", "34:7", &["[task.ner] has no `data`", "add `data = ...` (a string)"]);
    check("data    = \"conll\"\n", "dta = \"conll\"\n", "35:1", &["unknown key `dta`", "did you mean `data`?"]);
    check("columns = [", "colums = [", "10:1", &["unknown key `colums`", "did you mean `columns`?"]);
}
