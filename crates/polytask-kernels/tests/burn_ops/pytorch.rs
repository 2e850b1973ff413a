//! Do operations without a kernel compute what PyTorch does? Values and gradients of PyTorch 2 in `f64`.
//!
//! All inputs are waves, `0.6 sin(0.7 i + seed)` rounded to `f32`, and the gradients those of `(y * wave(99)).sum()`. In
//! Python, with `h` hidden units and weights by gates side by side, `w_ih = wave(seed).reshape(d, gates * h).T` and so on:
//!
//! ```text
//! net = nn.GRU(d, h, batch_first=True, bidirectional=True)       # bias_hh: zero in the first two gates
//! packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
//! y = nn.utils.rnn.pad_packed_sequence(net(packed)[0], batch_first=True, total_length=time)[0]
//! y = nn.LayerNorm(4)(x)
//! y = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)    # heads as a dimension of the batch
//! ```

use std::sync::Arc;

use burn::tensor::Tensor;
use polytask_kernels::ops::{self, GruWeights, LstmWeights};

use crate::support::{constant, on_both_paths, values};

/// `0.6 sin(0.7 i + seed)`.
fn wave(len: usize, seed: usize) -> Vec<f32> {
    (0..len).map(|at| (0.6 * (0.7 * at as f64 + seed as f64).sin()) as f32).collect()
}

/// Waves of some shapes, the first with the seed 1, the next with 2, and so on.
struct Waves(Vec<Tensor<1>>);

impl Waves {
    fn new(lens: &[usize]) -> Waves {
        let leaf = |(at, &len): (usize, &usize)| constant(wave(len, at + 1), [len]).require_grad();
        Waves(lens.iter().enumerate().map(leaf).collect())
    }

    fn get<const D: usize>(&self, at: usize, shape: [usize; D]) -> Tensor<D> {
        self.0[at].clone().reshape(shape)
    }
}

#[track_caller]
fn near(got: &[f32], want: &[f32], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() <= 3e-6 * want.abs().max(1.0), "{what} {at}: got {got}, want {want}");
    }
}

/// Compares a composition of waves on both paths; `read` says which of its output's values count.
#[track_caller]
fn agrees<const D: usize>(
    lens: &[usize],
    compose: impl Fn(&Waves) -> Tensor<D>,
    read: impl Fn(usize) -> bool,
    (want, gradients): (&[f32], &[f32]),
) {
    on_both_paths(|path| {
        let waves = Waves::new(lens);
        let y = compose(&waves);
        let len = y.dims().iter().product();
        let y = y.reshape([len]);
        let weights = wave(len, 99).into_iter().enumerate().map(|(at, value)| if read(at) { value } else { 0.0 });
        let mut tape = (y.clone() * constant(weights.collect(), [len])).sum().backward();
        let of = |leaf: &Tensor<1>| values(leaf.grad_remove(&mut tape).expect("every input has a gradient"));
        let got: Vec<f32> = waves.0.iter().flat_map(of).collect();
        let y = values(y).into_iter().enumerate().filter(|(at, _)| read(*at)).map(|(_, value)| value);
        near(&y.collect::<Vec<_>>(), want, &format!("{path:?}, value"));
        near(&got, gradients, &format!("{path:?}, gradient"));
    });
}

fn gru_weights(waves: &Waves, first: usize, d: usize, hidden: usize) -> GruWeights {
    GruWeights {
        input: waves.get(first, [d, 3 * hidden]),
        recurrent: waves.get(first + 1, [hidden, 3 * hidden]),
        bias: waves.get(first + 2, [3 * hidden]),
        candidate_bias: waves.get(first + 3, [hidden]),
    }
}

#[test]
fn gru_is_that_of_pytorch() {
    let lengths = Arc::new(vec![4, 1, 3]);
    agrees(
        &[3 * 4 * 3, 18, 12, 6, 2, 18, 12, 6, 2],
        |waves| {
            let (forward, backward) = (gru_weights(waves, 1, 3, 2), gru_weights(waves, 5, 3, 2));
            ops::gru(waves.get(0, [3, 4, 3]), lengths.clone(), forward, Some(backward))
        },
        |_| true,
        (&GRU_Y, &GRU_GRADIENTS),
    );
    agrees(
        &[2, 12, 12, 6, 2],
        |waves| ops::gru(waves.get(0, [1, 1, 2]), Arc::new(vec![1]), gru_weights(waves, 1, 2, 2), None),
        |_| true,
        (&GRU_ONE_Y, &GRU_ONE_GRADIENTS),
    );
}

