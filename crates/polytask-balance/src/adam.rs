//! Adam for what methods learn beside the network: one number a task.

use crate::{Result, State};

const MEAN: &str = "adam_mean";
const SQUARE: &str = "adam_square";
const UPDATES: &str = "adam_updates";

const BETA_MEAN: f64 = 0.9;
const BETA_SQUARE: f64 = 0.999;
const EPSILON: f64 = 1e-8;
/// The square of a gradient stays finite.
const GRADIENT_MAX: f64 = 1e150;

/// Adds the running averages to a state.
pub(crate) fn init(state: State, tasks: usize) -> State {
    [MEAN, SQUARE, UPDATES].into_iter().fold(state, |state, name| state.with(name, vec![0.0; tasks]))
}

/// Checks that the state has the running averages, so that later steps cannot fail.
pub(crate) fn check(state: &State, tasks: usize) -> Result<()> {
    [MEAN, SQUARE, UPDATES].into_iter().try_for_each(|name| state.vector(name, tasks).map(|_| ()))
}

/// Takes one gradient into a task's running averages, and gives the step at learning rate 1.
///
/// The bias correction counts the updates of this task, not the steps of the run: a rare task would else begin with
/// steps that are far too large.
pub(crate) fn step(state: &mut State, task: usize, tasks: usize, gradient: f64) -> Result<f64> {
    let gradient = gradient.clamp(-GRADIENT_MAX, GRADIENT_MAX);
    let mut average = |name, weight: f64, value: f64| -> Result<f64> {
        let kept = &mut state.vector_mut(name, tasks)?[task];
        *kept = weight * *kept + (1.0 - weight) * value;
        Ok(*kept)
    };
    let mean = average(MEAN, BETA_MEAN, gradient)?;
    let square = average(SQUARE, BETA_SQUARE, gradient * gradient)?;
    let updates = &mut state.vector_mut(UPDATES, tasks)?[task];
    *updates += 1.0;
    let (mean, square) = (mean / (1.0 - BETA_MEAN.powf(*updates)), square / (1.0 - BETA_SQUARE.powf(*updates)));
    Ok(mean / (square.sqrt() + EPSILON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_by_hand() {
        let mut state = init(State::default(), 2);
        assert!((step(&mut state, 1, 2, -3.0).unwrap() + 1.0).abs() < 1e-8);
        // Averages 0.9 · -0.3 + 0.1 · 1 and 0.999 · 0.009 + 0.001 · 1, corrected by 1 - 0.81 and 1 - 0.998001.
        let expected = (-0.17 / 0.19) / (0.009_991_f64 / 0.001_999).sqrt();
        assert!((step(&mut state, 1, 2, 1.0).unwrap() - expected).abs() < 1e-8);
        // The other task has not begun.
        assert!((step(&mut state, 0, 2, 1e-3).unwrap() - 1.0).abs() < 1e-4);
        assert!(step(&mut state, 0, 2, f64::MAX).unwrap().is_finite());
        assert!(check(&state, 3).is_err() && check(&State::default(), 2).is_err() && check(&state, 2).is_ok());
    }
}
