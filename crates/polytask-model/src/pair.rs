//! How are two texts compared?
//!
//! Both are read by the same input and encoder, and the head sees `[u; v; |u - v|; u * v]` of their vectors.
//!
//! Reference: Conneau et al., "Supervised learning of universal sentence representations from natural language inference
//! data" (InferSent), EMNLP 2017.

use burn::tensor::Tensor;

use crate::representation::Representation;

/// How many times wider a comparison is than the vector of one text.
pub const WIDTH: usize = 4;

/// `[batch, 4 d]` from the vectors of both texts, `[batch, d]`.
///
/// # Panics
///
/// Where tokens are handed in: the configuration's check lets no task that reads tokens compare texts.
pub fn compare(first: Representation, second: Representation) -> Representation {
    let (Representation::Vector(u), Representation::Vector(v)) = (first, second) else {
        panic!("texts are compared by their vectors");
    };
    let distance = (u.clone() - v.clone()).abs();
    let product = u.clone() * v.clone();
    Representation::Vector(Tensor::cat(vec![u, v, distance, product], 1))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn a_comparison_has_four_parts() {
        let of = |values: [f32; 2]| Representation::Vector(Tensor::from_data([values], &Device::flex()));
        let Representation::Vector(compared) = compare(of([1.0, -2.0]), of([3.0, 0.5])) else {
            panic!("a comparison is a vector");
        };
        let values: Vec<f32> = compared.into_data().try_into_vec().unwrap();
        assert_eq!(values, [1.0, -2.0, 3.0, 0.5, 2.0, 2.5, 3.0, -1.0]);
    }
}
