//! Does the layer compute what PyTorch's does? Values and gradients of PyTorch 2 in `f64`.
//!
//! Inputs and parameters are waves, `0.6 sin(0.7 i + seed)` rounded to `f32`: the layer's parameters, in the order in which they
//! are added, have the seeds 0, 1 and so on, the input the seed 50. Texts have 3 and 2 tokens. In Python:
//!
//! ```text
//! block = nn.TransformerEncoderLayer(4, heads, feedforward, 0.0, activation, batch_first=True, norm_first=True)
//! net = nn.TransformerEncoder(block, blocks, norm=nn.LayerNorm(4))
//! y = net(nn.Linear(3, 4)(x) * sqrt(4) + waves, src_key_padding_mask=padding)     # gelu; net(x, ...) for relu
//! (y * wave(99))[~padding].sum().backward()
//! slopes = [(p.grad * wave(77)).sum() for p in parameters]                          # matrices as [inputs, outputs]
//! ```

use burn::tensor::Device;
use polytask_spec::network::{Pool, Positions as PositionsSpec};

use super::*;
use crate::pass::Mode;
use crate::representation::Ends;

/// `0.6 sin(0.7 i + seed)`.
fn wave(len: usize, seed: usize) -> Vec<f32> {
    (0..len).map(|at| (0.6 * (0.7 * at as f64 + seed as f64).sin()) as f32).collect()
}

#[track_caller]
fn near(got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len());
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() <= 5e-6 * want.abs().max(1.0), "{at}: got {got}, want {want}");
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("values are f32")
}

/// A layer over so many features whose parameters are waves.
fn layer(spec: &TransformerLayer, inputs: usize) -> (Transformer, Parameters) {
    let mut parameters = Parameters::new(Device::flex().autodiff());
    let site = Site { prefix: "t".into(), owner: Owner::Shared, form: Form::Sequence(inputs), ends: Ends::Last };
    let layer = Transformer::build(&site, spec, &mut parameters, Init::new(1));
    for index in 0..parameters.dense().len() {
        parameters.update(index, |values| values.copy_from_slice(&wave(values.len(), index)));
    }
    (layer, parameters)
}

/// Texts of some lengths, padded to `time`.
fn texts(x: Tensor<1>, lengths: &[usize], time: usize) -> Representation {
    let features = x.dims()[0] / (lengths.len() * time);
    let values = x.reshape([lengths.len(), time, features]);
    Representation::Sequence(Sequence { values, lengths: Arc::new(lengths.to_vec()) })
}

fn constant(values: Vec<f32>) -> Tensor<1> {
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), &Device::flex().autodiff())
}

/// Output at 5 tokens, the gradient of the input, and the slope of every parameter.
#[track_caller]
fn agrees(spec: &TransformerLayer, inputs: usize, y: &[f32], dx: &[f32], slopes: &[f32]) {
    let (layer, mut parameters) = layer(spec, inputs);
    // The input is a parameter too, so that one walk back gives all gradients.
    let input = parameters.add("x".into(), &[6 * inputs], Group::Trunk, Owner::Shared, wave(6 * inputs, 50));
    let pass = Pass::new(&parameters, Mode::Train { seed: 1, step: 1 });
    let output = layer.forward(&pass, texts(pass.get(input), &[3, 2], 3)).into_sequence().values;
    let output = output.reshape([6 * spec.width]);
    near(&values(output.clone())[..5 * spec.width], y);
    let mut weights = wave(6 * spec.width, 99);
    weights[5 * spec.width..].fill(0.0);
    let mut gradients = pass.backward((output * constant(weights)).sum());
    near(&gradients.dense.pop().flatten().expect("the input has a gradient"), dx);
    let slope = |gradient: &Option<Vec<f32>>| {
        let gradient = gradient.as_ref().expect("every parameter has a gradient");
        gradient.iter().zip(wave(gradient.len(), 77)).map(|(a, b)| f64::from(*a) * f64::from(b)).sum::<f64>() as f32
    };
    near(&gradients.dense.iter().map(slope).collect::<Vec<_>>(), slopes);
}

fn spec() -> TransformerLayer {
    TransformerLayer { width: 4, heads: 2, dropout: 0.0, ..TransformerLayer::default() }
}

#[test]
fn two_blocks_with_gelu_a_projection_and_sines_are_those_of_pytorch() {
    let spec = TransformerLayer { blocks: 2, feedforward: 5, ..spec() };
    agrees(&spec, 3, &GELU_Y, &GELU_DX, &GELU_SLOPES);
}

