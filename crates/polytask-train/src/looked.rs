//! How do the tasks' gradients stand to each other?

use polytask_balance::Gramian;
use polytask_run::{Balanced, Cosine, Event};

use crate::affinity::Affinity;
use crate::plan::Plan;
use crate::state::State;
use crate::step::{Stepped, is_watched};

/// Lengths of the gradients of a step's tasks and the angles between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The present tasks, in order.
    pub tasks: Vec<usize>,
    /// Length of each task's gradient in what tasks share.
    pub norms: Vec<f64>,
    /// For each pair of present tasks `(a, b)` with `b < a`, by place: the cosine of the angle between their gradients;
    /// absent where one of them is zero.
    pub cosines: Vec<(usize, usize, f64)>,
    /// What a step for one task alone does for another; empty where `balance.affinity` is not set.
    pub affinities: Vec<Affinity>,
}

impl Looked {
    /// Reads lengths and angles off the products of the present tasks' gradients.
    pub(crate) fn of(tasks: &[usize], gramian: &Gramian) -> Looked {
        let norms: Vec<f64> = (0..tasks.len()).map(|task| gramian.get(task, task).max(0.0).sqrt()).collect();
        let pairs = (0..tasks.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
        let cosine = |(a, b): (usize, usize)| {
            // Divided one after the other, because the product of two lengths may leave the range.
            let cosine = gramian.get(a, b) / norms[a] / norms[b];
            cosine.is_finite().then_some((a, b, cosine.clamp(-1.0, 1.0)))
        };
        let cosines = pairs.filter_map(cosine).collect();
        Looked { tasks: tasks.to_vec(), norms, cosines, affinities: Vec::new() }
    }

    /// The share of pairs whose gradients point against each other; `None` where there is no pair.
    pub fn conflict_rate(&self) -> Option<f64> {
        let against = self.cosines.iter().filter(|(.., cosine)| *cosine < 0.0).count();
        (!self.cosines.is_empty()).then(|| against as f64 / self.cosines.len() as f64)
    }

    /// The cosines by the tasks' names.
    pub(crate) fn named(&self, names: &[String]) -> Vec<Cosine> {
        let name = |place: usize| names[self.tasks[place]].clone();
        self.cosines.iter().map(|&(a, b, cosine)| Cosine { between: [name(b), name(a)], cosine }).collect()
    }

    /// The affinities by the tasks' names.
    fn named_affinities(&self, names: &[String]) -> Vec<polytask_run::Affinity> {
        let named = |&Affinity { of, on, affinity }: &Affinity| polytask_run::Affinity {
            of: names[of].clone(),
            on: names[on].clone(),
            affinity,
        };
        self.affinities.iter().map(named).collect()
    }
}

/// What is written down of how the step that was just taken traded the tasks off; `None` where it is not one of those that are
/// looked at, or had fewer than two tasks.
pub(crate) fn event(plan: &Plan, state: &State, stepped: &Stepped, names: &[String]) -> Option<Event> {
    if !is_watched(plan, state.step - 1) || stepped.losses.iter().flatten().count() < 2 {
        return None;
    }
    let looked = stepped.looked.as_ref();
    let norm = |task: usize| {
        let looked = looked?;
        Some(looked.norms[looked.tasks.iter().position(|&other| other == task)?])
    };
    let present = (0..names.len()).filter(|&task| stepped.losses[task].is_some());
    let balanced = |task: usize| Balanced { weight: stepped.weights[task], gradient_norm: norm(task) };
    Some(Event::Balance {
        epoch: state.epoch + 1,
        step: state.step,
        tasks: present.map(|task| (names[task].clone(), balanced(task))).collect(),
        cosines: looked.map(|looked| looked.named(names)).unwrap_or_default(),
        conflict_rate: looked.and_then(Looked::conflict_rate),
        affinities: looked.map(|looked| looked.named_affinities(names)).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_of_three_gradients() {
        // (1, 0), (-1, 1), 0.
        let rows = [vec![1.0, -1.0, 0.0], vec![-1.0, 2.0, 0.0], vec![0.0; 3]];
        let looked = Looked::of(&[0, 2, 3], &Gramian::new(&rows).unwrap());
        assert_eq!(looked.norms, [1.0, 2.0_f64.sqrt(), 0.0]);
        let [(1, 0, cosine)] = looked.cosines[..] else { panic!("{looked:?}") };
        assert!((cosine + 0.5_f64.sqrt()).abs() < 1e-15);
        assert_eq!(looked.conflict_rate(), Some(1.0));
        let names = ["a", "b", "c", "d"].map(String::from);
        assert_eq!(looked.named(&names)[0].between, ["a", "c"]);
        assert_eq!(Looked::of(&[1], &Gramian::new(&[vec![1.0]]).unwrap()).conflict_rate(), None);
    }
}
