//! Which parameters move, how far, and which state moves them?

use super::*;
use burn::tensor::Device;
use polytask_kernels::optim as kernels;
use polytask_model::{Owner, RowGradient};
use polytask_spec::training::{
    AdadeltaOptions, AdagradOptions, AdamOptions, AdamaxOptions, AdanOptions, LambOptions, LionOptions, MuonOptions,
    NadamOptions, OptimizerMethod, RmspropOptions, SgdOptions,
};

fn parameters() -> Parameters {
    let mut parameters = Parameters::new(Device::flex());
    parameters.add("encoder.trunk.low.bias".into(), &[2], Group::Trunk, Owner::Shared, vec![1.0, 1.0]);
    parameters.add("task.ner.head.bias".into(), &[1], Group::Heads, Owner::Shared, vec![1.0]);
    parameters.add_table("vectors".into(), 1, true, Owner::Shared, vec![1.0, 1.0, 1.0]);
    parameters
}

fn gradients() -> Gradients {
    let rows = RowGradient { table: 0, rows: vec![1], values: vec![4.0] };
    Gradients { dense: vec![Some(vec![3.0, 0.0]), None], rows: vec![rows] }
}

fn sgd() -> OptimizerSpec {
    let method = OptimizerMethod::Sgd(SgdOptions { momentum: 0.0, ..SgdOptions::default() });
    OptimizerSpec { method, clip_norm: 0.0, ..OptimizerSpec::default() }
}

/// The parameters after one update at a rate.
fn updated(spec: &OptimizerSpec, parameters: Parameters, gradients: &Gradients, rate: f64) -> Parameters {
    let (optimizer, mut parameters) = (Optimizer::new(spec), parameters);
    let mut state = optimizer.init(&parameters);
    optimizer.update(&mut parameters, &mut state, gradients, Optimizer::norm(gradients), rate);
    parameters
}

#[test]
fn the_norm_covers_rows_and_clipping_keeps_the_direction() {
    assert_eq!(Optimizer::norm(&gradients()), 5.0);
    let found = updated(&OptimizerSpec { clip_norm: 1.0, ..sgd() }, parameters(), &gradients(), 1.0);
    let trunk = found.dense()[0].to_vec();
    assert!((trunk[0] - 0.4).abs() < 1e-6 && trunk[1] == 1.0);
    assert!((found.tables()[0].values[1] - 0.2).abs() < 1e-6);
    assert_eq!(found.tables()[0].values[0], 1.0);
}

#[test]
fn a_parameter_without_gradient_stays_and_counts_no_step() {
    for method in methods() {
        let spec = OptimizerSpec { method, ..OptimizerSpec::default() };
        let (optimizer, mut parameters) = (Optimizer::new(&spec), parameters());
        let mut state = optimizer.init(&parameters);
        let before = state.dense[1].clone();
        optimizer.update(&mut parameters, &mut state, &gradients(), 5.0, 0.1);
        assert_eq!(parameters.dense()[1].to_vec(), [1.0], "{}", method.name());
        assert_eq!(state.dense[1], before, "{}", method.name());
        assert_eq!((state.dense[0].steps, state.dense[1].steps, state.tables[0].steps), (1, 0, 1));
        let table = &parameters.tables()[0].values;
        assert!(table[1] < 1.0 && table[0] == 1.0 && table[2] == 1.0, "{}: {table:?}", method.name());
    }
    // The first bias-corrected step of adam is the learning rate against the gradient's sign.
    let found = updated(&OptimizerSpec::default(), parameters(), &gradients(), 0.1);
    assert!((found.dense()[0].to_vec()[0] - 0.9).abs() < 1e-5);
}

