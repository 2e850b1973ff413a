//! By which rule are weights updated? Each method and its own options.
//!
//! Defaults are those of the method's paper or of PyTorch. L-BFGS has no key: its line search evaluates one function again
//! and again, and a step of several tasks draws another batch, other dropout and other balancing weights each time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Update rules.
///
/// Weight decay is an L2 penalty in the gradient, with `adamw`, `lamb`, `lion`, `adan` and `muon` it is taken from the
/// weights themselves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "kebab-case")]
#[schemars(transform = adam_where_absent)]
pub enum OptimizerMethod {
    /// Adadelta: updates in the units of the weights, without a rate to choose (Zeiler, 2012).
    Adadelta(AdadeltaOptions),
    /// Adagrad: a weight's rate falls with its gradients, so rare words learn fast (Duchi et al., JMLR 2011).
    Adagrad(AdagradOptions),
    /// Adam: momentum, scaled by the size of gradients; a good start (Kingma and Ba, ICLR 2015).
    Adam(AdamOptions),
    /// Adamax: Adam with the largest gradient of late as the scale (Kingma and Ba, ICLR 2015).
    Adamax(AdamaxOptions),
    /// Adam with weight decay beside the moments (Loshchilov and Hutter, ICLR 2019).
    Adamw(AdamOptions),
    /// Adan: adaptive momentum that looks ahead by differences of gradients (Xie et al., TPAMI 2024).
    Adan(AdanOptions),
    /// LAMB: Adam with a rate relative to a layer's weights, for very large batches (You et al., ICLR 2020).
    Lamb(LambOptions),
    /// Lion: the sign of a momentum; little memory, a small rate (Chen et al., NeurIPS 2023).
    Lion(LionOptions),
    /// Muon for the matrices of encoder layers, adamw elsewhere (Jordan et al., 2024; Liu et al., 2025).
    Muon(MuonOptions),
    /// NAdam: Adam with Nesterov's momentum (Dozat, ICLR workshop 2016).
    Nadam(NadamOptions),
    /// RAdam: Adam that needs no warm-up (Liu et al., ICLR 2020).
    Radam(AdamOptions),
    /// RMSprop: gradients over the root of their mean square (Tieleman and Hinton, 2012).
    Rmsprop(RmspropOptions),
    /// Stochastic gradient descent with momentum.
    Sgd(SgdOptions),
}

/// The name of the method where a table names none.
pub(crate) const METHOD_DEFAULT: &str = "adam";

impl Default for OptimizerMethod {
    fn default() -> Self {
        OptimizerMethod::Adam(AdamOptions::default())
    }
}

/// A table without `method` is one of [`METHOD_DEFAULT`].
fn adam_where_absent(schema: &mut schemars::Schema) {
    let variants = schema.get_mut("oneOf").and_then(serde_json::Value::as_array_mut);
    for variant in variants.into_iter().flatten() {
        if variant["properties"]["method"]["const"] == METHOD_DEFAULT {
            variant["properties"]["method"]["default"] = METHOD_DEFAULT.into();
            if let Some(variant) = variant.as_object_mut() {
                variant.remove("required");
            }
        }
    }
}

