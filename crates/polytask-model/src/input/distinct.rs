//! Which numbers occur in a batch, and where does each stand among them?
//!
//! A bit for each number that could occur, and the count of bits before each block: building, listing in order and
//! finding a place take no sorting and no hashing.

/// The distinct numbers of a batch.
#[derive(Debug)]
pub struct Distinct {
    bits: Vec<u64>,
    /// Numbers that occur before each block of 64.
    before: Vec<u32>,
    count: usize,
}

impl Distinct {
    /// Collects numbers below `bound`.
    ///
    /// # Panics
    ///
    /// Where a number is not below it, up to the end of its block.
    pub fn new(values: impl Iterator<Item = u32>, bound: usize) -> Distinct {
        let mut bits = vec![0u64; bound.div_ceil(64)];
        values.for_each(|value| bits[value as usize / 64] |= 1 << (value % 64));
        let mut count = 0;
        let before = bits
            .iter()
            .map(|block| {
                let before = count;
                count += block.count_ones();
                before
            })
            .collect();
        Distinct { bits, before, count: count as usize }
    }

    /// The distinct numbers, ascending.
    pub fn values(&self) -> Vec<u32> {
        let mut values = Vec::with_capacity(self.count);
        for (block, &bits) in self.bits.iter().enumerate() {
            let mut rest = bits;
            while rest != 0 {
                values.push(block as u32 * 64 + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
        values
    }

    /// Where a number that occurs stands among [`Self::values`].
    pub fn position(&self, value: u32) -> u32 {
        let block = value as usize / 64;
        self.before[block] + (self.bits[block] & ((1 << (value % 64)) - 1)).count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_once_in_order_and_know_their_places() {
        for (values, bound) in [(vec![5, 0, 63, 64, 5, 200, 127, 128], 201), (vec![], 0), (vec![0], 1)] {
            let distinct = Distinct::new(values.iter().copied(), bound);
            let mut want = values.clone();
            want.sort_unstable();
            want.dedup();
            assert_eq!(distinct.values(), want);
            for value in values {
                assert_eq!(want[distinct.position(value) as usize], value);
            }
        }
    }
}
