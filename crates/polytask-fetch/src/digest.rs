//! Which bytes does a file hold?

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The SHA-256 of a file in lower-case hexadecimal, and its size in bytes.
///
/// # Errors
/// [`Error::Io`] where it cannot be read.
pub fn sha256(path: &Path) -> Result<(String, u64)> {
    let failed = |source| Error::io(path, source, 0);
    let mut file = File::open(path).map_err(failed)?;
    let (mut hasher, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 17];
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
    let hex = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((hex, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of NIST's examples for SHA-256 (FIPS 180-2, appendix B).
    #[test]
    fn hashes_are_those_of_the_standard() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let million = "a".repeat(1_000_000);
        let table = [
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (&million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ];
        for (text, expected) in table {
            std::fs::write(&path, text).unwrap();
            assert_eq!(sha256(&path).unwrap(), (expected.to_string(), text.len() as u64));
        }
        assert!(matches!(sha256(&dir.path().join("b")), Err(Error::Io { .. })));
    }
}
