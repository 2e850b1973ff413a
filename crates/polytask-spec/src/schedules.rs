//! How does the learning rate fall? Each schedule and its own options.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the rate falls after the warm-up: a name, or a table with the name as `kind` and the schedule's options.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Decay {
    /// A schedule with its defaults.
    Named(ScheduleName),
    /// A schedule with options.
    Table(Schedule),
}

/// Names of schedules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleName {
    /// It stays.
    None,
    /// Linearly, to zero after the last step of the last epoch.
    Linear,
    /// Along a half cosine, to zero after the last step of the last epoch.
    Cosine,
    /// By a factor every few epochs.
    Step,
    /// By a factor every epoch, evenly.
    Exponential,
    /// With the root of the steps.
    Noam,
    /// By a factor whenever the validation score has stopped rising.
    Plateau,
}

/// Schedules.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Schedule {
    /// A constant rate.
    None(NoneSchedule),
    /// Linearly, until the last step of the last epoch.
    Linear(FallingSchedule),
    /// Along a half cosine, until the last step of the last epoch (Loshchilov and Hutter, ICLR 2017).
    Cosine(FallingSchedule),
    /// By a factor every few epochs.
    Step(StepSchedule),
    /// By a factor every epoch, evenly over its steps.
    Exponential(ExponentialSchedule),
    /// With the root of the steps since the start of the warm-up (Vaswani et al., NeurIPS 2017).
    Noam(NoneSchedule),
    /// By a factor whenever the mean validation score has not risen for some epochs.
    Plateau(PlateauSchedule),
}

/// Schedules without options.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct NoneSchedule {}

/// Options of `linear` and `cosine`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FallingSchedule {
    /// Share of the learning rate that is left at the end.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub floor: f64,
}

/// Options of `step`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StepSchedule {
    /// Epochs between two falls, counted from the end of the warm-up.
    #[schemars(range(min = 1))]
    pub every: usize,
    /// What a fall leaves of the rate.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub factor: f64,
}

impl Default for StepSchedule {
    fn default() -> Self {
        StepSchedule { every: 10, factor: 0.1 }
    }
}

/// Options of `exponential`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExponentialSchedule {
    /// What an epoch leaves of the rate.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub factor: f64,
}

impl Default for ExponentialSchedule {
    fn default() -> Self {
        ExponentialSchedule { factor: 0.9 }
    }
}

/// Options of `plateau`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PlateauSchedule {
    /// What a fall leaves of the rate.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub factor: f64,
    /// Epochs without a better score that are waited for; the rate falls after one more.
    pub patience: usize,
    /// By how much the mean of the tasks' scores must rise to be better; scores are those of `train.select`.
    #[schemars(range(min = 0.0))]
    pub threshold: f64,
    /// Epochs after a fall that do not count as waiting.
    pub cooldown: usize,
    /// Share of the learning rate below which it does not fall.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub floor: f64,
}

impl Default for PlateauSchedule {
    fn default() -> Self {
        PlateauSchedule { factor: 0.5, patience: 1, threshold: 1e-4, cooldown: 0, floor: 0.0 }
    }
}

impl Decay {
    /// The schedule, with its defaults where only a name is given.
    pub fn schedule(&self) -> Schedule {
        match self {
            Decay::Table(schedule) => *schedule,
            Decay::Named(ScheduleName::None) => Schedule::None(NoneSchedule {}),
            Decay::Named(ScheduleName::Linear) => Schedule::Linear(FallingSchedule::default()),
            Decay::Named(ScheduleName::Cosine) => Schedule::Cosine(FallingSchedule::default()),
            Decay::Named(ScheduleName::Step) => Schedule::Step(StepSchedule::default()),
            Decay::Named(ScheduleName::Exponential) => Schedule::Exponential(ExponentialSchedule::default()),
            Decay::Named(ScheduleName::Noam) => Schedule::Noam(NoneSchedule {}),
            Decay::Named(ScheduleName::Plateau) => Schedule::Plateau(PlateauSchedule::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{THREE_TASKS, messages, spec};

    fn with(decay: &str) -> String {
        assert!(THREE_TASKS.contains("[optimizer]\n"));
        THREE_TASKS.replace("[optimizer]\n", &format!("[optimizer]\ndecay = {decay}\n"))
    }

    #[test]
    fn a_name_is_a_table_of_defaults() {
        for name in ["none", "linear", "cosine", "step", "exponential", "noam", "plateau"] {
            let named = spec(&with(&format!("\"{name}\""))).optimizer.decay;
            let table = spec(&with(&format!("{{ kind = \"{name}\" }}"))).optimizer.decay;
            assert!(matches!(named, Decay::Named(_)) && matches!(table, Decay::Table(_)), "{name}");
            assert_eq!(named.schedule(), table.schedule());
            assert_eq!(serde_json::to_value(table).unwrap()["kind"], name);
        }
        let step = spec(&with("{ kind = \"step\", every = 3, factor = 0.5 }"));
        assert_eq!(step.optimizer.decay.schedule(), Schedule::Step(StepSchedule { every: 3, factor: 0.5 }));
        assert_eq!(spec(&step.to_toml()), step);
    }

    #[test]
    fn mistakes_are_told() {
        for (decay, fragments) in [
            ("\"cosin\"", vec!["`optimizer.decay` cannot be", "did you mean `cosine`?"]),
            ("{ kind = \"stepp\" }", vec!["`optimizer.decay.kind` cannot be", "did you mean `step`?"]),
            ("{ factor = 0.5 }", vec!["[optimizer.decay] has no `kind`", "`plateau`"]),
            ("{ kind = \"cosine\", every = 3 }", vec!["unknown key `every`", "belongs to `kind = \"step\"`"]),
            ("{ kind = \"step\", every = 0 }", vec!["`optimizer.decay.every` must be", "found 0"]),
            ("{ kind = \"step\", factor = 2 }", vec!["`optimizer.decay.factor` must be between 0 and 1"]),
            ("3", vec!["`optimizer.decay` must be one of `none`", "or a table, found"]),
        ] {
            let found = messages(&with(decay));
            assert_eq!(found.len(), 1, "{decay}: {found:#?}");
            fragments.iter().for_each(|fragment| assert!(found[0].contains(fragment), "{fragment}: {found:#?}"));
        }
    }
}
