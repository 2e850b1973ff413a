//! Which tasks have a known answer to whether they should share? Generated ones, with a dial for how related they are.
//!
//! Texts are drawn from a list of words. Each word is good or bad, and a text is `good` where most of its words are. Tasks of
//! relatedness `r` take a share `(1 + r) / 2` of the words as the first list does and all others the other way round, so that
//! `r` is the correlation of their judgements of a word:
//!
//! | relatedness | one network with one output layer for two such tasks |
//! |---|---|
//! | 1 | has the examples of both: sharing helps |
//! | 0 | learns words that mean something else in half of the cases |
//! | -1 | is told the opposite of every text by each of them: sharing cannot work |

use std::io;
use std::path::Path;

use polytask_data::rng::Rng;

/// Words of the list.
const WORDS: usize = 150;

/// Words of a text; an odd number, so that no text is undecided.
const LENGTH: usize = 7;

/// A task whose texts are generated.
#[derive(Debug, Clone, PartialEq)]
pub struct RelatedTask<'a> {
    /// Its name, and the beginning of its files' names.
    pub name: &'a str,
    /// Correlation of its judgements with those of the list, from -1 to 1.
    pub relatedness: f64,
}

/// Examples of each split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Examples of `NAME.train.tsv`.
    pub train: usize,
    /// Examples of `NAME.valid.tsv`.
    pub valid: usize,
    /// Examples of `NAME.test.tsv`.
    pub test: usize,
}

/// Writes `NAME.train.tsv`, `NAME.valid.tsv` and `NAME.test.tsv` of each task, one `LABEL<TAB>TEXT` a line; the same seed gives the
/// same bytes.
///
/// # Errors
///
/// Where the file system refuses.
pub fn write_related(directory: &Path, tasks: &[RelatedTask<'_>], sizes: Sizes, seed: u64) -> io::Result<()> {
    let mut random = Rng::derive(seed, "good and bad words", 0);
    let list: Vec<bool> = (0..WORDS).map(|_| random.below(2) == 1).collect();
    for task in tasks {
        let good = judgements(&list, task, seed);
        for (split, count) in [("train", sizes.train), ("valid", sizes.valid), ("test", sizes.test)] {
            let purpose = format!("texts of {} {split}", task.name);
            let lines: String =
                (0..count as u64).map(|index| line(&good, &mut Rng::derive(seed, &purpose, index))).collect();
            std::fs::write(directory.join(format!("{}.{split}.tsv", task.name)), lines)?;
        }
    }
    Ok(())
}

/// Which words are good to a task.
fn judgements(list: &[bool], task: &RelatedTask<'_>, seed: u64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..list.len()).collect();
    Rng::derive(seed, &format!("agreement of {}", task.name), 0).shuffle(&mut order);
    let agreed = ((1.0 + task.relatedness.clamp(-1.0, 1.0)) / 2.0 * list.len() as f64).round() as usize;
    let mut good = list.to_vec();
    order.iter().skip(agreed).for_each(|&word| good[word] = !good[word]);
    good
}

fn line(good: &[bool], random: &mut Rng) -> String {
    let words: Vec<usize> = (0..LENGTH).map(|_| random.below(good.len() as u64) as usize).collect();
    let count = words.iter().filter(|&&word| good[word]).count();
    let text: Vec<String> = words.into_iter().map(word).collect();
    format!("{}\t{}\n", if 2 * count > LENGTH { "good" } else { "bad" }, text.join(" "))
}

/// The word of a number: two syllables of a consonant and a vowel.
fn word(number: usize) -> String {
    const CONSONANTS: [char; 12] = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't'];
    const VOWELS: [char; 5] = ['a', 'e', 'i', 'o', 'u'];
    let syllable = |at: usize| [CONSONANTS[at / VOWELS.len() % CONSONANTS.len()], VOWELS[at % VOWELS.len()]];
    let count = CONSONANTS.len() * VOWELS.len();
    [syllable(number / count), syllable(number % count)].concat().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relatedness_is_the_correlation_of_judgements() {
        let list: Vec<bool> = (0..100).map(|word| word % 3 == 0).collect();
        for (relatedness, agreed) in [(1.0, 100), (0.5, 75), (0.0, 50), (-1.0, 0)] {
            let good = judgements(&list, &RelatedTask { name: "a", relatedness }, 1);
            assert_eq!(good.iter().zip(&list).filter(|(one, other)| one == other).count(), agreed);
        }
    }

    #[test]
    fn texts_are_what_their_words_say_and_the_same_for_a_seed() {
        let folder = tempfile::tempdir().unwrap();
        let tasks = [RelatedTask { name: "same", relatedness: 1.0 }, RelatedTask { name: "other", relatedness: -1.0 }];
        let sizes = Sizes { train: 300, valid: 5, test: 7 };
        write_related(folder.path(), &tasks, sizes, 3).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let train = read("same.train.tsv");
        assert_eq!((train.lines().count(), read("other.test.tsv").lines().count()), (300, 7));
        let share = train.lines().filter(|line| line.starts_with("good\t")).count() as f64 / 300.0;
        assert!((0.3..0.7).contains(&share), "{share}");
        write_related(folder.path(), &tasks, sizes, 3).unwrap();
        assert_eq!(read("same.train.tsv"), train);
        let words: std::collections::BTreeSet<String> = (0..WORDS).map(word).collect();
        assert_eq!(words.len(), WORDS);
    }
}