#[test]
fn lstm_in_one_direction_is_that_of_pytorch() {
    let weights = |waves: &Waves| LstmWeights {
        input: waves.get(1, [2, 8]),
        recurrent: waves.get(2, [2, 8]),
        bias: waves.get(3, [8]),
    };
    agrees(
        &[2 * 3 * 2, 16, 16, 8],
        |waves| ops::lstm(waves.get(0, [2, 3, 2]), Arc::new(vec![3, 1]), weights(waves)),
        |_| true,
        (&LSTM_Y, &LSTM_GRADIENTS),
    );
}

#[test]
fn layer_norm_is_that_of_pytorch() {
    agrees(
        &[8, 4, 4],
        |waves| ops::layer_norm(waves.get(0, [2, 4]), waves.get(1, [4]), waves.get(2, [4]), 1e-5),
        |_| true,
        (&NORM_Y, &NORM_GRADIENTS),
    );
    let none = ops::layer_norm(constant(vec![], [0, 4]), constant(wave(4, 2), [4]), constant(wave(4, 3), [4]), 1e-5);
    assert_eq!(none.dims(), [0, 4]);
}

#[test]
fn self_attention_is_that_of_pytorch() {
    let lengths = Arc::new(vec![3, 2]);
    // The last of six rows is padding, which nobody reads.
    agrees(
        &[6 * 12],
        |waves| ops::self_attention(waves.get(0, [6, 12]), &lengths, 2, |weights| weights),
        |at| at < 20,
        (&ATTENTION_Y, &ATTENTION_GRADIENTS),
    );
}

#[test]
fn a_weighted_mean_is_that_of_each_text() {
    let (lengths, time, d) = (Arc::new(vec![2, 0, 4, 1]), 4, 3);
    let (x, scores) = (wave(4 * time * d, 1), wave(4 * time, 2));
    let mut want = Vec::new();
    for (text, &length) in lengths.iter().enumerate() {
        let weights: Vec<f64> = (0..length).map(|at| f64::from(scores[text * time + at]).exp()).collect();
        let total: f64 = weights.iter().sum();
        let value = |at: usize, feature: usize| f64::from(x[(text * time + at) * d + feature]);
        let mean = |feature| (0..length).map(|at| weights[at] / total * value(at, feature)).sum::<f64>();
        want.extend((0..d).map(|feature| mean(feature) as f32));
    }
    on_both_paths(|path| {
        let (mut x, mut scores) = (x.clone(), scores.clone());
        for (text, &length) in lengths.iter().enumerate() {
            // What stands past a length is not read.
            x[(text * time + length) * d..(text + 1) * time * d].fill(f32::NAN);
            scores[text * time + length..(text + 1) * time].fill(f32::INFINITY);
        }
        let [x, scores] = [constant(x, [4 * time * d]), constant(scores, [4 * time])].map(Tensor::require_grad);
        let (tokens, by_token) = (x.clone().reshape([4, time, d]), scores.clone().reshape([4, time]));
        let y = ops::weighted_mean(tokens, by_token, &lengths);
        near(&values(y.clone()), &want, &format!("{path:?}"));
        let mut tape = y.sum().backward();
        for leaf in [x, scores] {
            assert!(values(leaf.grad_remove(&mut tape).expect("a gradient")).iter().all(|value| value.is_finite()));
        }
    });
}

const GRU_Y: [f32; 48] = [
    0.033142, 0.178886, -0.425004, -0.513225, -0.176585, 0.124709, -0.384196, -0.53258, 0.184749, 0.37709, -0.465215,
    -0.567463, 0.046024, 0.313559, -0.167803, -0.276322, -0.167346, 0.079674, -0.07726, -0.253834, 0.0, 0.0, 0.0, 0.0,
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.274037, 0.33912, -0.516281, -0.618044, 0.067847, 0.297635, -0.24107,
    -0.410845, -0.17129, 0.163342, -0.080969, -0.257088, 0.0, 0.0, 0.0, 0.0,
];

