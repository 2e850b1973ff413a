//! News with names, in the columns of CoNLL-2003: token, part of speech, chunk, name.

use super::File;
use super::chunks::{chunk, iob1};
use super::people::{self, Names, Stock};
use super::random::Random;
use super::text::{capitalize, sounds_like_vowel, words};

/// Sentences a part.
const COUNTS: [(&str, usize); 3] = [("train", 900), ("valid", 250), ("test", 250)];

/// Share of names whose kind is given wrong.
const NOISE: f64 = 0.02;

/// Writes the three parts; returns each with its number of sentences.
pub(super) fn files(seed: u64) -> Vec<(File, usize)> {
    COUNTS
        .iter()
        .map(|&(part, count)| {
            let mut random = Random::new(seed, &format!("names {part}"));
            let stock = if part == "train" { Stock::Known } else { Stock::Mixed };
            let mut text = String::new();
            for index in 0..count {
                const DOCUMENT: usize = 10;
                if index % DOCUMENT == 0 {
                    text.push_str("-DOCSTART- -X- O O\n\n");
                }
                text.push_str(&lines(&Writer { stock }.sentence(&mut random)));
            }
            (File::new(format!("names/{part}.conll"), text), count)
        })
        .collect()
}

/// A word with its tags.
struct Token {
    word: String,
    pos: &'static str,
    /// The kind of name it belongs to, and the number of that name in the sentence.
    name: Option<(&'static str, usize)>,
}

struct Writer {
    stock: Stock,
}

impl Writer {
    fn sentence(&self, random: &mut Random) -> Vec<Token> {
        let headline = random.chance(0.12);
        let template = random.pick(if headline { HEADLINES } else { TEMPLATES });
        let mut tokens = Vec::new();
        for (index, piece) in template.split_whitespace().enumerate() {
            match piece.strip_prefix('{').and_then(|slot| slot.strip_suffix('}')) {
                Some(slot) => self.slot(random, slot, index, &mut tokens),
                None => tokens.extend(word(piece)),
            }
        }
        let upper = headline && random.chance(0.5);
        for token in tokens.iter_mut().filter(|_| upper) {
            token.word = token.word.to_uppercase();
        }
        for index in 1..tokens.len() {
            if tokens[index - 1].word == "a" && sounds_like_vowel(&tokens[index].word) {
                tokens[index - 1].word.push('n');
            }
        }
        if let Some(first) = tokens.first_mut() {
            first.word = capitalize(&first.word);
        }
        tokens
    }

    fn slot(&self, random: &mut Random, slot: &str, index: usize, tokens: &mut Vec<Token>) {
        if let Some(&(_, pos, list)) = FILLERS.iter().find(|(name, _, _)| *name == slot) {
            return tokens.push(Token { word: random.pick(&words(list)).to_string(), pos, name: None });
        }
        let (kind, text) = match slot {
            "number" => return tokens.push(number(random.between(2, 90).to_string())),
            "score" => return tokens.push(number(format!("{}-{}", random.between(0, 5), random.between(0, 5)))),
            "person" => ("PER", self.person(random)),
            "surname" => ("PER", self.name(random, &people::SURNAMES)),
            "city" => ("LOC", self.name(random, &people::TOWNS)),
            "country" => ("LOC", self.name(random, &people::COUNTRIES)),
            "place" => ("LOC", self.place(random)),
            "club" => ("ORG", self.club(random)),
            "company" => ("ORG", self.company(random)),
            "agency" => ("ORG", self.agency(random)),
            "nation" => ("MISC", self.name(random, &people::NATIONALITIES)),
            "event" => ("MISC", self.event(random)),
            _ => unreachable!("no slot is called {slot}"),
        };
        let kind = if random.chance(NOISE) { random.pick(&KINDS) } else { kind };
        let pos = if slot == "nation" { "JJ" } else { "NNP" };
        tokens.extend(text.split(' ').map(|word| {
            let pos = if word == "of" { "IN" } else { pos };
            Token { word: word.to_string(), pos, name: Some((kind, index)) }
        }));
    }

    fn name(&self, random: &mut Random, names: &Names) -> String {
        names.draw(random, self.stock).to_string()
    }

    fn person(&self, random: &mut Random) -> String {
        let surname = self.name(random, &people::SURNAMES);
        if random.chance(0.15) {
            return surname;
        }
        format!("{} {surname}", self.name(random, &people::FIRST_NAMES))
    }

    fn place(&self, random: &mut Random) -> String {
        let town = self.name(random, &people::TOWNS);
        match random.between(0, 9) {
            0..=4 => town,
            5..=7 => self.name(random, &people::COUNTRIES),
            8 => format!("{} {town}", random.pick(&["North", "South", "New", "Port"])),
            _ => format!("{town} {}", random.pick(&["River", "Island", "Valley", "Bay"])),
        }
    }

    fn club(&self, random: &mut Random) -> String {
        let town = self.name(random, &people::TOWNS);
        match random.chance(0.55) {
            true => town,
            false => format!("{town} {}", random.pick(&["United", "Rovers", "City", "Athletic", "Wanderers"])),
        }
    }

