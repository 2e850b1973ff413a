//! Random numbers that depend on nothing but a seed, the step, and the names of tasks.
//!
//! A draw is a function of its key, not of the draws before: a resumed run draws what an unbroken one would, and a
//! task draws the same wherever it stands among the others.

/// The key of a name (FNV-1a).
pub(crate) fn name_key(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |key, byte| (key ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// 64 random bits for a key of several parts (the finaliser of SplitMix64, part by part).
pub(crate) fn bits(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9E37_79B9_7F4A_7C15, |key, part| {
        let mut mixed = (key ^ part).wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    })
}

/// A number between 0 and 1, neither included.
pub(crate) fn uniform(parts: &[u64]) -> f64 {
    ((bits(parts) >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

/// A number from the standard normal distribution (Box and Muller).
pub(crate) fn normal(parts: &[u64]) -> f64 {
    let first = bits(parts);
    let (radius, angle) = (uniform(&[first, 0]), uniform(&[first, 1]));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_moments_of_their_distribution() {
        let count = 200_000_u64;
        let mean = |value: &dyn Fn(u64) -> f64| (0..count).map(value).sum::<f64>() / count as f64;
        // Five standard errors of each mean.
        assert!((mean(&|i| uniform(&[7, i])) - 0.5).abs() < 0.0033);
        assert!((mean(&|i| uniform(&[i, 7]).powi(2)) - 1.0 / 3.0).abs() < 0.0034);
        assert!(mean(&|i| normal(&[7, i])).abs() < 0.0112);
        assert!((mean(&|i| normal(&[7, i]).powi(2)) - 1.0).abs() < 0.0159);
        assert!((mean(&|i| normal(&[i, 7]).powi(4)) - 3.0).abs() < 0.11);
        // Neighbouring keys are not related.
        assert!(mean(&|i| normal(&[7, i]) * normal(&[7, i + 1])).abs() < 0.0112);
        assert!(mean(&|i| normal(&[i, 1]) * normal(&[i, 2])).abs() < 0.0112);
    }

    #[test]
    fn keys_depend_on_every_part_and_its_place() {
        assert_ne!(bits(&[1, 2]), bits(&[2, 1]));
        assert_ne!(bits(&[1]), bits(&[1, 0]));
        assert_ne!(name_key("ner"), name_key("nre"));
    }
}