macro_rules! options {
    (
        $(#[$docs:meta])* $name:ident {
            $($(#[$field_docs:meta])* $field:ident: $kind:ty = $default:expr,)+
        }
    ) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct $name {
            $($(#[$field_docs])* pub $field: $kind,)+
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $($field: $default,)+ }
            }
        }
    };
}

options! {
    /// Options of `adam`, `adamw` and `radam`.
    AdamOptions {
        /// Step size before scales and schedule.
        #[schemars(range(min = 0.0))]
        learning_rate: f64 = 1e-3,
        /// Decay of the first moment.
        #[schemars(range(min = 0.0, max = 0.9999))]
        beta1: f64 = 0.9,
        /// Decay of the second moment.
        #[schemars(range(min = 0.0, max = 0.99999))]
        beta2: f64 = 0.999,
        /// Added to the root of the second moment.
        #[schemars(range(min = 1e-12))]
        epsilon: f64 = 1e-8,
    }
}

options! {
    /// Options of `sgd`.
    SgdOptions {
        /// Step size before scales and schedule.
        #[schemars(range(min = 0.0))]
        learning_rate: f64 = 1e-3,
        /// Share of the velocity that a step keeps.
        #[schemars(range(min = 0.0, max = 0.9999))]
        momentum: f64 = 0.9,
        /// Whether a step goes ahead along the velocity, by Nesterov's rule.
        nesterov: bool = false,
    }
}

options! {
    /// Options of `adamax`.
    AdamaxOptions {
        /// Step size before scales and schedule.
        #[schemars(range(min = 0.0))]
        learning_rate: f64 = 2e-3,
        /// Decay of the first moment.
        #[schemars(range(min = 0.0, max = 0.9999))]
        beta1: f64 = 0.9,
        /// Decay of the largest gradient.
        #[schemars(range(min = 0.0, max = 0.99999))]
        beta2: f64 = 0.999,
        /// Added to a gradient's magnitude.
        #[schemars(range(min = 1e-12))]
        epsilon: f64 = 1e-8,
    }
}

options! {
    /// Options of `adagrad`.
    AdagradOptions {
        /// Step size before scales and schedule.
        #[schemars(range(min = 0.0))]
        learning_rate: f64 = 1e-2,
        /// Added to the root of the sum of squares.
        #[schemars(range(min = 1e-12))]
        epsilon: f64 = 1e-10,
    }
}

options! {
    /// Options of `adadelta`.
    AdadeltaOptions {
        /// Factor of the method's own step.
        #[schemars(range(min = 0.0))]
        learning_rate: f64 = 1.0,
        /// Decay of the mean squares of gradients and of updates.
        #[schemars(range(min = 0.0, max = 0.9999))]
        rho: f64 = 0.9,
        /// Added to both mean squares.
        #[schemars(range(min = 1e-12))]
        epsilon: f64 = 1e-6,
    }
}

options! {
    /// Options of `rmsprop`.
    RmspropOptions {
        /// Step size before scales and schedule.
        #[schemars(range(min = 0.0))]
        learning_rate: f64 = 1e-2,
        /// Decay of the mean square.
        #[schemars(range(min = 0.0, max = 0.9999))]
        alpha: f64 = 0.99,
        /// Share of the velocity that a step keeps.
        #[schemars(range(min = 0.0, max = 0.9999))]
        momentum: f64 = 0.0,
        /// Whether the mean gradient is taken off, so that the variance is the scale.
        centered: bool = false,
        /// Added to the root of the mean square.
        #[schemars(range(min = 1e-12))]
        epsilon: f64 = 1e-8,
    }
}

options! {
    /// Options of `nadam`.
    NadamOptions {
        /// Step size before scales and schedule.
        #[schemars(range(min = 0.0))]
        learning_rate: f64 = 2e-3,
        /// Decay of the first moment.
        #[schemars(range(min = 0.0, max = 0.9999))]
        beta1: f64 = 0.9,
        /// Decay of the second moment.
        #[schemars(range(min = 0.0, max = 0.99999))]
        beta2: f64 = 0.999,
        /// Added to the root of the second moment.
        #[schemars(range(min = 1e-12))]
        epsilon: f64 = 1e-8,
        /// How fast the momentum rises from half of `beta1` to it.
        #[schemars(range(min = 0.0, max = 1.0))]
        momentum_decay: f64 = 4e-3,
    }
}

options! {
    /// Options of `lamb`.
    LambOptions {
        /// Length of a step, as a share of the norm of a parameter's weights.
        #[schemars(range(min = 0.0))]
        learning_rate: f64 = 1e-3,
        /// Decay of the first moment.
        #[schemars(range(min = 0.0, max = 0.9999))]
        beta1: f64 = 0.9,
        /// Decay of the second moment.
        #[schemars(range(min = 0.0, max = 0.99999))]
        beta2: f64 = 0.999,
        /// Added to the root of the second moment.
        #[schemars(range(min = 1e-12))]
        epsilon: f64 = 1e-6,
    }
}

options! {
    /// Options of `lion`.
    LionOptions {
        /// Length of every weight's step.
        #[schemars(range(min = 0.0))]
        learning_rate: f64 = 1e-4,
        /// Share of the momentum in the direction.
        #[schemars(range(min = 0.0, max = 0.9999))]
        beta1: f64 = 0.9,
        /// Decay of the momentum.
        #[schemars(range(min = 0.0, max = 0.99999))]
        beta2: f64 = 0.99,
    }
}

options! {
    /// Options of `adan`.
    AdanOptions {
        /// Step size before scales and schedule.
        #[schemars(range(min = 0.0))]
        learning_rate: f64 = 1e-3,
        /// Decay of the first moment; one minus the paper's.
        #[schemars(range(min = 0.0, max = 0.9999))]
        beta1: f64 = 0.98,
        /// Decay of the differences of gradients; one minus the paper's.
        #[schemars(range(min = 0.0, max = 0.9999))]
        beta2: f64 = 0.92,
        /// Decay of the second moment; one minus the paper's.
        #[schemars(range(min = 0.0, max = 0.99999))]
        beta3: f64 = 0.99,
        /// Added to the root of the second moment.
        #[schemars(range(min = 1e-12))]
        epsilon: f64 = 1e-8,
    }
}

options! {
    /// Options of `muon`.
    MuonOptions {
        /// Step size before scales and schedule, of `muon` and of `adamw` elsewhere.
        #[schemars(range(min = 0.0))]
        learning_rate: f64 = 1e-3,
        /// Share of the momentum that a step keeps.
        #[schemars(range(min = 0.0, max = 0.9999))]
        momentum: f64 = 0.95,
        /// Whether a step goes ahead along the momentum, by Nesterov's rule.
        nesterov: bool = true,
        /// How the rate follows a matrix's shape.
        rate: MuonRate = MuonRate::MatchAdamw,
        /// Rounds of the Newton-Schulz iteration that makes a matrix orthogonal.
        #[schemars(range(min = 1, max = 20))]
        iterations: usize = 5,
        /// Decay of the first moment of `adamw`.
        #[schemars(range(min = 0.0, max = 0.9999))]
        beta1: f64 = 0.9,
        /// Decay of the second moment of `adamw`.
        #[schemars(range(min = 0.0, max = 0.99999))]
        beta2: f64 = 0.95,
        /// Added to the root of the second moment of `adamw`.
        #[schemars(range(min = 1e-12))]
        epsilon: f64 = 1e-8,
    }
}

/// How the rate of `muon` follows a matrix's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MuonRate {
    /// Steps as large as those of `adamw`, so that one rate does for both (Liu et al., 2025).
    MatchAdamw,
    /// As first published: larger for matrices with more outputs than inputs, for rates about 0.02.
    Original,
}

