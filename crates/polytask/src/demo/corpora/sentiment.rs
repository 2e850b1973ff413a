//! Which words praise and which blame? Some in every domain, others in one only.
//!
//! Every list is `[blame, praise]`, its frequent words first. Some words praise in one domain and blame in another.

use super::text::words;

/// The words of praise and blame that a domain uses.
pub(super) struct Sentiment {
    /// `the plot is ADJECTIVE`
    pub(super) adjectives: [Vec<&'static str>; 2],
    /// `it is a NOUN`
    pub(super) nouns: [Vec<&'static str>; 2],
    /// `the plot VERB`
    pub(super) verbs: [Vec<&'static str>; 2],
}

/// The words of film reviews.
pub(super) fn movies() -> Sentiment {
    Sentiment {
        adjectives: both(&ADJECTIVES, &MOVIE_ADJECTIVES),
        nouns: both(&NOUNS, &MOVIE_NOUNS),
        verbs: both(&VERBS, &MOVIE_VERBS),
    }
}

/// The words of product reviews.
pub(super) fn products() -> Sentiment {
    Sentiment {
        adjectives: both(&ADJECTIVES, &PRODUCT_ADJECTIVES),
        nouns: both(&NOUNS, &PRODUCT_NOUNS),
        verbs: both(&VERBS, &PRODUCT_VERBS),
    }
}

/// Shared and own words in turn, so that the frequent ones of both stay in front.
fn both(shared: &[&'static str; 2], own: &[&'static str; 2]) -> [Vec<&'static str>; 2] {
    [0, 1].map(|side| {
        let (shared, own) = (words(shared[side]), words(own[side]));
        let longest = shared.len().max(own.len());
        (0..longest).flat_map(|i| shared.get(i).into_iter().chain(own.get(i))).copied().collect()
    })
}

const ADJECTIVES: [&str; 2] = [
    "bad awful poor terrible disappointing boring horrible mediocre useless weak annoying dreadful ugly lousy \
     ridiculous frustrating pathetic sloppy unpleasant worthless atrocious clumsy inferior appalling lame silly dismal \
     shoddy abysmal irritating unbearable stupid laughable forgettable wretched hideous unacceptable miserable lazy \
     inadequate pointless painful unimpressive regrettable deplorable confusing rotten crude woeful messy grim lacking \
     unsatisfying careless tiresome infuriating ghastly",
    "good great excellent wonderful amazing lovely perfect fantastic impressive beautiful superb nice brilliant \
     enjoyable outstanding solid delightful fine terrific pleasant marvelous splendid remarkable exceptional clever \
     fabulous stunning magnificent satisfying charming awesome incredible flawless elegant admirable \
     phenomenal refreshing thoughtful sublime exquisite stellar fun worthwhile glorious polished likable superior \
     commendable inventive classy dazzling memorable neat inspired gorgeous",
];

const MOVIE_ADJECTIVES: [&str; 2] = [
    "dull predictable slow wooden cliched shallow tedious lifeless bland pretentious contrived overlong plodding corny \
     incoherent unfunny stale sentimental derivative amateurish stilted hollow uninspired implausible flat cheesy \
     preachy aimless muddled soulless listless melodramatic dreary leaden cringeworthy formulaic insipid vapid \
     humorless overacted disjointed sluggish",
    "moving funny gripping touching original witty hilarious powerful entertaining haunting compelling thrilling \
     heartfelt believable intense suspenseful unpredictable poignant engaging captivating tender absorbing \
     unforgettable subtle exciting profound chilling imaginative hypnotic nuanced riveting electrifying uplifting \
     mesmerizing lyrical spellbinding honest dark gritty daring bittersweet quirky",
];

const PRODUCT_ADJECTIVES: [&str; 2] = [
    "cheap broken flimsy defective noisy faulty overpriced fragile uncomfortable leaky unreliable dangerous heavy \
     scratched rusty bulky wobbly damaged brittle unsafe smelly cracked unpredictable crooked stiff slow \
     blurry dented sticky rickety dim unusable warped temperamental tacky misleading greasy dark unstable \
     incompatible squeaky loose",
    "sturdy reliable durable comfortable easy handy practical affordable quiet useful convenient versatile compact \
     lightweight efficient fast powerful accurate soft sharp robust portable dependable waterproof bright adjustable \
     smooth precise sleek washable ergonomic responsive foolproof economical effective cozy spacious \
     rugged predictable tough crisp",
];

const NOUNS: [&str; 2] = [
    "disappointment mess waste joke disaster failure letdown embarrassment nightmare insult mistake shame ripoff \
     headache fiasco chore eyesore travesty dud horror misfire flop",
    "joy delight pleasure winner success treat surprise triumph gem treasure wonder marvel hit favorite blessing \
     beauty dream highlight revelation masterpiece gift knockout",
];

const MOVIE_NOUNS: [&str; 2] = [
    "bore snoozefest turkey clunker bomb stinker parody cliche slog trainwreck muddle yawn",
    "classic thriller tearjerker feast spectacle blast romp landmark rollercoaster milestone charmer",
];

const PRODUCT_NOUNS: [&str; 2] = [
    "lemon hazard scam brick paperweight defect knockoff hassle nuisance fake menace cheat",
    "bargain lifesaver steal workhorse keeper necessity upgrade timesaver staple investment helper",
];

const VERBS: [&str; 2] = [
    "fails disappoints annoys bothers suffers frustrates struggles irritates stinks falters collapses underwhelms",
    "works impresses delivers excels pleases succeeds delights amazes wins satisfies charms triumphs",
];

const MOVIE_VERBS: [&str; 2] = [
    "drags bores stumbles fizzles sags plods meanders grates unravels crawls",
    "shines sparkles soars captivates thrills enchants glows dazzles touches grips",
];

const PRODUCT_VERBS: [&str; 2] = [
    "breaks leaks rattles overheats rusts jams peels cracks wobbles squeaks",
    "lasts performs fits helps functions holds endures saves glides lathers",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_praise_and_blame_in_one_domain_and_each_list_has_no_repeats() {
        for sentiment in [movies(), products()] {
            for [blame, praise] in [&sentiment.adjectives, &sentiment.nouns, &sentiment.verbs] {
                let mut all: Vec<&str> = blame.iter().chain(praise).copied().collect();
                let count = all.len();
                all.sort_unstable();
                all.dedup();
                assert_eq!(all.len(), count);
            }
        }
    }

    #[test]
    fn domains_share_about_half_of_their_words() {
        let (movies, products) = (movies(), products());
        let shared = movies.adjectives[1].iter().filter(|word| products.adjectives[1].contains(word)).count();
        assert!((50..70).contains(&shared), "{shared}");
        assert!(movies.adjectives[1].contains(&"unpredictable") && products.adjectives[0].contains(&"unpredictable"));
    }
}
