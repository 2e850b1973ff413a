//! Do options fit the choices that they stand beside?
//!
//! A key that another choice would make sense of is told, rather than passed over.

use crate::Spec;
use crate::error::list;
use crate::network::{CharacterEncoder, Input, WordsInput};
use crate::node::Node;
use crate::references::fault_at;
use crate::study::{Arm, RelatednessMeasure};
use crate::task::TaskKind;
use crate::training::Sampling;
use crate::validate::Fault;

/// Faults of options that belong to a choice that was not made.
pub(crate) fn check(spec: &Spec, root: &Node) -> Vec<Fault> {
    let mut look = Look { root, faults: Vec::new() };
    for (name, _) in spec.data.iter().filter(|(_, data)| data.files().passes.is_some()) {
        if spec.train.sampling != Sampling::Proportional {
            let message = format!("`data.{name}.passes` belongs to `sampling = \"proportional\"` alone");
            look.fault(&["data", name, "passes"], message, "remove it, or set `sampling = \"proportional\"`");
        }
    }
    if spec.train.temperature.is_some() && spec.train.sampling != Sampling::Temperature {
        let message = "`train.temperature` belongs to `sampling = \"temperature\"` alone".to_string();
        look.fault(&["train", "temperature"], message, "remove it, or set `sampling = \"temperature\"`");
    }
    for (name, input) in &spec.input {
        let Input::Words(words) = input;
        look.characters(name, words);
        look.tuning(name, words);
        look.tokenizer(name, words);
    }
    look.tags(spec);
    look.measures(spec);
    look.faults
}

struct Look<'a> {
    root: &'a Node,
    faults: Vec<Fault>,
}

