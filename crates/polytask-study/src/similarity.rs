//! How alike do the networks of tasks alone represent the same texts?
//!
//! For every two tasks that read one input: up to [`TEXTS`] validation texts of each dataset go through both networks up to
//! where the head reads, pooled to a vector as the task pools, or by the mean over tokens where its head reads tokens; of both
//! sets of vectors the linear CKA is taken ([`linear_cka`]). The networks are those of the arm `separate` of one seed, by the
//! update rule that validation data chose. Networks of one seed begin with the same values wherever they are the same: what is
//! compared is what training made of them.
//!
//! Tasks that read different inputs are left out: their networks do not read each other's texts.

use std::path::Path;

use indexmap::IndexMap;
use polytask_data::open::Roots;
use polytask_model::TaskId;
use polytask_spec::Spec;
use polytask_spec::study::Arm;
use polytask_train::{open_model, validation_texts};
use serde::{Deserialize, Serialize};

use crate::choice::choose;
use crate::error::StudyError;
use crate::job::Job;
use crate::relatedness::{Matrix, linear_cka};
use crate::runner::{End, run_path};

/// Validation texts of a dataset at most.
pub const TEXTS: usize = 256;

/// How alike two networks represent the same texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairSimilarity {
    /// The tasks, in the order of the configuration.
    pub between: [String; 2],
    /// Linear CKA, from 0 to 1.
    pub cka: f64,
    /// Texts that both networks read.
    pub texts: usize,
}

/// A vector for each of some texts.
type Vectors = Vec<Vec<f32>>;

/// Compares the networks of every two tasks alone under a study's directory; those without a complete run are left out.
///
/// # Errors
///
/// Where a model or a dataset cannot be read.
pub(crate) fn similarities(
    spec: &Spec,
    roots: &Roots,
    path: &Path,
    ends: &[(Job, End)],
) -> Result<Vec<PairSimilarity>, StudyError> {
    let runs = runs(spec, ends);
    let tasks: Vec<&str> = runs.keys().copied().collect();
    let input = |task: &str| spec.input_of(&spec.task[task]);
    // The network of a task alone has this task alone.
    let only = TaskId(0);
    let mut texts: IndexMap<&str, Vec<Vec<String>>> = IndexMap::new();
    for (task, job) in &runs {
        let data = spec.task[*task].data.as_str();
        let shared = tasks.iter().any(|other| other != task && input(other) == input(task));
        if shared && !texts.contains_key(data) {
            let model = open_model(&run_path(path, job).join("model"))?;
            texts.insert(data, validation_texts(model.saved(), roots, only, TEXTS)?);
        }
    }
    let mut vectors: IndexMap<&str, IndexMap<&str, Vectors>> = IndexMap::new();
    for (task, job) in &runs {
        let others =
            tasks.iter().filter(|other| input(other) == input(task)).map(|other| spec.task[*other].data.as_str());
        let read: IndexMap<&str, ()> = others.filter(|data| texts.contains_key(data)).map(|data| (data, ())).collect();
        if read.is_empty() {
            continue;
        }
        let model = open_model(&run_path(path, job).join("model"))?;
        vectors.insert(*task, read.into_keys().map(|data| (data, model.representations(only, &texts[data]))).collect());
    }
    let pairs =
        tasks.iter().enumerate().flat_map(|(at, left)| tasks[at + 1..].iter().map(move |right| [*left, *right]));
    let similar = |[left, right]: [&str; 2]| {
        let mut datasets = vec![spec.task[left].data.as_str(), spec.task[right].data.as_str()];
        datasets.dedup();
        let matrix = |task: &str| {
            let of_task = vectors.get(task)?;
            let rows: Option<Vec<&Vectors>> = datasets.iter().map(|data| of_task.get(data)).collect();
            let wide = |row: &Vec<f32>| row.iter().copied().map(f64::from).collect();
            Matrix::new(&rows?.into_iter().flatten().map(wide).collect::<Vec<Vec<f64>>>())
        };
        let (of_left, of_right) = (matrix(left)?, matrix(right)?);
        let cka = linear_cka(&of_left, &of_right)?;
        Some(PairSimilarity { between: [left, right].map(str::to_owned), cka, texts: of_left.examples() })
    };
    Ok(pairs.filter_map(similar).collect())
}

/// A complete run of each task alone, by its chosen variant: of the seed that the most tasks have, the first of these.
fn runs<'a>(spec: &'a Spec, ends: &'a [(Job, End)]) -> IndexMap<&'a str, &'a Job> {
    let chosen: Vec<(&str, _)> = spec
        .task
        .keys()
        .filter_map(|task| {
            Some((task.as_str(), choose(ends, Arm::Separate, std::slice::from_ref(task)).variant()?.clone()))
        })
        .collect();
    let of_seed = |seed: u64| -> IndexMap<&'a str, &'a Job> {
        let run = |(task, variant): &(&'a str, _)| {
            let fits = |job: &Job| {
                job.arm == Arm::Separate && job.tasks == [*task] && job.variant == *variant && job.seed == seed
            };
            let found = ends.iter().find(|(job, end)| fits(job) && matches!(end, End::Complete(_)));
            found.map(|(job, _)| (*task, job))
        };
        chosen.iter().filter_map(run).collect()
    };
    let mut best = IndexMap::new();
    for (job, _) in ends {
        let found = of_seed(job.seed);
        if found.len() > best.len() {
            best = found;
        }
    }
    best
}
