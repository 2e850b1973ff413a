//! `polytask data`: known datasets and word vectors, and what files hold.

mod get;
mod inspect;
mod known;

use super::args::{DataArgs, DataCommand};
use super::failure::Failure;

/// Does what was typed after `data`.
pub fn run(args: DataArgs) -> Result<(), Failure> {
    match args.command {
        DataCommand::List { json } => known::run(if json { Form::Json } else { Form::Table }),
        DataCommand::Get { name, to, stall } => get::run(&name, to, stall),
        DataCommand::Inspect { path, json } => inspect::run(&path, if json { Form::Json } else { Form::Table }),
    }
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Table,
    /// For programs.
    Json,
}
