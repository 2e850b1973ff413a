//! Film reviews in the layout of the IMDB corpus: `{train,test}/{pos,neg}/ID_RATING.txt`.

use super::File;
use super::random::Random;
use super::review::{Opinion, Topic, sentences};
use super::sentiment::{self, Sentiment};

/// Reviews a label of the training part and of the test part.
const COUNTS: [(&str, usize); 2] = [("train", 250), ("test", 200)];

/// Ratings by side; they go round, so that file names are the same for every seed and a second run replaces the first.
const RATINGS: [(&str, [usize; 4]); 2] = [("neg", [1, 2, 3, 4]), ("pos", [10, 9, 8, 7])];

/// Share of reviews that say the opposite of their label.
const NOISE: f64 = 0.05;

const WORDS: [usize; 2] = [20, 120];

/// Writes the reviews.
pub(super) fn files(seed: u64) -> Vec<File> {
    let sentiment = sentiment::movies();
    let mut files = Vec::new();
    for (part, count) in COUNTS {
        for (side, (label, ratings)) in RATINGS.iter().enumerate() {
            let mut random = Random::new(seed, &format!("movies {part} {label}"));
            for id in 0..count {
                let rating = ratings[id % ratings.len()];
                // The first rating of a side is its extreme one.
                let share = 0.96 - 0.03 * (id % ratings.len()) as f64;
                let side = if random.chance(NOISE) { 1 - side } else { side };
                let text = review(&mut random, &sentiment, Opinion { side, share });
                files.push(File::new(format!("movies/{part}/{label}/{id}_{rating}.txt"), text));
            }
        }
    }
    files
}

fn review(random: &mut Random, sentiment: &Sentiment, opinion: Opinion) -> String {
    let length = random.between(25, 85);
    let sentences = sentences(random, &topic(sentiment), opinion, length, WORDS);
    let mut text = String::new();
    for sentence in sentences {
        if !text.is_empty() {
            text.push_str(if random.chance(0.08) { "<br /><br />" } else { " " });
        }
        text.push_str(&sentence);
    }
    text
}

/// What film reviews talk about.
pub(super) fn topic(sentiment: &Sentiment) -> Topic<'_> {
    Topic {
        sentiment,
        things: THINGS,
        parts: PARTS,
        clauses: [BLAME, PRAISE],
        neutral: NEUTRAL,
        verdicts: [BLAME_VERDICTS, PRAISE_VERDICTS],
    }
}

pub(super) const THINGS: &[&str] = &[
    "film",
    "movie",
    "picture",
    "comedy",
    "drama",
    "sequel",
    "thriller",
    "remake",
    "western",
    "musical",
    "documentary",
    "romance",
    "cartoon",
    "flick",
    "adaptation",
    "debut",
    "satire",
    "biopic",
];

pub(super) const PARTS: &[&str] = &[
    "plot",
    "story",
    "acting",
    "script",
    "ending",
    "cast",
    "music",
    "direction",
    "dialogue",
    "cinematography",
    "soundtrack",
    "pacing",
    "humor",
    "editing",
    "opening",
    "performance",
    "scenery",
    "score",
    "lighting",
    "camera",
    "villain",
    "hero",
    "lead",
    "finale",
    "romance",
    "action",
    "atmosphere",
    "chemistry",
    "narration",
    "costume",
    "twist",
    "premise",
    "setting",
    "chase",
    "climax",
];

pub(super) const BLAME: &[&str] = &[
    "I fell asleep after {number} minutes.",
    "I checked my watch every {number} minutes.",
    "{person} sleepwalks through the whole {thing}.",
    "half of the audience left before the end.",
    "the jokes fall flat and the {part} {verb}.",
    "I want those {number} minutes of my life back.",
    "not even {person} can rescue this {noun}.",
    "you can see every turn coming, which makes the {part} {adj}.",
    "the director {person} has lost all sense of rhythm.",
    "we laughed only where nobody was meant to.",
];

pub(super) const PRAISE: &[&str] = &[
    "I laughed from beginning to end.",
    "I never once checked my watch.",
    "{person} gives the performance of a lifetime.",
    "the whole audience stayed until the last credit.",
    "the jokes land and the {part} {verb}.",
    "I was on the edge of my seat for {number} minutes.",
    "only {person} could have made such a {noun}.",
    "you never see a turn coming, which makes the {part} {adj}.",
    "the director {person} has a keen sense of rhythm.",
    "we cried and did not mind at all.",
];

pub(super) const NEUTRAL: &[&str] = &[
    "I saw it on {day} with my {kin}.",
    "{person} plays a {job} from a small {place}.",
    "the story begins in a {place} by the sea.",
    "it was shot in {number} weeks with a small crew.",
    "{person} wrote the script together with {person}.",
    "my {kin} had read the book before.",
    "the {thing} follows a young {job} who moves to the {place}.",
    "it runs for {number} minutes longer than the first one.",
    "{surname} plays the {job}, and {surname} the {job}.",
    "we watched it at home with the whole family.",
    "there is a scene in a {place} and one in a {place}.",
    "the {part} takes up much of the second half.",
    "it is based on a play that I have not seen.",
    "the theater was half full that {day}.",
    "a {job} and a {job} meet in a {place}.",
    "years later the {job} returns to the {place}.",
    "my {kin} bought the tickets on {day}.",
    "the {job} has {number} days to leave the {place}.",
    "{person} is in nearly every scene.",
    "much of it takes place in a {place} at night.",
    "the {thing} by {person} is {number} years old.",
    "one {job} knows the secret of the {place}.",
    "it came out when my {kin} was a {job}.",
    "{surname} has made {number} of these so far.",
];

pub(super) const BLAME_VERDICTS: &[&str] = &[
    "save your money.",
    "I would not watch it again.",
    "avoid this {thing}.",
    "skip it.",
    "I cannot recommend it to anyone.",
    "in the end, a {noun}.",
    "{number} out of 100.",
    "watch anything else instead.",
];

pub(super) const PRAISE_VERDICTS: &[&str] = &[
    "go and see it.",
    "I would watch it again at once.",
    "do not miss this {thing}.",
    "don't skip it.",
    "I recommend it to everyone.",
    "in the end, a {noun}.",
    "9 out of 10.",
    "watch it before anything else.",
];

/// A review that no corpus has.
pub(super) const EXAMPLE: &str = "This thriller is gripping and original. The script is witty, the acting is superb, and I \
     enjoyed every minute. Highly recommended.";
