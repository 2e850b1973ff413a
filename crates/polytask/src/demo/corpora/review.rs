//! How is a review with a given opinion written?
//!
//! Sentences are drawn one by one. Most share the review's opinion, some contradict it, some have none. An opinion is
//! said directly, or by denying its opposite ("hardly boring"), or against a concession ("despite the awful plot, ...").

use super::people;
use super::random::Random;
use super::sentiment::Sentiment;
use super::text::{expand, polish};

/// What a domain's reviews talk about; every pair is `[blame, praise]`.
pub(super) struct Topic<'a> {
    /// The words of praise and blame.
    pub(super) sentiment: &'a Sentiment,
    /// What is reviewed: `film`.
    pub(super) things: &'a [&'static str],
    /// What belongs to it: `plot`.
    pub(super) parts: &'a [&'static str],
    /// Whole sentences that only this domain has.
    pub(super) clauses: [&'a [&'static str]; 2],
    /// Sentences without an opinion.
    pub(super) neutral: &'a [&'static str],
    /// Last sentences.
    pub(super) verdicts: [&'a [&'static str]; 2],
}

/// The opinion of a review.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opinion {
    /// 0 is blame, 1 is praise.
    pub(super) side: usize,
    /// The share of sentences that take this side, of those that take one; 0.5 is undecided.
    pub(super) share: f64,
}

/// Writes the sentences of a review of about `length` words, at least `limits[0]` and at most `limits[1]` of them.
pub(super) fn sentences(
    random: &mut Random,
    topic: &Topic<'_>,
    opinion: Opinion,
    length: usize,
    limits: [usize; 2],
) -> Vec<String> {
    let count = |text: &String| text.split_whitespace().count();
    // An undecided review needs no majority.
    let majority = if opinion.share > 0.5 { MAJORITY } else { i32::MIN };
    let mut draft = Draft { topic, used: Vec::new(), balance: 0 };
    let (mut written, mut total) = (Vec::new(), 0);
    while total < length.max(limits[0]) || draft.balance < majority && total < limits[1] - MARGIN {
        let sentence = draft.sentence(random, opinion);
        total += count(&sentence);
        written.push(sentence);
    }
    if random.chance(0.45) {
        let side = opinion.draw_side(random);
        let verdict = draft.fill(random, side, topic.verdicts[side]);
        total += count(&verdict);
        written.push(verdict);
    }
    while total > limits[1] {
        total -= written.pop().as_ref().map_or(total, count);
    }
    written
}

impl Opinion {
    fn draw_side(self, random: &mut Random) -> usize {
        if random.chance(self.share) { self.side } else { 1 - self.side }
    }
}

/// A review that is being written.
struct Draft<'a> {
    topic: &'a Topic<'a>,
    /// Templates that the review has; nobody says a thing twice.
    used: Vec<&'static str>,
    /// Sentences for the review's opinion, less those against it.
    balance: i32,
}

impl Draft<'_> {
    fn sentence(&mut self, random: &mut Random, opinion: Opinion) -> String {
        if random.chance(NEUTRAL) {
            return self.fill(random, opinion.side, self.topic.neutral);
        }
        let side = opinion.draw_side(random);
        self.balance += if side == opinion.side { 1 } else { -1 };
        let kind = random.uniform();
        let templates = match kind {
            _ if kind < 0.54 => DIRECT,
            _ if kind < 0.68 => DENIAL,
            _ if kind < 0.79 => CONCESSION,
            _ if kind < 0.83 => REGRET[side],
            _ => self.topic.clauses[side],
        };
        self.fill(random, side, templates)
    }

    /// Fills one of the templates; their slots are explained at [`DIRECT`].
    fn fill(&mut self, random: &mut Random, side: usize, templates: &[&'static str]) -> String {
        const TRIES: usize = 6;
        let mut template = random.pick(templates);
        for _ in 0..TRIES {
            if !self.used.contains(&template) {
                break;
            }
            template = random.pick(templates);
        }
        self.used.push(template);
        polish(&expand(template, |slot, before| {
            let (slot, side) = slot.strip_suffix('-').map_or((slot, side), |slot| (slot, 1 - side));
            let mut word = draw(random, self.topic, slot, side);
            for _ in 0..TRIES {
                if word.is_empty() || !before.contains(word.trim()) {
                    break;
                }
                word = draw(random, self.topic, slot, side);
            }
            word
        }))
    }
}

/// By how many sentences a review's opinion prevails, where there is room.
const MAJORITY: i32 = 2;

/// Words kept free for a last sentence.
const MARGIN: usize = 20;

/// Share of sentences without an opinion.
const NEUTRAL: f64 = 0.28;

fn draw(random: &mut Random, topic: &Topic<'_>, slot: &str, side: usize) -> String {
    let sentiment = topic.sentiment;
    let word = match slot {
        "adj" => random.pick_early(&sentiment.adjectives[side]),
        "noun" => random.pick_early(&sentiment.nouns[side]),
        "verb" => random.pick_early(&sentiment.verbs[side]),
        "loved" => random.pick_early(OPINED[side]),
        "love" => random.pick_early(OPINE[side]),
        "thing" => random.pick_early(topic.things),
        "part" => random.pick_early(topic.parts),
        "very" => random.pick(INTENSIFIERS),
        "quite" => random.pick(ATTRIBUTIVE_INTENSIFIERS),
        "job" => random.pick(JOBS),
        "place" => random.pick(PLACES),
        "is" => random.pick(COPULAS),
        "kin" => random.pick(KIN),
        "day" => random.pick(DAYS),
        "number" => return random.between(2, 30).to_string(),
        "person" => return people::full_name(random),
        "surname" => return people::surname(random),
        _ => unreachable!("no slot is called {slot}"),
    };
    word.to_string()
}

