//! Do the options of heads fit together, and do tasks that share a head ask the same of it?
//!
//! Sees the sound part of the file only, as [`check`](crate::check) does.

use crate::Spec;
use crate::data::Data;
use crate::error::suggest;
use crate::node::Node;
use crate::references::{NAME_HELP, fault_at, is_name};
use crate::task::{ClassWeights, RegressLoss, Target, Task, TaskKind};
use crate::validate::Fault;

/// Faults of the options of tasks, and of heads that tasks share.
pub(crate) fn check(spec: &Spec, root: &Node) -> Vec<Fault> {
    let mut look = Look { spec, root, faults: Vec::new() };
    for (name, task) in &spec.task {
        look.options(name, task);
        look.columns(name, task);
        look.pair(name, task);
        look.shared(name, task);
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

    fn options(&mut self, name: &str, task: &Task) {
        match &task.kind {
            TaskKind::Classify(classify) => {
                self.weights(name, "class_weights", classify.class_weights.as_ref());
                if classify.label_smoothing > 0.0 && classify.focal_gamma > 0.0 {
                    let message = format!("[task.{name}] has both `label_smoothing` and `focal_gamma`");
                    let help = "the focal loss is defined for targets that are not smoothed: leave one of them out";
                    self.fault(&["task", name, "focal_gamma"], message, help);
                }
            }
            TaskKind::Multilabel(multilabel) => {
                self.weights(name, "positive_weights", multilabel.positive_weights.as_ref());
                let data = self.spec.data.get(&task.data);
                if multilabel.separator.is_some() && matches!(data, Some(Data::Jsonl(_) | Data::Parquet(_))) {
                    let message = format!("`task.{name}.separator`: [data.{}] has lists, not cells", task.data);
                    self.fault(&["task", name, "separator"], message, "leave `separator` out");
                }
            }
            TaskKind::Regress(_) | TaskKind::Tag(_) => {}
        }
    }

    /// Several columns are the labels of a set, and each is named once.
    fn columns(&mut self, name: &str, task: &Task) {
        let Target::Many(columns) = &task.target else { return };
        let path = ["task", name, "target"];
        if columns.is_empty() {
            let help = "name the column that is predicted, or the columns of 0 and 1 that are its labels";
            self.fault(&path, format!("`task.{name}.target` names no column"), help);
        }
        if let Some((_, column)) = columns.iter().enumerate().find(|(at, column)| columns[..*at].contains(column)) {
            self.fault(&path, format!("`task.{name}.target` names `{column}` twice"), "name each label once");
        }
        match &task.kind {
            TaskKind::Multilabel(multilabel) if multilabel.separator.is_some() => {
                let message = format!("`task.{name}.separator` cuts cells, but each column of `target` is a label");
                self.fault(&["task", name, "separator"], message, "leave `separator` out");
            }
            TaskKind::Multilabel(_) => {}
            TaskKind::Classify(_) | TaskKind::Regress(_) | TaskKind::Tag(_) => {
                let message = format!("`task.{name}.target` is a list, but `{}` predicts one column", task.kind.name());
                self.fault(&path, message, "name one column, or set `kind = \"multilabel\"`: each column is a label");
            }
        }
    }

    fn weights(&mut self, name: &str, key: &str, weights: Option<&ClassWeights>) {
        let Some(ClassWeights::Given(weights)) = weights else { return };
        if weights.is_empty() {
            let message = format!("`task.{name}.{key}` names no class");
            self.fault(&["task", name, key], message, "give weights by class: `{ rare = 5, common = 0.5 }`");
        }
        for (class, weight) in weights {
            if !weight.is_finite() || *weight <= 0.0 {
                let message = format!("`task.{name}.{key}.{class}` must be more than 0, found {weight:?}");
                self.fault(
                    &["task", name, key, class],
                    message,
                    "a class that shall not count is left out of the data",
                );
            }
        }
    }

    fn pair(&mut self, name: &str, task: &Task) {
        if let (Some([first, second]), TaskKind::Tag(_)) = (self.spec.pair_of(task), &task.kind) {
            let message = format!(
                "`task.{name}` tags the tokens of one text, but [data.{}] has two, `{first}` and `{second}`",
                task.data
            );
            self.fault(&["task", name, "kind"], message, "name one of them in `text`, or compare them with `classify`");
        }
    }

    /// A head that is named must be named by several tasks, which ask the same of it.
    fn shared(&mut self, name: &str, task: &Task) {
        let Some(head) = task.head.as_deref() else { return };
        let path = ["task", name, "head"];
        if !is_name(head) {
            return self.fault(&path, format!("{head:?} is no name for a head"), NAME_HELP);
        }
        let mut tasks = self.spec.tasks_of_head(head);
        let (first_name, first) = match tasks.next() {
            Some((_, first_name, first)) => (first_name.clone(), first.clone()),
            None => return,
        };
        if first_name == name {
            if tasks.next().is_none() && self.counted(head) < 2 {
                let others: Vec<&str> = self.spec.task.values().filter_map(|task| task.head.as_deref()).collect();
                let others: Vec<&str> = others.into_iter().filter(|other| *other != head).collect();
                let help = match others.is_empty() {
                    true => "name it in every task that shares it, or leave it out".to_string(),
                    false => suggest(head, others.iter().copied()),
                };
                self.fault(&path, format!("`task.{name}.head`: no other task names the head `{head}`"), help);
            }
            return;
        }
        if let Some((key, found, expected)) = self.difference(task, &first) {
            let message = format!(
                "`task.{name}` cannot share the head `{head}` with `task.{first_name}`: {key} is {found}, not {expected}"
            );
            let help = "tasks that share a head have the same kind, classes, layers and pool";
            self.fault(&path, message, help);
        }
    }

    /// How many tasks of the file name a head, those with faults too.
    fn counted(&self, head: &str) -> usize {
        let tasks = self.root.get("task").and_then(Node::table);
        let named = tasks
            .into_iter()
            .flatten()
            .filter(|(_, entry)| entry.node.get("head").and_then(Node::str).is_some_and(|found| found == head));
        named.count()
    }

    /// What a head is asked for differently: what it is, and both values.
    fn difference(&self, task: &Task, first: &Task) -> Option<(&'static str, String, String)> {
        let spec = self.spec;
        let says = |what: &'static str, found: String, expected: String| {
            (found != expected).then_some((what, found, expected))
        };
        let quoted = |name: &str| format!("`{name}`");
        let layers =
            |task: &Task| spec.attach_of(task).iter().map(|layer| quoted(layer)).collect::<Vec<_>>().join(", ");
        let pool = |task: &Task| task.kind.pool().map_or_else(String::new, |pool| written(&pool));
        let texts = |task: &Task| if spec.pair_of(task).is_some() { "two".to_string() } else { "one".to_string() };
        says("the kind", quoted(task.kind.name()), quoted(first.kind.name()))
            .or_else(|| says("the encoder", quoted(spec.encoder_of(task)), quoted(spec.encoder_of(first))))
            .or_else(|| says("what it attaches to", layers(task), layers(first)))
            .or_else(|| says("the number of texts", texts(task), texts(first)))
            .or_else(|| says("`pool`", pool(task), pool(first)))
            .or_else(|| match (&task.kind, &first.kind) {
                (TaskKind::Tag(task), TaskKind::Tag(first)) => {
                    says("`decoder`", written(&task.decoder), written(&first.decoder))
                }
                (TaskKind::Regress(task), TaskKind::Regress(first)) => {
                    let outputs =
                        |loss| if loss == RegressLoss::GaussianNll { "a mean and a variance" } else { "a number" };
                    says("what it predicts", outputs(task.loss).into(), outputs(first.loss).into())
                }
                _ => None,
            })
    }
}

