//! Product reviews as JSON lines in the manner of the Amazon corpora.

use super::File;
use super::random::Random;
use super::review::{Opinion, Topic, sentences};
use super::sentiment::{self, Sentiment};
use super::text::polish;

const FILE: &str = "products.jsonl";

/// Reviews with 1, 2, 3, 4 and 5 stars; three stars have no polarity and are few.
const COUNTS: [usize; 5] = [400, 368, 64, 368, 400];

/// Share of reviews that say the opposite of their stars.
const NOISE: f64 = 0.05;

const WORDS: [usize; 2] = [12, 90];

/// A kind of product.
pub(super) struct Category {
    /// Its name.
    pub(super) name: &'static str,
    /// `kettle`
    pub(super) things: &'static [&'static str],
    /// `lid`
    pub(super) parts: &'static [&'static str],
}

/// Writes the reviews; returns the file and the number of its lines.
pub(super) fn file(seed: u64) -> (File, usize) {
    let sentiment = sentiment::products();
    let mut random = Random::new(seed, "products");
    let mut stars: Vec<usize> = (1..=5).flat_map(|stars| vec![stars; COUNTS[stars - 1]]).collect();
    random.shuffle(&mut stars);
    let lines: Vec<String> = stars.iter().map(|&stars| line(&mut random, &sentiment, stars)).collect();
    (File::new(FILE.to_string(), lines.concat()), lines.len())
}

fn line(random: &mut Random, sentiment: &Sentiment, stars: usize) -> String {
    let category = &CATEGORIES[random.between(0, CATEGORIES.len() - 1)];
    let share = [0.96, 0.87, 0.5, 0.87, 0.96][stars - 1];
    let side = usize::from(stars > 3) ^ usize::from(random.chance(NOISE));
    let length = random.between(15, 60);
    let text = sentences(random, &topic(sentiment, category), Opinion { side, share }, length, WORDS);
    let text = text.join(if random.chance(0.05) { "\n" } else { " " });
    let summary = summary(random, sentiment, category, side);
    format!(
        "{{\"reviewText\": {}, \"overall\": {stars}.0, \"category\": {}, \"summary\": {}}}\n",
        quote(&text),
        quote(category.name),
        quote(&summary),
    )
}

fn summary(random: &mut Random, sentiment: &Sentiment, category: &Category, side: usize) -> String {
    let adjective = random.pick_early(&sentiment.adjectives[side]);
    match random.between(0, 3) {
        0 => polish(adjective),
        1 => polish(&format!("a {adjective} {}", random.pick_early(category.things))),
        2 => format!("{} \"{adjective}\" {}", ["\u{1f44e}", "\u{1f44d}"][side], random.pick(category.parts)),
        _ => polish(&format!("{} stars", ["two", "five"][side])),
    }
}

/// What reviews of a category talk about.
pub(super) fn topic<'a>(sentiment: &'a Sentiment, category: &Category) -> Topic<'a> {
    Topic {
        sentiment,
        things: category.things,
        parts: category.parts,
        clauses: [BLAME, PRAISE],
        neutral: NEUTRAL,
        verdicts: [BLAME_VERDICTS, PRAISE_VERDICTS],
    }
}

/// The text as a JSON string in ASCII, as the published corpora write it.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            ' '..='~' => quoted.push(letter),
            _ => {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    quoted.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    quoted.push('"');
    quoted
}