impl Look<'_> {
    fn fault(&mut self, path: &[&str], message: String, help: impl Into<String>) {
        self.faults.push(fault_at(self.root, path, message, Some(help.into())));
    }

    /// What is measured at looks takes looks, and what is read off the runs of an arm takes the arm.
    fn measures(&mut self, spec: &Spec) {
        let looks = spec.balance.watch > 0;
        let look = "set `watch` in [balance] to the steps from one look to the next";
        if spec.balance.affinity && !looks {
            let message = "`balance.affinity` is measured at looks, and `balance.watch = 0` never looks".to_string();
            self.fault(&["balance", "affinity"], message, look);
        }
        let Some(study) = &spec.study else { return };
        for (index, measure) in study.measures.iter().enumerate() {
            let (name, position) = (measure.name(), index.to_string());
            let (arm, from) = match measure {
                RelatednessMeasure::Affinity => (Arm::Joint, "is looked at in the runs"),
                RelatednessMeasure::Cka => (Arm::Separate, "compares the networks"),
            };
            let fault = if study.measures[..index].contains(measure) {
                (format!("`study.measures` names `{name}` twice"), "name each once".to_string())
            } else if !study.arms.contains(&arm) {
                let message = format!("`study.measures` names `{name}`, which {from} of `{}`", arm.name());
                (message, format!("name `{}` in `arms` as well", arm.name()))
            } else if *measure == RelatednessMeasure::Affinity && !looks {
                let message = format!("`study.measures` names `{name}`, and `balance.watch = 0` never looks");
                (message, look.to_string())
            } else {
                continue;
            };
            self.fault(&["study", "measures", &position], fault.0, fault.1);
        }
    }

    /// Options of the other character encoder.
    fn characters(&mut self, name: &str, words: &WordsInput) {
        let Some(characters) = &words.characters else { return };
        let (chosen, own, other, others): (_, &[&str], _, &[&str]) = match characters.encoder {
            CharacterEncoder::Cnn => ("cnn", &["filters", "width"], "lstm", &["hidden"]),
            CharacterEncoder::Lstm => ("lstm", &["hidden"], "cnn", &["filters", "width"]),
        };
        let given = |key: &str| self.root.get("input")?.get(name)?.get("characters")?.get(key).map(|_| ());
        for key in others.iter().filter(|key| given(key).is_some()).collect::<Vec<_>>() {
            let message = format!("`input.{name}.characters.{key}` belongs to `encoder = \"{other}\"`");
            let help = format!("`encoder = \"{chosen}\"` takes {}", list(own.iter().copied()));
            self.fault(&["input", name, "characters", key], message, help);
        }
    }

    /// Vectors that stay for some epochs must be there, and be trained afterwards.
    fn tuning(&mut self, name: &str, words: &WordsInput) {
        if words.tune_after.is_none() {
            return;
        }
        let path = ["input", name, "tune_after"];
        if !words.tune {
            let message = format!("`input.{name}.tune_after` with `tune = false`: the vectors are never trained");
            self.fault(&path, message, "remove one of them");
        } else if words.vectors.is_none() {
            let message = format!("`input.{name}.tune_after` keeps pre-trained vectors, but there are no `vectors`");
            self.fault(&path, message, "name their file in `vectors`, or remove `tune_after`");
        }
    }

    /// A tokenizer decides itself how texts are cut, and which of their parts have vectors.
    fn tokenizer(&mut self, name: &str, words: &WordsInput) {
        if words.tokenizer.is_none() {
            return;
        }
        // A saved model's configuration names every option, those at their defaults too.
        let default = WordsInput::default();
        let differing = [
            ("tokenize", words.tokenize != default.tokenize, "the tokenizer says how texts are cut"),
            ("min_count", words.min_count != default.min_count, "the tokenizer says what has a vector"),
            ("characters", words.characters.is_some(), "characters are encoded for whole words"),
            ("shape", words.shape.is_some(), "shapes are those of whole words"),
        ];
        for (key, _, why) in differing.into_iter().filter(|(_, differs, _)| *differs) {
            let message = format!("`input.{name}.{key}` does not go with `tokenizer`: {why}");
            self.fault(&["input", name, key], message, format!("remove `{key}` or `tokenizer`"));
        }
    }

    /// Tags belong to the tokens of the dataset, which a tokenizer would cut apart.
    fn tags(&mut self, spec: &Spec) {
        for (name, task) in spec.task.iter().filter(|(_, task)| matches!(task.kind, TaskKind::Tag(_))) {
            let input = spec.input_of(task);
            let Some(Input::Words(words)) = spec.input.get(input) else { continue };
            if words.tokenizer.is_some() {
                let message = format!(
                    "`task.{name}` tags the words of its dataset, but [input.{input}] cuts them into subwords with \
                     its `tokenizer`"
                );
                let help = "give the task an encoder on an input of words without `tokenizer`";
                self.fault(&["task", name, "kind"], message, help);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::network::{CharacterEncoder, Input};
    use crate::test_support::{THREE_TASKS, messages, spec};

    /// One replacement in the example, and fragments of the only message.
    #[track_caller]
    fn check(from: &str, to: &str, fragments: &[&str]) {
        assert!(THREE_TASKS.contains(from), "{from}");
        let found = messages(&THREE_TASKS.replacen(from, to, 1));
        assert_eq!(found.len(), 1, "{to}: {found:#?}");
        for fragment in fragments {
            assert!(found[0].contains(fragment), "{to}: {fragment:?} is not in {found:#?}");
        }
    }

    #[test]
    fn passes_belong_to_proportional_sampling() {
        let joint = THREE_TASKS.replacen("sampling   = \"proportional\"", "sampling = \"joint\"", 1);
        let data = "format = \"imdb\"";
        let found = messages(&joint.replacen(data, "format = \"imdb\"\npasses = 0.5", 1));
        assert!(found.len() == 1 && found[0].contains("`data.imdb.passes` belongs to"), "{found:#?}");
        check(data, "format = \"imdb\"\npasses = 0", &["`data.imdb.passes` must be between 0.01 and 100"]);
    }

    #[test]
    fn a_temperature_belongs_to_its_sampling() {
        let train = "batch_size = 32";
        check(
            train,
            "batch_size = 32\ntemperature = 3",
            &["belongs to `sampling = \"temperature\"` alone", "remove it"],
        );
        check(train, "batch_size = 32\ntemperature = 0", &["`train.temperature` must be between 0.1 and 1000"]);
    }

    #[test]
    fn what_is_measured_takes_looks_and_arms() {
        let with = |text: &str| messages(&format!("{THREE_TASKS}\n{text}\n"));
        let study = "[study]\nbudget.runs = 2\n";
        let unwatched = |balance: &str, text: &str| {
            assert!(THREE_TASKS.contains("[balance]\n"));
            let from = THREE_TASKS.replacen("[balance]\n", &format!("[balance]\nwatch = 0\n{balance}\n"), 1);
            messages(&format!("{from}\n{text}\n"))
        };
        for (found, message) in [
            (with(&format!("{study}measures = [\"cka\", \"cka\"]")), "`study.measures` names `cka` twice"),
            (with(&format!("{study}measures = [\"afinity\"]")), "did you mean `affinity`?"),
            (
                with(&format!("{study}arms = [\"separate\", \"pairs\"]\nmeasures = [\"affinity\"]")),
                "`affinity`, which is looked at in the runs of `joint`",
            ),
            (
                with(&format!("{study}arms = [\"joint\"]\nmeasures = [\"cka\"]")),
                "`cka`, which compares the networks of `separate`",
            ),
            (
                unwatched("affinity = true", ""),
                "`balance.affinity` is measured at looks, and `balance.watch = 0` never looks",
            ),
            (
                unwatched("", &format!("{study}measures = [\"affinity\"]")),
                "`study.measures` names `affinity`, and `balance.watch = 0` never looks",
            ),
        ] {
            assert!(found.len() == 1 && found[0].contains(message), "{message}: {found:#?}");
        }
        let both = spec(&format!("{THREE_TASKS}\n{study}measures = [\"affinity\", \"cka\"]\n"));
        assert_eq!(both.study.expect("it was asked for").measures.len(), 2);
    }

    #[test]
    fn character_encoders_have_options_of_their_own() {
        let dim = "dim = 30";
        check(dim, "dim = 30, hidden = 7", &["`input.words.characters.hidden` belongs to `encoder = \"lstm\"`"]);
        let cnn = "encoder = \"cnn\"";
        check(cnn, "encoder = \"lstm\", width = 3", &["characters.width` belongs to `encoder = \"cnn\"`", "`hidden`"]);
        check(cnn, "encoder = \"gru\"", &["cannot be", "`cnn`, `lstm`"]);
        let lstm = spec(&THREE_TASKS.replace(cnn, "encoder = \"lstm\", hidden = 9"));
        let Input::Words(words) = &lstm.input["words"];
        let characters = words.characters.clone().expect("characters were asked for");
        assert_eq!((characters.encoder, characters.hidden), (CharacterEncoder::Lstm, 9));
        // What is written down holds no option that the reader would refuse.
        assert_eq!(spec(&lstm.to_toml()), lstm);
    }

    #[test]
    fn vectors_that_stay_at_first_are_there_and_trained_later() {
        let kind = "kind       = \"words\"";
        check(kind, "kind = \"words\"\ntune = false\ntune_after = 2", &["never trained", "remove one of them"]);
        check(kind, "kind = \"words\"\ntune_after = 0", &["`input.words.tune_after` must be at least 1"]);
        let vectors = THREE_TASKS.lines().find(|line| line.starts_with("vectors")).expect("the example has vectors");
        check(vectors, "tune_after = 2", &["keeps pre-trained vectors, but there are no `vectors`"]);
        spec(&THREE_TASKS.replace(kind, "kind = \"words\"\ntune_after = 2"));
    }

    #[test]
    fn a_tokenizer_cuts_texts_alone() {
        let text = "version = 1\ndata.x = { format = \"csv\", train = \"x\", split = { valid = 0.1 } }\n[input.words]\n\
                    kind = \"words\"\ntokenizer = \"t.json\"\n[encoder.trunk]\nlayers = [{ kind = \"conv\" }]\n\
                    [task.t]\ndata = \"x\"\ntarget = \"label\"\nkind = \"classify\"\n";
        spec(text);
        let tokenizer = "tokenizer = \"t.json\"";
        spec(&text.replace(tokenizer, &format!("{tokenizer}\ntokenize = \"words\"\nmin_count = 2")));
        for (more, fragment) in [
            ("tokenize = \"spaces\"", "the tokenizer says how texts are cut"),
            ("min_count = 5", "the tokenizer says what has a vector"),
            ("characters = {}", "characters are encoded for whole words"),
            ("shape = { dim = 4 }", "shapes are those of whole words"),
        ] {
            let found = messages(&text.replace(tokenizer, &format!("{tokenizer}\n{more}")));
            assert!(found.len() == 1 && found[0].contains(fragment), "{more}: {found:#?}");
        }
        let found = messages(&text.replace("csv", "jsonl").replace("classify", "tag"));
        assert!(found.len() == 1 && found[0].contains("`task.t` tags the words of its dataset"), "{found:#?}");
    }
}
