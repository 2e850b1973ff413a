//! CR-MOGM: the weights of another method, averaged over past steps.
//!
//! ```text
//! w = α w(last step) + (1 - α) ŵ          ŵ: the weights of MGDA, PCGrad or CAGrad on this step's gradients
//! ```
//!
//! Weights that are computed from one batch depend on its noise, so that their product with the same batch's gradients
//! is biased, and may not converge; averaged weights hardly depend on it. Use it with small batches.
//!
//! Cost a step: O(T³), that of the method whose weights are averaged. State: T numbers.
//! Reference: Zhou, Zhang, Jiang, Zhong, Gu and Zhu, "On the convergence of stochastic multi-objective gradient
//! manipulation and beyond", NeurIPS 2022.
//!
//! The paper lets α grow to 1 as the learning rate falls (α = 1 minus the learning rate over the first one); here, as
//! in TorchJD, it is a constant, 0.9. A task's first weights are taken as they are, as TorchJD does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaGrad, Mgda, PcGrad};
use crate::{Balancer, Error, Laws, Needs, Result, Scale, Seen, State, Weights};

/// Options of CR-MOGM.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CrMogm {
    /// The method whose weights are averaged, with its default options.
    pub base: Base,
    /// How much of the last weights is kept, from 0 to below 1; the paper's α.
    #[schemars(extend("minimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub momentum: f64,
    #[serde(skip)]
    surgery: PcGrad,
}

/// The method whose weights are averaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// The shortest convex combination.
    #[default]
    Mgda,
    /// Projections in random order.
    Pcgrad,
    /// The best direction for the worst task near the mean.
    Cagrad,
}

impl Default for CrMogm {
    fn default() -> Self {
        CrMogm { base: Base::default(), momentum: 0.9, surgery: PcGrad::default() }
    }
}

/// The averages; and 1 for a task that has one.
const WEIGHTS: &str = "weights";
const WEIGHED: &str = "weighed";

impl Balancer for CrMogm {
    const KEY: &'static str = "cr-mogm";
    const SUMMARY: &'static str = "the weights of mgda, pcgrad or cagrad, averaged over past steps";
    const REFERENCE: &'static str =
        "Zhou et al., On the convergence of stochastic multi-objective gradient manipulation and beyond, NeurIPS 2022";
    const NEEDS: Needs = Needs::Gramian;
    const COST: &'static str = "O(T³)";

    fn bind(self, tasks: &[String]) -> Result<Self> {
        if !(0.0..1.0).contains(&self.momentum) {
            return Err(Error::option(Self::KEY, "momentum", self.momentum, "a number from 0 to below 1"));
        }
        Ok(CrMogm { surgery: self.surgery.bind(tasks)?, ..self })
    }

    fn seed(&mut self, run: u64) {
        self.surgery.seed(run);
    }

    fn laws(&self) -> Laws {
        Laws { permutation: true, symmetric: true, scale: Scale::Linear, ..Laws::none() }
    }

    fn init(&self, tasks: usize) -> State {
        State::default().with(WEIGHTS, vec![0.0; tasks]).with(WEIGHED, vec![0.0; tasks])
    }

    fn weigh(&self, state: &mut State, seen: &Seen) -> Result<Weights> {
        let tasks = seen.tasks();
        // None of the methods has a memory but the number of the step.
        let mut scratch = State::default();
        scratch.step = state.step;
        let fresh = match self.base {
            Base::Mgda => Mgda::default().weigh(&mut scratch, seen),
            Base::Pcgrad => self.surgery.weigh(&mut scratch, seen),
            Base::Cagrad => CaGrad::default().weigh(&mut scratch, seen),
        }?;
        let (kept, weighed) = (state.vector(WEIGHTS, tasks)?, state.vector(WEIGHED, tasks)?);
        let weights = Weights::of_present(seen, |task, _| {
            let momentum = self.momentum * weighed[task];
            momentum * kept[task] + (1.0 - momentum) * fresh.as_slice()[task]
        })?;
        for (task, _) in seen.present() {
            state.vector_mut(WEIGHTS, tasks)?[task] = weights.as_slice()[task];
            state.vector_mut(WEIGHED, tasks)?[task] = 1.0;
        }
        state.step += 1;
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gramian;

    fn seen(squares: [f64; 2]) -> Seen {
        let gramian = Gramian::new(&[vec![squares[0], 0.0], vec![0.0, squares[1]]]).unwrap();
        Seen::new(vec![Some(1.0); 2]).unwrap().with_gramian(gramian).unwrap()
    }

    #[test]
    fn weights_are_averaged() {
        let method = CrMogm { momentum: 0.75, ..CrMogm::default() };
        let mut state = method.init(2);
        // MGDA's weights are as the inverse squares: (0.8, 0.2), then (0.5, 0.5).
        let first = method.weigh(&mut state, &seen([1.0, 4.0])).unwrap().into_vec();
        assert!((first[0] - 0.8).abs() < 1e-15 && (first[1] - 0.2).abs() < 1e-15, "{first:?}");
        let second = method.weigh(&mut state, &seen([9.0, 9.0])).unwrap().into_vec();
        assert!((second[0] - 0.725).abs() < 1e-15 && (second[1] - 0.275).abs() < 1e-15, "{second:?}");
    }

    #[test]
    fn without_momentum_it_is_the_base() {
        let names = ["a".to_owned(), "b".to_owned()];
        let gramian = Gramian::new(&[vec![1.0, -0.5], vec![-0.5, 2.0]]).unwrap();
        let seen = Seen::new(vec![Some(1.0); 2]).unwrap().with_gramian(gramian).unwrap();
        let weigh = |base| {
            let method = CrMogm { base, momentum: 0.0, ..CrMogm::default() }.bind(&names).unwrap();
            method.weigh(&mut method.init(2), &seen).unwrap()
        };
        let mut state = State::default();
        assert_eq!(weigh(Base::Mgda), Mgda::default().weigh(&mut state, &seen).unwrap());
        assert_eq!(weigh(Base::Cagrad), CaGrad::default().weigh(&mut state, &seen).unwrap());
        let surgery = PcGrad::default().bind(&names).unwrap();
        assert_eq!(weigh(Base::Pcgrad), surgery.weigh(&mut State::default(), &seen).unwrap());
        assert!(CrMogm { momentum: 1.0, ..CrMogm::default() }.bind(&names).is_err());
    }
}
