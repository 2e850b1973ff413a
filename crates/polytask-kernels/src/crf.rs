//! Which tag sequence fits a text? A linear-chain conditional random field over a batch of texts.
//!
//! ```text
//! score(y) = start[y_1] + Σ_t emission[t, y_t] + Σ_t transition[y_t, y_{t+1}] + end[y_n]
//! p(y) = exp(score(y)) / Σ over legal y' of exp(score(y'))
//! ```
//!
//! Illegal starts, transitions and ends are outside the sum: their probability is exactly zero and they get no gradient.
//! Gradients come from the forward-backward recursions, in 64 bits. Texts are worked in parallel; the gradients of the
//! parameters are added in a fixed order. A text of length 0 has the one empty sequence, of score 0 and probability 1.
//!
//! Cost: O(time · tags²) multiplications and O(time · tags) exponentials a text.
//! Reference: Lafferty, McCallum and Pereira, "Conditional random fields", ICML 2001.

use rayon::prelude::*;

use chain::{Chain, Posterior};

mod chain;

/// Texts whose parameter gradients are added up by one task; fixed, so that threads never change a bit.
const GROUP: usize = 8;

/// Which starts, transitions and ends may occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legal {
    /// `[from, to]`, row-major.
    pub transitions: Vec<bool>,
    /// `[tag]`: may a text start with it?
    pub start: Vec<bool>,
    /// `[tag]`: may a text end with it?
    pub end: Vec<bool>,
}

impl Legal {
    /// Allows every sequence over `tags` tags.
    pub fn all(tags: usize) -> Self {
        Self { transitions: vec![true; tags * tags], start: vec![true; tags], end: vec![true; tags] }
    }
}

/// The parameters of the field over `C` tags.
#[derive(Debug, Clone, Copy)]
pub struct Crf<'a> {
    /// `[from, to]`, `C · C` scores.
    pub transitions: &'a [f32],
    /// `[tag]`, scores of the first tag.
    pub start: &'a [f32],
    /// `[tag]`, scores of the last tag.
    pub end: &'a [f32],
    /// What may occur.
    pub allowed: &'a Legal,
}

/// The emission scores of a batch of texts.
#[derive(Debug, Clone, Copy)]
pub struct Emissions<'a> {
    /// `[batch, time, tag]`; positions from a text's length on are not read.
    pub scores: &'a [f32],
    /// Positions a text has room for.
    pub time: usize,
    /// Length of each text, at most `time`.
    pub lengths: &'a [usize],
}

/// Why a batch has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrfError {
    /// The gold tag at a position is out of range, or may not stand there (first, last, or after the tag before it).
    IllegalGold {
        /// Index of the text in the batch.
        text: usize,
        /// Position in the text.
        position: usize,
    },
    /// No legal sequence of the text's length has a finite score.
    NoSequence {
        /// Index of the text in the batch.
        text: usize,
    },
}

impl std::fmt::Display for CrfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::IllegalGold { text, position } => {
                write!(f, "text {text}, position {position}: the gold tag may not stand here")
            }
            Self::NoSequence { text } => write!(f, "text {text}: no legal tag sequence has a finite score"),
        }
    }
}

impl std::error::Error for CrfError {}

/// Gradients of the weighted sum of negative log-likelihoods.
#[derive(Debug, Clone, PartialEq)]
pub struct CrfGradients {
    /// `[batch, time, tag]`, zero from a text's length on.
    pub emissions: Vec<f32>,
    /// `[from, to]`, zero where illegal.
    pub transitions: Vec<f32>,
    /// `[tag]`, zero where illegal.
    pub start: Vec<f32>,
    /// `[tag]`, zero where illegal.
    pub end: Vec<f32>,
}

/// The best legal sequence of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Its tags, as many as the text is long; the lowest tag wins a tie.
    pub tags: Vec<u32>,
    /// Its score.
    pub score: f64,
}

/// Posterior probabilities of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Marginals {
    /// `[batch, time, tag]`: probability of each tag at each position, zero from a text's length on.
    pub posterior: Vec<f32>,
    /// `[batch]`: logarithm of the sum over legal sequences; the best one has probability `exp(score - log_z)`.
    pub log_z: Vec<f64>,
}

