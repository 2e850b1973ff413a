//! `polytask demo --study`: a study of generated tasks whose answer is known.

use std::path::Path;
use std::time::Instant;

use polytask::demo::{RelatedTask, STUDY_CONFIG, STUDY_CONFIG_NAME, Sizes, write_related};

use super::args::{ConfigArgs, StudyArgs};
use super::failure::Failure;
use super::table::duration;
use super::{print, study};

/// Seed of the generated texts.
const SEED: u64 = 7;

/// Examples of each task: so few that a second task's help is seen.
const SIZES: Sizes = Sizes { train: 160, valid: 200, test: 400 };

/// The tasks, and how they judge words.
const TASKS: [RelatedTask<'static>; 3] = [
    RelatedTask { name: "novels", relatedness: 1.0 },
    RelatedTask { name: "films", relatedness: 1.0 },
    RelatedTask { name: "satire", relatedness: -1.0 },
];

/// Writes texts and config into an empty directory, runs the study, and says what to type next.
pub fn run(out: &Path) -> Result<(), Failure> {
    let began = Instant::now();
    let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", out.display()));
    std::fs::create_dir_all(out).map_err(failed)?;
    write_related(out, &TASKS, SIZES, SEED).map_err(failed)?;
    let config = out.join(STUDY_CONFIG_NAME);
    std::fs::write(&config, STUDY_CONFIG).map_err(failed)?;
    print(&format!(
        "three generated tasks: `novels` and `films` judge words alike, `satire` takes every word the other way round,\n\
         and one output layer serves all. What is to be found: share the first two, keep the third apart.\n\
         config: {}\n\n",
        config.display()
    ))?;
    let args = ConfigArgs { file: config.clone(), overrides: Vec::new(), data: None };
    study::run(&StudyArgs { config: args, out: Some(out.join("study")), resume: false, json: false })?;
    // The program as it was called: it need not be on the search path.
    let program = std::env::args().next().unwrap_or_else(|| "polytask".into());
    let (config, study) = (config.display(), out.join("study"));
    print(&format!(
        "\ndone in {}. Next:\n  \
         {program} check {config}\n  \
         {program} train {} --data {} --out {}\n",
        duration(began.elapsed().as_secs_f64()),
        study.join("recommended.toml").display(),
        out.display(),
        out.join("run").display(),
    ))
}