/// A named choice as the file writes it.
fn written(choice: &impl serde::Serialize) -> String {
    serde_json::to_value(choice).map_or_else(|_| String::new(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use crate::test_support::{messages, spec};

    const START: &str = r#"version = 1
data.a = { format = "csv", train = "a.csv", split = { valid = 0.1 } }
data.b = { format = "jsonl", train = "b.jsonl", text = ["q", "p"], split = { valid = 0.1 } }
input.words = { kind = "words" }
encoder.trunk = { layers = [{ name = "low", kind = "conv" }, { name = "high", kind = "conv" }] }
"#;

    /// The one message about some tasks, which holds the fragments; none where there are no fragments.
    #[track_caller]
    fn check(tasks: &str, fragments: &[&str]) {
        let text = [START, tasks].concat();
        if fragments.is_empty() {
            // What is written out is read again.
            let first = spec(&text);
            assert_eq!(spec(&first.to_toml()), first, "{tasks}");
            return;
        }
        let found = messages(&text);
        assert_eq!(found.len(), 1, "{tasks}: {found:#?}");
        for fragment in fragments {
            assert!(found[0].contains(fragment), "{tasks}: {fragment:?} is not in {found:#?}");
        }
    }

    fn task(options: &str) -> String {
        format!("task.t = {{ data = \"a\", target = \"y\", {options} }}\n")
    }

    #[test]
    fn losses_have_options() {
        check(&task("kind = \"classify\", class_weights = \"balanced\", label_smoothing = 0.1"), &[]);
        check(&task("kind = \"classify\", class_weights = { x = 2, y = 0.5 }, focal_gamma = 2"), &[]);
        check(&task("kind = \"classify\", class_weights = \"balancd\""), &["cannot be", "`balanced`"]);
        check(&task("kind = \"classify\", class_weights = 3"), &["class_weights", "found"]);
        check(&task("kind = \"classify\", class_weights = { x = 0 }"), &["class_weights.x` must be more than 0"]);
        check(&task("kind = \"classify\", class_weights = {}"), &["names no class"]);
        check(&task("kind = \"classify\", label_smoothing = 1.0"), &["between 0 and 0.99"]);
        check(&task("kind = \"classify\", label_smoothing = 0.1, focal_gamma = 1"), &["both `label_smoothing` and"]);
        check(&task("kind = \"classify\", loss = \"mae\""), &["`loss` belongs to `kind = \"regress\"`"]);
        for loss in ["mse", "mae", "huber", "gaussian-nll"] {
            check(&task(&format!("kind = \"regress\", loss = \"{loss}\", huber_delta = 0.5")), &[]);
        }
        check(&task("kind = \"regress\", loss = \"hubert\""), &["did you mean `huber`?"]);
        check(&task("kind = \"regress\", huber_delta = 0"), &["huber_delta", "0.000001"]);
        check(&task("kind = \"multilabel\", separator = \"|\", positive_weights = \"balanced\", threshold = 0.3"), &[]);
        check(&task("kind = \"multilabel\", threshold = 1.5"), &["between 0 and 1"]);
        check(&task("kind = \"multilabel\", separator = \"||\""), &["at most 1 character"]);
        let list = "task.t = { data = \"b\", target = \"y\", kind = \"multilabel\", separator = \"|\" }\n";
        check(list, &["[data.b] has lists, not cells", "leave `separator` out"]);
    }

    #[test]
    fn several_columns_are_labels() {
        let task =
            |kind: &str, target: &str| format!("task.t = {{ data = \"a\", target = {target}, kind = {kind} }}\n");
        check(&task("\"multilabel\"", "[\"y\", \"z\"]"), &[]);
        check(&task("\"multilabel\"", "[\"y\"]"), &[]);
        check(&task("\"multilabel\"", "[]"), &["`task.t.target` names no column"]);
        check(&task("\"multilabel\"", "[\"y\", \"z\", \"y\"]"), &["`task.t.target` names `y` twice"]);
        let separator = task("\"multilabel\", separator = \"|\"", "[\"y\", \"z\"]");
        check(&separator, &["each column of `target` is a label", "leave `separator` out"]);
        for kind in ["classify", "regress"] {
            let several = task(&format!("\"{kind}\""), "[\"y\", \"z\"]");
            check(&several, &[&format!("is a list, but `{kind}` predicts one column"), "kind = \"multilabel\""]);
        }
    }

    #[test]
    fn pairs_are_not_tagged() {
        let pair = |kind: &str| format!("task.t = {{ data = \"b\", target = \"y\", kind = \"{kind}\" }}\n");
        for kind in ["classify", "regress", "multilabel"] {
            check(&pair(kind), &[]);
        }
        check(&pair("tag"), &["tags the tokens of one text, but [data.b] has two, `q` and `p`"]);
    }

    /// Two tasks that share a head: the options that the second has instead of those of the first.
    fn two(second: &str) -> String {
        format!(
            "task.one = {{ data = \"a\", target = \"y\", kind = \"classify\", head = \"h\" }}\ntask.two = {{ target = \
             \"y\", head = \"h\", {second} }}\n"
        )
    }

    #[test]
    fn shared_heads_are_asked_for_alike() {
        let classify = "data = \"a\", kind = \"classify\"";
        check(&two(classify), &[]);
        check(&two(&format!("{classify}, label_smoothing = 0.1, dropout = 0.5, attach = \"high\"")), &[]);
        let table = [
            ("data = \"a\", kind = \"regress\"".to_string(), "the kind is `regress`, not `classify`"),
            (format!("{classify}, attach = \"low\""), "what it attaches to is `low`, not `high`"),
            (format!("{classify}, pool = \"mean\""), "`pool` is \"mean\", not \"max\""),
            ("data = \"b\", kind = \"classify\"".to_string(), "the number of texts is two, not one"),
        ];
        for (second, fragment) in table {
            let message = "`task.two` cannot share the head `h` with `task.one`: ";
            check(&two(&second), &[message, fragment]);
        }
        let regress = two("data = \"a\", kind = \"regress\", loss = \"gaussian-nll\"").replace("classify", "regress");
        check(&regress, &["what it predicts is a mean and a variance, not a number"]);
    }

    #[test]
    fn a_head_of_one_task_is_a_mistake() {
        check(
            &task("kind = \"classify\", head = \"h\""),
            &["no other task names the head `h`", "every task that shares"],
        );
        check(&task("kind = \"classify\", head = \"a/b\""), &["\"a/b\" is no name for a head"]);
        let typo =
            two("data = \"a\", kind = \"classify\"").replace("y\", head = \"h\", data", "y\", head = \"hh\", data");
        let found = messages(&[START, &typo].concat());
        assert!(found.len() == 2 && found[1].contains("no other task names the head `hh`"), "{found:#?}");
    }
}