#[test]
fn dense_rows_move_by_their_momentum_alone() {
    for method in methods() {
        let spec = OptimizerSpec { method, rows: RowUpdate::Dense, ..OptimizerSpec::default() };
        let (optimizer, mut parameters) = (Optimizer::new(&spec), parameters());
        let mut state = optimizer.init(&parameters);
        optimizer.update(&mut parameters, &mut state, &gradients(), 5.0, 0.1);
        let before = parameters.tables()[0].values.clone();
        let other = RowGradient { table: 0, rows: vec![2], values: vec![1.0] };
        let later = Gradients { dense: vec![None, None], rows: vec![other] };
        optimizer.update(&mut parameters, &mut state, &later, 1.0, 0.1);
        let after = &parameters.tables()[0].values;
        assert_eq!(after[0], 1.0, "{}: no gradient ever", method.name());
        let without_momentum = matches!(
            method,
            OptimizerMethod::Adagrad(_)
                | OptimizerMethod::Adadelta(_)
                | OptimizerMethod::Rmsprop(RmspropOptions { centered: false, .. })
        );
        assert_eq!(after[1] == before[1], without_momentum, "{}: {before:?} {after:?}", method.name());
    }
}

#[test]
fn scales_slow_down_groups_layers_and_tasks() {
    let full = Gradients { dense: vec![Some(vec![1.0, 1.0]), Some(vec![1.0])], rows: gradients().rows };
    let moved = |change: fn(&mut OptimizerSpec)| {
        let mut spec = sgd();
        change(&mut spec);
        let found = updated(&spec, parameters(), &full, 0.125);
        [found.dense()[0].to_vec()[1], found.dense()[1].to_vec()[0], found.tables()[0].values[1]]
            .map(|w| (1.0 - w) * 8.0)
    };
    assert_eq!(moved(|_| {}), [1.0, 1.0, 4.0]);
    assert_eq!(moved(|spec| spec.scale.vectors = 0.0), [1.0, 1.0, 0.0]);
    assert_eq!(moved(|spec| spec.scale.trunk = 0.5), [0.5, 1.0, 4.0]);
    assert_eq!(moved(|spec| spec.scale.heads = 0.5), [1.0, 0.5, 4.0]);
    let named = |spec: &mut OptimizerSpec| {
        let layers = [("trunk", 0.5), ("trunk.low", 0.5), ("trunk.lo", 9.0), ("tru", 9.0)];
        spec.scale.layers = layers.map(|(name, factor)| (name.into(), factor)).into_iter().collect();
        spec.scale.tasks = [("ner".into(), 2.0), ("ne".into(), 9.0)].into_iter().collect();
    };
    assert_eq!(moved(named), [0.25, 2.0, 4.0]);
}

#[test]
fn weight_decay_leaves_out_what_it_shall() {
    let parameters = || {
        let mut parameters = parameters();
        parameters.add("encoder.trunk.low.weight".into(), &[2, 1], Group::Trunk, Owner::Shared, vec![1.0, 1.0]);
        parameters
    };
    let zero = RowGradient { table: 0, rows: vec![1], values: vec![0.0] };
    let still = Gradients { dense: vec![Some(vec![0.0; 2]), Some(vec![0.0]), Some(vec![0.0; 2])], rows: vec![zero] };
    for (of, bias) in [(DecayedParameters::All, 0.75), (DecayedParameters::Matrices, 1.0)] {
        let spec = OptimizerSpec { weight_decay: 0.5, weight_decay_of: of, ..sgd() };
        let found = updated(&spec, parameters(), &still, 0.5);
        assert_eq!(found.dense()[0].to_vec(), [bias; 2]);
        assert_eq!(found.dense()[1].to_vec(), [bias]);
        assert_eq!(found.dense()[2].to_vec(), [0.75; 2]);
        assert_eq!(found.tables()[0].values, [1.0; 3]);
    }
}

#[test]
fn muon_takes_the_matrices_of_layers_and_adamw_the_rest() {
    let mut parameters = parameters();
    for (name, shape, group) in [
        ("encoder.trunk.low.weight", [2, 3], Group::Trunk),
        ("encoder.trunk.low.column", [3, 1], Group::Trunk),
        ("input.words.characters.vectors", [2, 3], Group::Vectors),
        ("task.ner.head.weight", [2, 3], Group::Heads),
    ] {
        parameters.add(name.into(), &shape, group, Owner::Shared, vec![0.5; shape[0] * shape[1]]);
    }
    let method = OptimizerMethod::Muon(MuonOptions::default());
    let state = Optimizer::new(&OptimizerSpec { method, ..OptimizerSpec::default() }).init(&parameters);
    let arrays: Vec<usize> = state.dense.iter().chain(&state.tables).map(|moments| moments.arrays.len()).collect();
    assert_eq!(arrays, [2, 2, 1, 2, 2, 2, 2]);
}