/// Computes each text's negative log-likelihood of its gold `tags` `[batch, time]`.
///
/// # Errors
/// [`CrfError`] names the first text whose gold sequence is illegal, or which has no legal sequence of finite score.
///
/// # Panics
/// If lengths do not fit.
pub fn nll(crf: &Crf, emissions: &Emissions, tags: &[u32]) -> Result<Vec<f64>, CrfError> {
    let count = check(crf, emissions, Some(tags));
    let chain = Chain::new(crf);
    let texts: Vec<Result<f64, CrfError>> = (0..emissions.lengths.len())
        .into_par_iter()
        .map(|text| {
            let (scores, gold) = (emissions.text(text, count), emissions.gold(text, tags));
            let gold = chain.gold_score(scores, gold).map_err(|position| CrfError::IllegalGold { text, position })?;
            Ok(finite(chain.forward(scores).1, text)? - gold)
        })
        .collect();
    texts.into_iter().collect()
}

/// Computes each text's negative log-likelihood, and the gradients of `Σ weights[text] · nll[text]`.
///
/// # Errors
/// As [`nll`].
///
/// # Panics
/// If lengths do not fit.
pub fn nll_gradients(
    crf: &Crf,
    emissions: &Emissions,
    tags: &[u32],
    weights: &[f32],
) -> Result<(Vec<f64>, CrfGradients), CrfError> {
    let count = check(crf, emissions, Some(tags));
    assert_eq!(weights.len(), emissions.lengths.len(), "CRF: a weight per text");
    let (chain, room) = (Chain::new(crf), emissions.time * count);
    let mut demissions = vec![0.0; emissions.scores.len()];
    let groups: Vec<Result<(Vec<f64>, Sums), CrfError>> = demissions
        .par_chunks_mut((GROUP * room).max(1))
        .enumerate()
        .map(|(group, demissions)| {
            let (mut losses, mut sums) = (Vec::with_capacity(GROUP), Sums::zero(count));
            for (text, out) in (group * GROUP..).zip(demissions.chunks_mut(room.max(1))) {
                let (scores, gold) = (emissions.text(text, count), emissions.gold(text, tags));
                let gold_score =
                    chain.gold_score(scores, gold).map_err(|position| CrfError::IllegalGold { text, position })?;
                let log_z = sums.add(&chain, scores, gold, f64::from(weights[text]), out);
                losses.push(finite(log_z, text)? - gold_score);
            }
            Ok((losses, sums))
        })
        .collect();
    let (mut losses, mut total) = (Vec::with_capacity(weights.len()), Sums::zero(count));
    for group in groups {
        let (some, sums) = group?;
        losses.extend(some);
        total.merge(&sums);
    }
    // Without room for a token there is no group, and each text's only sequence is empty.
    losses.resize(weights.len(), 0.0);
    let single = |values: &[f64]| values.iter().map(|value| *value as f32).collect();
    let (transitions, start, end) = (single(&total.transitions), single(&total.start), single(&total.end));
    Ok((losses, CrfGradients { emissions: demissions, transitions, start, end }))
}

/// Finds each text's best legal sequence (Viterbi).
///
/// # Errors
/// [`CrfError::NoSequence`] names the first text without a legal sequence of finite score.
///
/// # Panics
/// If lengths do not fit.
pub fn viterbi(crf: &Crf, emissions: &Emissions) -> Result<Vec<Best>, CrfError> {
    let count = check(crf, emissions, None);
    let chain = Chain::new(crf);
    let texts: Vec<Result<Best, CrfError>> = (0..emissions.lengths.len())
        .into_par_iter()
        .map(|text| {
            let (tags, score) = chain.best(emissions.text(text, count));
            Ok(Best { tags, score: finite(score, text)? })
        })
        .collect();
    texts.into_iter().collect()
}

