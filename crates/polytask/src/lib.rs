//! Multi-task learning: one model, many tasks, and proof that sharing helped.
//!
//! This crate is the front of the library; each module below is a crate of its own and answers one question. The
//! `polytask` program is built on nothing else.
//!
//! ```no_run
//! use polytask::data::open::Roots;
//! use polytask::run::{Environment, RunDirectory};
//! use polytask::train::{Plan, Quiet, extensions, train};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = std::path::Path::new("polytask.toml");
//! let spec = polytask::spec::parse_file(config, &[], &extensions())?.spec;
//! let environment = Environment::current(env!("CARGO_PKG_VERSION"), spec.seed, 2);
//! let run = RunDirectory::create("run".as_ref(), &spec.name, &spec.to_toml(), &environment)?;
//! let plan = Plan::new(spec, &Roots { dirs: vec![".".into()] })?;
//! train(plan, &run, &mut Quiet)?;
//! # Ok(())
//! # }
//! ```

pub use polytask_balance as balance;
pub use polytask_data as data;
pub use polytask_fetch as fetch;
pub use polytask_kernels as kernels;
pub use polytask_metrics as metrics;
pub use polytask_model as model;
pub use polytask_report as report;
pub use polytask_run as run;
pub use polytask_spec as spec;
pub use polytask_study as study;
pub use polytask_train as train;

pub mod demo;
