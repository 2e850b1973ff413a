//! Which layers do tasks share, and what does each hand on?

mod bilstm;
mod conv;
mod dense;
mod gru;
mod lstm;
mod norm;
mod placed;
mod pool;
mod pooler;
mod transformer;

use std::fmt;

use polytask_spec::Spec;
use polytask_spec::network::{LayerKind, Pool};

use crate::parameters::{Init, Owner, Parameters};
use crate::pass::Pass;
use crate::representation::{Ends, Form, Representation};

pub use bilstm::Bilstm;
pub use dense::Affine;
pub use pooler::Pooler;

use placed::Placed;

/// A layer maps one representation to another.
pub trait Layer: fmt::Debug + Send + Sync {
    /// The shape of the output, given the input's when the layer was built.
    fn form(&self) -> Form;

    /// The output.
    fn forward(&self, pass: &Pass<'_>, x: Representation) -> Representation;

    /// Which token of the output has read the whole text.
    fn ends(&self) -> Ends {
        Ends::Last
    }

    /// Values that the layer keeps for each token until the way back, its output included, where texts have `longest`
    /// tokens with their padding; 0 for a vector.
    fn kept_per_token(&self, _longest: usize) -> usize {
        match self.form() {
            Form::Sequence(dim) => dim,
            Form::Vector(_) => 0,
        }
    }

    /// Whether the layer, of which so much is asked, works on a batch's distinct words without spelling tokens out.
    fn reads_words(&self, _pass: &Pass<'_>, _demand: Demand) -> bool {
        false
    }

    /// The output pooled over tokens in one operation, where the layer has one; the same values as pooling afterwards.
    fn forward_pooled(&self, _pass: &Pass<'_>, _x: &Representation, _pool: Pool) -> Option<Representation> {
        None
    }
}

/// What the rest of the network asks of a layer in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Nobody reads the layer.
    Nothing,
    /// Everybody who reads it takes the same pool over tokens and nothing else.
    Pooled(Pool),
    /// Somebody reads tokens.
    Full,
}

impl Demand {
    /// What two readers ask together.
    pub fn and(self, other: Demand) -> Demand {
        match (self, other) {
            (Demand::Nothing, demand) | (demand, Demand::Nothing) => demand,
            (a, b) if a == b => a,
            _ => Demand::Full,
        }
    }
}

/// Where a layer stands.
#[derive(Debug, Clone)]
pub struct Site {
    /// What the names of its parameters begin with.
    pub prefix: String,
    /// Who reaches it.
    pub owner: Owner,
    /// The shape of what it reads.
    pub form: Form,
    /// Which token of what it reads has read the whole text.
    pub ends: Ends,
}

/// A tree of layers over one input; without branches a stack.
#[derive(Debug)]
pub struct Encoder {
    /// Name of the input that the first layer reads.
    pub input: String,
    layers: Vec<Placed>,
    /// The layer that each reads, one before it; the first reads the input.
    below: Vec<Option<usize>>,
    pools: Vec<Option<Pool>>,
}

impl Encoder {
    /// Builds the layers of encoder `name` over an input of form `form` and adds their parameters.
    ///
    /// `owners` says who reaches each layer; layers that no task reaches (`None`) are not built.
    pub fn build(
        spec: &Spec,
        name: &str,
        form: Form,
        owners: &[Option<Owner>],
        parameters: &mut Parameters,
        init: Init,
    ) -> Encoder {
        let input = spec.encoder_input(name).into();
        let mut encoder = Encoder { input, layers: Vec::new(), below: Vec::new(), pools: Vec::new() };
        let described = &spec.encoder[name];
        // Where each described layer stands among those that are built.
        let mut places: Vec<Option<usize>> = Vec::new();
        for ((index, layer), &owner) in described.layers.iter().enumerate().zip(owners) {
            places.push(owner.map(|_| encoder.layers.len()));
            let Some(owner) = owner else { continue };
            // What a reached layer reads is reached as well.
            let below = described.below(index).and_then(|below| places[below]);
            let (form, ends) = below.map_or((form, Ends::Last), |below| (encoder.form(below), encoder.ends(below)));
            let layer_name = layer.name_at(index);
            let site = Site { prefix: format!("encoder.{name}.{layer_name}"), owner, form, ends };
            let built: Box<dyn Layer> = match &layer.kind {
                LayerKind::Conv(conv) => Box::new(conv::Conv::build(&site, conv, parameters, init)),
                LayerKind::Bilstm(lstm) => Box::new(bilstm::Bilstm::build(&site, lstm, parameters, init)),
                LayerKind::Lstm(lstm) => Box::new(lstm::Lstm::build(&site, lstm, parameters, init)),
                LayerKind::Gru(gru) => Box::new(gru::Gru::build(&site, gru, parameters, init)),
                LayerKind::Transformer(spec) => {
                    Box::new(transformer::Transformer::build(&site, spec, parameters, init))
                }
                LayerKind::Dense(dense) => Box::new(dense::Dense::build(&site, dense, parameters, init)),
                LayerKind::Norm(norm) => Box::new(norm::Norm::build(&site, norm, parameters)),
                LayerKind::Pool(pool) => Box::new(pool::PoolOver::build(&site, pool, parameters, init)),
            };
            encoder.below.push(below);
            encoder.pools.push(match &layer.kind {
                LayerKind::Pool(pool) => Some(pool.pool),
                _ => None,
            });
            encoder.layers.push(Placed::new(layer_name, built, (&site, layer), parameters, init));
        }
        encoder
    }

