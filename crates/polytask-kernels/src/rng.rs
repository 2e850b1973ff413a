//! Where does a key come from? From a seed, a purpose and an index, never from a shared generator.
//!
//! Mixing is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
//! OOPSLA 2014). Keys with different seeds, purposes or indices are unrelated for every practical use, so that a new
//! random choice never shifts the others.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes 64 bits so that each output bit depends on each input bit (the SplitMix64 finaliser, a bijection).
#[inline]
pub fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Derives a 64-bit key from a seed, a purpose such as `"dropout.0"`, and an index such as a step.
pub fn derive(seed: u64, purpose: &str, index: u64) -> u64 {
    // FNV-1a over the purpose; `mix` between the parts keeps (seed, index) pairs from cancelling each other.
    let name = purpose
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let key = mix(seed.wrapping_add(GOLDEN));
    let key = mix(key ^ name);
    mix(key.wrapping_add(index.wrapping_mul(GOLDEN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_a_counter_gives_the_published_generator() {
        // SplitMix64 with seed 1234567: the reference sequence of its authors.
        let drawn = [1, 2, 3].map(|step: u64| mix(1_234_567_u64.wrapping_add(step.wrapping_mul(GOLDEN))));
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn keys_differ_in_every_part_and_repeat() {
        assert_eq!(derive(7, "dropout.0", 3), derive(7, "dropout.0", 3));
        let parts = [(7, "dropout.0", 3), (8, "dropout.0", 3), (7, "dropout.1", 3), (7, "dropout.0", 4)];
        let keys = parts.map(|(seed, purpose, index)| derive(seed, purpose, index));
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key));
        }
    }

    #[test]
    fn every_bit_of_a_key_is_even_over_steps() {
        let steps = 10_000;
        for bit in 0..64 {
            let ones = (0..steps).filter(|&step| derive(1, "dropout.0", step) >> bit & 1 == 1).count() as f64;
            // Five standard deviations of a fair coin.
            assert!((ones - steps as f64 / 2.0).abs() < 5.0 * (steps as f64 / 4.0).sqrt(), "bit {bit}: {ones}");
        }
    }
}