/// Every method, with the options that have a form of their own.
fn methods() -> Vec<OptimizerMethod> {
    let rmsprop = RmspropOptions::default();
    vec![
        OptimizerMethod::Sgd(SgdOptions::default()),
        OptimizerMethod::Sgd(SgdOptions { nesterov: true, ..SgdOptions::default() }),
        OptimizerMethod::Adam(AdamOptions::default()),
        OptimizerMethod::Adamw(AdamOptions::default()),
        OptimizerMethod::Adamax(AdamaxOptions::default()),
        OptimizerMethod::Adagrad(AdagradOptions::default()),
        OptimizerMethod::Adadelta(AdadeltaOptions::default()),
        OptimizerMethod::Rmsprop(rmsprop),
        OptimizerMethod::Rmsprop(RmspropOptions { centered: true, momentum: 0.5, ..rmsprop }),
        OptimizerMethod::Nadam(NadamOptions::default()),
        OptimizerMethod::Radam(AdamOptions::default()),
        OptimizerMethod::Lamb(LambOptions::default()),
        OptimizerMethod::Lion(LionOptions::default()),
        OptimizerMethod::Adan(AdanOptions::default()),
        OptimizerMethod::Muon(MuonOptions::default()),
    ]
}

#[test]
fn the_defaults_of_the_config_are_those_of_the_methods() {
    let (adam, kernel) = (AdamOptions::default(), kernels::Adam::default());
    assert_eq!((adam.beta1, adam.beta2, adam.epsilon), (kernel.beta1, kernel.beta2, kernel.epsilon));
    let (radam, kernel) = (AdamOptions::default(), kernels::Radam::default());
    assert_eq!((radam.beta1, radam.beta2, radam.epsilon), (kernel.beta1, kernel.beta2, kernel.epsilon));
    let (adamax, kernel) = (AdamaxOptions::default(), kernels::Adamax::default());
    assert_eq!((adamax.beta1, adamax.beta2, adamax.epsilon), (kernel.beta1, kernel.beta2, kernel.epsilon));
    assert_eq!(AdagradOptions::default().epsilon, kernels::Adagrad::default().epsilon);
    let (adadelta, kernel) = (AdadeltaOptions::default(), kernels::Adadelta::default());
    assert_eq!((adadelta.rho, adadelta.epsilon), (kernel.rho, kernel.epsilon));
    let (rmsprop, kernel) = (RmspropOptions::default(), kernels::Rmsprop::default());
    assert_eq!((rmsprop.alpha, rmsprop.epsilon, rmsprop.momentum), (kernel.alpha, kernel.epsilon, kernel.momentum));
    let (nadam, kernel) = (NadamOptions::default(), kernels::Nadam::default());
    assert_eq!((nadam.beta1, nadam.beta2, nadam.epsilon), (kernel.beta1, kernel.beta2, kernel.epsilon));
    assert_eq!(nadam.momentum_decay, kernel.momentum_decay);
    let (lamb, kernel) = (LambOptions::default(), kernels::Lamb::default());
    assert_eq!((lamb.beta1, lamb.beta2, lamb.epsilon), (kernel.beta1, kernel.beta2, kernel.epsilon));
    let (lion, kernel) = (LionOptions::default(), kernels::Lion::default());
    assert_eq!((lion.beta1, lion.beta2), (kernel.beta1, kernel.beta2));
    let (adan, kernel) = (AdanOptions::default(), kernels::Adan::default());
    assert_eq!((adan.beta1, adan.beta2, adan.beta3), (kernel.beta1, kernel.beta2, kernel.beta3));
    assert_eq!(adan.epsilon, kernel.epsilon);
    let sgd = SgdOptions::default();
    assert_eq!((sgd.momentum, sgd.nesterov), (kernels::Sgd::default().momentum, false));
    assert_eq!(rule::muon_of(&MuonOptions::default()), kernels::Muon::default());
}
