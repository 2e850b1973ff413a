//! Where do the corpora's random choices come from? SplitMix64, and nothing that rounds differently on another platform.
//!
//! Reference: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA, 2014.

/// A SplitMix64 generator.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// Makes the generator of one use, told apart from the others by `purpose`.
    pub(super) fn new(seed: u64, purpose: &str) -> Random {
        let mut random = Random(seed);
        for byte in purpose.bytes() {
            random.0 = random.bits() ^ u64::from(byte);
        }
        random
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Draws a number in `[0, 1)`.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Draws a number of mean 0 and variance 1 that is close to normal: a sum of twelve uniform ones.
    ///
    /// The textbook transforms need a logarithm, whose last bit differs between platforms.
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// Whether something of this probability happens.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Draws a whole number in `low..=high`.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low + (self.uniform() * (high - low + 1) as f64) as usize
    }

    /// Draws an item, each equally likely; `items` is not empty.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.between(0, items.len() - 1)]
    }

    /// Draws an item, early ones much more often than late ones, as words in a text are; `items` is not empty.
    pub(super) fn pick_early<T: Copy>(&mut self, items: &[T]) -> T {
        let u = self.uniform();
        items[(u * u * items.len() as f64) as usize]
    }

    /// Puts the items in random order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.between(0, last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_stream_is_that_of_the_reference_implementation() {
        let mut random = Random(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.bits()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn draws_keep_to_their_ranges() {
        let mut random = Random::new(7, "ranges");
        let mut seen = [0; 5];
        let (mut sum, mut square) = (0.0, 0.0);
        for _ in 0..10_000 {
            assert!((2..=6).contains(&random.between(2, 6)));
            seen[random.pick_early(&[0, 1, 2, 3, 4])] += 1;
            let x = random.normal();
            (sum, square) = (sum + x, square + x * x);
        }
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]) && seen[4] > 0, "{seen:?}");
        assert!((sum / 1e4).abs() < 0.05 && (square / 1e4 - 1.0).abs() < 0.05);
    }
}
