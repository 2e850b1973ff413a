//! What do all tasks have in common, and what does each make of it?
//!
//! The shared representation z is the deepest layer that every task reads or builds on. The network is walked once up to it;
//! from there each task goes its own way, so that gradients at z cost one pass through what lies below.

use burn::tensor::Tensor;

use crate::encoder::Demand;
use crate::input::{Feed, Side};
use crate::model::Model;
use crate::parameters::TaskId;
use crate::pass::Pass;
use crate::representation::Representation;
use crate::targets::TargetBatch;

impl Model {
    /// The encoder and the layer of the shared representation; `None` where tasks are attached to several encoders.
    fn common_layer(&self) -> Option<(usize, usize)> {
        let index = self.tasks.first()?.encoder;
        if self.tasks.iter().any(|task| task.encoder != index) {
            return None;
        }
        let encoder = &self.encoders[index];
        let mut attached = self.tasks.iter().flat_map(|task| task.attach.iter().copied());
        let mut common: Vec<usize> = encoder.chain(attached.next()?).collect();
        attached.for_each(|layer| common.retain(|&of| encoder.chain(layer).any(|below| below == of)));
        Some((index, common.into_iter().max()?))
    }

    /// The shared representation of a batch.
    ///
    /// # Panics
    ///
    /// Where tasks are attached to several encoders.
    pub fn shared_representation(&self, pass: &Pass<'_>, feed: Feed<'_>) -> Representation {
        let (encoder, layer) = self.common_layer().expect("checked: all tasks are attached to one encoder");
        let all: Vec<TaskId> = (0..self.tasks.len()).map(TaskId).collect();
        let mut demands = self.demands(encoder, &all);
        if demands[layer + 1..].iter().any(|demand| *demand != Demand::Nothing) {
            demands[layer] = Demand::Full;
        }
        demands[layer + 1..].fill(Demand::Nothing);
        let encoder = &self.encoders[encoder];
        let input = self.inputs[&encoder.input].forward(pass, &[feed], Side::First);
        encoder.forward(pass, input, &demands).swap_remove(layer).expect("the layer was asked for")
    }

    /// The mean loss of a task, `[1]`, from the shared representation; `None` where all its targets are missing.
    ///
    /// # Panics
    ///
    /// Where tasks are attached to several encoders.
    pub fn loss_from_shared(
        &self,
        pass: &Pass<'_>,
        shared: Representation,
        (task, targets): (TaskId, TargetBatch<'_>),
    ) -> Option<Tensor<1>> {
        let (index, layer) = self.common_layer().expect("checked: all tasks are attached to one encoder");
        let mut demands = self.demands(index, &[task]);
        demands[..=layer].fill(Demand::Nothing);
        let mut layers = self.encoders[index].forward_above(pass, Some(layer), shared.clone(), &demands);
        layers[layer] = Some(shared);
        let mut outputs = vec![None; self.encoders.len()];
        outputs[index] = Some(layers);
        let net = &self.tasks[task.0];
        net.head.loss(pass, net.read_side(pass, &outputs, None), targets)
    }
}
