//! How is a run directory made, found and read?

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::files::{commit_directory, write_atomically};
use crate::metrics::{ExampleOutcomes, Metrics};

/// Version of the run directory that this program writes and reads.
pub const FORMAT: u32 = 1;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Training, or stopped without a word.
    Running,
    /// Stopped on request; can be resumed.
    Interrupted,
    /// Stopped by an error; its last good checkpoint is kept.
    Failed,
    /// Trained to its end: model and metrics are final.
    Complete,
}

/// Why a run directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The file system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A new run would overwrite something.
    #[error("{path} exists already\n  help: continue it with --resume, or name another directory with --out", path = path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// Another process trains into the run.
    #[error("{path}: another process is training this run\n  help: wait for it, or stop it first", path = path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// There is no run.
    #[error("{path} is no run directory: it has no run.json", path = path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// A file is not what it should be.
    #[error("{path}: the run is damaged: {what}\n  help: copy it anew, or train it again into another directory", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// Written by a later version.
    #[error("{path}: run format {found}, but this version of polytask reads up to {FORMAT}\n  help: use a newer polytask", path = path.display())]
    Newer {
        /// The directory.
        path: PathBuf,
        /// The format found.
        found: u32,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct RunFile {
    format: u32,
    name: String,
    status: Status,
}

/// Held by the one process that trains into a run; released when dropped.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// A run directory.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
    name: String,
}

impl RunDirectory {
    /// Makes the directory of a new run with its configuration and environment.
    ///
    /// A directory that does not exist appears all at once, so that it is never half a run.
    ///
    /// # Errors
    ///
    /// Where something stands there already, or the file system refuses.
    pub fn create(path: &Path, name: &str, config: &str, environment: &Environment) -> Result<RunDirectory, RunError> {
        let occupied = path.exists() && fs::read_dir(path).map_or(true, |mut entries| entries.next().is_some());
        if occupied {
            return Err(RunError::Exists { path: path.into() });
        }
        let fill = |path: &Path| -> Result<(), RunError> {
            let run = RunDirectory { path: path.into(), name: name.into() };
            let checkpoints = run.checkpoints();
            fs::create_dir_all(&checkpoints).map_err(|source| RunError::Io { path: checkpoints, source })?;
            run.write("config.toml", config.as_bytes())?;
            run.write_json("environment.json", environment)?;
            run.set_status(Status::Running)
        };
        // An empty directory stays the one it is: it may be a mount point, or where the program runs.
        if path.exists() {
            fill(path).inspect_err(|_| empty(path))?
        } else {
            commit_directory(path, fill)?
        }
        Ok(RunDirectory { path: path.into(), name: name.into() })
    }

    /// Opens an existing run.
    ///
    /// # Errors
    ///
    /// Where there is none, or it is of a later format.
    pub fn open(path: &Path) -> Result<RunDirectory, RunError> {
        if !path.join("run.json").is_file() {
            return Err(RunError::NotARun { path: path.into() });
        }
        let mut run = RunDirectory { path: path.into(), name: String::new() };
        let file: RunFile = run.read_json("run.json")?;
        if file.format > FORMAT {
            return Err(RunError::Newer { path: path.into(), found: file.format });
        }
        run.name = file.name;
        Ok(run)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the kept model stands.
    pub fn model(&self) -> PathBuf {
        self.path.join("model")
    }

    /// Where checkpoints stand.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The resolved configuration.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub fn config(&self) -> Result<String, RunError> {
        let path = self.path.join("config.toml");
        fs::read_to_string(&path).map_err(|source| RunError::Io { path, source })
    }

    /// Replaces the configuration of a run that goes on under changed settings.
    ///
    /// # Errors
    ///
    /// Where the file system refuses.
    pub fn set_config(&self, config: &str) -> Result<(), RunError> {
        self.write("config.toml", config.as_bytes())
    }

