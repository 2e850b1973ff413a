//! How does a file appear all at once or not at all?

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::directory::RunError;

/// Writes `bytes` to `path`: to a temporary name beside it first, synced, then renamed.
///
/// # Errors
///
/// Where the file system refuses; `path` is then as it was.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_name(path);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&temporary, path)) {
        // The first error is the one to report; a leftover under a temporary name does no harm.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_parent(path)
}

/// Fills a directory under a temporary name, syncs its files and renames it to `path`, replacing what stood there.
///
/// # Errors
///
/// Where `fill` or the file system refuses.
pub fn commit_directory<E>(path: &Path, fill: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E>
where
    E: From<RunError>,
{
    let temporary = temporary_name(path);
    let refused = |source| E::from(RunError::Io { path: path.into(), source });
    empty_directory(&temporary).map_err(refused)?;
    if let Err(error) = fill(&temporary) {
        // The first error is the one to report; a leftover under a temporary name does no harm.
        let _ = fs::remove_dir_all(&temporary);
        return Err(error);
    }
    replace_directory(&temporary, path).map_err(refused)
}

fn empty_directory(path: &Path) -> io::Result<()> {
    if path.exists() {
        fs::remove_dir_all(path)?;
    }
    fs::create_dir_all(path)
}

fn replace_directory(temporary: &Path, path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(temporary)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    if path.exists() {
        fs::remove_dir_all(path)?;
    }
    fs::rename(temporary, path)?;
    sync_parent(path)
}

fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

/// Makes a rename durable, where the system can sync directories.
fn sync_parent(path: &Path) -> io::Result<()> {
    if cfg!(unix)
        && let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty())
    {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_no_temporary_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomically(&path, b"old").unwrap();
        write_atomically(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_whose_filling_fails_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        let write = |to: &Path, text: &str| {
            let path = to.join("x");
            fs::write(&path, text).map_err(|source| RunError::Io { path, source })
        };
        commit_directory::<RunError>(&path, |to| write(to, "1")).unwrap();
        let failed = commit_directory::<RunError>(&path, |to| {
            write(to, "2")?;
            Err(RunError::NotARun { path: to.into() })
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(path.join("x")).unwrap(), b"1");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
