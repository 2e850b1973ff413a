//! What can go wrong while tasks are balanced.

use std::fmt::Display;

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

/// Why tasks could not be balanced. Tasks are numbered from 0, in the order in which the balancer was built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to balance.
    #[error("there are no tasks to balance")]
    NoTasks,
    /// A loss is NaN or infinite.
    #[error("the loss of task {task} is {value}")]
    Loss {
        /// The task's number.
        task: usize,
        /// Its loss.
        value: f64,
    },
    /// A method found a weight that is NaN or infinite.
    #[error("the weight of task {task} came out as {value}")]
    Weight {
        /// The task's number.
        task: usize,
        /// Its weight.
        value: f64,
    },
    /// A method asked for what the step does not hold.
    #[error("the method needs {need}, which this step did not provide")]
    NotProvided {
        /// What is missing.
        need: &'static str,
    },
    /// Something has one value a task, but for another number of tasks.
    #[error("{what} is for {found} tasks, expected {expected}")]
    Tasks {
        /// What it is.
        what: &'static str,
        /// How many tasks there are.
        expected: usize,
        /// How many it has values for.
        found: usize,
    },
    /// A state has no vector of that name: it belongs to another method.
    #[error("the balancer's state has no `{name}`: it was made by another method")]
    State {
        /// The name that was looked for.
        name: &'static str,
    },
    /// A Gramian is not square.
    #[error("row {row} of the Gramian has {found} entries, expected {expected}")]
    GramianShape {
        /// The row's number.
        row: usize,
        /// The number of rows.
        expected: usize,
        /// The number of entries in this row.
        found: usize,
    },
    /// An entry of a Gramian cannot be a product of gradients: it is NaN or infinite, or a squared norm below zero.
    #[error("entry ({row}, {column}) of the Gramian is {value}")]
    GramianEntry {
        /// The entry's row.
        row: usize,
        /// The entry's column.
        column: usize,
        /// The entry.
        value: f64,
    },
    /// A Gramian is not symmetric.
    #[error("the Gramian is not symmetric: entry ({row}, {column}) is {value}, its mirror is {mirror}")]
    GramianSymmetry {
        /// The entry's row.
        row: usize,
        /// The entry's column.
        column: usize,
        /// The entry.
        value: f64,
        /// The entry at (column, row).
        mirror: f64,
    },
    /// There is no method of that name.
    #[error("there is no balance method `{found}`; expected one of {known}")]
    Method {
        /// The name.
        found: String,
        /// The names that there are.
        known: String,
    },
    /// A gradient has an entry that is NaN or infinite.
    #[error("the gradient of `{tasks}` in `{parameter}` has an entry that is {value}")]
    Gradient {
        /// The task's name; the names of several where only their sum is known.
        tasks: String,
        /// The parameter's path in the model.
        parameter: String,
        /// The entry.
        value: f32,
    },
    /// A loss is not one number.
    #[error("the loss of task {task} has {found} numbers, expected 1")]
    LossShape {
        /// The task's number.
        task: usize,
        /// How many numbers it has.
        found: usize,
    },
    /// A loss does not depend on anything that asks for a gradient.
    #[error("the loss of task {task} has no graph to walk back: no parameter that asks for a gradient went into it")]
    Untracked {
        /// The task's number.
        task: usize,
    },
    /// A device did not hand out numbers.
    #[error("a tensor could not be read: {message}")]
    Read {
        /// What the device said.
        message: String,
    },
    /// What was kept of a parameter's gradients is for another number of entries.
    #[error("what is kept of the gradients in `{parameter}` has {found} entries, expected {expected}")]
    Entries {
        /// The parameter's path in the model.
        parameter: String,
        /// The parameter's number of entries.
        expected: usize,
        /// The number of entries that are kept.
        found: usize,
    },
    /// What a balancer remembers is of another method or other tasks.
    #[error("the memory is that of {found}, expected that of {expected}")]
    Memory {
        /// What it is of.
        found: String,
        /// What it should be of.
        expected: String,
    },
    /// A method's options are wrong.
    #[error("balance method `{method}`: {message}")]
    Options {
        /// The method's key.
        method: &'static str,
        /// What is wrong, what was found, and what is accepted.
        message: String,
    },
}

impl Error {
    /// An option of a method is out of range.
    pub(crate) fn option(method: &'static str, option: &str, found: impl Display, accepted: &str) -> Self {
        Error::Options { method, message: format!("`{option}` is {found}, expected {accepted}") }
    }
}
