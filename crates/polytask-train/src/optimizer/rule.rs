//! Which kernel updates a parameter by which method, and what does it remember?

use polytask_kernels::optim::{
    Adadelta, Adagrad, Adam, Adamax, Adan, Lamb, Lion, Momentum, Muon, Nadam, Nesterov, Radam, RateMatch, Reach,
    Rmsprop, Sgd, Step, WeightDecay, apply, lamb, muon,
};
use polytask_spec::training::{AdamOptions, MuonOptions, MuonRate, OptimizerMethod};

use super::Moments;

/// The array that is one number: how much of NAdam's momentum schedule has passed.
pub(super) const MASS: &str = "mass";

/// What a parameter is to a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The matrix `[in, out]` of an encoder layer.
    Matrix([usize; 2]),
    /// Anything else.
    Other,
}

/// The arrays that a method keeps for a parameter, in the order in which its kernel takes them.
pub(super) fn arrays(method: &OptimizerMethod, form: Form) -> &'static [&'static str] {
    match (method, form) {
        (OptimizerMethod::Sgd(_) | OptimizerMethod::Lion(_), _) | (OptimizerMethod::Muon(_), Form::Matrix(_)) => {
            &["first"]
        }
        (OptimizerMethod::Adagrad(_), _) => &["second"],
        (OptimizerMethod::Rmsprop(options), _) if options.centered => &["second", "velocity", "first"],
        (OptimizerMethod::Rmsprop(options), _) if options.momentum > 0.0 => &["second", "velocity"],
        (OptimizerMethod::Rmsprop(_), _) => &["second"],
        (OptimizerMethod::Adadelta(_), _) => &["second", "changes"],
        (OptimizerMethod::Adan(_), _) => &["first", "differences", "second", "gradient"],
        (OptimizerMethod::Nadam(_), _) => &["first", "second", MASS],
        (
            OptimizerMethod::Adam(_)
            | OptimizerMethod::Adamw(_)
            | OptimizerMethod::Adamax(_)
            | OptimizerMethod::Radam(_)
            | OptimizerMethod::Lamb(_)
            | OptimizerMethod::Muon(_),
            _,
        ) => &["first", "second"],
    }
}

/// The rule for one parameter at one step.
pub(super) struct Rule<'a> {
    pub method: &'a OptimizerMethod,
    pub form: Form,
    pub learning_rate: f32,
    pub decay: f32,
    pub scale: f32,
}

impl Rule<'_> {
    /// Updates values and moments, whose steps count this one already.
    pub fn update(&self, w: &mut [f32], moments: &mut Moments, gradient: &[f32], reach: Reach<'_>) {
        let step = &Step {
            learning_rate: self.learning_rate,
            weight_decay: self.decay,
            gradient_scale: self.scale,
            count: moments.steps,
        };
        match self.method {
            OptimizerMethod::Adam(options) => {
                adam(options, WeightDecay::Gradient, step, with(w, moments), gradient, reach);
            }
            OptimizerMethod::Adamw(options) => {
                adam(options, WeightDecay::Weights, step, with(w, moments), gradient, reach);
            }
            OptimizerMethod::Sgd(options) if options.nesterov => {
                let method = Nesterov { momentum: options.momentum };
                apply(&method.rule(step), with(w, moments), gradient, reach);
            }
            OptimizerMethod::Sgd(options) => {
                apply(&Sgd { momentum: options.momentum }.rule(step), with(w, moments), gradient, reach);
            }
            OptimizerMethod::Adamax(options) => {
                let method = Adamax { beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon };
                apply(&method.rule(step), with(w, moments), gradient, reach);
            }
            OptimizerMethod::Adagrad(options) => {
                apply(&Adagrad { epsilon: options.epsilon }.rule(step), with(w, moments), gradient, reach);
            }
            OptimizerMethod::Adadelta(options) => {
                let method = Adadelta { rho: options.rho, epsilon: options.epsilon };
                apply(&method.rule(step), with(w, moments), gradient, reach);
            }
            OptimizerMethod::Rmsprop(options) => {
                let (momentum, epsilon) = (options.momentum, options.epsilon);
                let method = Rmsprop { alpha: options.alpha, epsilon, momentum };
                match (options.centered, momentum > 0.0) {
                    (true, _) => apply(&method.centered_rule(step), with(w, moments), gradient, reach),
                    (false, true) => apply(&method.momentum_rule(step), with(w, moments), gradient, reach),
                    (false, false) => apply(&method.rule(step), with(w, moments), gradient, reach),
                }
            }
            OptimizerMethod::Radam(options) => {
                let method = Radam { beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon };
                apply(&method.rule(step), with(w, moments), gradient, reach);
            }
            OptimizerMethod::Nadam(options) => {
                let (beta1, beta2, epsilon) = (options.beta1, options.beta2, options.epsilon);
                let method = Nadam { beta1, beta2, epsilon, momentum_decay: options.momentum_decay };
                let [w, first, second, mass] = with(w, moments);
                if let [mass] = mass {
                    apply(&method.rule(step, mass), [w, first, second], gradient, reach);
                }
            }
            OptimizerMethod::Lamb(options) => {
                let method = Lamb { beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon };
                lamb(&method, step, with(w, moments), gradient, reach);
            }
            OptimizerMethod::Lion(options) => {
                let method = Lion { beta1: options.beta1, beta2: options.beta2 };
                apply(&method.rule(step), with(w, moments), gradient, reach);
            }
            OptimizerMethod::Adan(options) => {
                let (beta1, beta2, beta3) = (options.beta1, options.beta2, options.beta3);
                let method = Adan { beta1, beta2, beta3, epsilon: options.epsilon };
                apply(&method.rule(step), with(w, moments), gradient, reach);
            }
            OptimizerMethod::Muon(options) => match self.form {
                Form::Matrix(shape) => muon(&muon_of(options), step, with(w, moments), shape, gradient),
                Form::Other => {
                    let (beta1, beta2, epsilon) = (options.beta1, options.beta2, options.epsilon);
                    let adamw = AdamOptions { beta1, beta2, epsilon, ..AdamOptions::default() };
                    adam(&adamw, WeightDecay::Weights, step, with(w, moments), gradient, reach);
                }
            },
        }
    }
}

fn adam(
    options: &AdamOptions,
    decay: WeightDecay,
    step: &Step,
    slices: [&mut [f32]; 3],
    gradient: &[f32],
    reach: Reach<'_>,
) {
    let AdamOptions { beta1, beta2, epsilon, .. } = *options;
    apply(&Adam { beta1, beta2, epsilon, decay }.rule(step), slices, gradient, reach);
}

pub(super) fn muon_of(options: &MuonOptions) -> Muon {
    Muon {
        momentum: options.momentum,
        direction: if options.nesterov { Momentum::Nesterov } else { Momentum::Heavy },
        rate: match options.rate {
            MuonRate::MatchAdamw => RateMatch::Adamw,
            MuonRate::Original => RateMatch::Original,
        },
        iterations: options.iterations,
    }
}

/// The values, and the arrays of their moments in their order.
fn with<'a, const N: usize>(w: &'a mut [f32], moments: &'a mut Moments) -> [&'a mut [f32]; N] {
    let mut slices = std::iter::once(w).chain(moments.arrays.iter_mut().map(|(_, array)| array.as_mut_slice()));
    std::array::from_fn(|_| slices.next().expect("a method has the arrays that its kernel takes"))
}