#[test]
fn a_block_of_one_head_with_relu_is_that_of_pytorch() {
    let (activation, positions) = (FeedforwardActivation::Relu, PositionsSpec::None);
    let spec = TransformerLayer { blocks: 1, heads: 1, feedforward: 6, activation, positions, ..spec() };
    agrees(&spec, 4, &RELU_Y, &RELU_DX, &RELU_SLOPES);
}

#[test]
fn padding_changes_no_bit_that_is_read() {
    for positions in [PositionsSpec::Sinusoidal, PositionsSpec::Learned, PositionsSpec::None] {
        let spec = TransformerLayer { positions, max_positions: 2, ..spec() };
        let (layer, parameters) = layer(&spec, 3);
        let pass = Pass::new(&parameters, Mode::Infer);
        let x = wave(2 * 3, 50);
        let alone = layer.forward(&pass, texts(constant(x.clone()), &[2], 2));
        // Beside a longer text, the short one is followed by padding that holds something.
        let padded = [x, vec![9.0; 3 * 3], wave(5 * 3, 51)].concat();
        let beside = layer.forward(&pass, texts(constant(padded), &[2, 5], 5));
        let [alone, beside] = [alone, beside].map(|y| values(y.into_sequence().values));
        near(&beside[..2 * 4], &alone);
    }
}

#[test]
fn places_past_the_learned_ones_share_the_last() {
    let spec = TransformerLayer { positions: PositionsSpec::Learned, max_positions: 2, ..spec() };
    let (layer, parameters) = layer(&spec, 4);
    let pass = Pass::new(&parameters, Mode::Infer);
    let Positions::Learned(table) = layer.positions else { panic!("positions are learned") };
    let added = layer.positions.add(&pass, Tensor::zeros([1, 4, 4], parameters.device()));
    let table = parameters.get(table).to_vec();
    assert_eq!(values(added), [&table[..4], &table[4..], &table[4..], &table[4..]].concat());
}

#[test]
fn empty_texts_have_no_effect_on_others_and_none_of_their_own() {
    let (layer, parameters) = layer(&spec(), 4);
    let pass = Pass::new(&parameters, Mode::Train { seed: 1, step: 1 });
    let y = layer.forward(&pass, texts(constant(wave(2 * 2 * 4, 50)), &[0, 2], 2)).into_sequence();
    let pooled = Representation::Sequence(y).pooled(Pool::Mean);
    assert_eq!(values(pooled.clone())[..4], [0.0; 4]);
    let gradients = pass.backward(pooled.powi_scalar(2).sum());
    assert!(gradients.dense.iter().flatten().flatten().all(|value| value.is_finite()));
}

const GELU_Y: [f32; 20] = [
    -0.026659, 1.21729, -0.038295, -0.467361, 0.526231, 1.231451, -0.121585, -0.576745, 1.244028, 0.286701, -0.093572,
    -0.58248, 0.088916, 1.289713, -0.076026, -0.497681, 0.660801, 1.165233, -0.159967, -0.587191,
];

const GELU_DX: [f32; 18] = [
    0.214714, -0.342934, 0.431526, -0.229419, 0.297868, -0.331897, -0.109138, -0.032215, 0.169845, -0.001754, 0.03529,
    -0.064748, -0.180431, 0.216877, -0.228262, 0.0, 0.0, 0.0,
];

const GELU_SLOPES: [f32; 28] = [
    0.298579, -0.329056, 0.102757, 0.005609, -0.042053, -0.024451, 0.093044, -0.153939, 0.006034, 0.028918, -0.076873,
    -0.078551, -0.059649, -0.135143, 0.048469, -0.000179, 0.048381, -0.006496, 0.003986, -0.126853, -0.04499, 0.008367,
    -0.050427, -0.073869, -0.021622, -0.126618, -0.205651, -0.380134,
];

const RELU_Y: [f32; 20] = [
    0.615882, 0.489261, 0.733016, 1.22024, 0.398786, 0.462449, 0.498709, 1.333283, 0.594928, 0.485548, 0.707691,
    1.243245, 0.458941, 0.467726, 0.558448, 1.325103, 0.556346, 0.479495, 0.662948, 1.277184,
];

const RELU_DX: [f32; 24] = [
    0.143017, -0.120842, -0.100831, 0.078656, -0.385761, 0.223182, 0.148743, 0.013835, 0.108962, -0.066182, -0.106439,
    0.063659, -0.461967, 0.319074, 0.213258, -0.070365, 0.046629, -0.036398, -0.014613, 0.004382, 0.0, 0.0, 0.0, 0.0,
];

const RELU_SLOPES: [f32; 14] = [
    0.04111, -0.021323, -0.006364, -0.003589, -0.038778, -0.202352, -0.021231, 0.026821, 0.096666, 0.04053, -0.127867,
    -0.269936, 0.518689, -0.380134,
];
