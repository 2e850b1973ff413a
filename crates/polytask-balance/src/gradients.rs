//! One tensor's gradients: what methods see that ask for every entry.

/// The gradients of one shared tensor in one step, and what a method keeps of it between steps.
///
/// A step with a method that needs [`Needs::TaskGradients`](crate::Needs::TaskGradients) goes so: first
/// [`Balancer::rewrite`](crate::Balancer::rewrite) for every shared tensor; then the Gramian of the gradients as they
/// are then, summed over the tensors, and the measures, go to [`Balancer::weigh`](crate::Balancer::weigh); the
/// direction is `Σ w_t g_t` of the gradients as they are then.
#[derive(Debug)]
pub struct TensorGradients<'a> {
    /// The tensor's name in the model. Random choices depend on it.
    pub name: &'a str,
    /// `[present task][entry]`, in the order of [`Seen::present`](crate::Seen::present).
    pub gradients: Vec<&'a mut [f32]>,
    /// What the method keeps for each entry, `[present task][entry]`; zeros before the first step. Part of a
    /// checkpoint. Empty for methods that keep nothing ([`Balancer::KEEPS`](crate::Balancer::KEEPS)).
    pub kept: Vec<&'a mut [f32]>,
    /// One number a present task, 0 before the first tensor of a step; methods add what they measure in each tensor.
    pub measures: &'a mut [f64],
}

impl TensorGradients<'_> {
    /// Gives each present task's number in the order of the step, its gradient, and what is kept for it.
    pub fn pairs(&mut self) -> impl Iterator<Item = (usize, &mut [f32], &mut [f32])> {
        let pairs = self.gradients.iter_mut().zip(self.kept.iter_mut());
        pairs.enumerate().map(|(place, (gradient, kept))| (place, &mut **gradient, &mut **kept))
    }
}

/// What a method keeps of the gradients between steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keeps {
    /// Nothing.
    Nothing,
    /// One number for each entry of each task's gradient.
    EachEntry,
}
