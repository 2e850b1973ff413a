//! What does the program say, and with which exit code, when it cannot go on?

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use miette::{Diagnostic, NamedSource, Report, SourceSpan};
use polytask::model::SavedError;
use polytask::run::RunError;
use polytask::spec;
use polytask::train::TrainError;

/// Why the program stops early.
#[derive(Debug)]
pub enum Failure {
    /// The configuration is wrong, at these places.
    Spec(spec::Errors),
    /// The command or the configuration is wrong.
    Config(String),
    /// The data, a model or a run is wrong.
    Data(String),
    /// Training diverged.
    Diverged(String),
    /// Anything else.
    Failed(String),
    /// Stopped on request; a run can be resumed.
    Interrupted(String),
}

impl Failure {
    /// The exit code: 1 failed, 2 command or configuration, 3 data, 4 diverged, 130 interrupted.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Failed(_) => 1,
            Failure::Spec(_) | Failure::Config(_) => 2,
            Failure::Data(_) => 3,
            Failure::Diverged(_) => 4,
            Failure::Interrupted(_) => 130,
        })
    }

    /// Says it on standard error.
    #[allow(clippy::print_stderr)]
    pub fn print(&self) {
        match self {
            Failure::Spec(errors) => {
                // A log, and a program that reads it, have each message on one line.
                let wrap = std::io::stderr().is_terminal();
                // It is set already only where a failure is shown twice, and then it is the same.
                let _ = miette::set_hook(Box::new(move |_| {
                    Box::new(miette::MietteHandlerOpts::new().wrap_lines(wrap).break_words(false).build())
                }));
                for diagnostic in &errors.diagnostics {
                    eprintln!("{:?}", Report::new(Shown::new(errors, diagnostic)));
                }
                let count = errors.diagnostics.len();
                eprintln!("{count} error{} in {}", if count == 1 { "" } else { "s" }, errors.file);
            }
            Failure::Config(text) | Failure::Data(text) | Failure::Diverged(text) | Failure::Failed(text) => {
                eprintln!("error: {text}");
            }
            Failure::Interrupted(text) => eprintln!("{text}"),
        }
    }
}

/// A diagnostic as miette shows it.
#[derive(Debug)]
struct Shown {
    message: String,
    help: Option<String>,
    source: Option<NamedSource<String>>,
    span: Option<SourceSpan>,
}

impl Shown {
    fn new(errors: &spec::Errors, diagnostic: &spec::Diagnostic) -> Shown {
        let location = diagnostic.location.as_ref();
        let message = match location {
            Some(at) => format!("{}:{}:{}: {}", at.file, at.line, at.column, diagnostic.message),
            None => diagnostic.message.clone(),
        };
        Shown {
            message,
            help: diagnostic.help.clone(),
            source: location.map(|at| NamedSource::new(&at.file, errors.text.clone())),
            span: location.map(|at| (at.span.start, at.span.len()).into()),
        }
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let span = self.span?;
        Some(Box::new(std::iter::once(miette::LabeledSpan::new_with_span(None, span))))
    }
}

impl From<spec::Errors> for Failure {
    fn from(errors: spec::Errors) -> Self {
        Failure::Spec(errors)
    }
}

impl Failure {
    /// A failure of training, with faults of the configuration shown at their places.
    pub fn of_plan(error: TrainError, parsed: &spec::Parsed) -> Failure {
        let errors = match error {
            TrainError::Several(errors) => errors,
            other => vec![other],
        };
        let (mut diagnostics, mut others) = (Vec::new(), Vec::new());
        for error in errors {
            match error {
                TrainError::Config { key, message, help } => {
                    let path: Vec<&str> = key.iter().map(String::as_str).collect();
                    diagnostics.push(parsed.diagnostic(&path, format!("{}: {message}", key.join(".")), Some(help)));
                }
                other => others.push(other),
            }
        }
        if diagnostics.is_empty() {
            return match others.len() {
                1 => others.remove(0).into(),
                _ => TrainError::Several(others).into(),
            };
        }
        // What is wrong with the data is said along with what is wrong with the configuration.
        diagnostics.extend(others.iter().map(|error| {
            let text = text(error);
            let (message, help) = match text.split_once("\n  help: ") {
                Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
                None => (text, None),
            };
            spec::Diagnostic { message, location: None, help }
        }));
        Failure::Spec(parsed.errors(diagnostics))
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        let text = text(&error);
        match error {
            TrainError::Config { .. } => Failure::Config(text),
            TrainError::Several(errors) => match errors.iter().any(|e| matches!(e, TrainError::Config { .. })) {
                true => Failure::Config(text),
                false => Failure::Data(text),
            },
            TrainError::Data(_) | TrainError::Task(_) => Failure::Data(text),
            TrainError::Checkpoint { .. } | TrainError::NewerCheckpoint { .. } => Failure::Data(text),
            TrainError::Diverged(_) | TrainError::NotFinite { .. } => Failure::Diverged(text),
            TrainError::Run(RunError::Io { .. }) | TrainError::Saved(SavedError::Io { .. }) => Failure::Failed(text),
            TrainError::Run(error) => error.into(),
            TrainError::Saved(error) => error.into(),
            _ => Failure::Failed(text),
        }
    }
}

/// The message, with what the program knows to help.
fn text(error: &TrainError) -> String {
    match error {
        TrainError::Several(errors) => {
            let texts: Vec<String> = errors.iter().map(text).collect();
            format!("{}\n{} errors", texts.join("\nerror: "), errors.len())
        }
        TrainError::Data(polytask::data::Error::Missing { .. }) => {
            format!("{error}; relative paths are looked for in `--data DIR` as well")
        }
        _ => match full(error) {
            true => format!("{error}\n  help: make room there, then go on with the same command and --resume"),
            false => error.to_string(),
        },
    }
}

/// Whether there was no room for a file.
fn full(error: &(dyn Error + 'static)) -> bool {
    let is_full = |error: &io::Error| matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref().is_some_and(is_full) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl From<polytask::data::Error> for Failure {
    fn from(error: polytask::data::Error) -> Self {
        Failure::Data(error.to_string())
    }
}

impl From<polytask::fetch::Error> for Failure {
    fn from(error: polytask::fetch::Error) -> Self {
        use polytask::fetch::Error;
        match error {
            Error::Address { .. } => Failure::Config(error.to_string()),
            Error::Hash { .. } | Error::Size { .. } | Error::Changed { .. } | Error::Lock { .. } => {
                Failure::Data(error.to_string())
            }
            _ => Failure::Failed(error.to_string()),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Exists { .. } | RunError::NotARun { .. } | RunError::Busy { .. } => {
                Failure::Config(error.to_string())
            }
            RunError::Damaged { .. } | RunError::Newer { .. } => Failure::Data(error.to_string()),
            RunError::Io { .. } if full(&error) => {
                Failure::Failed(format!("{error}\n  help: make room there, or name another directory with --out"))
            }
            RunError::Io { .. } => Failure::Failed(error.to_string()),
        }
    }
}

impl From<polytask::report::ReportError> for Failure {
    fn from(error: polytask::report::ReportError) -> Self {
        use polytask::report::ReportError;
        match error {
            ReportError::Run(error) => error.into(),
            ReportError::Line { .. } => Failure::Data(error.to_string()),
        }
    }
}

impl From<SavedError> for Failure {
    fn from(error: SavedError) -> Self {
        match error {
            SavedError::Damaged { .. } | SavedError::Newer { .. } => Failure::Data(error.to_string()),
            SavedError::Io { .. } => Failure::Failed(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Failed(error.to_string())
    }
}
