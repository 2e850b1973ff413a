//! What is there of a file that has not come whole yet?
//!
//! Bytes are kept in `.NAME.partial`, and in `.NAME.partial.json` which version of the file they belong to.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::lock::write_atomically;

/// Which version of a file the bytes belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    /// Where they come from.
    pub url: String,
    /// What the server calls this version: a strong entity tag, or the time of the last change.
    pub validator: Option<String>,
    /// The size of the whole file, where the server says it.
    pub total: Option<u64>,
}

/// A file that is being fetched; nobody else fetches it as long as this lives.
pub(crate) struct Partial {
    path: PathBuf,
    /// Where the bytes go.
    pub file: File,
    /// Which version they belong to.
    pub version: Version,
    /// How many there are.
    pub received: u64,
}

impl Partial {
    /// Opens what there is of the file `target` from an address; nothing where it belongs to another one.
    pub fn open(target: &Path, url: &str) -> Result<Partial> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.partial"));
        let failed = |source| Error::io(&path, source, 0);
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy { path: target.to_path_buf() }),
            // A file system without locks: then nothing keeps two programs apart.
            Err(TryLockError::Error(_)) => {}
        }
        let received = file.metadata().map_err(failed)?.len();
        let version = fs::read(about(&path)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut partial = Partial { path, file, version: version.unwrap_or_default(), received };
        if partial.version.url != url {
            partial.restart(Version { url: url.to_string(), ..Version::default() })?;
        }
        Ok(partial)
    }

    /// Where the bytes are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Throws the bytes away: others of this version will come.
    pub fn restart(&mut self, version: Version) -> Result<()> {
        if self.received > 0 {
            self.file.set_len(0).map_err(|source| Error::io(&self.path, source, 0))?;
            self.received = 0;
        }
        self.describe(version)
    }

    /// Says which version the bytes belong to.
    pub fn describe(&mut self, version: Version) -> Result<()> {
        let text = serde_json::to_string(&version).unwrap_or_default();
        write_atomically(&about(&self.path), text.as_bytes())?;
        self.version = version;
        Ok(())
    }

    /// Gives the whole file its name.
    pub fn finish(self, target: &Path) -> Result<()> {
        let finish = || {
            self.file.sync_all()?;
            fs::rename(&self.path, target)?;
            if cfg!(unix)
                && let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty())
            {
                File::open(folder)?.sync_all()?;
            }
            Ok(())
        };
        finish().map_err(|source| Error::io(target, source, self.received))?;
        // It says nothing any more; left behind it does no harm.
        let _ = fs::remove_file(about(&self.path));
        Ok(())
    }

    /// Removes the bytes.
    pub fn discard(self) {
        // What cannot be removed is thrown away by the next attempt, whose answer it does not fit.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(about(&self.path));
    }
}

fn about(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.json"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn bytes_are_kept_for_their_address_alone() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a");
        let version = |url: &str| Version { url: url.into(), validator: Some("\"1\"".into()), total: Some(9) };
        let mut partial = Partial::open(&target, "u").unwrap();
        partial.describe(version("u")).unwrap();
        partial.file.write_all(b"abc").unwrap();
        assert!(matches!(Partial::open(&target, "u"), Err(Error::Busy { .. })));
        drop(partial);
        let again = Partial::open(&target, "u").unwrap();
        assert_eq!((again.received, &again.version), (3, &version("u")));
        drop(again);
        let other = Partial::open(&target, "v").unwrap();
        assert_eq!((other.received, &other.version.validator), (0, &None));
        other.discard();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