    fn company(&self, random: &mut Random) -> String {
        const ENDS: [&str; 8] = ["Group", "Bank", "Motors", "Holdings", "Foods", "Airlines", "Steel", "Ltd"];
        match random.between(0, 9) {
            0..=3 => self.name(random, &people::COMPANIES),
            4 => self.name(random, &people::SURNAMES),
            5..=7 => format!("{} {}", self.name(random, &people::SURNAMES), random.pick(&ENDS)),
            8 => format!("{} {}", self.name(random, &people::TOWNS), random.pick(&ENDS)),
            _ => format!("{} {}", self.name(random, &people::COMPANIES), random.pick(&ENDS)),
        }
    }

    fn agency(&self, random: &mut Random) -> String {
        match random.between(0, 9) {
            0..=5 => self.name(random, &people::AGENCIES),
            6 | 7 => {
                format!("{} {}", self.name(random, &people::TOWNS), random.pick(&["University", "Council", "Police"]))
            }
            8 => format!("Bank of {}", self.name(random, &people::COUNTRIES)),
            _ => random.pick(&["Foreign Ministry", "Labour Party", "Central Bank", "Supreme Court"]).to_string(),
        }
    }

    fn event(&self, random: &mut Random) -> String {
        const ENDS: [&str; 6] = ["Cup", "Open", "Treaty", "Prize", "Festival", "Marathon"];
        let named = if random.chance(0.6) { &people::TOWNS } else { &people::SURNAMES };
        format!("{} {}", self.name(random, named), random.pick(&ENDS))
    }
}

fn number(word: String) -> Token {
    Token { word, pos: "CD", name: None }
}

/// The token of `word/POS`; punctuation is its own part of speech.
fn word(piece: &'static str) -> Option<Token> {
    let (word, pos) = piece.rsplit_once('/')?;
    Some(Token { word: word.to_string(), pos, name: None })
}

fn lines(tokens: &[Token]) -> String {
    let tagged: Vec<(&str, &str)> = tokens.iter().map(|token| (token.word.as_str(), token.pos)).collect();
    let chunks = iob1(&chunk(&tagged));
    let names = iob1(&tokens.iter().map(|token| token.name).collect::<Vec<_>>());
    let mut text = String::new();
    for ((token, chunk), name) in tokens.iter().zip(chunks).zip(names) {
        text.push_str(&format!("{} {} {chunk} {name}\n", token.word, token.pos));
    }
    text.push('\n');
    text
}

/// Kinds of names.
pub(super) const KINDS: [&str; 4] = ["PER", "LOC", "ORG", "MISC"];

/// Slots of ordinary words: name, part of speech, words.
pub(super) const FILLERS: &[(&str, &str, &str)] = &[
    (
        "role",
        "NN",
        "spokesman minister lawyer coach chairman director analyst farmer doctor teacher striker captain judge \
      general trader writer singer mayor ambassador researcher",
    ),
    (
        "goods",
        "NNS",
        "shares exports imports prices profits sales bonds cars ships crops tickets wages taxes grain coffee \
      copper timber lamb beef steel",
    ),
    ("rose", "VBD", "rose fell climbed dropped gained slipped jumped tumbled doubled recovered"),
    ("met", "VBD", "met visited praised criticised warned thanked joined left called telephoned"),
    ("bought", "VBD", "bought sold sued hired joined rejected rescued financed blamed courted"),
    ("beat", "VBD", "beat defeated edged thrashed held hosted overcame eliminated"),
    ("do", "VB", "sell buy open close ban build leave sign fund lift cut reject"),
    ("said", "VBD", "said announced confirmed denied reported added told"),
    (
        "thing",
        "NN",
        "plan deal law budget strike election contract factory border airport bridge report proposal vote project",
    ),
    ("what", "JJ", "new old local foreign early final public secret major recent joint national"),
    ("disaster", "NN", "flood storm earthquake fire explosion protest accident shortage epidemic riot"),
    ("people", "NNS", "people troops workers tourists students miners voters refugees soldiers passengers"),
    ("day", "NNP", "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    ("month", "NNP", "January February March April June July August September October November December"),
    ("title", "NNP", "President Minister Mr. Mrs. Dr. Judge General Senator"),
];

/// Sentences.
pub(super) const TEMPLATES: &[&str] = &[
    "{person} ,/, a/DT {role} from/IN {city} ,/, {said} on/IN {day} that/IN the/DT {thing} was/VBD {what} ./.",
    "{title} {surname} {met} {title} {surname} in/IN {city} on/IN {day} ./.",
    "{nation} {title} {person} {met} {person} in/IN {place} ./.",
    "the/DT {nation} government/NN will/MD {do} the/DT {what} {thing} in/IN {month} ./.",
    "{company} {said} {goods} {rose} {number} percent/NN in/IN {month} ./.",
    "shares/NNS in/IN {company} {rose} after/IN {company} {bought} its/PRP$ rival/NN ./.",
    "{company} agreed/VBD to/TO {do} a/DT {thing} in/IN {country} ./.",
    "{company} {bought} {company} for/IN {number} million/CD dollars/NNS ./.",
    "{surname} {said} he/PRP would/MD {do} the/DT {thing} ./.",
    "{company} {said} its/PRP$ {goods} {rose} in/IN {country} ./.",
    "{club} {beat} {club} {score} on/IN {day} ./.",
    "{club} {beat} {club} {score} in/IN the/DT {event} ./.",
    "{person} scored/VBD twice/RB as/IN {club} {beat} {club} ./.",
    "{surname} scored/VBD the/DT winner/NN for/IN {club} ./.",
    "{club} coach/NN {person} {said} the/DT team/NN played/VBD well/RB ./.",
    "{person} of/IN {country} won/VBD the/DT {event} in/IN {city} ./.",
    "the/DT {nation} {event} begins/VBZ in/IN {city} on/IN {day} ./.",
    "{nation} {role} {person} won/VBD the/DT {event} ./.",
    "the/DT {agency} will/MD not/RB {do} the/DT {thing} ,/, {person} {said} ./.",
    "{agency} officials/NNS met/VBD in/IN {city} to/TO {do} a/DT {thing} ./.",
    "{agency} {role} {person} {said} {people} had/VBD left/VBN {place} ./.",
    "a/DT {disaster} in/IN {place} killed/VBD {number} {people} ./.",
    "{number} {people} left/VBD {city} after/IN the/DT {disaster} ./.",
    "{people} from/IN {country} and/CC {country} waited/VBD near/IN the/DT {city} border/NN ./.",
    "the/DT {disaster} began/VBD in/IN {city} ,/, {country} ,/, on/IN {day} ./.",
    "{city} ,/, {country} {number}",
    "it/PRP was/VBD the/DT {what} {thing} since/IN {month} ./.",
    "he/PRP did/VBD not/RB {do} the/DT {thing} ./.",
    "{goods} {rose} {number} percent/NN on/IN {day} ./.",
    "{nation} {goods} {rose} as/IN {nation} {people} waited/VBD ./.",
    "the/DT {role} ,/, {person} ,/, {met} {nation} {people} ./.",
    "{person} and/CC {person} met/VBD in/IN {place} ./.",
    "{country} {said} it/PRP would/MD {do} its/PRP$ {thing} with/IN {country} ./.",
    "{country} 's/POS {role} {met} {nation} {people} in/IN {month} ./.",
    "{company} 's/POS {role} {surname} left/VBD for/IN {company} ./.",
    "officials/NNS in/IN {city} blamed/VBD {agency} for/IN the/DT {disaster} ./.",
    "{agency} and/CC {agency} signed/VBD the/DT {event} in/IN {city} ./.",
    "police/NNS in/IN {place} found/VBD {person} ,/, {number} ,/, near/IN a/DT {what} bridge/NN ./.",
    "\"/\" we/PRP will/MD {do} the/DT {thing} ,/, \"/\" {surname} {said} ./.",
    "{surname} ,/, who/PRP {met} {surname} in/IN {month} ,/, left/VBD {city} ./.",
    "flights/NNS to/TO {place} were/VBD {what} on/IN {day} ./.",
    "{surname} {said} on/IN {day} that/IN the/DT {thing} was/VBD {what} ./.",
    "{company} {said} on/IN {day} that/IN the/DT {thing} was/VBD {what} ./.",
    "{city} {said} on/IN {day} that/IN the/DT {thing} was/VBD {what} ./.",
    "{surname} won/VBD the/DT {event} on/IN {day} ./.",
    "{club} won/VBD the/DT {event} on/IN {day} ./.",
    "{person} {bought} {company} in/IN {month} ./.",
    "{club} {bought} {surname} in/IN {month} ./.",
    "{company} {bought} {surname} in/IN {month} ./.",
    "the/DT {thing} with/IN {company} was/VBD {what} ./.",
    "the/DT {thing} with/IN {surname} was/VBD {what} ./.",
    "the/DT {thing} with/IN {city} was/VBD {what} ./.",
    "the/DT {thing} with/IN {club} was/VBD {what} ./.",
    "the/DT {agency} {company} {thing} was/VBD signed/VBN in/IN {month} ./.",
];

/// Headlines, half of which are printed in capitals.
pub(super) const HEADLINES: &[&str] = &[
    "{agency} rejects/VBZ {nation} call/NN to/TO {do} {nation} {goods} ./.",
    "{nation} {goods} fall/VBP after/IN {disaster} in/IN {place} ./.",
    "{club} beat/VBD {club} in/IN {event} ./.",
    "{company} to/TO {do} {thing} in/IN {country} ./.",
    "soccer/NN -/: {surname} leaves/VBZ {club} ./.",
    "{number} {people} die/VBP in/IN {country} {disaster} ./.",
    "{surname} wins/VBZ {event} ./.",
    "{country} ,/, {country} to/TO {do} {thing} ./.",
];

/// A sentence with names that training has not.
pub(super) const EXAMPLE: &str = "EU envoy Lucia Hartworth told the Greek government on Friday that Aerochem would not build its \
    factory near Ravhaven .";
