//! What do tasks want of the representation that they share?
//!
//! Tasks that read one batch go one way up to the deepest layer that they have in common, z. Each task's loss is walked back
//! to z; the balancer weighs the gradients there, and one walk takes `Σ w_t ∂L_t/∂z` through what lies below. Parameters above
//! z that several tasks reach follow `Σ w_t g_t`.
//!
//! Cost a step: one forward and one backward pass through what lies below z, and one of each a task above it.
//! Reference: Sener and Koltun, "Multi-task learning as multi-objective optimization", NeurIPS 2018 (MGDA-UB).

use burn::tensor::ElementConversion;
use polytask_balance::{Entry, Gramian, Needs, Seen};
use polytask_data::sampler::Step;
use polytask_kernels::products::products;
use polytask_model::{Gradients, Pass};
use polytask_spec::Spec;

use crate::error::TrainError;
use crate::looked::Looked;
use crate::plan::Plan;
use crate::state::State;
use crate::step::{Decided, batch_of, check_losses, diverged, training};
use crate::task_gradients::combine;

/// Checks that tasks have a representation in common on each batch, and that the method works with the products there.
///
/// # Errors
///
/// Where they have not, or it does not.
pub(crate) fn check(spec: &Spec, entry: &Entry) -> Result<(), TrainError> {
    let refuse = |message: String, help: &str| {
        Err(TrainError::config(&["balance", "gradients"], format!("\"representation\": {message}"), help))
    };
    let datasets: Vec<&str> = spec.task.values().map(|task| task.data.as_str()).collect();
    if let Some(other) = datasets.iter().find(|other| **other != datasets[0]) {
        let message = format!(
            "tasks read `{}` and `{other}`, and different examples have no representation in common",
            datasets[0]
        );
        return refuse(message, "let all tasks read one dataset, or compare gradients in the parameters");
    }
    let encoders: Vec<&str> = spec.task.values().map(|task| spec.encoder_of(task)).collect();
    if let Some(other) = encoders.iter().find(|other| **other != encoders[0]) {
        let message = format!("tasks are attached to the encoders `{}` and `{other}`", encoders[0]);
        return refuse(message, "attach all tasks to one encoder, or compare gradients in the parameters");
    }
    if let Some((name, _)) = spec.task.iter().find(|(_, task)| spec.pair_of(task).is_some()) {
        let message = format!("`{name}` compares two texts, each with a representation of its own");
        return refuse(message, "compare gradients in the parameters");
    }
    match entry.needs {
        Needs::Gramian | Needs::RepresentationGradients => Ok(()),
        Needs::Losses | Needs::LossesAfter => {
            refuse(format!("`{}` does not compare gradients", entry.key), "leave `gradients` out")
        }
        Needs::CrossGramian | Needs::TaskGradients => refuse(
            format!("`{}` needs more than the products of gradients", entry.key),
            "compare gradients in the parameters",
        ),
    }
}

/// Gradients at the shared representation, and the direction that the balancer makes of them; `None` where no task has a
/// loss.
///
/// # Errors
///
/// Where a loss or a gradient is not finite.
pub(crate) fn compared(
    plan: &Plan,
    state: &State,
    balance: &mut polytask_balance::State,
    step: &Step,
) -> Result<Option<Decided>, TrainError> {
    let batch = &step.batches[0];
    let Some(of_batch) = batch_of(plan, batch, |task| state.standing.is_active(task)) else { return Ok(None) };
    let trunk = Pass::new(&plan.model.parameters, training(plan, state));
    let shared = plan.model.shared_representation(&trunk, of_batch.feed);
    let mut values = vec![None; plan.spec.task.len()];
    let (mut tasks, mut gradients, mut at_shared) = (Vec::new(), Vec::new(), Vec::new());
    for (task, targets) in of_batch.tasks {
        let (pass, leaf) = (trunk.after(), shared.leaf());
        let Some(loss) = plan.model.loss_from_shared(&pass, leaf.clone(), (task, targets)) else { continue };
        values[task.0] = Some(loss.clone().into_scalar::<f32>().elem());
        check_losses(plan, state, step, &values)?;
        let (above, at_leaf) = pass.backward_to(loss, &leaf);
        if let Some(value) = at_leaf.iter().find(|value| !value.is_finite()) {
            return Err(diverged(plan, state, step, "gradient", &[task.0], f64::from(*value)).into());
        }
        tasks.push(task.0);
        gradients.push(above);
        at_shared.push(at_leaf);
    }
    if tasks.is_empty() {
        return Ok(None);
    }
    let gramian = gramian(&at_shared)?;
    let looked = Looked::of(&tasks, &gramian);
    let seen = Seen::new(values)?.with_gramian(gramian)?;
    let weights = plan.balancer.weigh(balance, &seen)?.into_vec();
    let mut of_present: Vec<f64> = tasks.iter().map(|&task| weights[task]).collect();
    let mut direction = vec![0.0; at_shared[0].len()];
    for (gradient, &weight) in at_shared.iter().zip(&of_present) {
        direction.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += weight as f32 * value);
    }
    gradients.push(below(trunk, shared.times(direction)));
    of_present.push(1.0);
    let gradients = combine(&plan.model.parameters, &gradients, &of_present);
    Ok(Some(Decided { seen, weights, gradients, looked: Some(looked) }))
}

/// The gradients below z; none where nothing there is trained.
fn below(trunk: Pass<'_>, total: burn::tensor::Tensor<1>) -> Gradients {
    if trunk.handed_out() { trunk.backward(total) } else { Gradients::default() }
}

fn gramian(gradients: &[Vec<f32>]) -> Result<Gramian, polytask_balance::Error> {
    let parts: Vec<&[f32]> = gradients.iter().map(Vec::as_slice).collect();
    let products = products(&parts);
    let at = |a: usize, b: usize| products[a.max(b) * (a.max(b) + 1) / 2 + a.min(b)];
    let rows: Vec<Vec<f64>> = (0..parts.len()).map(|a| (0..parts.len()).map(|b| at(a, b)).collect()).collect();
    Gramian::new(&rows)
}
