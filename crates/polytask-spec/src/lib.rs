//! What did the user ask for? The configuration file, parsed and checked, every error at once.
//!
//! [`parse`] goes from text to a checked [`Spec`] in five steps: a tree with the place of every value, overrides merged
//! into it, its shape checked against the [`schema()`], its names and the fit of its parts checked, and the types built.
//!
//! ```
//! let text = r#"
//! version = 1
//! data.reviews   = { format = "lines", train = "reviews.tsv", split = { valid = 0.1 } }
//! input.words    = { kind = "words" }
//! encoder.trunk  = { layers = [{ kind = "conv" }] }
//! task.sentiment = { data = "reviews", kind = "classify", target = "label" }
//! "#;
//! let parsed = polytask_spec::parse("polytask.toml", text, &[], &[])?;
//! assert_eq!(parsed.spec.train.epochs, 20);
//!
//! let errors = polytask_spec::parse("polytask.toml", &text.replace("\"conv\"", "\"konv\""), &[], &[]).unwrap_err();
//! assert!(errors.to_string().contains("did you mean `conv`?"));
//! # Ok::<(), polytask_spec::Errors>(())
//! ```

mod check;
pub mod data;
mod error;
mod heads;
mod kinds;
mod layers;
pub mod network;
mod node;
mod optimizers;
mod options;
mod parse;
mod references;
mod scales;
mod schedules;
mod schema;
mod shape;
mod spec;
pub mod study;
pub mod task;
#[cfg(test)]
mod test_support;
pub mod training;
mod validate;
mod write;

pub use error::{Diagnostic, Errors, Location, suggest};
pub use node::Override;
pub use parse::{Parsed, parse, parse_file};
pub use schema::{Extension, schema};
pub use spec::Spec;
