//! What did we learn?
//!
//! [`read()`] brings the files of a run directory together in one [`Report`], which is the JSON form of itself; [`text()`]
//! lays it out in tables and [`page()`] as one HTML page that opens from disk: no script, no network, no font. Nothing here
//! trains, and a run that is not complete, was never balanced or has no test set is reported as far as it got.
//!
//! Everything a run's author named (tasks, classes, files) may hold any character: the page is built as a tree of
//! elements, which escapes on its own.

mod cluster;
mod cost;
mod error;
mod history;
mod lines;
mod looks;
mod markup;
mod numbers;
mod page;
mod read;
mod report;
mod scores;
mod settings;
mod sheet;
mod svg;
mod table;
mod tables;
mod text;

pub use cost::Cost;
pub use error::ReportError;
pub use history::{Epoch, EpochTask};
pub use looks::{Balance, BalancedTask, Look, Looks, MeanCosine};
pub use numbers::count;
pub use page::page;
pub use read::read;
pub use report::{FORMAT, Kept, Report, Task, Told};
pub use scores::{Scores, SplitScores};
pub use sheet::{Drawing, IntervalRow, Sheet, SheetSection, SheetTable, Square, sheet_page, sheet_text};
pub use text::text;
