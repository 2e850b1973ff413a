//! What do passes over the tasks of one step have in common?
//!
//! Where each task is walked back alone, the way there need not be gone once a task: convolutions over words meet each
//! distinct word of all batches once ([`polytask_kernels::word_conv`]), in one pass ahead of the others, and the pass of a
//! task takes the responses to its own texts from there. Its way back is its own.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use polytask_kernels::ops::Strongest;

use crate::input::{Feed, Side};
use crate::model::{Batch, Model};
use crate::parameters::{ParameterId, TaskId};
use crate::pass::{Mode, Pass};

/// What was found ahead for one batch of a step.
#[derive(Debug, Clone)]
pub struct Ahead {
    found: Arc<Vec<(ParameterId, Strongest)>>,
    texts: Range<usize>,
}

impl Ahead {
    /// The strongest responses to the batch's texts of the layer with this bias.
    pub(crate) fn find(&self, bias: ParameterId) -> Option<Strongest> {
        let (_, strongest) = self.found.iter().find(|(of, _)| *of == bias)?;
        Some(strongest.texts(self.texts.clone()))
    }
}

/// What a pass knows of those before it, or finds for those after it.
#[derive(Debug)]
pub(crate) enum Sight {
    None,
    /// Nothing, and no way back follows.
    Untaped,
    Known(Ahead),
    Looking(RefCell<Vec<(ParameterId, Strongest)>>),
}

impl Model {
    /// Computes ahead what the passes over single tasks of some batches have in common; one entry a batch, `None` where
    /// there is nothing, as for pairs of texts.
    pub fn look_ahead(&self, mode: Mode, batches: &[Batch<'_>]) -> Vec<Option<Ahead>> {
        let mut ahead: Vec<Option<Ahead>> = vec![None; batches.len()];
        for group in self.joined(batches) {
            let tasks: usize = group.iter().map(|&batch| batches[batch].tasks.len()).sum();
            let pairs = group.iter().any(|&batch| self.compares(batches[batch].task_ids()));
            if tasks < 2 || pairs {
                continue;
            }
            let pass = Pass::looking(&self.parameters, mode);
            self.forward_on_words(&pass, batches, &group);
            let Sight::Looking(found) = pass.into_sight() else { continue };
            let found = Arc::new(found.into_inner());
            let mut first = 0;
            for batch in group.into_iter().filter(|_| !found.is_empty()) {
                let texts = first..first + batches[batch].feed.index.len();
                first = texts.end;
                ahead[batch] = Some(Ahead { found: Arc::clone(&found), texts });
            }
        }
        ahead
    }

    /// Runs what works on the distinct words of a group of batches, where nothing is dropped: what is dropped is drawn anew for
    /// every part of the group.
    fn forward_on_words(&self, pass: &Pass<'_>, batches: &[Batch<'_>], group: &[usize]) {
        let feeds: Vec<Feed<'_>> = group.iter().map(|&batch| batches[batch].feed).collect();
        let tasks: Vec<TaskId> = group.iter().flat_map(|&batch| batches[batch].task_ids()).collect();
        for (index, demands) in self.asked(&tasks) {
            let encoder = &self.encoders[index];
            let input = &self.inputs[&encoder.input];
            if !input.drops(pass) {
                encoder.forward_on_words(pass, || input.forward(pass, &feeds, Side::First), &demands);
            }
        }
    }
}
