//! Is it a Parquet file, and what are its columns?

use polytask_spec::data::{Data, Files, ParquetData};

use super::{Format, Guess, Sample, jsonl};
use crate::error::Result;
use crate::readers::parquet;

pub(super) const FORMAT: Format =
    Format { key: "parquet", summary: "Parquet (as Hugging Face datasets are stored)", guess };

/// Rows that are looked at.
const ROWS: usize = 2_000;

fn guess(sample: &Sample) -> Result<Option<Guess>> {
    if !sample.raw.starts_with(b"PAR1") {
        return Ok(None);
    }
    let (columns, rows) = parquet::first_rows(&sample.path, ROWS)?;
    let why = format!("Parquet: the columns {}", columns.join(", "));
    let found = jsonl::of_objects(&rows, why, |named| Data::Parquet(ParquetData { files: Files::default(), named }));
    let help = || "one column has to hold strings, or lists of words".to_string();
    Ok(Some(found.unwrap_or_else(|| {
        Guess::Refused(format!("a Parquet file without texts (columns {})", columns.join(", ")), help())
    })))
}
