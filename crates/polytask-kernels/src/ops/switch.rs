//! Which of two ways does an operation take: a kernel of this crate, or operations of burn?

use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::{Device, Tensor};

/// How operations on burn's Flex device are computed; on other devices there is only [`Path::Plain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Path {
    /// By the kernels of this crate, each one node of the graph.
    #[default]
    Kernels,
    /// By burn's own operations and their own gradients.
    Plain,
}

static KERNELS: AtomicBool = AtomicBool::new(true);

/// Chooses the path of every operation recorded from now on, in the whole process.
///
/// A switch for comparison: results agree up to rounding, time and memory do not. Kernels are the default.
pub fn set_path(path: Path) {
    KERNELS.store(path == Path::Kernels, Ordering::Relaxed);
}

/// Whether an operation on `x` runs a kernel: they read host memory, which only the Flex device has.
pub fn uses_kernels<const D: usize>(x: &Tensor<D>) -> bool {
    // Devices are equal whether or not one of them records gradients.
    KERNELS.load(Ordering::Relaxed) && x.device() == Device::flex()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_run_on_flex_unless_switched_off() {
        let tensors = [Device::flex(), Device::flex().autodiff()].map(|device| Tensor::<1>::zeros([2], &device));
        assert!(tensors.iter().all(uses_kernels));
        set_path(Path::Plain);
        assert!(!tensors.iter().any(uses_kernels));
        set_path(Path::default());
        assert!(tensors.iter().all(uses_kernels));
    }
}
