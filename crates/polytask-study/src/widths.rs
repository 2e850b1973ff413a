//! How wide is each task's own network, if all of them together are to be as large as the joint one?
//!
//! Sharing may help because a task gets a larger network than it could have alone. Against that stand separate networks of equal total
//! size: the layers of each have at most the joint network's values over the number of tasks. Word vectors and heads are as ever;
//! what is scaled is the number of filters, hidden units and units of a layer.

use std::collections::BTreeMap;

use polytask_model::Description;
use polytask_spec::Spec;
use polytask_spec::network::LayerKind;
use polytask_train::encoder_len;

use crate::derive::restrict;

/// Widths are whole multiples of one over this of those in the configuration, rounded.
const PARTS: usize = 256;

/// The share of the configured width that each task's own network has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Widths(BTreeMap<String, f64>);

impl Widths {
    /// The largest widths at which the encoders of all tasks together are no larger than those of the joint network; a task whose
    /// whole network is smaller keeps it.
    ///
    /// `None` where `description` does not know the tasks.
    pub fn equal(spec: &Spec, description: &Description) -> Option<Widths> {
        let most = encoder_len(spec, description)? / spec.task.len().max(1);
        let mut widths = BTreeMap::new();
        for task in spec.task.keys() {
            let alone = restrict(spec, std::slice::from_ref(task));
            let len = |parts: usize| encoder_len(&narrowed(&alone, parts as f64 / PARTS as f64), description);
            // The size grows with the width: the widest that fits lies between one that does and one that does not.
            let (mut fits, mut too_wide) = (1, PARTS + 1);
            while too_wide - fits > 1 {
                let middle = (fits + too_wide) / 2;
                if len(middle)? <= most {
                    fits = middle;
                } else {
                    too_wide = middle;
                }
            }
            widths.insert(task.clone(), fits as f64 / PARTS as f64);
        }
        Some(Widths(widths))
    }

    /// The share of a task; 1 where nothing is known.
    pub fn of(&self, task: &str) -> f64 {
        self.0.get(task).copied().unwrap_or(1.0)
    }
}

/// The configuration with layers of this share of their width, at least one unit each; heads of attention still divide theirs.
pub(crate) fn narrowed(spec: &Spec, share: f64) -> Spec {
    let mut narrow = spec.clone();
    let scaled = |width: usize| ((width as f64 * share).round() as usize).max(1);
    for layer in narrow.encoder.values_mut().flat_map(|encoder| &mut encoder.layers) {
        match &mut layer.kind {
            LayerKind::Conv(layer) => layer.filters = scaled(layer.filters),
            LayerKind::Bilstm(layer) => layer.hidden = scaled(layer.hidden),
            LayerKind::Lstm(layer) => layer.hidden = scaled(layer.hidden),
            LayerKind::Gru(layer) => layer.hidden = scaled(layer.hidden),
            LayerKind::Dense(layer) => layer.units = scaled(layer.units),
            LayerKind::Transformer(layer) => {
                layer.width = scaled(layer.width / layer.heads.max(1)) * layer.heads.max(1);
                layer.feedforward = scaled(layer.feedforward);
            }
            LayerKind::Norm(_) | LayerKind::Pool(_) => {}
        }
    }
    narrow
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::tests::{FOUR, spec};

    #[test]
    fn widths_are_shares_of_those_that_are_configured() {
        let text = FOUR
            .replace("[{ kind = \"conv\" }]", "[{ kind = \"transformer\", width = 128, heads = 4 }, { kind = \"conv\", filters = 10 }, { kind = \"dense\", units = 3 }]");
        let whole = spec(&text);
        assert_eq!(narrowed(&whole, 1.0), whole);
        let half = narrowed(&whole, 0.3);
        let layers = &half.encoder["trunk"].layers;
        let widths: Vec<usize> = layers
            .iter()
            .map(|layer| match &layer.kind {
                LayerKind::Transformer(layer) => layer.width,
                LayerKind::Conv(layer) => layer.filters,
                LayerKind::Dense(layer) => layer.units,
                _ => 0,
            })
            .collect();
        // Four heads of 32 * 0.3 = 10 features each.
        assert_eq!(widths, [40, 3, 1]);
        assert_eq!(spec(&half.to_toml()), half);
        assert_eq!(Widths::default().of("polarity"), 1.0);
    }
}
