//! Do the parts fit together?
//!
//! Sees the sound part of the file only: what has a fault already, or refers to such a thing, is passed over.

use std::collections::BTreeSet;

use crate::Spec;
use crate::data::{Data, Files, NamedColumns, Paths};
use crate::error::{list, suggest};
use crate::layers;
use crate::network::LayerKind;
use crate::node::Node;
use crate::references::{fault_at, names};
use crate::task::{Task, TaskKind};
use crate::validate::Fault;

/// Faults of datasets, encoders and tasks that are well formed in themselves.
pub(crate) fn check(spec: &Spec, root: &Node) -> Vec<Fault> {
    let mut look = Look { spec, root, faults: Vec::new() };
    for (name, data) in &spec.data {
        look.sources(name, data);
        look.files(name, data.files());
        look.split(name, data.files());
        if let Some(columns) = data.columns() {
            look.columns(name, columns);
        }
        if let Data::Conll(conll) = data {
            look.token(name, &conll.columns);
        }
        if let Data::Csv(csv) = data {
            look.delimiter(name, &csv.delimiter);
        }
        if let Some(named) = data.named() {
            look.texts(name, named);
            look.named(name, named, data.columns());
        }
    }
    look.faults.extend(layers::check(spec, root));
    for (name, task) in &spec.task {
        look.target(name, task);
        look.tokens(name, task);
    }
    look.faults
}

struct Look<'a> {
    spec: &'a Spec,
    root: &'a Node,
    faults: Vec<Fault>,
}

