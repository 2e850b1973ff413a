//! Where do random choices come from? A generator derived from (seed, purpose, index), so that each choice is a pure
//! function of what it is for.
//!
//! References: Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS, 2021 (xoshiro256++);
//! Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (SplitMix64);
//! Lemire, "Fast random integer generation in an interval", ACM TOMACS, 2019 (`below`).

/// A xoshiro256++ generator whose state is filled by SplitMix64.
///
/// Its outputs are part of what a seed means: they are the same on every platform and never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// Makes the generator of a seed.
    pub fn new(seed: u64) -> Rng {
        let mut mixer = SplitMix64(seed);
        Rng { state: std::array::from_fn(|_| mixer.next()) }
    }

    /// Makes the generator of one use: `purpose` names the use, `index` tells its instances (epochs, tasks, steps) apart.
    pub fn derive(seed: u64, purpose: &str, index: u64) -> Rng {
        let seed = SplitMix64(seed).next();
        let seed = SplitMix64(seed ^ fnv1a(purpose.as_bytes())).next();
        Rng::new(SplitMix64(seed ^ index).next())
    }

    /// Draws 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Draws a number in `[0, 1)`, a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Draws a whole number in `[0, n)`, each equally likely.
    ///
    /// # Panics
    /// If `n` is zero.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "no number is below zero");
        loop {
            let wide = u128::from(self.bits()) * u128::from(n);
            let low = wide as u64;
            // Only the lowest `2^64 mod n` fractions are over-represented; the remainder is costly and seldom needed.
            if low >= n || low >= n.wrapping_neg() % n {
                return (wide >> 64) as u64;
            }
        }
    }

    /// Puts the items in random order, each order equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// A hash of `value` under a seed: well mixed, and different for different values.
pub fn hash64(seed: u64, value: u64) -> u64 {
    SplitMix64(SplitMix64(seed).next() ^ value).next()
}

/// Turns a counter into well-mixed bits.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The 64-bit FNV-1a hash: fixed for ever, unlike the standard library's hashers.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_the_published_outputs() {
        let mut mixer = SplitMix64(1_234_567);
        let outputs: [u64; 5] = std::array::from_fn(|_| mixer.next());
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(outputs, published);
    }

    #[test]
    fn xoshiro_gives_the_reference_outputs() {
        let mut rng = Rng { state: [1, 2, 3, 4] };
        let outputs: [u64; 6] = std::array::from_fn(|_| rng.bits());
        let reference = [
            41_943_041,
            58_720_359,
            3_588_806_011_781_223,
            3_591_011_842_654_386,
            9_228_616_714_210_784_205,
            9_973_669_472_204_895_162,
        ];
        assert_eq!(outputs, reference);
    }

    #[test]
    fn fnv1a_gives_the_published_hashes() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    /// What a seed means never changes: these outputs, computed by an independent implementation, are pinned.
    #[test]
    fn derived_outputs_stay() {
        let mut rng = Rng::derive(7, "sampler", 3);
        let outputs: [u64; 3] = std::array::from_fn(|_| rng.bits());
        assert_eq!(outputs, PINNED);
        let mut order: Vec<u32> = (0..8).collect();
        Rng::new(7).shuffle(&mut order);
        assert_eq!(order, PINNED_ORDER);
    }

    const PINNED: [u64; 3] = [15_358_158_119_070_983_908, 10_384_538_315_716_066_779, 16_551_117_235_623_864_343];
    const PINNED_ORDER: [u32; 8] = [7, 5, 6, 3, 2, 4, 1, 0];

    #[test]
    fn seed_purpose_and_index_all_matter() {
        let first = |seed, purpose, index| Rng::derive(seed, purpose, index).bits();
        let outputs = [first(1, "a", 0), first(2, "a", 0), first(1, "b", 0), first(1, "a", 1), first(0, "a", 1)];
        for (i, a) in outputs.iter().enumerate() {
            assert!(outputs[i + 1..].iter().all(|b| a != b), "{outputs:?}");
        }
        assert_eq!(first(1, "a", 0), first(1, "a", 0));
    }

    #[test]
    fn uniform_fills_the_unit_interval() {
        let mut rng = Rng::new(1);
        let draws: Vec<f64> = (0..20_000).map(|_| rng.uniform()).collect();
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!((variance - 1.0 / 12.0).abs() < 0.003, "{variance}");
    }

    #[test]
    fn below_is_even_and_in_range() {
        let mut rng = Rng::new(2);
        let mut counts = [0u32; 7];
        (0..70_000).for_each(|_| counts[rng.below(7) as usize] += 1);
        assert!(counts.iter().all(|&count| (9_600..10_400).contains(&count)), "{counts:?}");
        assert_eq!(rng.below(1), 0);
        // Two thirds of all 64-bit products are rejected or wrapped by a biased method here.
        let n = 3 << 62;
        let low = (0..30_000).filter(|_| rng.below(n) < n / 3).count();
        assert!((9_600..10_400).contains(&low), "{low}");
    }

    #[test]
    fn shuffle_reaches_every_order_equally() {
        let mut rng = Rng::new(3);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..60_000 {
            let mut order = [0, 1, 2];
            rng.shuffle(&mut order);
            *counts.entry(order).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
        rng.shuffle::<u8>(&mut []);
    }
}