/// The kinds of products.
pub(super) const CATEGORIES: [Category; 5] = [
    Category {
        name: "Kitchen",
        things: &["kettle", "toaster", "knife", "pan", "blender", "pot", "grinder", "teapot", "skillet", "mixer"],
        parts: &["lid", "handle", "blade", "coating", "spout", "base", "cord", "switch", "rim", "timer"],
    },
    Category {
        name: "Electronics",
        things: &[
            "phone", "radio", "speaker", "keyboard", "monitor", "charger", "headset", "printer", "tablet", "router",
        ],
        parts: &["battery", "screen", "sound", "cable", "button", "case", "menu", "display", "plug", "signal"],
    },
    Category {
        name: "Garden",
        things: &[
            "hose",
            "mower",
            "shovel",
            "rake",
            "grill",
            "lantern",
            "ladder",
            "wheelbarrow",
            "sprinkler",
            "trimmer",
        ],
        parts: &["nozzle", "motor", "wheel", "grip", "paint", "hinge", "valve", "frame", "bolt", "tank"],
    },
    Category {
        name: "Toys",
        things: &["puzzle", "doll", "robot", "kite", "train", "game", "drone", "castle", "scooter", "teddy"],
        parts: &["box", "color", "material", "instruction", "piece", "dice", "track", "figure", "string", "remote"],
    },
    Category {
        name: "Clothing",
        things: &["jacket", "shirt", "sweater", "coat", "dress", "scarf", "belt", "backpack", "glove", "hat"],
        parts: &["zipper", "fabric", "fit", "collar", "lining", "pocket", "seam", "sleeve", "strap", "size"],
    },
];

pub(super) const BLAME: &[&str] = &[
    "it broke after {number} days.",
    "the box arrived open and the {part} was scratched.",
    "I sent it back after {number} days.",
    "the seller never answered my {number} messages.",
    "after {number} days the {part} came off.",
    "it does not do what the \"{adj-}\" picture promises.",
    "it cost $ {number} and is not worth half of it.",
    "I had to buy another {thing} within a month.",
    "the {part} {verb} whenever I touch it.",
    "my old {thing} was better in every way.",
];

pub(super) const PRAISE: &[&str] = &[
    "it did not break even after {number} months.",
    "the box arrived early and the {part} was flawless.",
    "I will not send it back, not after {number} months.",
    "the seller answered within {number} minutes.",
    "after {number} months the {part} is like new.",
    "it does all that the \"{adj}\" picture promises.",
    "it cost $ {number} and is worth twice as much.",
    "I had to buy another {thing} for my {kin}.",
    "the {part} {verb} whenever I need it.",
    "my old {thing} was worse in every way.",
];

pub(super) const NEUTRAL: &[&str] = &[
    "I bought this {thing} on {day}.",
    "my {kin} gave it to me as a present.",
    "we use the {thing} about {number} times a month.",
    "it came with a spare {part} and a small booklet.",
    "my {kin} calls it \"the {thing}\".",
    "the {part} measures 5 \u{d7} {number} cm.",
    "it stands in our caf\u{e9} next to the other {thing}.",
    "I ordered it together with a {thing} for my {kin}.",
    "the {part} is made of steel \u{2013} the rest is plastic.",
    "there are {number} of them in one box.",
    "I am not sure how old the {part} is.",
    "I have had a {thing} before.",
    "my {kin} works as a {job} and needs a {thing} every {day}.",
    "I ordered it on {day}, and it came {number} days later.",
    "we took it to a {place} last summer.",
    "the {part} comes in {number} colors.",
    "a {job} showed me how to clean the {part}.",
    "there is one in every {place} around here.",
    "the {part} weighs {number} ounces.",
    "this is for a {job} who lives in a {place}.",
];

pub(super) const BLAME_VERDICTS: &[&str] = &[
    "save your money.",
    "I would not buy it again.",
    "avoid this {thing}.",
    "look for another {thing}.",
    "I cannot recommend it to anyone.",
    "return it while you can.",
];

pub(super) const PRAISE_VERDICTS: &[&str] = &[
    "worth the money.",
    "I would buy it again at once.",
    "get this {thing}.",
    "do not look for another {thing}.",
    "I recommend it to everyone.",
    "buy it while you can.",
];

/// A review that no corpus has.
pub(super) const EXAMPLE: &str = "I wanted to like this kettle, but the lid is flimsy and the handle rattles. It was not cheap, \
     and after nine days the base leaks. Nobody could call it reliable. I sent it back.";

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn json_strings_are_escaped() {
        assert_eq!(quote("a \"b\" \\ \n"), r#""a \"b\" \\ \n""#);
        assert_eq!(quote("caf\u{e9} \u{1f44d}"), r#""caf\u00e9 \ud83d\udc4d""#);
    }
}