impl Look<'_> {
    fn fault(&mut self, path: &[&str], message: String, help: impl Into<String>) {
        self.faults.push(fault_at(self.root, path, message, Some(help.into())));
    }

    fn sources(&mut self, name: &str, data: &Data) {
        let files = data.files();
        let format = data.format();
        let takes = match data {
            Data::Conll(_) | Data::Lines(_) => "`train`",
            Data::Imdb(_) => "`path`",
            _ => "`path` or `train`",
        };
        let refused = match data {
            Data::Conll(_) | Data::Lines(_) if files.path.is_some() => Some("path"),
            Data::Imdb(_) if files.train.is_some() => Some("train"),
            _ => None,
        };
        match (&files.path, &files.train) {
            _ if refused.is_some() => {
                let key = refused.unwrap_or_default();
                let message =
                    format!("`data.{name}.{key}`: the format `{format}` is read from {takes}, not from `{key}`");
                self.fault(&["data", name, key], message, format!("use {takes}"));
            }
            (Some(_), Some(_)) => {
                let message = format!("[data.{name}] has both `path` and `train`");
                self.fault(&["data", name, "train"], message, "give one of them");
            }
            (None, None) => {
                let message = format!("[data.{name}] has no {takes}");
                self.fault(&["data", name], message, format!("the format `{format}` is read from {takes}"));
            }
            _ => {}
        }
    }

    fn files(&mut self, name: &str, files: &Files) {
        let one = files.path.as_ref().map(|path| ("path", std::slice::from_ref(path)));
        let lists = [("train", &files.train), ("valid", &files.valid), ("test", &files.test)];
        let lists = lists.into_iter().filter_map(|(key, paths)| Some((key, paths.as_ref()?.as_slice())));
        for (key, paths) in one.into_iter().chain(lists) {
            if paths.is_empty() {
                self.fault(
                    &["data", name, key],
                    format!("`data.{name}.{key}` names no file"),
                    "name at least one file",
                );
            }
            if paths.iter().any(|path| path.trim().is_empty()) {
                self.fault(&["data", name, key], format!("`data.{name}.{key}` holds an empty path"), "name a file");
            }
        }
    }

    fn split(&mut self, name: &str, files: &Files) {
        let sum = files.split.valid + files.split.test;
        if sum >= 0.95 {
            let message = format!("`data.{name}.split` leaves {:.3} of the examples for training", 1.0 - sum);
            self.fault(&["data", name, "split"], message, "`valid` and `test` together must be less than 0.95");
        }
        let has_files = files.valid.as_ref().map(Paths::as_slice).is_some_and(|paths| !paths.is_empty());
        if files.split.valid > 0.0 && files.split.valid_last > 0 {
            let message = format!("`data.{name}.split` gives both `valid` and `valid_last`");
            self.fault(&["data", name, "split", "valid_last"], message, "keep one of the two");
        }
        if !has_files && files.split.valid == 0.0 && files.split.valid_last == 0 && files.valid.is_none() {
            let message = format!("[data.{name}] has no validation set");
            self.fault(
                &["data", name],
                message,
                "name its files in `valid`, or draw one with `split = { valid = 0.1 }`",
            );
        }
    }

    fn token(&mut self, name: &str, columns: &[String]) {
        if !columns.iter().any(|column| column == "token") {
            let message = format!("`data.{name}.columns` has no `token`");
            self.fault(&["data", name, "columns"], message, "name the column that holds the words `token`");
        }
    }

    fn columns(&mut self, name: &str, columns: &[String]) {
        let mut seen = BTreeSet::new();
        for (index, column) in columns.iter().enumerate() {
            let position = index.to_string();
            let path = ["data", name, "columns", &position];
            if column.is_empty() {
                self.fault(&path, format!("`data.{name}.columns` has a column without a name"), "name every column");
            } else if !seen.insert(column) {
                let message = format!("`data.{name}.columns` has `{column}` twice");
                self.fault(&path, message, "give each column a name of its own");
            }
        }
    }

    fn delimiter(&mut self, name: &str, delimiter: &str) {
        let allowed = |byte: u8| byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0);
        if !delimiter.bytes().all(allowed) {
            let message = format!("`data.{name}.delimiter` cannot be {delimiter:?}");
            let help = "give an ASCII character that is no quote and no line break: \",\", \";\", \"\\t\", \"|\"";
            self.fault(&["data", name, "delimiter"], message, help);
        }
    }

    fn texts(&mut self, name: &str, named: &NamedColumns) {
        let path = ["data", name, "text"];
        match named.texts() {
            [] if named.text.is_some() => {
                self.fault(&path, format!("`data.{name}.text` names no column"), "name the column that holds the text");
            }
            [_, _, third, ..] => {
                let message =
                    format!("`data.{name}.text` names {} columns, and at most two can be read", named.texts().len());
                self.fault(&path, message, format!("name one text, or the two of a pair, without `{third}`"));
            }
            [first, second] if first == second => {
                let message = format!("`data.{name}.text` names `{first}` twice");
                self.fault(&path, message, "name one text, or two different ones");
            }
            _ => {}
        }
    }

    /// What is read must be among the columns, where the configuration names them.
    fn named(&mut self, name: &str, named: &NamedColumns, columns: Option<&[String]>) {
        let Some(columns) = columns else { return };
        let texts = named.texts().iter().map(|text| ("text", text));
        for (key, wanted) in texts.chain(named.stratum.iter().map(|stratum| ("stratum", stratum))) {
            if !columns.contains(wanted) {
                let message = format!("`data.{name}.{key}` names `{wanted}`, which is not among its `columns`");
                let help = suggest(wanted, columns.iter().map(String::as_str));
                self.fault(&["data", name, key], message, help);
            }
        }
    }

    fn target(&mut self, name: &str, task: &Task) {
        let Some(data) = self.spec.data.get(&task.data) else { return };
        task.target.columns().iter().for_each(|column| self.column(name, task, data, column));
    }

    fn column(&mut self, name: &str, task: &Task, data: &Data, column: &str) {
        let mut targets = data.targets();
        targets.retain(|target| !data.kinds_of(target).is_empty());
        let kinds = data.kinds_of(column);
        if kinds.is_empty() {
            let message = format!("`task.{name}.target`: [data.{}] has no target `{column}`", task.data);
            let help = match data {
                _ if !targets.is_empty() => suggest(column, targets),
                Data::Conll(_) => "name a column besides `token` in its `columns`".into(),
                _ => format!("`{column}` holds its text: name another column"),
            };
            return self.fault(&["task", name, "target"], message, help);
        }
        let kind = task.kind.name();
        if !kinds.contains(&kind) {
            let message =
                format!("`task.{name}.kind`: `{kind}` does not fit the target `{column}` of [data.{}]", task.data);
            let why = match (data, kind) {
                (Data::Conll(_), _) => "a column has one label for each token",
                (_, "tag") => "the dataset has one label for a whole text",
                (_, "multilabel") => "the dataset has one label for each text",
                _ => "the target is a label, not a number",
            };
            self.fault(&["task", name, "kind"], message, format!("{why}; fits: {}", list(kinds.iter().copied())));
        }
    }

    /// Tags need the tokens that a pool layer has merged; the other kinds pool by themselves and may read any layer.
    fn tokens(&mut self, name: &str, task: &Task) {
        if !matches!(task.kind, TaskKind::Tag(_)) || (task.encoder.is_none() && names(self.root, "encoder").len() != 1)
        {
            return;
        }
        let Some(encoder) = self.spec.encoder.get(self.spec.encoder_of(task)) else { return };
        let layers: Vec<String> = encoder.layers.iter().enumerate().map(|(at, layer)| layer.name_at(at)).collect();
        let has_pooled =
            |index: usize| encoder.chain(index).any(|layer| matches!(encoder.layers[layer].kind, LayerKind::Pool(_)));
        for attach in self.spec.attach_of(task) {
            if !layers.iter().position(|layer| *layer == attach).is_some_and(has_pooled) {
                continue;
            }
            let message = format!("`task.{name}` tags tokens, but layer `{attach}` has pooled them into one vector");
            let with_tokens: Vec<&str> =
                (0..layers.len()).filter(|&at| !has_pooled(at)).map(|at| layers[at].as_str()).collect();
            let help = match with_tokens.as_slice() {
                [] => "tag tasks need an encoder with layers below its pool layer".into(),
                some => format!("attach to a layer that has tokens: {}", list(some.iter().copied())),
            };
            self.fault(&["task", name, "attach"], message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{THREE_TASKS, messages, spec};

    /// One replacement in the example, the only message, and the line it names.
    fn check(from: &str, to: &str, line: usize, fragments: &[&str]) {
        assert!(THREE_TASKS.contains(from), "{from}");
        let found = messages(&THREE_TASKS.replacen(from, to, 1));
        assert_eq!(found.len(), 1, "{to}: {found:#?}");
        assert!(found[0].starts_with(&format!("polytask.toml:{line}:")), "{to}: line {line}? {found:#?}");
        for fragment in fragments {
            assert!(found[0].contains(fragment), "{to}: {fragment:?} is not in {found:#?}");
        }
    }

    #[test]
    fn datasets_have_sources_splits_and_columns() {
        let train = "train   = \"conll2003/eng.train\"";
        check(train, "path = \"x\"", 7, &["`conll` is read from `train`, not from `path`"]);
        check(train, "", 5, &["[data.conll] has no `train`"]);
        check(train, "train = []", 7, &["names no file"]);
        check(train, "train = [\"a\", \" \"]", 7, &["empty path"]);
        check("path   = \"imdb/aclImdb.tar.gz\"", "", 12, &["[data.imdb] has no `path`"]);
        check("path   = \"imdb/aclImdb.tar.gz\"", "train = \"x\"", 14, &["not from `train`", "use `path`"]);
        check("path   = \"amazon\"", "", 17, &["[data.amazon] has no `path` or `train`"]);
        check("path   = \"amazon\"", "path = \"a\"\ntrain = \"b\"", 20, &["both `path` and `train`"]);
        check("split  = { valid = 0.1 }", "", 12, &["[data.imdb] has no validation set", "split = { valid = 0.1 }"]);
        check("{ valid = 0.1 }", "{ valid = 0.5, test = 0.45 }", 15, &["leaves 0.050", "less than 0.95"]);
        check("[\"token\", \"pos\"", "[\"word\", \"pos\"", 10, &["has no `token`"]);
        check("[\"token\", \"pos\"", "[\"token\", \"chunk\"", 10, &["has `chunk` twice"]);
        check("[\"token\", \"pos\"", "[\"token\", \"\"", 10, &["column without a name"]);
    }

    /// The only message about a dataset of named columns and a task on it.
    fn check_named(data: &str, target: &str, fragments: &[&str]) {
        let text = format!(
            "version = 1\ndata.x = {{ train = \"x\", split = {{ valid = 0.1 }}, {data} }}\ninput.words = {{ kind = \
             \"words\" }}\nencoder.trunk = {{ layers = [{{ kind = \"conv\" }}] }}\ntask.t = {{ data = \"x\", {target} }}\n"
        );
        if fragments.is_empty() {
            spec(&text);
            return;
        }
        let found = messages(&text);
        assert_eq!(found.len(), 1, "{data}, {target}: {found:#?}");
        for fragment in fragments {
            assert!(found[0].contains(fragment), "{data}, {target}: {fragment:?} is not in {found:#?}");
        }
    }

    #[test]
    fn named_columns_fit() {
        let label = "kind = \"classify\", target = \"label\"";
        check_named("format = \"csv\"", label, &[]);
        check_named("format = \"csv\", delimiter = \";\", text = \"body\"", label, &[]);
        check_named("format = \"tsv\", columns = [\"label\", \"t\"], text = [\"t\"]", label, &[]);
        check_named("format = \"csv\", delimiter = \"ab\"", label, &["at most 1 character"]);
        check_named("format = \"csv\", delimiter = \"é\"", label, &["cannot be \"é\"", "ASCII"]);
        check_named("format = \"tsv\", delimiter = \",\"", label, &["`delimiter` belongs to `format = \"csv\"`"]);
        check_named("format = \"csv\", text = []", label, &["`data.x.text` names no column"]);
        check_named("format = \"csv\", text = [\"a\", \"b\"]", label, &[]);
        check_named("format = \"csv\", text = [\"a\", \"a\"]", label, &["`data.x.text` names `a` twice"]);
        check_named("format = \"csv\", text = [\"a\", \"b\", \"c\"]", label, &["names 3 columns", "without `c`"]);
        check_named("format = \"csv\", text = \"label\"", label, &["no target `label`", "holds its text"]);
        for kind in ["classify", "regress", "multilabel", "tag"] {
            let task = format!("kind = \"{kind}\", target = \"b.c\"");
            check_named("format = \"jsonl\", text = \"a\"", &task, &[]);
            check_named("format = \"parquet\", stratum = \"a\"", &task, &[]);
        }
        let columns = "format = \"csv\", columns = [\"text\", \"label\"]";
        check_named(columns, "kind = \"regress\", target = \"label\"", &[]);
        let labels = "kind = \"multilabel\", target = [\"label\", \"rude\"]";
        check_named(columns, labels, &["no target `rude`", "accepted: `text`, `label`"]);
        check_named(columns, "kind = \"tag\", target = \"label\"", &["one label for a whole text"]);
        check_named(columns, "kind = \"classify\", target = \"labl\"", &["no target `labl`", "did you mean `label`?"]);
        check_named(&format!("{columns}, text = \"txt\""), label, &["names `txt`, which is not among", "`text`"]);
        check_named(&format!("{columns}, stratum = \"lab\""), label, &["`data.x.stratum` names `lab`", "`label`"]);
        check_named(
            "format = \"csv\", columns = [\"a\", \"a\"]",
            "kind = \"classify\", target = \"a\"",
            &["has `a` twice"],
        );
    }

    #[test]
    fn tasks_fit_their_targets_and_layers() {
        check(
            "target  = \"ner\"",
            "target = \"nre\"",
            37,
            &["[data.conll] has no target `nre`", "did you mean `ner`?"],
        );
        check("target  = \"ner\"", "target = \"token\"", 37, &["no target `token`", "`pos`, `chunk`, `ner`"]);
        check("target = \"polarity\"", "target = \"stars\"", 44, &["[data.imdb] has no target `stars`", "`rating`"]);
        check("kind   = \"regress\"", "kind   = \"tag\"", 50, &["`tag` does not fit", "fits: `classify`, `regress`"]);
        check("target = \"stars\"", "target = \"category\"", 50, &["a label, not a number; fits: `classify`"]);
        let tag = "kind    = \"tag\"\ntarget  = \"ner\"\ndecoder = \"crf\"";
        check(
            tag,
            "kind = \"regress\"\ntarget = \"ner\"",
            36,
            &["`regress` does not fit the target `ner`", "fits: `tag`"],
        );
        check(tag, "kind = \"classify\"\ntarget = \"ner\"", 36, &["one label for each token"]);
    }

    #[test]
    fn tags_need_tokens() {
        let pooled = THREE_TASKS.replace("\"conv\", widths = [3, 4, 5], filters = 100", "\"pool\"");
        spec(&pooled);
        for attach in ["attach  = \"high\"", "attach  = [\"low\", \"high\"]", ""] {
            let found = messages(&pooled.replace("attach  = \"low\"", attach));
            assert_eq!(found.len(), 1, "{attach}: {found:#?}");
            assert!(found[0].contains("`task.ner` tags tokens, but layer `high` has pooled them"), "{found:#?}");
            assert!(found[0].contains("help: attach to a layer that has tokens: `low`"), "{found:#?}");
        }
    }
}