const GRU_GRADIENTS: [f32; 112] = [
    0.224559, 0.065836, -0.289113, -0.222893, 0.058315, 0.165714, 0.072337, 0.031742, -0.103461, -0.18905, 0.083284,
    0.107388, 0.047043, -0.096604, 0.047679, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.17556, -0.098501,
    0.272143, 0.251224, -0.024967, -0.226743, -0.34609, 0.056191, 0.290993, 0.0, 0.0, 0.0, 0.027706, -0.005476,
    -0.011074, 0.006833, -0.189529, 0.008472, 0.05826, 0.011578, -0.039544, -0.002453, -0.36706, -0.116252, 0.061414,
    0.023187, -0.049416, -0.010586, -0.371958, -0.1863, -0.002192, -0.006422, -0.010191, -0.006988, 0.008756, 0.022,
    -0.016049, -0.020903, 0.024582, 0.022625, 0.050082, 0.07487, -0.026915, -0.034784, 0.08165, 0.128575, 0.119066,
    0.135027, 0.082666, 0.085191, 0.00619, -0.013913, 0.047681, 0.030488, 0.137974, 0.255729, 0.009977, -0.014856,
    0.039398, 0.049037, 0.134869, 0.30054, 0.009072, -0.008813, 0.012586, 0.044524, 0.068334, 0.204002, 0.000517,
    0.001171, 0.016844, 0.007694, 0.005366, -0.010049, 0.000965, 0.001262, 0.026822, 0.011902, 0.019676, -0.009509,
    -0.00346, 0.00307, -0.063496, -0.069771, -0.11835, -0.093022, -0.087151, -0.068103,
];

const GRU_ONE_Y: [f32; 2] = [-0.063367, 0.055];

const GRU_ONE_GRADIENTS: [f32; 34] = [
    0.314921, -0.043427, 0.023318, 0.009133, -0.008656, 0.006045, -0.163878, -0.112502, 0.02748, 0.010763, -0.010201,
    0.007124, -0.193129, -0.132583, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.046185, 0.018089,
    -0.017144, 0.011973, -0.324587, -0.222828, -0.145452, -0.096793,
];

const LSTM_Y: [f32; 12] =
    [-0.089805, -0.001693, -0.01916, 0.079668, 0.115531, 0.152393, 0.120005, 0.11322, 0.0, 0.0, 0.0, 0.0];

const LSTM_GRADIENTS: [f32; 52] = [
    0.128051, 0.117615, -0.061751, -0.075222, -0.003774, -0.008331, -0.008323, -0.006854, 0.0, 0.0, 0.0, 0.0,
    -0.018896, 0.001091, -0.000426, -0.003591, -0.096979, 0.005857, -0.00143, -0.005568, -0.021648, -0.022375,
    0.001534, -0.005592, -0.130129, -0.05402, -0.000622, -0.019905, -0.001103, -0.003371, 0.000372, -0.000162,
    -0.004962, -0.010978, -0.000433, -0.001651, 0.003991, 0.003423, -0.000214, 0.000759, 0.004907, 0.002193, 0.001602,
    0.002966, 0.095831, 0.061604, -0.006324, 0.009294, -0.010614, 0.066461, 0.054541, 0.040989,
];

const NORM_Y: [f32; 8] = [0.392151, -0.066944, -0.587029, 0.253154, 0.314621, -0.605741, -0.459757, -1.255756];

const NORM_GRADIENTS: [f32; 16] = [
    -0.808823, 0.190067, 0.735749, -0.116993, 1.284526, 0.348273, -1.012622, -0.620177, -0.096422, -1.05449, -0.206285,
    -0.725443, -0.026635, 0.109898, 0.194745, 0.188,
];

const ATTENTION_Y: [f32; 20] = [
    -0.107626, -0.124986, -0.044679, -0.045589, 0.016126, 0.043024, 0.104197, 0.128515, 0.062952, 0.081324, -0.057835,
    -0.086976, 0.305803, 0.187913, 0.020012, -0.179025, 0.283698, 0.281376, 0.258012, 0.050287,
];

const ATTENTION_GRADIENTS: [f32; 72] = [
    0.132565, 0.083464, -0.031201, -0.037239, 0.013198, -0.059722, -0.022647, -0.047571, -0.1056, -0.127605, -0.026739,
    0.014601, -0.127433, -0.102027, -0.018162, -0.000189, -0.025986, -0.058461, -0.002343, 0.030127, -0.177357,
    -0.174411, -0.165694, 0.067781, 0.10906, 0.093364, 0.061263, 0.04327, 0.012788, 0.118182, 0.02499, 0.017443,
    -0.223731, -0.187124, -0.049108, 0.037277, -0.010527, -0.039366, -0.145702, -0.107449, 0.026126, 0.04605, 0.146128,
    0.07747, 0.049741, -0.044826, -0.163865, -0.173818, 0.009859, 0.036868, 0.164876, 0.121589, -0.026126, -0.04605,
    -0.146128, -0.07747, 0.136902, 0.134595, 0.11454, 0.008598, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
    0.0,
];
