//! How does a word become a number?
//!
//! All words of a run stand once in one string; an identifier is a word's position in order of first sight. A hash
//! table of identifiers (open addressing, linear probing) finds them without a second copy of any word.

/// Words and their identifiers, with the number of times that training examples hold each.
#[derive(Debug, Clone, Default)]
pub struct Interner {
    /// All words, one after the other.
    arena: String,
    /// Where each word ends in `arena`.
    ends: Vec<usize>,
    /// Occurrences of each word in training examples.
    counts: Vec<u64>,
    /// Hash and identifier by hash; `VACANT` where there is none. A power of two long, or empty. With the hash beside
    /// the identifier a mismatch costs no look at the words, and growing none either.
    slots: Vec<(u32, u32)>,
}

const VACANT: u32 = u32::MAX;

impl Interner {
    /// An interner without words.
    pub fn new() -> Interner {
        Interner::default()
    }

    /// Returns the identifier of `word`, a new one where the word was never seen.
    pub fn intern(&mut self, word: &str) -> u32 {
        if (self.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let hash = hash(word);
        let slot = self.slot(word, hash);
        if self.slots[slot].1 != VACANT {
            return self.slots[slot].1;
        }
        let id = u32::try_from(self.len()).expect("fewer than 2^32 different words fit into memory");
        self.arena.push_str(word);
        self.ends.push(self.arena.len());
        self.counts.push(0);
        self.slots[slot] = (hash, id);
        id
    }

    /// Returns the identifier of `word`, if it was seen.
    pub fn get(&self, word: &str) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let (_, id) = self.slots[self.slot(word, hash(word))];
        (id != VACANT).then_some(id)
    }

    /// The word of an identifier.
    ///
    /// # Panics
    /// If this interner never gave out `id`.
    pub fn word(&self, id: u32) -> &str {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.arena[start..self.ends[id]]
    }

    /// Adds one occurrence in a training example for each of `ids`.
    pub fn count(&mut self, ids: &[u32]) {
        for &id in ids {
            self.counts[id as usize] += 1;
        }
    }

    /// Occurrences of each word in training examples, by identifier.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The words in order of their identifiers.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|id| self.word(id as u32))
    }

    /// The number of different words.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no word was seen.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The slot that holds `word`, or the vacant one where it belongs.
    fn slot(&self, word: &str, hash: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let (known, id) = self.slots[slot];
            if id == VACANT || (known == hash && self.word(id) == word) {
                return slot;
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(1024);
        let old = std::mem::replace(&mut self.slots, vec![(0, VACANT); size]);
        for (hash, id) in old.into_iter().filter(|(_, id)| *id != VACANT) {
            let mut slot = hash as usize & (size - 1);
            while self.slots[slot].1 != VACANT {
                slot = (slot + 1) & (size - 1);
            }
            self.slots[slot] = (hash, id);
        }
    }
}

/// A hash of a word: eight bytes at a time, each folded in by a multiplication to 128 bits.
fn hash(word: &str) -> u32 {
    const KEY: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |state: u64, bytes: u64| {
        let product = u128::from(state ^ bytes) * u128::from(KEY);
        (product as u64) ^ ((product >> 64) as u64)
    };
    let (chunks, rest) = word.as_bytes().as_chunks::<8>();
    let mut state = KEY ^ word.len() as u64;
    for chunk in chunks {
        state = fold(state, u64::from_le_bytes(*chunk));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    state = fold(fold(state, u64::from_le_bytes(last)), KEY);
    (state ^ (state >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_follow_first_sight() {
        let mut words = Interner::new();
        assert_eq!(words.get("a"), None);
        assert_eq!(["b", "a", "b", "", "é"].map(|word| words.intern(word)), [0, 1, 0, 2, 3]);
        assert_eq!(words.words().collect::<Vec<_>>(), ["b", "a", "", "é"]);
        assert_eq!((words.get("é"), words.get("c")), (Some(3), None));
        words.count(&[0, 3, 3]);
        assert_eq!(words.counts(), [1, 0, 0, 2]);
    }

    #[test]
    fn many_words_keep_their_identifiers() {
        let mut words = Interner::new();
        for round in 0..2 {
            for number in 0..100_000_u32 {
                assert_eq!(words.intern(&format!("word{number}")), number, "round {round}");
            }
        }
        assert_eq!(words.len(), 100_000);
        assert_eq!(words.word(99_999), "word99999");
    }
}