impl OptimizerMethod {
    /// The names of all methods, sorted.
    pub const NAMES: [&str; 13] = [
        "adadelta", "adagrad", "adam", "adamax", "adamw", "adan", "lamb", "lion", "muon", "nadam", "radam", "rmsprop",
        "sgd",
    ];

    /// The method of a name with its defaults; none where no method has it.
    pub fn named(name: &str) -> Option<OptimizerMethod> {
        serde_json::from_value(serde_json::json!({ "method": name })).ok()
    }

    /// The name of the method, as written in the file.
    pub fn name(&self) -> &'static str {
        match self {
            OptimizerMethod::Adadelta(_) => "adadelta",
            OptimizerMethod::Adagrad(_) => "adagrad",
            OptimizerMethod::Adam(_) => METHOD_DEFAULT,
            OptimizerMethod::Adamax(_) => "adamax",
            OptimizerMethod::Adamw(_) => "adamw",
            OptimizerMethod::Adan(_) => "adan",
            OptimizerMethod::Lamb(_) => "lamb",
            OptimizerMethod::Lion(_) => "lion",
            OptimizerMethod::Muon(_) => "muon",
            OptimizerMethod::Nadam(_) => "nadam",
            OptimizerMethod::Radam(_) => "radam",
            OptimizerMethod::Rmsprop(_) => "rmsprop",
            OptimizerMethod::Sgd(_) => "sgd",
        }
    }

    /// Step size before scales and schedule.
    pub fn learning_rate(&self) -> f64 {
        let mut method = *self;
        *method.learning_rate_mut()
    }

    /// Step size before scales and schedule, to be changed.
    pub fn learning_rate_mut(&mut self) -> &mut f64 {
        match self {
            OptimizerMethod::Adadelta(options) => &mut options.learning_rate,
            OptimizerMethod::Adagrad(options) => &mut options.learning_rate,
            OptimizerMethod::Adam(options) | OptimizerMethod::Adamw(options) | OptimizerMethod::Radam(options) => {
                &mut options.learning_rate
            }
            OptimizerMethod::Adamax(options) => &mut options.learning_rate,
            OptimizerMethod::Adan(options) => &mut options.learning_rate,
            OptimizerMethod::Lamb(options) => &mut options.learning_rate,
            OptimizerMethod::Lion(options) => &mut options.learning_rate,
            OptimizerMethod::Muon(options) => &mut options.learning_rate,
            OptimizerMethod::Nadam(options) => &mut options.learning_rate,
            OptimizerMethod::Rmsprop(options) => &mut options.learning_rate,
            OptimizerMethod::Sgd(options) => &mut options.learning_rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_its_name() {
        for name in OptimizerMethod::NAMES {
            assert_eq!(OptimizerMethod::named(name).map(|method| method.name()), Some(name));
        }
        assert!(OptimizerMethod::NAMES.is_sorted());
        assert_eq!(OptimizerMethod::named("adma"), None);
        let schema = schemars::schema_for!(OptimizerMethod);
        let variants = schema.get("oneOf").and_then(|variants| variants.as_array()).map_or(0, Vec::len);
        assert_eq!(variants, OptimizerMethod::NAMES.len());
    }
}
