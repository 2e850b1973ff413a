//! Where does a random number come from? From a seed, a purpose and an index, never from a shared generator.
//!
//! The generator is xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM
//! Transactions on Mathematical Software, 2021), its state filled by SplitMix64. Streams with different seeds, purposes
//! or indices are unrelated for every practical use, so that a new random choice never shifts the others.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes 64 bits so that each output bit depends on each input bit (the SplitMix64 finaliser, a bijection).
#[inline]
pub fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Derives a 64-bit key from a seed, a purpose such as `"dropout"` or `"split"`, and an index such as a step.
pub fn derive(seed: u64, purpose: &str, index: u64) -> u64 {
    // FNV-1a over the purpose; `mix` between the parts keeps (seed, index) pairs from cancelling each other.
    let name = purpose
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let key = mix(seed.wrapping_add(GOLDEN));
    let key = mix(key ^ name);
    mix(key.wrapping_add(index.wrapping_mul(GOLDEN)))
}

/// A seeded generator of random numbers (xoshiro256++).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// Makes the generator of a seed.
    pub fn new(seed: u64) -> Self {
        let mut counter = seed;
        let state = std::array::from_fn(|_| {
            counter = counter.wrapping_add(GOLDEN);
            mix(counter)
        });
        Self { state }
    }

    /// Makes the generator of a (seed, purpose, index), independent of the generators of all others.
    pub fn stream(seed: u64, purpose: &str, index: u64) -> Self {
        Self::new(derive(seed, purpose, index))
    }

    /// Restores a generator from what [`Rng::state`] returned; an all-zero state, which cannot move, is reseeded.
    pub fn from_state(state: [u64; 4]) -> Self {
        if state == [0; 4] { Self::new(0) } else { Self { state } }
    }

    /// Returns the state, for a checkpoint.
    pub fn state(&self) -> [u64; 4] {
        self.state
    }

    /// Draws 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// Draws uniformly from `[0, 1)`, with 53 random bits.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Draws uniformly from `[0, 1)`, with 24 random bits.
    #[inline]
    pub fn uniform_f32(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 * (1.0 / (1_u32 << 24) as f32)
    }

    /// Draws from the normal distribution of mean 0 and variance 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        // 1 - u lies in (0, 1], so that the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Draws an integer uniformly from `0..bound`, without bias; a bound of 0 gives 0.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        // Lemire, "Fast random integer generation in an interval", ACM TOMACS, 2019.
        let mut product = u128::from(self.next_u64()) * u128::from(bound);
        if (product as u64) < bound {
            let rejected = bound.wrapping_neg() % bound;
            while (product as u64) < rejected {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// Puts the items into a uniformly random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// Fills a slice with uniform draws from `[low, high)`.
    pub fn fill_uniform(&mut self, out: &mut [f32], low: f32, high: f32) {
        out.iter_mut().for_each(|value| *value = low + (high - low) * self.uniform_f32());
    }

    /// Fills a slice with normal draws of a mean and a standard deviation.
    pub fn fill_normal(&mut self, out: &mut [f32], mean: f32, deviation: f32) {
        out.iter_mut().for_each(|value| *value = (f64::from(mean) + f64::from(deviation) * self.normal()) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_those_of_the_published_generators() {
        // SplitMix64 with seed 1234567: the reference sequence of its authors.
        let mut counter = 1_234_567_u64;
        let drawn: Vec<u64> = (0..3)
            .map(|_| {
                counter = counter.wrapping_add(GOLDEN);
                mix(counter)
            })
            .collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
        // xoshiro256++ from the state 1, 2, 3, 4: the reference sequence kept by the `rand_xoshiro` crate.
        let mut rng = Rng::from_state([1, 2, 3, 4]);
        let drawn: Vec<u64> = (0..5).map(|_| rng.next_u64()).collect();
        let expected =
            [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386, 9_228_616_714_210_784_205];
        assert_eq!(drawn, expected);
    }

    #[test]
    fn streams_differ_in_every_part_and_repeat() {
        let first = |seed, purpose, index| Rng::stream(seed, purpose, index).next_u64();
        assert_eq!(first(7, "split", 3), first(7, "split", 3));
        let drawn = [first(7, "split", 3), first(8, "split", 3), first(7, "sample", 3), first(7, "split", 4)];
        for (at, value) in drawn.iter().enumerate() {
            assert!(!drawn[..at].contains(value));
        }
        assert_eq!(Rng::from_state([0; 4]), Rng::new(0));
    }

    #[test]
    fn uniform_and_normal_have_their_moments() {
        let mut rng = Rng::stream(1, "moments", 0);
        let n = 200_000;
        let moments = |draws: &[f64]| {
            let mean = draws.iter().sum::<f64>() / n as f64;
            let central = |power| draws.iter().map(|x| (x - mean).powi(power)).sum::<f64>() / n as f64;
            (mean, central(2), central(4))
        };
        let uniform: Vec<f64> = (0..n).map(|_| rng.uniform()).collect();
        let (mean, variance, fourth) = moments(&uniform);
        assert!(
            (mean - 0.5).abs() < 3e-3 && (variance - 1.0 / 12.0).abs() < 1e-3 && (fourth - 1.0 / 80.0).abs() < 1e-3
        );
        assert!(uniform.iter().all(|x| (0.0..1.0).contains(x)));
        let normal: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
        let (mean, variance, fourth) = moments(&normal);
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02 && (fourth - 3.0).abs() < 0.12);
        let mut filled = vec![0.0; n];
        rng.fill_uniform(&mut filled, -2.0, 4.0);
        assert!(filled.iter().all(|x| (-2.0..4.0).contains(x)));
        assert!((filled.iter().map(|x| f64::from(*x)).sum::<f64>() / n as f64 - 1.0).abs() < 0.02);
        rng.fill_normal(&mut filled, 3.0, 0.5);
        assert!((filled.iter().map(|x| f64::from(*x)).sum::<f64>() / n as f64 - 3.0).abs() < 0.01);
    }

    #[test]
    fn bytes_and_small_integers_are_even() {
        let mut rng = Rng::new(5);
        let mut counts = [0_u32; 256];
        (0..64_000).for_each(|_| rng.next_u64().to_le_bytes().iter().for_each(|byte| counts[usize::from(*byte)] += 1));
        assert!(chi_square(&counts) < 348.0, "255 degrees of freedom, p = 1e-4");
        let mut counts = [0_u32; 7];
        (0..70_000).for_each(|_| counts[rng.below(7) as usize] += 1);
        assert!(chi_square(&counts) < 28.0, "6 degrees of freedom, p = 1e-4");
        assert_eq!((rng.below(0), rng.below(1)), (0, 0));
        assert!((0..100).all(|_| rng.below(u64::MAX) < u64::MAX));
    }

    #[test]
    fn shuffling_gives_every_order_equally_often() {
        let mut rng = Rng::new(11);
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            let mut items = [0, 1, 2];
            rng.shuffle(&mut items);
            counts[items[0] * 2 + usize::from(items[1] > items[2])] += 1;
        }
        assert!(chi_square(&counts) < 26.0, "5 degrees of freedom, p = 1e-4");
        rng.shuffle::<u8>(&mut []);
    }

    fn chi_square(counts: &[u32]) -> f64 {
        let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
        counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
    }
}