    /// Keeps other processes from training into this run while the lock is held.
    ///
    /// # Errors
    ///
    /// Where another process holds it, or the file system refuses.
    pub fn lock(&self) -> Result<RunLock, RunError> {
        let path = self.path.join(".lock");
        let file = File::create(&path).map_err(|source| RunError::Io { path, source })?;
        match file.try_lock() {
            Ok(()) => Ok(RunLock { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(RunError::Busy { path: self.path.clone() }),
            Err(fs::TryLockError::Error(source)) => Err(RunError::Io { path: self.path.clone(), source }),
        }
    }

    /// How far the run is.
    ///
    /// # Errors
    ///
    /// Where `run.json` cannot be read.
    pub fn status(&self) -> Result<Status, RunError> {
        Ok(self.read_json::<RunFile>("run.json")?.status)
    }

    /// Says how far the run is.
    ///
    /// # Errors
    ///
    /// Where the file system refuses.
    pub fn set_status(&self, status: Status) -> Result<(), RunError> {
        self.write_json("run.json", &RunFile { format: FORMAT, name: self.name.clone(), status })
    }

    /// Where and with what the run was made.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub fn environment(&self) -> Result<Environment, RunError> {
        self.read_json("environment.json")
    }

    /// The final scores.
    ///
    /// # Errors
    ///
    /// Where the run is not complete, or the file is damaged.
    pub fn metrics(&self) -> Result<Metrics, RunError> {
        self.read_json("metrics.json")
    }

    /// Writes the final scores.
    ///
    /// # Errors
    ///
    /// Where the file system refuses.
    pub fn write_metrics(&self, metrics: &Metrics) -> Result<(), RunError> {
        self.write_json("metrics.json", metrics)
    }

    /// What examples came to.
    ///
    /// # Errors
    ///
    /// Where the run is not complete or has no such file, as those of earlier versions, or the file is damaged.
    pub fn outcomes(&self) -> Result<ExampleOutcomes, RunError> {
        self.read_json("outcomes.json")
    }

    /// Writes what examples came to.
    ///
    /// # Errors
    ///
    /// Where the file system refuses.
    pub fn write_outcomes(&self, outcomes: &ExampleOutcomes) -> Result<(), RunError> {
        let mut json = serde_json::to_vec(outcomes)
            .map_err(|error| RunError::Damaged { path: self.path.join("outcomes.json"), what: error.to_string() })?;
        json.push(b'\n');
        self.write("outcomes.json", &json)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        let path = self.path.join(name);
        write_atomically(&path, bytes).map_err(|source| RunError::Io { path, source })
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunError> {
        let mut json = serde_json::to_vec_pretty(value)
            .map_err(|error| RunError::Damaged { path: self.path.join(name), what: error.to_string() })?;
        json.push(b'\n');
        self.write(name, &json)
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, RunError> {
        let path = self.path.join(name);
        let bytes = fs::read(&path).map_err(|source| RunError::Io { path: path.clone(), source })?;
        serde_json::from_slice(&bytes).map_err(|error| RunError::Damaged { path, what: error.to_string() })
    }
}

/// Removes what a run that could not be made left in a directory that was empty.
fn empty(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let path = entry.path();
        // The first error is the one to report.
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let environment = Environment::current("0.1.0", 7, 2);
        let run = RunDirectory::create(&path, "reviews", "version = 1\n", &environment).unwrap();
        assert_eq!(run.status().unwrap(), Status::Running);
        run.set_status(Status::Complete).unwrap();
        let again = RunDirectory::open(&path).unwrap();
        assert_eq!((again.status().unwrap(), again.name()), (Status::Complete, "reviews"));
        assert_eq!(again.environment().unwrap(), environment);
        let error = RunDirectory::create(&path, "reviews", "", &environment).unwrap_err().to_string();
        assert!(error.contains("exists already") && error.contains("--resume"), "{error}");
    }

    #[test]
    fn an_empty_directory_is_filled_and_a_missing_one_appears_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, missing) = (folder.path().join("empty"), folder.path().join("deep/missing"));
        fs::create_dir(&empty).unwrap();
        let environment = Environment::current("0.1.0", 7, 2);
        for path in [&empty, &missing] {
            RunDirectory::create(path, "x", "", &environment).unwrap();
            assert_eq!(RunDirectory::open(path).unwrap().status().unwrap(), Status::Running);
            assert!(path.join("checkpoints").is_dir());
        }
        assert_eq!(fs::read_dir(missing.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_later_format_and_a_stranger_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(RunDirectory::open(folder.path()), Err(RunError::NotARun { .. })));
        fs::write(folder.path().join("run.json"), r#"{"format": 9, "name": "x", "status": "complete"}"#).unwrap();
        assert!(matches!(RunDirectory::open(folder.path()), Err(RunError::Newer { found: 9, .. })));
        fs::write(folder.path().join("run.json"), "{").unwrap();
        assert!(matches!(RunDirectory::open(folder.path()), Err(RunError::Damaged { .. })));
    }
}
