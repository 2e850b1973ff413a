//! How does a function over slices become a differentiable burn operation?
//!
//! A [`HostOp`] computes its output and its vector-Jacobian products from contiguous `f32` slices. [`apply`] records
//! it on burn's tape, so that kernels and burn's own operations mix freely in one graph. A kernel keeps whatever its
//! backward pass needs inside the operation value itself, behind a lock that is never contended: forward runs once,
//! backward runs on the thread that walks the graph.

use std::fmt;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor, TensorData};

/// An input of a host operation: contiguous values and their shape.
#[derive(Debug, Clone, Copy)]
pub struct Operand<'a> {
    /// Row-major values.
    pub data: &'a [f32],
    /// Extent of each dimension.
    pub shape: &'a [usize],
}

impl Operand<'_> {
    /// Extent of dimension `index`.
    pub fn dim(&self, index: usize) -> usize {
        self.shape[index]
    }
}

/// The output of a host operation.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Row-major values.
    pub data: Vec<f32>,
    /// Extent of each dimension.
    pub shape: Vec<usize>,
}

/// A differentiable operation on host memory.
pub trait HostOp: Send + Sync + 'static {
    /// Name in debug output.
    fn name(&self) -> &'static str;

    /// The output. When `keep` is [`Keep::Nothing`], no backward pass follows and nothing need be stored.
    fn forward(&self, inputs: &[Operand<'_>], keep: Keep) -> Outcome;

    /// The gradient of each input for which `needs` is true, given the gradient of the output.
    fn backward(
        &self,
        inputs: &[Operand<'_>],
        output: &[f32],
        gradient: &[f32],
        needs: &[bool],
    ) -> Vec<Option<Vec<f32>>>;
}

/// Whether a backward pass may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Forward only.
    Nothing,
    /// A backward pass may follow.
    ForBackward,
}

/// A host operation that a graph can hold.
#[derive(Clone)]
pub struct SharedOp(Arc<dyn HostOp>);

impl fmt::Debug for SharedOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// Records a host operation of up to eight inputs and returns its output.
///
/// # Panics
///
/// Where the number of inputs is 0 or above 8, or the output's rank is not `D`.
pub fn apply<const D: usize>(op: impl HostOp, inputs: Vec<Input>) -> Tensor<D> {
    let op = SharedOp(Arc::new(op));
    let mut inputs = inputs.into_iter().map(|input| input.0);
    let count = inputs.len();
    let mut next = || inputs.next().expect("as many inputs as counted");
    let output = match count {
        1 => Dispatch::host1(next(), op),
        2 => Dispatch::host2(next(), next(), op),
        3 => Dispatch::host3(next(), next(), next(), op),
        4 => Dispatch::host4(next(), next(), next(), next(), op),
        5 => Dispatch::host5(next(), next(), next(), next(), next(), op),
        6 => Dispatch::host6(next(), next(), next(), next(), next(), next(), op),
        7 => Dispatch::host7(next(), next(), next(), next(), next(), next(), next(), op),
        8 => Dispatch::host8(next(), next(), next(), next(), next(), next(), next(), next(), op),
        _ => panic!("a host operation has 1 to 8 inputs, not {count}"),
    };
    Tensor::from_dispatch(output)
}

/// A tensor of any rank, as an input of [`apply`].
pub struct Input(FloatTensor<Dispatch>);

impl<const D: usize> From<Tensor<D>> for Input {
    fn from(tensor: Tensor<D>) -> Self {
        Input(tensor.into_dispatch())
    }
}

#[backend_extension(Flex, Autodiff)]
trait HostOps: Backend {
    fn host1(a: FloatTensor<Self>, op: SharedOp) -> FloatTensor<Self>;
    fn host2(a: FloatTensor<Self>, b: FloatTensor<Self>, op: SharedOp) -> FloatTensor<Self>;
    fn host3(a: FloatTensor<Self>, b: FloatTensor<Self>, c: FloatTensor<Self>, op: SharedOp) -> FloatTensor<Self>;
    fn host4(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        op: SharedOp,
    ) -> FloatTensor<Self>;
    fn host5(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        e: FloatTensor<Self>,
        op: SharedOp,
    ) -> FloatTensor<Self>;
    #[allow(clippy::too_many_arguments)]
    fn host6(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        e: FloatTensor<Self>,
        f: FloatTensor<Self>,
        op: SharedOp,
    ) -> FloatTensor<Self>;
    #[allow(clippy::too_many_arguments)]
    fn host7(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        e: FloatTensor<Self>,
        f: FloatTensor<Self>,
        g: FloatTensor<Self>,
        op: SharedOp,
    ) -> FloatTensor<Self>;
    #[allow(clippy::too_many_arguments)]
    fn host8(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        e: FloatTensor<Self>,
        f: FloatTensor<Self>,
        g: FloatTensor<Self>,
        h: FloatTensor<Self>,
        op: SharedOp,
    ) -> FloatTensor<Self>;
}

macro_rules! forward_each_arity {
    ($($method:ident($($input:ident),+);)+) => {
        impl HostOps for Flex {
            $(fn $method($($input: FlexTensor,)+ op: SharedOp) -> FlexTensor {
                run(&[$($input),+], &op, Keep::Nothing)
            })+
        }

        impl<C: CheckpointStrategy> HostOps for Autodiff<Flex, C> {
            $(fn $method($($input: FloatTensor<Self>,)+ op: SharedOp) -> FloatTensor<Self> {
                $(let $input = $input.into_parts();)+
                record::<C, _>([$($input),+], op)
            })+
        }
    };
}

forward_each_arity! {
    host1(a);
    host2(a, b);
    host3(a, b, c);
    host4(a, b, c, d);
    host5(a, b, c, d, e);
    host6(a, b, c, d, e, f);
    host7(a, b, c, d, e, f, g);
    host8(a, b, c, d, e, f, g, h);
}

/// Computes the output from contiguous copies of the inputs (no copy where they are contiguous already).
fn run(inputs: &[FlexTensor], op: &SharedOp, keep: Keep) -> FlexTensor {
    let inputs: Vec<FlexTensor> = inputs.iter().map(FlexTensor::to_contiguous).collect();
    let shapes: Vec<Shape> = inputs.iter().map(|input| input.shape()).collect();
    let outcome = op.0.forward(&operands(&inputs, &shapes), keep);
    FlexTensor::from_data(TensorData::new(outcome.data, outcome.shape))
}

fn operands<'a>(inputs: &'a [FlexTensor], shapes: &'a [Shape]) -> Vec<Operand<'a>> {
    inputs
        .iter()
        .zip(shapes)
        .map(|(input, shape)| Operand { data: input.as_slice::<f32>().expect("inputs are contiguous and f32"), shape })
        .collect()
}

fn record<C: CheckpointStrategy, const N: usize>(
    inputs: [(FlexTensor, NodeGuard); N],
    op: SharedOp,
) -> FloatTensor<Autodiff<Flex, C>> {
    let mut primitives = Vec::with_capacity(N);
    let guards = inputs.map(|(primitive, guard)| {
        primitives.push(primitive.to_contiguous());
        guard
    });
    match HostBackward.prepare::<C>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let output = run(&primitives, &op, Keep::ForBackward);
            let state = Saved { inputs: primitives, output: output.clone(), op };
            prep.finish(state, output)
        }
        OpsKind::UnTracked(prep) => {
            let output = run(&primitives, &op, Keep::Nothing);
            prep.finish(output)
        }
    }
}

/// What the tape keeps of an operation.
#[derive(Debug, Clone)]
struct Saved {
    inputs: Vec<FlexTensor>,
    output: FlexTensor,
    op: SharedOp,
}

#[derive(Debug)]
struct HostBackward;

impl<const N: usize> Backward<Flex, N> for HostBackward {
    type State = Saved;

    fn backward(self, ops: Ops<Saved, N>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let Saved { inputs, output, op } = ops.state;
        let needs = ops.parents.each_ref().map(Option::is_some);
        let shapes: Vec<Shape> = inputs.iter().map(|input| input.shape()).collect();
        let results = op.0.backward(
            &operands(&inputs, &shapes),
            output.as_slice::<f32>().expect("outputs are contiguous and f32"),
            gradient.as_slice::<f32>().expect("gradients are contiguous and f32"),
            &needs,
        );
        for ((parent, result), shape) in ops.parents.into_iter().zip(results).zip(shapes) {
            if let (Some(parent), Some(values)) = (parent, result) {
                grads.register::<Flex>(parent.id, FlexTensor::from_data(TensorData::new(values, shape)));
            }
        }
    }
}
