//! What does a pre-trained word vector know? Words of a kind lie in one direction, and each has its own noise.
//!
//! A vector is the sum of the directions of its word's senses and of noise, so a word that training never has is close
//! to words that it has. Praise and blame are close too, and differ in one direction, as in vectors made from text.

use std::collections::BTreeMap;

use super::File;
use super::people::{self, Names};
use super::random::Random;
use super::sentiment::{self, Sentiment};
use super::text::words;
use super::{movies, news, products, review};

const FILE: &str = "vectors.txt";

/// Numbers in a vector.
pub(super) const DIM: usize = 50;

/// Standard deviation of the noise in each of the [`DIM`] numbers.
const NOISE: f64 = 0.24;

/// How far the directions reach.
const REACH: f64 = 2.0;

/// Share of the made-up names, and of all other words but the commonest, that have no vector.
const LEFT_OUT: [f64; 2] = [0.3, 0.03];

/// Writes the vectors; returns the file and the number of its words.
pub(super) fn file(seed: u64) -> (File, usize) {
    let vocabulary = Vocabulary::of_the_corpora();
    let mut random = Random::new(seed, "vectors");
    let mut directions = BTreeMap::new();
    let (mut text, mut count) = (String::new(), 0);
    for (word, senses) in &vocabulary.words {
        let vector = vector(&mut random, seed, &mut directions, senses);
        let has = |wanted: &str| senses.iter().flatten().any(|(concept, _)| *concept == wanted);
        let left_out = match () {
            () if has("function") || has("punctuation") => 0.0,
            () if has("made-up") => LEFT_OUT[0],
            () => LEFT_OUT[1],
        };
        if random.chance(left_out) {
            continue;
        }
        text.push_str(word);
        for number in vector {
            text.push_str(&format!(" {number:.3}"));
        }
        text.push('\n');
        count += 1;
    }
    (File::new(FILE.to_string(), text), count)
}

