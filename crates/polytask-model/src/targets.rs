//! What should a task have said?

use polytask_data::table::Ragged;

/// The targets of a task over the examples of a split; a missing one is masked out of losses and metrics.
#[derive(Debug, Clone)]
pub enum Targets {
    /// A class an example; `u32::MAX` is missing.
    Labels(Vec<u32>),
    /// A number an example; NaN is missing.
    Numbers(Vec<f32>),
    /// A tag a token; `u32::MAX` is missing.
    Tags(Ragged<u32>),
    /// The labels of an example; `u32::MAX` alone is missing.
    LabelSets(Ragged<u32>),
}

/// The targets of some examples.
#[derive(Debug, Clone, Copy)]
pub struct TargetBatch<'a> {
    /// All targets of the split.
    pub targets: &'a Targets,
    /// Which examples make the batch.
    pub index: &'a [u32],
}

impl Targets {
    /// Number of examples.
    pub fn len(&self) -> usize {
        match self {
            Targets::Labels(labels) => labels.len(),
            Targets::Numbers(numbers) => numbers.len(),
            Targets::Tags(tags) => tags.len(),
            Targets::LabelSets(sets) => sets.len(),
        }
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> TargetBatch<'a> {
    /// The class of each example.
    pub fn labels(&self) -> Vec<u32> {
        match self.targets {
            Targets::Labels(labels) => self.index.iter().map(|&i| labels[i as usize]).collect(),
            _ => wrong_kind("labels"),
        }
    }

    /// The number of each example.
    pub fn numbers(&self) -> Vec<f32> {
        match self.targets {
            Targets::Numbers(numbers) => self.index.iter().map(|&i| numbers[i as usize]).collect(),
            _ => wrong_kind("numbers"),
        }
    }

    /// The tags of each example.
    pub fn tags(&self) -> Vec<&'a [u32]> {
        match self.targets {
            Targets::Tags(tags) => self.index.iter().map(|&i| tags.get(i as usize)).collect(),
            _ => wrong_kind("tags"),
        }
    }

    /// The labels of each example.
    pub fn label_sets(&self) -> Vec<&'a [u32]> {
        match self.targets {
            Targets::LabelSets(sets) => self.index.iter().map(|&i| sets.get(i as usize)).collect(),
            _ => wrong_kind("sets of labels"),
        }
    }
}

fn wrong_kind(wanted: &str) -> ! {
    panic!("a head is built together with its targets, which are {wanted}")
}
