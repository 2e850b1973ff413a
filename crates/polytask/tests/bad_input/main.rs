//! What does the program say about bad input? A message with file, line and column, what was found, what is accepted,
//! and the right exit code; never a panic, nothing half-written.
//!
//! What it says is kept in `docs/bad-input.md`: `POLYTASK_BLESS=1 cargo test -p polytask --test bad_input` writes it.

mod accepted;
mod alone_cases;
mod config_cases;
mod data_cases;
mod document;
mod head_cases;
mod hostile_cases;
mod init_cases;
mod input_cases;
mod model_cases;
mod project;
mod study_cases;
mod vector_cases;

use self::document::{Answer, Section};
use self::project::Project;

/// The command that most cases are tried with.
const CHECK: &str = "check polytask.toml";

/// One thing that is wrong, and what is to be said about it.
struct Case {
    name: &'static str,
    command: &'static str,
    input: Option<&'static [u8]>,
    code: i32,
    /// Whether the project has been trained before it is broken.
    trained: bool,
    breaks: fn(&Project),
    /// Lines on standard output: what stands before a fault in a stream is still answered.
    answered: usize,
    /// What standard error is to hold.
    fragments: &'static [&'static str],
}

fn case(
    name: &'static str,
    command: &'static str,
    code: i32,
    breaks: fn(&Project),
    fragments: &'static [&'static str],
) -> Case {
    Case { name, command, input: None, code, trained: false, breaks, answered: 0, fragments }
}

impl Case {
    fn after_training(self) -> Case {
        Case { trained: true, ..self }
    }

    fn after_answers(self, answered: usize) -> Case {
        Case { answered, ..self }
    }

    fn with_input(self, input: &'static [u8]) -> Case {
        Case { input: Some(input), ..self }
    }

    /// Runs the case; what does not hold is added to `faults`.
    fn answer(&self, faults: &mut Vec<String>) -> Answer {
        let project = if self.trained { Project::trained() } else { Project::new() };
        (self.breaks)(&project);
        let before = project.files();
        let ended = project.run(self.command, self.input);
        let mut fault = |what: String| faults.push(format!("{}: {what}\n{}", self.name, ended.stderr));
        if ended.code != Some(self.code) {
            fault(format!("exit code {:?}, not {}", ended.code, self.code));
        }
        if ended.stdout.lines().count() != self.answered {
            fault(format!("standard output holds {:?}", ended.stdout));
        }
        if ended.stderr.contains("panicked") {
            fault("it panicked".into());
        }
        for fragment in self.fragments.iter().filter(|fragment| !ended.stderr.contains(**fragment)) {
            fault(format!("{fragment:?} is not said"));
        }
        // What `check` refuses, `train` refuses with the same words.
        if self.command == CHECK {
            let trained = project.run("train polytask.toml", None);
            if (trained.code, &trained.stderr) != (ended.code, &ended.stderr) {
                fault(format!("`train` says something else, {:?}:\n{}", trained.code, trained.stderr));
            }
        }
        let after = project.files();
        if before != after {
            let differs = |name: &&String| before.get(*name) != after.get(*name);
            let names: Vec<_> = before.keys().chain(after.keys()).filter(differs).collect();
            fault(format!("files were left behind or changed: {names:?}"));
        }
        // The figures and times that training begins with are not what the case is about.
        let said = match ended.stderr.split_once("\nerror: ") {
            Some((progress, error)) if progress.contains("data read in") => format!("error: {error}"),
            _ => ended.stderr,
        };
        Answer { name: self.name, command: self.command, code: self.code, said }
    }
}

#[test]
fn bad_input_is_told() {
    let sections = [
        ("The config", config_cases::config()),
        ("Heads", head_cases::heads()),
        ("The command line", config_cases::command()),
        ("Datasets", data_cases::data()),
        ("Review corpora", data_cases::reviews()),
        ("Word vectors", vector_cases::vectors()),
        ("Files that lie", hostile_cases::hostile()),
        ("Inputs and sampling", input_cases::inputs()),
        ("Runs to compare with", alone_cases::alone()),
        ("Studies", study_cases::studies()),
        ("Prediction", model_cases::predict()),
        ("Trained models", model_cases::models()),
        ("Runs that go on", model_cases::resume()),
        ("Looking at data", init_cases::init()),
        ("Fetching data", init_cases::get()),
    ];
    let mut faults = Vec::new();
    let sections: Vec<Section> = sections
        .into_iter()
        .map(|(title, cases)| (title, cases.iter().map(|case| case.answer(&mut faults)).collect()))
        .collect();
    faults.extend(document::compare(&sections));
    assert!(faults.is_empty(), "{} faults:\n\n{}", faults.len(), faults.join("\n\n"));
}
