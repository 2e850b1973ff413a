//! How do the files that grow line by line stay whole, whenever their writer ends?

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use indexmap::IndexMap;
use polytask_metrics::{Entry, TaskScores};
use polytask_run::{Best, Event};

use crate::error::TrainError;

/// Opens `events.jsonl` behind the bytes that belong to a checkpoint; what stands there is about to happen again.
///
/// # Errors
///
/// Where the file system refuses, or the file has fewer bytes.
pub fn events(path: &Path, bytes: u64) -> Result<File, TrainError> {
    let refused = |source| TrainError::Io { path: path.into(), source };
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(refused)?;
    let found = file.metadata().map_err(refused)?.len();
    if found < bytes {
        let what = format!("it has {found} bytes, and had {bytes} when the checkpoint was written");
        return Err(TrainError::Checkpoint { path: path.into(), what });
    }
    file.set_len(bytes).and_then(|()| file.seek(SeekFrom::End(0))).map_err(refused)?;
    Ok(file)
}

/// Each task's best validation score at any epoch, read back from a run's events, beside the `kept` model's scores; `deciding` has
/// the metric of each task of `kept`.
///
/// # Errors
///
/// Where the events cannot be read, or lack a task.
pub fn best(
    run: &Path,
    deciding: &[&Entry],
    kept: &IndexMap<String, TaskScores>,
) -> Result<IndexMap<String, Best>, TrainError> {
    let path = run.join("events.jsonl");
    let mut best: IndexMap<String, Best> = IndexMap::new();
    each(&path, |line, event| {
        let Event::Evaluation { epoch, tasks, .. } = event else { return Ok(()) };
        for (entry, (task, kept)) in deciding.iter().zip(kept) {
            let what = || format!("line {line}: no scores of task `{task}`");
            let missing = || TrainError::Checkpoint { path: path.clone(), what: what() };
            let Some(&value) = tasks.get(task).ok_or_else(missing)?.metrics.get(entry.key) else { continue };
            let better = best
                .get(task)
                .is_none_or(|best| if entry.higher_is_better { value > best.value } else { value < best.value });
            if better {
                let kept = kept.metrics.get(entry.key).copied().unwrap_or_default();
                best.insert(task.clone(), Best { metric: entry.key.to_owned(), value, epoch, kept });
            }
        }
        Ok(())
    })?;
    Ok(best)
}

/// Hands each event of `events.jsonl` to `take` with its line, counted from 1.
///
/// # Errors
///
/// Where the file cannot be read or a line is no event, and what `take` refuses.
pub fn each(path: &Path, mut take: impl FnMut(usize, Event) -> Result<(), TrainError>) -> Result<(), TrainError> {
    let bytes = std::fs::read(path).map_err(|source| TrainError::Io { path: path.into(), source })?;
    let damaged = |what: String| TrainError::Checkpoint { path: path.into(), what };
    let text = String::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
    for (index, line) in text.lines().enumerate() {
        let event = serde_json::from_str(line).map_err(|error| damaged(format!("line {}: {error}", index + 1)))?;
        take(index + 1, event)?;
    }
    Ok(())
}

/// Appends a line, and drops one before it that was left unfinished.
///
/// # Errors
///
/// Where the file system refuses; the file then ends where it ended before.
pub fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    let end = whole_lines(&mut file)?;
    file.set_len(end)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(line).inspect_err(|_| {
        // The first error is the one to report; what is left unfinished is dropped by the next line.
        let _ = file.set_len(end);
    })
}

/// The longest unfinished line that is looked for.
const TAIL_BYTES: u64 = 1 << 16;

/// Where the last whole line ends.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    Ok(match tail.iter().rposition(|&byte| byte == b'\n') {
        Some(at) => start + at as u64 + 1,
        None => start,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_line_is_dropped_by_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timing.jsonl");
        append(&path, b"{\"a\":1}\n").unwrap();
        std::fs::write(&path, b"{\"a\":1}\n{\"a\":").unwrap();
        append(&path, b"{\"a\":2}\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"{\"a\":1}\n{\"a\":2}\n");
        std::fs::write(&path, b"{\"a\":").unwrap();
        append(&path, b"{\"a\":3}\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"{\"a\":3}\n");
    }

    #[test]
    fn events_go_on_where_the_checkpoint_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        std::fs::write(&path, b"one\ntwo\nthr").unwrap();
        let mut file = events(&path, 4).unwrap();
        file.write_all(b"2\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\n2\n");
        let message = events(&path, 1 << 40).unwrap_err().to_string();
        assert!(
            message.contains("events.jsonl: the file is damaged: it has 6 bytes, and had 1099511627776"),
            "{message}"
        );
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 6);
    }
}
