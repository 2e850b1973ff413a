//! How do raw columns become a representation?
//!
//! An input is fitted once, on what the datasets hold ([`fit`]); what it learned is saved with the model
//! ([`InputKnowledge`]), prepares datasets for reading ([`Prepared`]), and builds the part of the network that reads them
//! ([`Input`]). Trainer, evaluation and reports see these four and never what is inside.

mod characters;
mod distinct;
mod lexicon;
mod subwords;
mod words;

use std::path::Path;

use polytask_data::interner::Interner;
use polytask_data::subwords::Subwords;
use polytask_data::table::Examples;
use polytask_spec::network::Input as InputSpec;
use serde::{Deserialize, Serialize};

pub use lexicon::Lexicon;
pub use subwords::SubwordsKnowledge;
pub use words::{Words, WordsKnowledge};

use crate::parameters::{Init, Owner, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation};

/// What an input learned from the data before training; saved with the model.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum InputKnowledge {
    /// Of the `words` input.
    Words(WordsKnowledge),
    /// Of the `words` input with a tokenizer.
    Subwords(SubwordsKnowledge),
}

/// What an input learned, and the values that its parameters begin with.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// What is saved with the model.
    pub knowledge: InputKnowledge,
    /// Initial values that do not follow from the seed alone, such as pre-trained vectors; empty where the parameters are
    /// about to be loaded.
    pub initial: Vec<f32>,
}

/// Why an input cannot be fitted.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A file cannot be read.
    #[error(transparent)]
    Data(#[from] polytask_data::Error),
    /// An option does not fit the data.
    #[error("{option}: {message}")]
    Option {
        /// The option of the input.
        option: &'static str,
        /// What does not fit.
        message: String,
        /// What to do.
        help: String,
    },
}

/// The file of vectors that an input reads besides the datasets, as the configuration names it.
pub fn file(spec: &InputSpec) -> Option<&str> {
    match spec {
        InputSpec::Words(words) => words.vectors.as_deref(),
    }
}

/// The tokenizer that cuts the texts of an input, as the configuration names its file.
pub fn tokenizer_file(spec: &InputSpec) -> Option<&str> {
    match spec {
        InputSpec::Words(words) => words.tokenizer.as_deref(),
    }
}

/// Fits an input to the words of the datasets that it reads; `file` is where what [`file()`] names was found,
/// `tokenizer` what [`tokenizer_file`] names.
///
/// # Errors
///
/// Where the file is wrong, or does not fit the options.
pub fn fit(
    spec: &InputSpec,
    words: &Interner,
    (file, tokenizer): (Option<&Path>, Option<&Subwords>),
    seed: u64,
) -> Result<Fitted, FitError> {
    match (spec, tokenizer) {
        (InputSpec::Words(spec), None) => words::fit(spec, words, file, seed),
        (InputSpec::Words(spec), Some(tokenizer)) => subwords::fit(spec, tokenizer, file, seed),
    }
}

impl InputKnowledge {
    /// The table that the input brings, by the end of its name, and how many values it has; none where no table has.
    pub fn table(&self) -> (&'static str, Option<usize>) {
        let (rows, dim) = match self {
            InputKnowledge::Words(knowledge) => (knowledge.vocabulary.rows(), knowledge.dim),
            InputKnowledge::Subwords(knowledge) => (knowledge.tokenizer.rows(), knowledge.dim),
        };
        ("vectors", rows.checked_mul(dim).filter(|_| dim > 0))
    }

    /// Looks up everything that datasets hold, so that batches need only read.
    pub fn prepare(&self, words: &Interner) -> Prepared {
        match self {
            InputKnowledge::Words(knowledge) => Prepared::Words(knowledge.lexicon(words)),
            InputKnowledge::Subwords(knowledge) => Prepared::Words(knowledge.lexicon(words)),
        }
    }

    /// The tokenizer that cuts texts, where the input has one.
    pub fn tokenizer(&self) -> Option<&Subwords> {
        match self {
            InputKnowledge::Words(_) => None,
            InputKnowledge::Subwords(knowledge) => Some(&knowledge.tokenizer),
        }
    }
}

/// What the contents of datasets are to an input.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// Rows and characters of each word.
    Words(Lexicon),
}

impl Prepared {
    /// How well the input knows what some examples hold: shares by name, summing to one.
    pub fn coverage(&self, examples: &Examples) -> Vec<(&'static str, f64)> {
        match self {
            Prepared::Words(lexicon) => lexicon.coverage(examples),
        }
    }
}

/// Some examples of a dataset, as an input reads them.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    /// The examples of a split.
    pub examples: &'a Examples,
    /// What their contents are to the input.
    pub prepared: &'a Prepared,
    /// Which examples make the batch.
    pub index: &'a [u32],
}

/// Which of the texts of an example is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first, or the only one.
    First,
    /// The second of a pair.
    Second,
}

/// An input of the network.
#[derive(Debug)]
pub enum Input {
    /// Word vectors and characters.
    Words(Words),
}

impl Input {
    /// Builds the input `name` and adds its parameters.
    pub fn build(
        (name, owner): (&str, Owner),
        spec: &InputSpec,
        fitted: &Fitted,
        parameters: &mut Parameters,
        init: Init,
    ) -> Input {
        let InputSpec::Words(spec) = spec;
        let known = match &fitted.knowledge {
            InputKnowledge::Words(knowledge) => knowledge.known(),
            InputKnowledge::Subwords(knowledge) => knowledge.known(),
        };
        Input::Words(Words::build((name, owner), spec, (known, fitted.initial.clone()), parameters, init))
    }

    /// Whether the pass drops anything of the input.
    pub fn drops(&self, pass: &Pass<'_>) -> bool {
        match self {
            Input::Words(words) => words.drops(pass),
        }
    }

    /// The shape of what the input hands on.
    pub fn form(&self) -> Form {
        match self {
            Input::Words(words) => words.form(),
        }
    }

    /// The representation of a batch that is made of the examples of several feeds, in their order.
    ///
    /// The feeds share what was prepared: they are of datasets that this input reads.
    pub fn forward(&self, pass: &Pass<'_>, feeds: &[Feed<'_>], side: Side) -> Representation {
        match (self, feeds[0].prepared) {
            (Input::Words(words), Prepared::Words(lexicon)) => words.forward(pass, (feeds, side), lexicon),
        }
    }
}
