//! How are a study's runs read, and its answer written?

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use indexmap::IndexMap;
use polytask_data::open::Roots;
use polytask_run::{ExampleOutcomes, RunDirectory, RunError, write_atomically};
use polytask_spec::Spec;
use polytask_spec::study::{Arm, RelatednessMeasure};

use crate::answer::{Answer, Left, answer};
use crate::error::StudyError;
use crate::job::Job;
use crate::recommend::recommended;
use crate::relatedness::read_events;
use crate::runner::{Cost, End, Ran, cost_of, run_path};
use crate::similarity::similarities;

/// Reads what the runs of a study left, compares their networks where that is asked for, and writes `study.json`,
/// `recommended.toml` and `costs.json` into its directory.
///
/// # Errors
///
/// Where a file of a run, or a dataset whose texts networks are compared by, is missing or damaged, or a file cannot be written.
pub fn conclude(spec: &Spec, roots: &Roots, path: &Path, ran: &Ran) -> Result<Answer, StudyError> {
    let mut left: BTreeMap<&str, Left> = BTreeMap::new();
    for (job, _) in ran.ends.iter().filter(|(_, end)| matches!(end, End::Complete(_))) {
        let run = run_path(path, job);
        let parameters = Some(parameters(&run.join("model").join("weights.safetensors"))?);
        let events = if job.arm == Arm::Joint { read_events(&run)? } else { Vec::new() };
        let outcomes = outcomes(&run, job)?.map(Rc::new);
        left.insert(&job.id, Left { parameters, events, outcomes });
    }
    let mut found = answer(spec, &ran.ends, &|job| left.get(job.id.as_str()).cloned().unwrap_or_default());
    if spec.study.as_ref().is_some_and(|study| study.measures(RelatednessMeasure::Cka)) {
        found.relatedness.compare_with(similarities(spec, roots, path, &ran.ends)?);
    }
    write_json(&path.join("study.json"), &found)?;
    write_json(&path.join("costs.json"), &costs(path, ran))?;
    let joint = found.joint.iter().find(|tried| tried.chosen).map(|tried| &tried.variant);
    let comments: String = found.recommendation.sentences.iter().map(|text| format!("# {text}\n")).collect();
    let config = recommended(spec, &found.recommendation, joint).to_toml();
    write(&path.join("recommended.toml"), format!("{comments}\n{config}").as_bytes())?;
    Ok(found)
}

/// What each run has cost.
pub fn costs(study: &Path, ran: &Ran) -> IndexMap<String, Cost> {
    let cost = |job: &Job| Some((job.id.clone(), cost_of(&run_path(study, job))?));
    ran.ends.iter().filter_map(|(job, _)| cost(job)).collect()
}

/// What the examples of a run came to that the answer compares; none in runs of earlier versions.
fn outcomes(run: &Path, job: &Job) -> Result<Option<ExampleOutcomes>, StudyError> {
    if !matches!(job.arm, Arm::Separate | Arm::Joint) {
        return Ok(None);
    }
    match RunDirectory::open(run)?.outcomes() {
        Err(RunError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        found => Ok(Some(found?)),
    }
}

/// Values in a file of arrays, told by its header: eight bytes of length, little-endian, then JSON with the shape of each.
fn parameters(path: &Path) -> Result<usize, StudyError> {
    let damaged = |what: String| StudyError::Run(RunError::Damaged { path: path.into(), what });
    let io = |source| StudyError::Io { path: path.into(), source };
    let mut file = fs::File::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|error| damaged(error.to_string()))?;
    let length = u64::from_le_bytes(length);
    if length > bytes.saturating_sub(8) {
        return Err(damaged(format!("a header of {length} bytes in a file of {bytes}")));
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).map_err(io)?;
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&header).map_err(|error| damaged(error.to_string()))?;
    let size = |array: &serde_json::Value| -> Option<usize> {
        array.get("shape")?.as_array()?.iter().map(|side| side.as_u64().map(|side| side as usize)).product()
    };
    let arrays = header.iter().filter(|(name, _)| *name != "__metadata__");
    let sizes = arrays.map(|(name, array)| size(array).ok_or_else(|| damaged(format!("array `{name}` has no shape"))));
    sizes.sum()
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), StudyError> {
    let mut json = serde_json::to_vec_pretty(value)
        .map_err(|error| RunError::Damaged { path: path.into(), what: error.to_string() })?;
    json.push(b'\n');
    write(path, &json)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), StudyError> {
    write_atomically(path, bytes).map_err(|source| StudyError::Io { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted_in_the_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let header = br#"{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"y":{"dtype":"F32","shape":[],"data_offsets":[24,28]}}"#;
        let file = |length: u64| [length.to_le_bytes().as_slice(), header, &[0; 28]].concat();
        fs::write(&path, file(header.len() as u64)).unwrap();
        assert_eq!(parameters(&path).unwrap(), 7);
        for damaged in [file(1 << 40), file(10), vec![1, 2, 3]] {
            fs::write(&path, damaged).unwrap();
            assert!(parameters(&path).unwrap_err().to_string().contains("the run is damaged"));
        }
    }
}
