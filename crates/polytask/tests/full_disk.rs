//! Does a disk that is full cost no more than the steps since the last checkpoint? Every amount of room is tried: what
//! fails says where and what to do, leaves nothing half-written, and goes on once there is room.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{assert_same_files, lasting_files, run, scratch, small_project, status};

/// Bytes that a file system in memory gives away at once.
const PAGE: u64 = 4096;

/// A small file system in memory, which only a user who may mount can have.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts one of so many bytes; none where that is not allowed.
    fn mount(name: &str, bytes: u64) -> Option<Disk> {
        let folder = scratch(name);
        mount(&format!("size={bytes}"), &folder).then_some(Disk { folder })
    }

    /// Makes room.
    fn grow(&self, bytes: u64) {
        assert!(mount(&format!("remount,size={bytes}"), &self.folder), "the disk can be made larger");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A test that fails leaves nothing mounted either.
        let _ = Command::new("umount").arg(&self.folder).output();
    }
}

fn mount(options: &str, folder: &Path) -> bool {
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", options, "polytask-test"]).arg(folder);
    command.output().is_ok_and(|output| output.status.success())
}

/// What `train` is called with, in a folder of data.
fn arguments(folder: &Path, out: &Path, more: &[&str]) -> Vec<String> {
    let path = |path: &Path| path.display().to_string();
    let mut arguments = vec!["train".to_owned(), path(&folder.join("small.toml")), "--out".to_owned(), path(out)];
    for change in ["train.epochs=2", "train.checkpoint_seconds=0", "threads=1"] {
        arguments.extend(["--set".to_owned(), change.to_owned()]);
    }
    arguments.extend(more.iter().map(|&argument| argument.to_owned()));
    arguments
}

/// The bytes of a run's files on a disk that gives away whole pages.
fn room(files: &BTreeMap<String, Vec<u8>>) -> u64 {
    files.values().map(|bytes| (bytes.len() as u64).div_ceil(PAGE) * PAGE).sum()
}

/// Fails unless an attempt on a full disk said where there is no room, and what to do.
fn assert_told(err: &str, disk: &Path, bytes: u64) {
    let said = err.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    assert!(said.contains(&disk.display().to_string()), "{bytes} bytes: no path in {err}");
    assert!(said.contains("No space left on device"), "{bytes} bytes: {err}");
    assert!(err.contains("\n  help: make room there") && !err.contains("panicked"), "{bytes} bytes: {err}");
}

#[test]
fn a_full_disk_stops_a_run_that_goes_on_once_there_is_room() {
    let folder = small_project("full_disk");
    let whole = folder.join("whole");
    run(arguments(&folder, &whole, &[])).ok();
    let expected = lasting_files(&whole);
    let needed = room(&expected);
    let mut failed = Vec::new();
    for sixteenth in [0, 1, 4, 8, 11, 13, 15, 16, 18] {
        let bytes = (needed * sixteenth / 16).max(PAGE);
        let Some(disk) = Disk::mount("full_disk_mounted", bytes) else {
            println!("skipped: no file system can be mounted here; run this test as root");
            return;
        };
        let out = disk.folder.join("run");
        let ran = run(arguments(&folder, &out, &[]));
        if ran.code != Some(0) {
            assert_eq!(ran.code, Some(1), "{bytes} bytes: {}", ran.err);
            assert_told(&ran.err, &disk.folder, bytes);
            failed.push(bytes);
            // Nothing looks like a model, or like a checkpoint, that is none.
            let files = if out.exists() { common::files(&out) } else { BTreeMap::new() };
            let partial: Vec<&String> = files.keys().filter(|name| name.contains(".partial")).collect();
            assert!(partial.is_empty(), "{bytes} bytes: {partial:?}");
            assert!(!out.exists() || status(&out) != "complete", "{bytes} bytes");
        }
        disk.grow(64 << 20);
        let more: &[&str] = if out.exists() { &["--resume"] } else { &[] };
        run(arguments(&folder, &out, more)).ok();
        assert_same_files(&lasting_files(&out), &expected, &format!("{bytes} bytes"));
        let report = run(["report".as_ref(), out.as_os_str(), "--text".as_ref()]).ok();
        assert!(report.contains("small"), "{report}");
    }
    assert!(failed.len() >= 5, "only {failed:?} bytes of {needed} were too few");
}

#[test]
fn a_directory_in_which_no_run_could_be_made_is_as_it_was() {
    let folder = small_project("full_disk_empty");
    let Some(disk) = Disk::mount("full_disk_empty_mounted", PAGE) else {
        println!("skipped: no file system can be mounted here; run this test as root");
        return;
    };
    // A mount point is an empty directory that stays the one it is.
    let ran = run(arguments(&folder, &disk.folder, &[]));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_told(&ran.err, &disk.folder, PAGE);
    assert!(common::files(&disk.folder).is_empty(), "{:?}", common::files(&disk.folder).keys());
    disk.grow(64 << 20);
    run(arguments(&folder, &disk.folder, &[])).ok();
    // There is room for the run now, and none for a page about it.
    let held = room(&common::files(&disk.folder));
    disk.grow(held + PAGE);
    let run_path = disk.folder.display().to_string();
    let ran = run(["report", &run_path]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("report.html: No space left on device") && ran.err.contains("\n  help: "), "{}", ran.err);
    assert!(!disk.folder.join("report.html").exists());
}
