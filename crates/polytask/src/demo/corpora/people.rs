//! Who and what is named? People, places, companies and clubs, most of them made up from a stem and an ending.
//!
//! Surnames, towns and companies share endings, so that spelling helps to tell them apart and does not decide alone.
//! A third of each list is kept from training texts.

use std::sync::LazyLock;

use super::random::Random;
use super::text::words;

/// Which names a text may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stock {
    /// Those that training has.
    Known,
    /// Now and then one that training has not.
    Mixed,
}

/// A list of names, split by what training may see.
#[derive(Debug)]
pub(super) struct Names {
    known: Vec<String>,
    unseen: Vec<String>,
}

impl Names {
    fn new(names: impl IntoIterator<Item = String>) -> Names {
        let mut known: Vec<String> = names.into_iter().collect();
        Random::new(0, "names").shuffle(&mut known);
        let unseen = known.split_off(known.len() - known.len() / 3);
        Names { known, unseen }
    }

    /// Draws a name.
    pub(super) fn draw(&self, random: &mut Random, stock: Stock) -> &str {
        const UNSEEN: f64 = 0.4;
        let unseen = stock == Stock::Mixed && random.chance(UNSEEN);
        let index = random.between(0, if unseen { self.unseen.len() } else { self.known.len() } - 1);
        if unseen { &self.unseen[index] } else { &self.known[index] }
    }

    /// All names.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.known.iter().chain(&self.unseen).map(String::as_str)
    }

    /// Whether training never has this name.
    #[cfg(test)]
    pub(super) fn is_unseen(&self, name: &str) -> bool {
        self.unseen.iter().any(|unseen| unseen == name)
    }
}

/// Given names.
pub(super) static FIRST_NAMES: LazyLock<Names> =
    LazyLock::new(|| Names::new(words(FIRST).iter().map(|name| (*name).to_string())));
/// Family names.
pub(super) static SURNAMES: LazyLock<Names> = LazyLock::new(|| Names::new(compose(FAMILY_STEMS, FAMILY_ENDS)));
/// Towns, which are clubs too.
pub(super) static TOWNS: LazyLock<Names> = LazyLock::new(|| Names::new(compose(TOWN_STEMS, TOWN_ENDS)));
/// Companies of one word.
pub(super) static COMPANIES: LazyLock<Names> = LazyLock::new(|| Names::new(compose(COMPANY_STEMS, COMPANY_ENDS)));
/// Countries.
pub(super) static COUNTRIES: LazyLock<Names> = LazyLock::new(|| Names::new(nations().map(|(country, _)| country)));
/// What comes from a country.
pub(super) static NATIONALITIES: LazyLock<Names> =
    LazyLock::new(|| Names::new(nations().map(|(_, nationality)| nationality)));
/// Bodies known by their initials.
pub(super) static AGENCIES: LazyLock<Names> =
    LazyLock::new(|| Names::new(words(INITIALS).iter().map(|name| (*name).to_string())));

/// A given name and a family name that training has.
pub(super) fn full_name(random: &mut Random) -> String {
    let first = FIRST_NAMES.draw(random, Stock::Known).to_string();
    format!("{first} {}", surname(random))
}

/// A family name that training has.
pub(super) fn surname(random: &mut Random) -> String {
    SURNAMES.draw(random, Stock::Known).to_string()
}

/// Three quarters of all pairs of a stem and an ending.
fn compose(stems: &'static str, ends: &'static str) -> impl Iterator<Item = String> {
    let ends = words(ends);
    words(stems).into_iter().enumerate().flat_map(move |(row, stem)| {
        let kept: Vec<String> = ends
            .iter()
            .enumerate()
            .filter(|(column, end)| (row + column) % 4 != 0 && stem.as_bytes().last() != end.as_bytes().first())
            .map(|(_, end)| format!("{stem}{end}"))
            .collect();
        kept
    })
}

fn nations() -> impl Iterator<Item = (String, String)> {
    words(NATIONS).into_iter().filter_map(|pair| pair.split_once('/')).map(|(a, b)| (a.to_string(), b.to_string()))
}