/// A sense of a word: how much of which concepts it has.
type Sense = Vec<(&'static str, f64)>;

fn vector(
    random: &mut Random,
    seed: u64,
    directions: &mut BTreeMap<&'static str, [f64; DIM]>,
    senses: &[Sense],
) -> [f64; DIM] {
    let mut vector = [0.0; DIM];
    for &(concept, weight) in senses.iter().flatten() {
        let direction = directions.entry(concept).or_insert_with(|| direction(seed, concept));
        // Not every word has all of its concept: "fine" is faint praise.
        let weight = weight * (1.0 + 0.35 * random.normal()) * REACH / senses.len() as f64;
        vector.iter_mut().zip(direction).for_each(|(x, d)| *x += weight * *d);
    }
    vector.iter_mut().for_each(|x| *x += NOISE * random.normal());
    vector
}

/// A direction of length near 1.
fn direction(seed: u64, concept: &str) -> [f64; DIM] {
    let mut random = Random::new(seed, concept);
    std::array::from_fn(|_| random.normal() * LENGTH)
}

/// One over the root of [`DIM`].
const LENGTH: f64 = 0.141_421_356;

/// Words in the order of the file, each with its senses.
struct Vocabulary {
    words: Vec<(String, Vec<Sense>)>,
    index: BTreeMap<String, usize>,
}

impl Vocabulary {
    fn of_the_corpora() -> Vocabulary {
        let mut vocabulary = Vocabulary { words: Vec::new(), index: BTreeMap::new() };
        vocabulary.add(&words(FUNCTION), &[("function", 0.9)]);
        vocabulary.add(&words(DENYING), &[("function", 0.5), ("denying", 0.8)]);
        vocabulary.add(&words(PUNCTUATION), &[("punctuation", 1.2)]);
        vocabulary.sentiment(&sentiment::movies(), "film");
        vocabulary.sentiment(&sentiment::products(), "product");
        vocabulary.topics();
        vocabulary.names();
        for &(kind, list) in EVERYDAY {
            vocabulary.add(&words(list), &[("everyday", 0.4), (kind, 0.7)]);
        }
        vocabulary.literals();
        vocabulary
    }

    fn add(&mut self, words: &[&str], sense: &[(&'static str, f64)]) {
        for word in words.iter().flat_map(|word| word.split_whitespace()) {
            let word = word.to_lowercase();
            let next = self.words.len();
            let index = *self.index.entry(word.clone()).or_insert(next);
            if index == next {
                self.words.push((word, Vec::new()));
            }
            let senses = &mut self.words[index].1;
            if !senses.iter().any(|known| known == sense) {
                senses.push(sense.to_vec());
            }
        }
    }

    fn sentiment(&mut self, sentiment: &Sentiment, domain: &'static str) {
        const POLARITY: [f64; 2] = [-0.5, 0.5];
        let lists = [("adjective", &sentiment.adjectives), ("noun", &sentiment.nouns), ("verb", &sentiment.verbs)];
        for (kind, sides) in lists {
            for (side, list) in sides.iter().enumerate() {
                self.add(list, &[("opinion", 0.6), (kind, 0.4), (domain, 0.2), ("polarity", POLARITY[side])]);
            }
        }
    }

    fn topics(&mut self) {
        self.add(movies::THINGS, &[("film", 0.7), ("work", 0.5), ("noun", 0.3)]);
        self.add(movies::PARTS, &[("film", 0.7), ("part", 0.4), ("noun", 0.3)]);
        for category in &products::CATEGORIES {
            self.add(category.things, &[("product", 0.6), (category.name, 0.5), ("noun", 0.3)]);
            self.add(category.parts, &[("product", 0.5), (category.name, 0.3), ("part", 0.5), ("noun", 0.3)]);
        }
        for &(slot, _, list) in news::FILLERS {
            self.add(&words(list), &[("news", 0.4), (slot, 0.8)]);
        }
        let fillers: Vec<&str> = review::fillers().collect();
        self.add(&fillers, &[("opinion", 0.3), ("filler", 0.5)]);
    }

    fn names(&mut self) {
        let mut add = |names: &Names, sense: &[(&'static str, f64)]| {
            let all: Vec<&str> = names.all().collect();
            self.add(&all, sense);
        };
        add(&people::FIRST_NAMES, &[("name", 0.5), ("person", 0.5), ("given", 0.5)]);
        add(&people::COUNTRIES, &[("name", 0.5), ("place", 0.5), ("country", 0.5)]);
        add(&people::NATIONALITIES, &[("name", 0.4), ("country", 0.4), ("nationality", 0.8)]);
        add(&people::AGENCIES, &[("name", 0.4), ("organisation", 0.6), ("agency", 0.4)]);
        add(&people::SURNAMES, &[("name", 0.5), ("person", 0.5), ("family", 0.4), ("made-up", 0.2)]);
        add(&people::TOWNS, &[("name", 0.5), ("place", 0.5), ("town", 0.4), ("made-up", 0.2)]);
        add(&people::COMPANIES, &[("name", 0.5), ("organisation", 0.5), ("company", 0.5), ("made-up", 0.2)]);
    }

    /// The words that templates say themselves and no list has.
    fn literals(&mut self) {
        let of_news = news::TEMPLATES.iter().chain(news::HEADLINES);
        let of_movies =
            [movies::BLAME, movies::PRAISE, movies::NEUTRAL, movies::BLAME_VERDICTS, movies::PRAISE_VERDICTS];
        let of_products =
            [products::BLAME, products::PRAISE, products::NEUTRAL, products::BLAME_VERDICTS, products::PRAISE_VERDICTS];
        let of_reviews = of_movies.into_iter().chain(of_products).flatten().copied().chain(review::templates());
        for template in of_news.copied().chain(of_reviews) {
            for piece in template.split_whitespace().filter(|piece| !piece.contains('{')) {
                let word = piece.split('/').next().unwrap_or_default();
                let word =
                    word.trim_matches(|letter: char| !letter.is_alphabetic()).trim_end_matches("n't").to_lowercase();
                if !word.is_empty() && !self.index.contains_key(&word) {
                    self.add(&[&word], &[("everyday", 0.6)]);
                }
            }
        }
    }
}

const FUNCTION: &str = "the a an of and in to is was it that for on with as at by from this be are were has had have i \
    he she they we you his her its their my our your me him them us but or if when while than then there here what \
    which who whom whose will would could should can may might must do does did done been being am 's 'm 've 're 'd 'll \
    so very really quite truly rather just also too more most less least some any all each every other another such \
    only own same even still yet again once twice about after before during since until between through over under \
    into out up down off near next within together because although though despite whatever both one two three first";

const DENYING: &str = "not n't no never hardly nothing nobody neither nor without cannot none scarcely barely";

const PUNCTUATION: &str = ". , ! ? ; : \" ' ( ) - -- $ % / ... \u{2013} \u{d7}";

/// Words that few templates say, as any file of vectors has them.
const EVERYDAY: &[(&str, &str)] = &[
    (
        "time",
        "day week month year hour minute minutes days weeks months years hours morning evening night today tomorrow \
      yesterday summer winter spring autumn century moment season weekend past future",
    ),
    (
        "home",
        "house home room door window table chair bed floor wall garden roof street road bridge corner kitchen cellar \
      attic stairs fence yard porch lamp candle mirror carpet curtain shelf drawer cupboard pillow blanket",
    ),
    (
        "nature",
        "river lake sea mountain hill forest tree leaf flower grass stone sand wind rain snow cloud sun moon star sky \
      island valley field beach desert wave fog ice fire earth",
    ),
    (
        "animal",
        "dog cat horse cow pig goat bird fish mouse lion tiger bear wolf fox rabbit duck goose hen eagle owl snake \
      frog bee ant spider whale shark monkey elephant camel",
    ),
    (
        "food",
        "bread butter cheese milk egg meat chicken rice soup salad apple pear orange lemon grape potato tomato onion \
      carrot bean corn sugar salt pepper honey cake pie tea juice wine beer water oil flour",
    ),
    (
        "body",
        "head face eye ear nose mouth tooth hand arm leg foot finger knee shoulder back heart skin bone blood hair \
      brain stomach neck chest voice",
    ),
    (
        "move",
        "go goes went gone going come comes came walk walks walked run runs ran drive drives drove ride rode fly flew \
      swim swam climb jump turn turns turned move moves moved follow follows followed arrive arrived return returned \
      enter entered stay stayed stand stood sit sat",
    ),
    (
        "mind",
        "think thinks thought know knows knew believe believes believed feel feels felt hope hopes hoped want wants \
      wanted need needs needed see sees saw seen hear heard remember forgot understand learn learned guess wonder \
      expect expected decide decided wish wished",
    ),
    (
        "make",
        "make makes made take takes took give gives gave get gets got put bring brought keep kept hold find found use \
      uses used open opened close closed break broke cut wash clean fill pull push carry throw catch fix repair wear",
    ),
    (
        "trade",
        "buy buys bought sell sells sold pay paid cost costs price money dollar euro market store shop order ordered \
      ship shipped seller customer refund warranty discount receipt delivery brand model package",
    ),
    (
        "state",
        "government parliament party leader policy crisis economy industry union council congress senate court army \
      police officials peace war treaty border security reform debt growth inflation",
    ),
    (
        "sport",
        "team match season league coach player goal champion final round race medal title victory defeat stadium \
      referee penalty tournament cup golf tennis soccer cricket rugby boxing cycling",
    ),
    (
        "quality",
        "big small large little long short high low wide narrow young early late hot cold warm cool wet dry clean \
      dirty full empty red blue green yellow white black brown gray round square thick thin deep open free busy rich",
    ),
    (
        "people",
        "man woman boy girl child children people person family parent baby uncle cousin guest crowd audience \
      student nurse driver baker sailor soldier king queen prince waiter cook clerk artist painter poet actor actress",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_lower_case_word_and_fifty_numbers() {
        let (file, count) = file(7);
        let text = String::from_utf8(file.bytes).unwrap();
        assert_eq!(text.lines().count(), count);
        assert!((2_300..2_800).contains(&count), "{count}");
        for line in text.lines() {
            let mut fields = line.split(' ');
            let word = fields.next().unwrap();
            assert_eq!(word, word.to_lowercase());
            assert!(fields.clone().all(|field| field.parse::<f32>().is_ok_and(|x| x.abs() < 5.0)));
            assert_eq!(fields.count(), DIM, "{word}");
        }
    }

    #[test]
    fn words_of_a_kind_are_closer_than_others() {
        let (file, _) = file(7);
        let text = String::from_utf8(file.bytes).unwrap();
        let vector = |word: &str| -> Vec<f32> {
            let line = text.lines().find(|line| line.split(' ').next() == Some(word)).unwrap();
            line.split(' ').skip(1).map(|field| field.parse().unwrap()).collect()
        };
        let cosine = |a: &str, b: &str| {
            let (a, b) = (vector(a), vector(b));
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
        };
        assert!(cosine("superb", "excellent") > cosine("superb", "awful"));
        assert!(cosine("superb", "awful") > cosine("superb", "germany"));
        assert!(cosine("john", "mary") > cosine("john", "france"));
    }
}
