//! What did a run cost: parameters and time?

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use indexmap::IndexMap;
use polytask_run::{RunError, Timing};
use serde::Serialize;
use serde_json::Value;

use crate::error::ReportError;

/// What a run cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Parameters of the kept model; absent where the run has no model yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<usize>,
    /// Parameters by the part of the network that they stand in: `input.words`, `encoder.trunk`, `task.NAME`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub parts: IndexMap<String, usize>,
    /// Median seconds of training and evaluation of an epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_per_epoch: Option<f64>,
    /// Median of the training examples a second, by epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examples_per_second: Option<f64>,
    /// Seconds of training steps in all.
    pub train_seconds: f64,
    /// Seconds of evaluations in all.
    pub evaluation_seconds: f64,
}

impl Cost {
    /// The cost in time; an epoch that was begun twice counts twice.
    pub fn of(times: &[Timing]) -> Cost {
        Cost {
            seconds_per_epoch: median(times.iter().map(|time| time.train_seconds + time.evaluation_seconds)),
            examples_per_second: median(times.iter().map(|time| time.examples_per_second)),
            train_seconds: times.iter().map(|time| time.train_seconds).sum(),
            evaluation_seconds: times.iter().map(|time| time.evaluation_seconds).sum(),
            ..Cost::default()
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        even if even % 2 == 0 => Some((values[middle - 1] + values[middle]) / 2.0),
        _ => Some(values[middle]),
    }
}

/// Longest header that is believed, bytes; one of a network with a hundred thousand arrays is shorter.
const HEADER_MAX: u64 = 1 << 26;

/// Parameters by part, from the header of a safetensors file alone; nothing where the file is not there.
///
/// # Errors
///
/// Where the file cannot be read, or is no safetensors file.
pub fn parameters(path: &Path) -> Result<Option<IndexMap<String, usize>>, ReportError> {
    let refused = |source| ReportError::Run(RunError::Io { path: path.into(), source });
    let damaged = |what: String| ReportError::Run(RunError::Damaged { path: path.into(), what });
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(refused)?,
    };
    let mut length = [0; 8];
    let cut = |error: std::io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => damaged("expected a safetensors header, the file ends in it".to_owned()),
        _ => refused(error),
    };
    file.read_exact(&mut length).map_err(cut)?;
    let length = u64::from_le_bytes(length);
    if length > HEADER_MAX {
        return Err(damaged(format!("expected a safetensors header, found one of {length} bytes")));
    }
    let mut header = Vec::new();
    // No more is reserved than there is, whatever the length says.
    if file.take(length).read_to_end(&mut header).map_err(refused)? as u64 != length {
        return Err(cut(ErrorKind::UnexpectedEof.into()));
    }
    let header: IndexMap<String, Value> =
        serde_json::from_slice(&header).map_err(|error| damaged(format!("expected a safetensors header: {error}")))?;
    let mut parts = IndexMap::new();
    for (name, array) in header.iter().filter(|(name, _)| *name != "__metadata__") {
        let shape: Option<Vec<usize>> = array
            .get("shape")
            .and_then(Value::as_array)
            .and_then(|sides| sides.iter().map(|side| side.as_u64()?.try_into().ok()).collect());
        let count = shape.and_then(|sides| sides.into_iter().try_fold(1_usize, usize::checked_mul));
        let count = count.ok_or_else(|| damaged(format!("`{name}` has no shape")))?;
        let sum = parts.entry(part(name)).or_insert(0_usize);
        *sum = sum.saturating_add(count);
    }
    Ok(Some(parts))
}

/// `encoder.trunk` of `encoder.trunk.low.forward.weight_hh`.
fn part(name: &str) -> String {
    name.split('.').take(2).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a file of this header, or the error's text.
    fn found(header: &[u8], length: u64) -> Result<Option<IndexMap<String, usize>>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        std::fs::write(&path, [&length.to_le_bytes()[..], header].concat()).unwrap();
        parameters(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn parameters_are_counted_by_part() {
        let header = br#"{"__metadata__":{"format":"pt"},"encoder.trunk.low.bias":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},
            "encoder.trunk.low.weight":{"shape":[2,3]},"task.a.head.scale":{"shape":[]}}"#;
        let parts = found(header, header.len() as u64).unwrap().unwrap();
        assert_eq!(parts.into_iter().collect::<Vec<_>>(), [("encoder.trunk".into(), 9), ("task.a".into(), 1)]);
        assert_eq!(parameters(Path::new("/nonexistent/weights.safetensors")).unwrap(), None);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for (header, length, expected) in [
            (&b"{}"[..], 3, "the file ends in it"),
            (b"{}", u64::MAX, "found one of 18446744073709551615 bytes"),
            (b"[]", 2, "expected a safetensors header: "),
            (br#"{"a":{}}"#, 8, "`a` has no shape"),
            (br#"{"a":{"shape":[-1]}}"#, 20, "`a` has no shape"),
            (br#"{"a":{"shape":[9999999999999,9999999999999]}}"#, 45, "`a` has no shape"),
        ] {
            let error = found(header, length).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_median_epoch_is_the_cost_of_an_epoch() {
        let time = |epoch, train_seconds| Timing {
            epoch,
            train_seconds,
            evaluation_seconds: 1.0,
            examples_per_second: 2.0,
            peak_memory_bytes: None,
        };
        let cost = Cost::of(&[time(1, 30.0), time(2, 10.0), time(2, 11.0)]);
        assert_eq!((cost.seconds_per_epoch, cost.train_seconds, cost.evaluation_seconds), (Some(12.0), 51.0, 3.0));
        assert_eq!(Cost::of(&[time(1, 1.0), time(2, 2.0)]).seconds_per_epoch, Some(2.5));
        assert_eq!(Cost::of(&[]).examples_per_second, None);
    }
}