/// Computes the posterior probability of each tag at each position, and each text's log-partition.
///
/// # Errors
/// [`CrfError::NoSequence`] names the first text without a legal sequence of finite score.
///
/// # Panics
/// If lengths do not fit.
pub fn marginals(crf: &Crf, emissions: &Emissions) -> Result<Marginals, CrfError> {
    let count = check(crf, emissions, None);
    let (chain, room) = (Chain::new(crf), emissions.time * count);
    let mut posterior = vec![0.0; emissions.scores.len()];
    let log_z: Vec<Result<f64, CrfError>> = posterior
        .par_chunks_mut(room.max(1))
        .enumerate()
        .map(|(text, out)| {
            let scores = emissions.text(text, count);
            let posterior = Posterior::new(&chain, scores);
            out.iter_mut().zip(posterior.probabilities()).for_each(|(out, p)| *out = p as f32);
            finite(posterior.log_z, text)
        })
        .collect();
    let mut log_z = log_z.into_iter().collect::<Result<Vec<f64>, CrfError>>()?;
    log_z.resize(emissions.lengths.len(), 0.0);
    Ok(Marginals { posterior, log_z })
}

/// Sums of parameter gradients over texts.
struct Sums {
    transitions: Vec<f64>,
    start: Vec<f64>,
    end: Vec<f64>,
}

impl Sums {
    fn zero(count: usize) -> Self {
        Self { transitions: vec![0.0; count * count], start: vec![0.0; count], end: vec![0.0; count] }
    }

    /// Adds a text's weighted gradients, writes those of its emissions to `out`, and returns its log-partition.
    fn add(&mut self, chain: &Chain, scores: &[f32], gold: &[u32], weight: f64, out: &mut [f32]) -> f64 {
        let count = self.start.len();
        let posterior = Posterior::new(chain, scores);
        chain.add_transitions(scores, &posterior, weight, &mut self.transitions);
        gold.windows(2).for_each(|pair| self.transitions[pair[0] as usize * count + pair[1] as usize] -= weight);
        for (at, (probability, out)) in posterior.probabilities().zip(out).enumerate() {
            let (position, tag) = (at / count, at % count);
            let gradient = weight * (probability - f64::from(u8::from(tag == gold[position] as usize)));
            *out = gradient as f32;
            if position == 0 {
                self.start[tag] += gradient;
            }
            if position + 1 == gold.len() {
                self.end[tag] += gradient;
            }
        }
        posterior.log_z
    }

    fn merge(&mut self, other: &Self) {
        let parts =
            [(&mut self.transitions, &other.transitions), (&mut self.start, &other.start), (&mut self.end, &other.end)];
        parts.into_iter().for_each(|(to, from)| to.iter_mut().zip(from).for_each(|(to, from)| *to += from));
    }
}

impl<'a> Emissions<'a> {
    fn text(&self, text: usize, count: usize) -> &'a [f32] {
        &self.scores[text * self.time * count..][..self.lengths[text] * count]
    }

    fn gold(&self, text: usize, tags: &'a [u32]) -> &'a [u32] {
        &tags[text * self.time..][..self.lengths[text]]
    }
}

/// Checks all lengths and returns the number of tags.
fn check(crf: &Crf, emissions: &Emissions, tags: Option<&[u32]>) -> usize {
    let (count, batch, legal) = (crf.start.len(), emissions.lengths.len(), crf.allowed);
    let square = [crf.transitions.len(), legal.transitions.len()];
    assert!(square == [count * count; 2], "CRF: transitions of another shape");
    assert!([crf.end.len(), legal.start.len(), legal.end.len()] == [count; 3], "CRF: start or end of another length");
    assert!(emissions.scores.len() == batch * emissions.time * count, "CRF: emissions of another shape");
    assert!(emissions.lengths.iter().all(|length| *length <= emissions.time), "CRF: a text longer than its row");
    assert!(tags.is_none_or(|tags| tags.len() == batch * emissions.time), "CRF: tags of another shape");
    assert!(count > 0 || emissions.lengths.iter().all(|length| *length == 0), "CRF: no tags");
    count
}

fn finite(value: f64, text: usize) -> Result<f64, CrfError> {
    if value.is_finite() { Ok(value) } else { Err(CrfError::NoSequence { text }) }
}

#[cfg(test)]
mod tests;
