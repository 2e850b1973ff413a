//! Which tasks work against each other?

use indexmap::IndexMap;
use polytask_run::{Cosine, Measured};

use super::{Finding, Recent};

/// Mean cosine above which a conflict is too weak to matter: at -0.1 a step along one of two equally long gradients takes back
/// a tenth of what the other one's step gains, and unrelated gradients, whose cosines are noise around 0, stay above it.
const COSINE_MAX: f64 = -0.1;

/// The last cosines of each pair of tasks.
#[derive(Debug, Clone, Default)]
pub(super) struct Conflicts(IndexMap<[String; 2], Recent>);

impl Conflicts {
    /// Takes in a look; returns the pairs of it that mostly point against each other.
    pub(super) fn see(&mut self, cosines: &[Cosine]) -> Vec<Finding> {
        cosines.iter().filter_map(|Cosine { between, cosine }| self.pair(between, *cosine)).collect()
    }

    fn pair(&mut self, between: &[String; 2], cosine: f64) -> Option<Finding> {
        let recent = self.0.entry(between.clone()).or_default();
        recent.push(cosine);
        let (against, cosine, looks) = (recent.count(|cosine| cosine < 0.0), recent.mean(), recent.len());
        let conflict = recent.mostly(against) && cosine <= COSINE_MAX;
        conflict.then(|| (between.to_vec(), Measured::Conflict { cosine, against, looks }))
    }
}