    /// Number of layers.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Position of a layer.
    pub fn layer(&self, name: &str) -> Option<usize> {
        self.layers.iter().position(|layer| layer.name == name)
    }

    /// The name of a layer.
    pub fn name(&self, layer: usize) -> &str {
        &self.layers[layer].name
    }

    /// Values that all layers keep for each token until the way back, where texts have `longest` tokens with their padding.
    pub fn kept_per_token(&self, longest: usize) -> usize {
        self.layers.iter().map(|layer| layer.kept_per_token(longest)).sum()
    }

    /// The shape of a layer's output.
    pub fn form(&self, layer: usize) -> Form {
        self.layers[layer].form()
    }

    /// Which token of a layer's output has read the whole text.
    pub fn ends(&self, layer: usize) -> Ends {
        self.layers[layer].ends()
    }

    /// Runs the layers that are asked for, directly or by a layer above, and returns the outputs of the asked ones.
    ///
    /// `demands` has one entry a layer: what heads ask of it.
    pub fn forward(&self, pass: &Pass<'_>, input: Representation, demands: &[Demand]) -> Vec<Option<Representation>> {
        self.forward_above(pass, None, input, demands)
    }

    /// [`Self::forward`] of the layers above `start`, whose output is `x`; all that is asked for must stand above it.
    pub fn forward_above(
        &self,
        pass: &Pass<'_>,
        start: Option<usize>,
        x: Representation,
        demands: &[Demand],
    ) -> Vec<Option<Representation>> {
        let mut held: Vec<Option<Representation>> = vec![None; self.layers.len()];
        let asked = self.asked(demands);
        let above: Vec<usize> = (start.map_or(0, |start| start + 1)..asked.len())
            .filter(|&index| asked[index] != Demand::Nothing)
            .collect();
        let mut input = None;
        match start {
            None => input = Some(x),
            Some(start) => held[start] = Some(x),
        }
        for (place, &index) in above.iter().enumerate() {
            let below = self.below[index];
            // Nothing is held for longer than it is read: where memory is short, it is reused.
            let again = above[place + 1..].iter().any(|&other| self.below[other] == below);
            let kept = again || below.is_some_and(|below| demands[below] != Demand::Nothing);
            let x = match below {
                None => &mut input,
                Some(below) => &mut held[below],
            };
            let x = if kept { x.clone() } else { x.take() };
            let x = x.expect("what a layer reads stands before it, and runs where the layer does");
            held[index] = Some(self.layers[index].forward(pass, x, asked[index]));
        }
        held.iter_mut().zip(demands).filter(|(_, demand)| **demand == Demand::Nothing).for_each(|(x, _)| *x = None);
        held
    }

    /// Runs the lowest layers as long as they work on distinct words ([`Layer::reads_words`]); nothing where the first does not.
    pub fn forward_on_words(&self, pass: &Pass<'_>, input: impl FnOnce() -> Representation, demands: &[Demand]) {
        let asked = self.asked(demands);
        let running = (0..asked.len()).filter(|&index| asked[index] != Demand::Nothing);
        let mut lowest = running.take_while(|&index| self.layers[index].reads_words(pass, asked[index])).peekable();
        if lowest.peek().is_none() {
            return;
        }
        let (input, mut held) = (input(), vec![None; self.layers.len()]);
        for index in lowest {
            let x = self.below[index].map_or(Some(&input), |below| held[below].as_ref()).cloned();
            held[index] = x.map(|x| self.layers[index].forward(pass, x, asked[index]));
        }
    }

    /// What heads and the layers above ask of each layer; nothing of those that need not run.
    fn asked(&self, demands: &[Demand]) -> Vec<Demand> {
        let mut asked = demands.to_vec();
        for index in (0..asked.len()).rev().filter(|&index| self.below[index].is_some()) {
            let of_this = match (asked[index], self.pools[index]) {
                (Demand::Nothing, _) => continue,
                (_, Some(pool)) => Demand::Pooled(pool),
                (_, None) => Demand::Full,
            };
            if let Some(below) = self.below[index] {
                asked[below] = asked[below].and(of_this);
            }
        }
        asked
    }

    /// A layer and all that it builds on, from itself downwards.
    pub fn chain(&self, layer: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(layer), |&layer| self.below[layer])
    }
}
