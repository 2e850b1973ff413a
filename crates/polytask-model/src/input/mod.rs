//! How do raw columns become a representation?

mod lexicon;
mod words;

use polytask_data::table::Examples;
use polytask_spec::Spec;
use polytask_spec::network::Input as InputSpec;

pub use lexicon::Lexicon;
pub use words::{Words, WordsResources};

use crate::parameters::{Init, Parameters};
use crate::pass::Pass;
use crate::representation::{Form, Representation};

/// Some examples of a dataset, as an input reads them.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    /// The examples of a split.
    pub examples: &'a Examples,
    /// What the words of these examples are to the input.
    pub lexicon: &'a Lexicon,
    /// Which examples make the batch.
    pub index: &'a [u32],
}

/// An input of the network.
#[derive(Debug, Clone)]
pub enum Input {
    /// Word vectors and characters.
    Words(Words),
}

impl Input {
    /// Builds the input `name` and adds its parameters.
    pub fn build(
        spec: &Spec,
        name: &str,
        resources: &WordsResources,
        parameters: &mut Parameters,
        init: Init,
    ) -> Input {
        match &spec.input[name] {
            InputSpec::Words(words) => Input::Words(Words::build(name, words, resources, parameters, init)),
        }
    }

    /// The shape of what the input hands on.
    pub fn form(&self) -> Form {
        match self {
            Input::Words(words) => words.form(),
        }
    }

    /// The representation of a batch.
    pub fn forward(&self, pass: &Pass<'_>, feed: Feed<'_>) -> Representation {
        match self {
            Input::Words(words) => words.forward(pass, feed),
        }
    }
}
