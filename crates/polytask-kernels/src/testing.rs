//! How are kernels checked? Random values, comparisons with `f64`, finite differences, pools of several sizes.

use crate::activation::Activation;
use crate::filters::Filters;

/// A linear congruential generator: the same numbers everywhere, without a dependency.
pub struct Lcg(u64);

impl Lcg {
    /// Starts from `seed`.
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_add(0x9e37_79b9_7f4a_7c15));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Draws an integer below `bound`, which is at least one.
    pub fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound
    }

    /// Draws from -1 to 1.
    pub fn f32(&mut self) -> f32 {
        self.next() as f32 / (1u64 << 30) as f32 - 1.0
    }

    /// Draws `len` values from -1 to 1.
    pub fn vec(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.f32()).collect()
    }

    /// Draws `len` values from `low` to `high`.
    pub fn uniform(&mut self, len: usize, low: f32, high: f32) -> Vec<f32> {
        (0..len).map(|_| low + (high - low) * 0.5 * (self.f32() + 1.0)).collect()
    }

    /// Puts the items into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// Widens every value.
pub fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// Applies an activation in `f64`.
pub fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
    }
}

/// Returns `sum(weights * values)`: a loss whose gradient with respect to `values` is `weights`.
pub fn weighted_sum(weights: &[f32], values: &[f64]) -> f64 {
    assert_eq!(weights.len(), values.len());
    weights.iter().zip(values).map(|(w, v)| f64::from(*w) * v).sum()
}

/// Panics unless `|got - want| <= tolerance * max(1, |want|)` everywhere.
#[track_caller]
pub fn assert_close(got: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        let error = (f64::from(*got) - want).abs();
        assert!(error <= tolerance * want.abs().max(1.0), "element {index}: got {got}, want {want}");
    }
}

/// Panics unless `gradient` is that of `loss` at `at`, by central differences in `f64`.
///
/// The error allowed is a thousandth of the derivative, or of a tenth of the largest one where that is more.
#[track_caller]
pub fn assert_gradient(gradient: &[f32], at: &[f32], loss: impl Fn(&[f64]) -> f64) {
    const STEP: f64 = 1e-6;
    assert_eq!(gradient.len(), at.len());
    let mut point = widen(at);
    let want: Vec<f64> = (0..at.len())
        .map(|index| {
            let here = point[index];
            point[index] = here + STEP;
            let above = loss(&point);
            point[index] = here - STEP;
            let below = loss(&point);
            point[index] = here;
            (above - below) / (2.0 * STEP)
        })
        .collect();
    let largest = want.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    for (index, (got, want)) in gradient.iter().zip(&want).enumerate() {
        let error = (f64::from(*got) - want).abs();
        let allowed = 1e-3 * want.abs().max(0.1 * largest) + 1e-7;
        assert!(error <= allowed, "derivative {index}: got {got}, want {want}");
    }
}

/// Runs `kernel` on pools of 1, 2 and 5 threads and panics unless the bits agree.
#[track_caller]
pub fn same_on_all_pools(kernel: impl Fn() -> Vec<f32> + Sync) {
    let bits = |threads: usize| -> Vec<u32> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(&kernel).into_iter().map(f32::to_bits).collect()
    };
    let one = bits(1);
    assert_eq!(one, bits(2));
    assert_eq!(one, bits(5));
}

/// Random filters that own their values.
pub struct RandomFilters {
    widths: Vec<usize>,
    count: usize,
    activation: Activation,
    /// `[width * features, count]` for each width.
    pub weights: Vec<Vec<f32>>,
    /// `[widths * count]`.
    pub bias: Vec<f32>,
}

impl RandomFilters {
    /// Draws `count` filters of each width.
    pub fn new(random: &mut Lcg, widths: &[usize], count: usize, features: usize, activation: Activation) -> Self {
        let weights = widths.iter().map(|width| random.vec(width * features * count)).collect();
        Self { widths: widths.to_vec(), count, activation, weights, bias: random.vec(widths.len() * count) }
    }

    /// Lends the filters to `test`.
    pub fn with(&self, test: impl FnOnce(&Filters<'_>)) {
        let weights: Vec<&[f32]> = self.weights.iter().map(Vec::as_slice).collect();
        let (widths, bias) = (&self.widths, &self.bias);
        test(&Filters { widths, count: self.count, weights: &weights, bias, activation: self.activation });
    }

    /// Returns the weights in `f64`.
    pub fn wide_weights(&self) -> Vec<Vec<f64>> {
        self.weights.iter().map(|weights| widen(weights)).collect()
    }
}