/// Every template that is not a domain's own, for the vocabulary.
pub(super) fn templates() -> impl Iterator<Item = &'static str> {
    [DIRECT, DENIAL, CONCESSION, REGRET[0], REGRET[1]].into_iter().flatten().copied()
}

/// Every word of a slot that is not a domain's own, for the vocabulary.
pub(super) fn fillers() -> impl Iterator<Item = &'static str> {
    [OPINED[0], OPINED[1], OPINE[0], OPINE[1], INTENSIFIERS, COPULAS, KIN, JOBS, PLACES].into_iter().flatten().copied()
}

/// The opinion as it stands. A slot `{adj}` takes a word of the sentence's side, `{adj-}` one of the other side.
const DIRECT: &[&str] = &[
    "the {part} {is} {very}{adj}.",
    "the {part} {is} {adj} and the {part} {is} {adj}.",
    "this is a {quite}{adj} {thing}.",
    "it {is} {very}{adj} and {adj}.",
    "what a {adj} {thing}!",
    "what a {noun}!",
    "this {thing} is a {noun}.",
    "I {loved} the {part}.",
    "I {loved} this {thing}, and the {part} {is} {very}{adj} too.",
    "I thought the {part} was {adj}.",
    "everything about the {part} {is} {adj}.",
    "the {part} {verb}.",
    "the {thing} simply {verb}, and the {part} {is} {adj}.",
    "my {kin} {loved} the {part}.",
    "for me the {part} alone is a {noun}.",
    "in short, it is a {quite}{adj} {thing}.",
];

/// The opposite, denied.
const DENIAL: &[&str] = &[
    "the {part} is not {adj-}.",
    "the {part} isn't {adj-} at all.",
    "it is hardly {adj-}.",
    "it is hardly a {noun-}.",
    "I would never call it {adj-}.",
    "there is nothing {adj-} about the {part}.",
    "the {part} is far from {adj-}.",
    "I did not {love-} the {part}.",
    "I didn't {love-} it, and neither did my {kin}.",
    "by no means is this a {adj-} {thing}.",
    "nobody could say that the {part} {is} {adj-}.",
    "the {part} never {verb-}.",
    "it was not a {noun-}, whatever people say.",
    "don't believe those who call it {adj-}.",
    "I can't say that I {loved-} it.",
];

/// Both sides, one of which prevails.
const CONCESSION: &[&str] = &[
    "despite the {adj-} {part}, the {thing} {is} {adj}.",
    "despite the {adj-} {part} and the {adj-} {part}, this {is} a {noun}.",
    "the {part} may be {adj-}, but the {thing} {is} {adj}.",
    "the {part} is {adj-}, yet I {loved} it.",
    "although the {part} {verb-}, I {loved} the {thing}.",
    "even the {adj-} {part} does not change that it is a {noun}.",
    "I expected a {noun-} and got a {noun}.",
    "some people call it {adj-}, but they are wrong.",
    "it {is} {adj}, even though the {part} is {adj-}.",
    "the {part} is {adj-} at first, then it becomes {very}{adj}.",
];

/// What might have been; these frames do not mirror.
const REGRET: [&[&str]; 2] = [
    &[
        "it could have been {adj-}.",
        "I wish the {part} were {adj-}.",
        "had the {part} been {adj-}, it might have been a {noun-}.",
        "they promised a {adj-} {thing}, and I waited in vain.",
    ],
    &[
        "it could have been {adj-}, and it was not.",
        "I feared the {part} would be {adj-}, without reason.",
        "others would have made a {adj-} {thing} of it.",
        "they warned me that the {part} is {adj-}, and I am glad that I did not listen.",
    ],
];

const OPINED: [&[&str]; 2] = [
    &["hated", "disliked", "regretted", "despised", "loathed", "detested", "resented", "dreaded"],
    &["loved", "liked", "enjoyed", "adored", "appreciated", "admired", "treasured", "savored"],
];

const OPINE: [&[&str]; 2] = [
    &["hate", "dislike", "regret", "despise", "loathe", "detest", "resent", "dread"],
    &["love", "like", "enjoy", "adore", "appreciate", "admire", "treasure", "savor"],
];

const INTENSIFIERS: &[&str] =
    &["", "", "", "very ", "really ", "so ", "quite ", "truly ", "utterly ", "rather ", "just ", "absolutely "];

/// Those that may stand between an article and an adjective.
const ATTRIBUTIVE_INTENSIFIERS: &[&str] = &["", "", "very ", "really ", "truly ", "utterly ", "rather ", "quite "];

const COPULAS: &[&str] = &["is", "is", "is", "was", "was", "seems", "feels", "looks"];

const KIN: &[&str] =
    &["wife", "husband", "son", "daughter", "mother", "father", "sister", "brother", "friend", "neighbor", "aunt"];

const JOBS: &[&str] = &[
    "lawyer", "teacher", "doctor", "sailor", "baker", "painter", "soldier", "nurse", "driver", "thief", "farmer",
    "singer", "widow", "spy", "clerk", "reporter", "cook", "judge",
];

const PLACES: &[&str] = &[
    "village", "city", "town", "desert", "forest", "castle", "hotel", "school", "prison", "harbor", "farm", "hospital",
    "island", "factory", "palace", "valley",
];

const DAYS: &[&str] = &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
