//! Which hash had a file when it was first fetched?
//!
//! Where nobody publishes a file's hash, the first download is trusted and its hash is kept beside it, in
//! `FILE.lock`; from then on the file must have it, also when it is removed and fetched again.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What is remembered of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    /// Version of the format; 1.
    pub version: u32,
    /// Where it was fetched from.
    pub url: String,
    /// Its hash.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// The file that remembers the hash of another.
pub fn lock_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.lock"))
}

/// What is remembered of a file; nothing where it has not been fetched yet.
pub(crate) fn read(path: &Path) -> Result<Option<Lock>> {
    let lock = lock_path(path);
    let bytes = match fs::read(&lock) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(&lock, error, 0)),
    };
    match serde_json::from_slice::<Lock>(&bytes) {
        Ok(found) if found.version == 1 => Ok(Some(found)),
        Ok(found) => Err(Error::Lock { path: lock, reason: format!("version {} is not known", found.version) }),
        Err(error) => Err(Error::Lock { path: lock, reason: error.to_string() }),
    }
}

/// Remembers the hash of a file.
pub(crate) fn write(path: &Path, lock: &Lock) -> Result<()> {
    let text = serde_json::to_string_pretty(lock).unwrap_or_default() + "\n";
    write_atomically(&lock_path(path), text.as_bytes())
}

/// Writes a small file under a temporary name, syncs and renames it.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!("{name}.new"));
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|source| {
        // The first error is the one to report; a leftover under a temporary name does no harm.
        let _ = fs::remove_file(&temporary);
        Error::io(path, source, 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_remembered_and_damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.zip");
        assert_eq!(read(&path).unwrap(), None);
        let lock = Lock { version: 1, url: "https://a.org/a.zip".into(), sha256: "ab".into(), bytes: 3 };
        write(&path, &lock).unwrap();
        assert_eq!(read(&path).unwrap(), Some(lock));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        for damage in ["", "{}", "{\"version\": 2, \"url\": \"\", \"sha256\": \"\", \"bytes\": 1}"] {
            fs::write(lock_path(&path), damage).unwrap();
            let message = read(&path).unwrap_err().to_string();
            assert!(message.contains("a.zip.lock: ") && message.contains("help: remove it"), "{message}");
        }
    }
}
