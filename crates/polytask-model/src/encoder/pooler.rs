//! How do the tokens of a text become one vector?
//!
//! Attention scores each token by a learned query and takes the weighted mean (Yang et al., "Hierarchical attention
//! networks for document classification", NAACL 2016):
//!
//! ```text
//! u_t = tanh(W h_t + b)        a = softmax(uᵀ q)        s = Σ_t a_t h_t
//! ```

use burn::tensor::Tensor;
use polytask_kernels::activation::Activation;
use polytask_kernels::ops;
use polytask_spec::network::Pool;

use super::Affine;
use crate::parameters::{Group, Init, Owner, ParameterId, Parameters};
use crate::pass::Pass;
use crate::representation::{Ends, Form, Representation, Sequence};

/// A pool over tokens, with its parameters where it has any.
#[derive(Debug)]
pub struct Pooler {
    pool: Pool,
    ends: Ends,
    attention: Option<Attention>,
}

#[derive(Debug)]
struct Attention {
    affine: Affine,
    query: ParameterId,
    dim: usize,
}

impl Pooler {
    /// A pool over what has a form and ends so. Attention over tokens of `d` features adds `PREFIX.weight [d, d]`,
    /// `PREFIX.bias [d]` and `PREFIX.query [d, 1]`.
    pub fn build(
        prefix: &str,
        pool: Pool,
        (form, ends): (Form, Ends),
        (group, owner): (Group, Owner),
        parameters: &mut Parameters,
        init: Init,
    ) -> Pooler {
        let attention = match (pool, form) {
            (Pool::Attention, Form::Sequence(dim)) => {
                let affine = Affine::build(prefix, [dim, dim], Activation::Tanh, (group, owner), parameters, init);
                let name = format!("{prefix}.query");
                let values = init.glorot(&name, dim, dim, 1);
                Some(Attention { affine, query: parameters.add(name, &[dim, 1], group, owner, values), dim })
            }
            _ => None,
        };
        Pooler { pool, ends, attention }
    }

    /// One vector an example, `[batch, d]`; a vector stays as it is, and a text without tokens gives zeros.
    pub fn pooled(&self, pass: &Pass<'_>, x: Representation) -> Tensor<2> {
        match (&self.attention, x) {
            (_, Representation::Vector(values)) => values,
            (Some(attention), tokens) => attention.pooled(pass, tokens.into_sequence()),
            (None, tokens) if (self.pool, self.ends) == (Pool::Last, Ends::Both) => both_ends(tokens.into_sequence()),
            (None, tokens) => tokens.pooled(self.pool),
        }
    }

    /// Values that are kept for each token until the way back.
    pub fn kept_per_token(&self) -> usize {
        // The hidden values, and their scores and weights.
        self.attention.as_ref().map_or(0, |attention| attention.dim + 3)
    }
}

impl Attention {
    fn pooled(&self, pass: &Pass<'_>, Sequence { values, lengths }: Sequence) -> Tensor<2> {
        let [batch, time, dim] = values.dims();
        let hidden = self.affine.on_vectors(pass, values.clone().reshape([batch * time, dim]));
        let scores = ops::product(hidden, pass.get(self.query)).reshape([batch, time]);
        ops::weighted_mean(values, scores, &lengths)
    }
}

/// The last state of the forward direction and, of the backward direction, the one at the first token.
fn both_ends(tokens: Sequence) -> Tensor<2> {
    let [_, _, dim] = tokens.values.dims();
    let half = dim / 2;
    let forward = tokens.clone().token(|length| length - 1).narrow(1, 0, half);
    Tensor::cat(vec![forward, tokens.token(|_| 0).narrow(1, half, dim - half)], 1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::pass::Mode;

    #[test]
    fn attention_is_the_mean_that_its_equations_say() {
        let (dim, lengths, time) = (3, vec![2, 4, 0, 1], 4);
        let mut parameters = Parameters::new(Device::flex());
        let sharing = (Group::Heads, Owner::Shared);
        let form = (Form::Sequence(dim), Ends::Last);
        let pooler = Pooler::build("p", Pool::Attention, form, sharing, &mut parameters, Init::new(1));
        assert_eq!(
            parameters.dense().iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
            ["p.weight", "p.bias", "p.query"]
        );
        parameters.update(1, |bias| bias.copy_from_slice(&[0.5, -0.25, 0.125]));
        let [weight, bias, query] = [0, 1, 2].map(|index| parameters.dense()[index].to_vec());
        let x: Vec<f32> = (0..lengths.len() * time * dim).map(|at| (0.9 * at as f32).sin()).collect();
        let mut want = Vec::new();
        for (text, &length) in lengths.iter().enumerate() {
            let h = |at: usize, feature: usize| f64::from(x[(text * time + at) * dim + feature]);
            let hidden = |at: usize, unit: usize| {
                let sum: f64 = (0..dim).map(|feature| h(at, feature) * f64::from(weight[feature * dim + unit])).sum();
                (sum + f64::from(bias[unit])).tanh()
            };
            let score = |at: usize| (0..dim).map(|unit| hidden(at, unit) * f64::from(query[unit])).sum::<f64>().exp();
            let total: f64 = (0..length).map(score).sum();
            want.extend((0..dim).map(|feature| (0..length).map(|at| score(at) / total * h(at, feature)).sum::<f64>()));
        }
        let values = Tensor::from_data(TensorData::new(x.clone(), [lengths.len(), time, dim]), &Device::flex());
        let texts = Representation::Sequence(Sequence { values, lengths: Arc::new(lengths) });
        let pass = Pass::new(&parameters, Mode::Infer);
        let got: Vec<f32> = pooler.pooled(&pass, texts).into_data().try_into_vec().expect("values are f32");
        assert_eq!(got.len(), want.len());
        assert!(got.iter().zip(&want).all(|(got, want)| (f64::from(*got) - want).abs() < 1e-5), "{got:?}, {want:?}");
    }

    #[test]
    fn vectors_stay_and_need_no_parameters() {
        let mut parameters = Parameters::new(Device::flex());
        let sharing = (Group::Heads, Owner::Shared);
        let form = (Form::Vector(2), Ends::Last);
        let pooler = Pooler::build("p", Pool::Attention, form, sharing, &mut parameters, Init::new(1));
        assert!(parameters.dense().is_empty());
        let x = Tensor::<2>::from_data([[1.0, 2.0]], &Device::flex());
        let pass = Pass::new(&parameters, Mode::Infer);
        let got: Vec<f32> = pooler.pooled(&pass, Representation::Vector(x)).into_data().try_into_vec().expect("f32");
        assert_eq!(got, [1.0, 2.0]);
    }
}