const FIRST: &str = "John Mary Peter Anna David Laura Michael Sarah Robert Emma James Julia Thomas Clara Daniel Alice \
    Andrew Helen Martin Sophie Paul Nina Mark Ella Simon Ruth Philip Eva Stephen Lucy George Maria Henry Elena Walter \
    Irene Oscar Vera Victor Olga Hugo Marta Felix Ingrid Adam Greta Leon Astrid Max Petra Carl Sonia Erik Karen Lars \
    Monica Ivan Tanya Boris Natasha Pavel Lidia Marco Bianca Luca Chiara Diego Carmen Pablo Lucia Javier Rosa Pedro \
    Isabel Jorge Elisa Pierre Camille Louis Claire Henri Margot Andre Celine Omar Leila Karim Yasmin Hassan Amina \
    Ahmed Fatima Kenji Yuki Hiroshi Akiko Takeshi Naomi Wei Mei Jin Lan Raj Priya Arjun Anita Vikram Meena Kwame Abena \
    Kofi Ama Tunde Ngozi Sipho Thandi Brian Fiona Sean Maeve Liam Bridget Owen Megan Dylan Rhian Angus Isla Duncan \
    Ottilie Bertram Cordelia Jasper Wilma Edgar Hazel Rupert Iris Conrad Flora Otto Hilda Ernest Mabel";

const FAMILY_STEMS: &str = "Hart Ald Bran Cald Dun Esk Fen Gold Hal Ing Kes Lang Mar Nor Oak Pem Rad Sel Thorn Ull Ver \
    Wal Win Yar Ash Black Crow Dray Elm Far Gil Hex Jarr Kirk Lund Mel Nash Orm Prest Quill Rams Stan";

const FAMILY_ENDS: &str = "man son well ley ford sen worth ers by ler ner wood ridge ski ini ez";

const TOWN_STEMS: &str = "Ald Bran Cald Dor Esk Fal Glen Har Ing Kel Lyn Mar Nor Oster Pol Rad Sel Tarn Ul Ver Wex Win Yar \
    Zel Ast Ber Clar Dal Fen Grim Hol Jas Kron Lor Mont Nev Ost Rav Sten Tor Vand Wes";

const TOWN_ENDS: &str = "ton bury mouth ville grad burg haven field ham ley ford port vik ana stadt wick";

const COMPANY_STEMS: &str =
    "Nova Tele Inter Micro Agri Petro Trans Omni Hydro Vita Astra Delta Sono Lumi Ferro Bio Aero Mono";

const COMPANY_ENDS: &str = "corp tech com soft gen dyne media lux ford chem via nex";

const INITIALS: &str = "EU UN NATO OPEC IMF WHO UNESCO FIFA UEFA ECB EBA FAO GTA NSU CDP LPF MRA PKS RTB SDU TNB UWC VFB WTA \
    ICU KLO BVA DFO HRC JSP";

const NATIONS: &str = "Germany/German France/French Britain/British Spain/Spanish Italy/Italian Japan/Japanese China/Chinese \
    Russia/Russian Brazil/Brazilian India/Indian Sweden/Swedish Norway/Norwegian Denmark/Danish Finland/Finnish \
    Poland/Polish Austria/Austrian Belgium/Belgian Portugal/Portuguese Greece/Greek Turkey/Turkish Egypt/Egyptian \
    Israel/Israeli Iran/Iranian Iraq/Iraqi Kenya/Kenyan Nigeria/Nigerian Ghana/Ghanaian Morocco/Moroccan \
    Algeria/Algerian Mexico/Mexican Chile/Chilean Peru/Peruvian Cuba/Cuban Canada/Canadian Australia/Australian \
    Indonesia/Indonesian Malaysia/Malaysian Thailand/Thai Vietnam/Vietnamese Korea/Korean Pakistan/Pakistani \
    Nepal/Nepalese Iceland/Icelandic Ireland/Irish Scotland/Scottish Hungary/Hungarian Romania/Romanian \
    Bulgaria/Bulgarian Serbia/Serbian Croatia/Croatian Slovenia/Slovenian Ukraine/Ukrainian Latvia/Latvian \
    Estonia/Estonian Lithuania/Lithuanian Albania/Albanian Tunisia/Tunisian Bolivia/Bolivian Jamaica/Jamaican \
    Switzerland/Swiss";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_large_without_repeats_and_a_third_is_unseen() {
        for (names, least) in [
            (&*FIRST_NAMES, 130),
            (&*SURNAMES, 400),
            (&*TOWNS, 400),
            (&*COMPANIES, 140),
            (&*COUNTRIES, 50),
            (&*NATIONALITIES, 50),
            (&*AGENCIES, 30),
        ] {
            let mut all: Vec<&str> = names.all().collect();
            let count = all.len();
            assert!(count >= least, "{count} of {least}");
            assert_eq!(names.unseen.len(), count / 3);
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count);
        }
    }

    #[test]
    fn known_stock_never_draws_an_unseen_name() {
        let mut random = Random::new(3, "stock");
        assert!((0..500).all(|_| !SURNAMES.is_unseen(SURNAMES.draw(&mut random, Stock::Known))));
        let unseen = (0..500).filter(|_| SURNAMES.is_unseen(SURNAMES.draw(&mut random, Stock::Mixed))).count();
        assert!((150..250).contains(&unseen), "{unseen}");
    }
}
