//! How are two compositions compared? On the same random inputs, by their values and all gradients.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};
use polytask_kernels::ops::{Path, set_path};

/// Largest difference allowed, as a share of the value, or of a hundredth of the largest one where that is more.
const TOLERANCE: f32 = 1e-4;

pub fn device() -> Device {
    Device::flex().autodiff()
}

/// A tensor that needs no gradient.
pub fn constant<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), &device())
}

/// `len` values from -1 to 1 that follow from `seed`.
pub fn random(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f32 / (1u64 << 30) as f32 - 1.0
    };
    (0..len + 3).map(|_| draw()).skip(3).collect()
}

/// The inputs of a composition: flat leaves, and the shape of each.
pub struct Leaves {
    flat: Vec<Tensor<1>>,
    shapes: Vec<Vec<usize>>,
}

impl Leaves {
    fn new(shapes: &[&[usize]], tracked: bool) -> Leaves {
        let leaf = |(at, shape): (usize, &&[usize])| {
            let len = shape.iter().product();
            let leaf = constant(random(len, at as u64 + 1), [len]);
            if tracked { leaf.require_grad() } else { leaf }
        };
        let flat = shapes.iter().enumerate().map(leaf).collect();
        Leaves { flat, shapes: shapes.iter().map(|shape| shape.to_vec()).collect() }
    }

    /// A leaf in its own shape.
    pub fn get<const D: usize>(&self, at: usize) -> Tensor<D> {
        let shape: [usize; D] = self.shapes[at].as_slice().try_into().expect("the composition knows the rank");
        self.flat[at].clone().reshape(shape)
    }
}

/// Runs `check` on each path. The switch is the process's, so that one test at a time may hold it.
#[track_caller]
pub fn on_both_paths(mut check: impl FnMut(Path)) {
    static SWITCH: Mutex<()> = Mutex::new(());
    let _held = SWITCH.lock().unwrap_or_else(PoisonError::into_inner);
    for path in [Path::Plain, Path::Kernels] {
        set_path(path);
        check(path);
    }
}

/// What a composition gives: its values, and the gradient of a weighted sum of them by each input.
pub struct Result {
    pub values: Vec<f32>,
    pub gradients: Vec<Vec<f32>>,
}

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("values are f32")
}

/// Runs a composition on random inputs of some shapes; an input that got no gradient has one of zeros.
pub fn run<const D: usize>(shapes: &[&[usize]], compose: impl Fn(&Leaves) -> Tensor<D>) -> Result {
    let leaves = Leaves::new(shapes, true);
    let output = compose(&leaves);
    let len = output.dims().iter().product();
    let output = output.reshape([len]);
    let mut tape = (output.clone() * constant(random(len, 99), [len])).sum().backward();
    let mut gradient = |leaf: &Tensor<1>| leaf.grad_remove(&mut tape).map_or_else(|| vec![0.0; leaf.dims()[0]], values);
    Result { gradients: leaves.flat.iter().map(&mut gradient).collect(), values: values(output) }
}

/// As [`run`], without gradients.
pub fn run_untracked<const D: usize>(shapes: &[&[usize]], compose: impl Fn(&Leaves) -> Tensor<D>) -> Vec<f32> {
    let output = compose(&Leaves::new(shapes, false));
    assert!(!output.is_tracked(), "nothing asked for a gradient");
    values(output)
}

/// Panics unless operations, on each path, have the values and gradients of a composition, with and without a tape.
#[track_caller]
pub fn same<const D: usize>(
    shapes: &[&[usize]],
    operations: impl Fn(&Leaves) -> Tensor<D>,
    composed: impl Fn(&Leaves) -> Tensor<D>,
) {
    let want = run(shapes, &composed);
    on_both_paths(|path| {
        let got = run(shapes, &operations);
        close(&got.values, &want.values, &format!("{path:?}, value"));
        assert_eq!(run_untracked(shapes, &operations), got.values, "{path:?}, values with and without a tape");
        for (at, (got, want)) in got.gradients.iter().zip(&want.gradients).enumerate() {
            close(got, want, &format!("{path:?}, gradient of input {at}"));
        }
    });
}

#[track_caller]
pub fn close(got: &[f32], want: &[f32], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let largest = want.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        let allowed = TOLERANCE * want.abs().max(0.01 * largest) + 1e-7;
        assert!((got - want).abs() <= allowed, "{what}, element {at}: got {got}, want {want}");
    }
}
