//! How do a text, and a dataset, become 64 bits?

/// A 64-bit FNV-1a hash of a sequence of words and numbers: it depends on their values, order and boundaries only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) fn new() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    /// The hash of a text, given by its words.
    #[cfg(test)]
    pub(crate) fn of_words<'a>(words: impl IntoIterator<Item = &'a str>) -> u64 {
        let mut hash = Hash::new();
        words.into_iter().for_each(|word| hash.word(word));
        hash.finish()
    }

    pub(crate) fn word(&mut self, word: &str) {
        // 0xff stands in no UTF-8 text, so it can end a word.
        self.bytes(word.bytes().chain([0xff]));
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes(number.to_le_bytes());
    }

    pub(crate) fn finish(self) -> u64 {
        self.0
    }

    fn bytes(&mut self, bytes: impl IntoIterator<Item = u8>) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_order_and_boundaries() {
        let hash = |words: &[&str]| Hash::of_words(words.iter().copied());
        let hashes = [hash(&["a", "b"]), hash(&["b", "a"]), hash(&["ab"]), hash(&["a", "b", ""]), hash(&[])];
        for (index, left) in hashes.iter().enumerate() {
            assert!(hashes[index + 1..].iter().all(|right| left != right));
        }
        assert_eq!(hash(&["a", "b"]), hash(&["a", "b"]));
    }
}
