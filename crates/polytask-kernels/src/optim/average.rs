//! How is a running mean of weights kept?

use super::walk::elementwise;
use super::{Reach, apply};

/// Moves an average towards values of the same length: `average += share * (values - average)`.
///
/// # Panics
/// If the lengths differ.
pub fn average(average: &mut [f32], values: &[f32], share: f32) {
    apply(&Towards { share }, [average], values, Reach::All);
}

struct Towards {
    share: f32,
}

impl Towards {
    #[inline(always)]
    fn element(&self, [average]: [&mut f32; 1], value: f32) {
        *average += self.share * (value - *average);
    }
}

elementwise!(Towards, 1, average);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_by_the_share() {
        let mut mean = [1.0, -3.0];
        average(&mut mean, &[3.0, -3.0], 0.25);
        assert_eq!(mean, [1.5, -3.0]);
        average(&mut mean, &[7.0, 8.0], 1.0);
        assert_eq!(mean, [7.0, 8.0]);
    }
}
