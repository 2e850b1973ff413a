//! A configuration that tests vary, and short ways to parse one.

use crate::{Spec, parse};

/// Three datasets, one encoder, three tasks.
pub(crate) const THREE_TASKS: &str = include_str!("../tests/three_tasks.toml");

/// The configuration of a text without faults.
pub(crate) fn spec(text: &str) -> Spec {
    match parse("polytask.toml", text, &[], &[]) {
        Ok(parsed) => parsed.spec,
        Err(errors) => panic!("{errors}"),
    }
}

/// The messages of a text with faults, each with its place and help.
pub(crate) fn messages(text: &str) -> Vec<String> {
    let errors = parse("polytask.toml", text, &[], &[]).expect_err("the text has faults");
    errors.diagnostics.iter().map(ToString::to_string).collect()
}
