//! Where do the bytes of an input stand while they are read? In memory, under one name for the whole run.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A folder in memory where the system has one, removed at the end.
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// An empty folder of this process.
    pub fn new(target: &str) -> Scratch {
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let folder = root.join(format!("polytask-fuzz-{target}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for temporary files");
        Scratch { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file, and says where it is. It stays open and keeps its pages, which takes half the time of a new one.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        thread_local! {
            static OPEN: RefCell<HashMap<PathBuf, File>> = RefCell::default();
        }
        let path = self.folder.join(name);
        OPEN.with_borrow_mut(|open| {
            let file =
                open.entry(path.clone()).or_insert_with(|| File::create(&path).expect("a temporary file can be made"));
            file.write_all_at(bytes, 0).and_then(|()| file.set_len(bytes.len() as u64)).expect("it can be written");
        });
        path
    }
}

/// Cuts an input into parts at the bytes `\0---\0`, at most `N`; parts that are not there are empty.
pub fn parts<const N: usize>(bytes: &[u8]) -> [&[u8]; N] {
    let mut rest = Some(bytes);
    std::array::from_fn(|index| {
        let bytes = rest.take().unwrap_or_default();
        let found = bytes.windows(PART.len()).position(|window| window == PART).filter(|_| index + 1 < N);
        let Some(at) = found else { return bytes };
        rest = Some(&bytes[at + PART.len()..]);
        &bytes[..at]
    })
}

/// What stands between two parts.
pub const PART: &[u8] = b"\0---\0";

/// Parts as one input.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(PART)
}
