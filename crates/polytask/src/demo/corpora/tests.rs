use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::*;

fn text<'a>(files: &'a [File], path: &str) -> &'a str {
    let file = files.iter().find(|file| file.path == path).unwrap();
    std::str::from_utf8(&file.bytes).unwrap()
}

fn corpora() -> &'static [File] {
    static FILES: LazyLock<Vec<File>> = LazyLock::new(|| generate(7).0);
    &FILES
}

/// FNV-1a over all paths and bytes.
fn digest(files: &[File]) -> u64 {
    let bytes = files.iter().flat_map(|file| file.path.bytes().chain(file.bytes.iter().copied()));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn a_seed_decides_every_byte_and_no_file_name() {
    let (first, _) = generate(7);
    assert_eq!(digest(&first), digest(&generate(7).0));
    let (other, _) = generate(8);
    assert_ne!(digest(&first), digest(&other));
    assert!(first.iter().map(|file| &file.path).eq(other.iter().map(|file| &file.path)));
    assert!(first.iter().map(|file| file.bytes.len()).sum::<usize>() < 3_000_000);
}

#[test]
fn the_files_of_the_summary_are_on_disk() {
    let directory = std::env::temp_dir().join(format!("polytask-corpora-{}", std::process::id()));
    let summary = write(&directory, 7).unwrap();
    let counts: Vec<(&str, usize)> = summary.files.iter().map(|(path, _, count)| (path.as_str(), *count)).collect();
    assert_eq!(counts[..3], [("movies/train", 500), ("movies/test", 400), ("products.jsonl", 1_600)]);
    assert_eq!(counts[3..6], [("names/train.conll", 900), ("names/valid.conll", 250), ("names/test.conll", 250)]);
    assert!(counts.iter().all(|(path, _)| directory.join(path).exists()));
    let products = std::fs::read(directory.join("products.jsonl")).unwrap();
    assert_eq!(products, text(corpora(), "products.jsonl").as_bytes());
    assert!(write(&directory.join("products.jsonl"), 7).is_err(), "a file is no folder");
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn film_reviews_are_balanced_and_their_ratings_fit_their_folders() {
    let files = corpora();
    let mut folders = BTreeMap::new();
    let mut breaks = 0;
    for file in files.iter().filter(|file| file.path.starts_with("movies/")) {
        let (folder, name) = file.path.rsplit_once('/').unwrap();
        let (_, rating) = name.strip_suffix(".txt").unwrap().split_once('_').unwrap();
        let rating: u8 = rating.parse().unwrap();
        assert!(if folder.ends_with("pos") { (7..=10).contains(&rating) } else { (1..=4).contains(&rating) });
        *folders.entry(folder).or_insert(0) += 1;
        let text = text(files, &file.path);
        breaks += usize::from(text.contains("<br /><br />"));
        let words = text.replace("<br /><br />", " ").split_whitespace().count();
        assert!((20..=120).contains(&words), "{words}: {text}");
        assert!(!text.contains(['{', '}']), "{text}");
    }
    let expected =
        [("movies/test/neg", 200), ("movies/test/pos", 200), ("movies/train/neg", 250), ("movies/train/pos", 250)];
    assert!(folders.into_iter().eq(expected));
    assert!(breaks > 50);
}

#[test]
fn no_film_review_of_the_test_is_one_of_training() {
    let files = corpora();
    let texts: BTreeSet<&[u8]> =
        files.iter().filter(|file| file.path.starts_with("movies/")).map(|file| file.bytes.as_slice()).collect();
    assert_eq!(texts.len(), 900);
}

#[test]
fn product_reviews_are_json_lines() {
    let files = corpora();
    let mut stars = [0; 5];
    let (mut quotes, mut unicode) = (0, 0);
    for line in text(files, "products.jsonl").lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let review = value["reviewText"].as_str().unwrap();
        assert!((12..=90).contains(&review.split_whitespace().count()), "{review}");
        assert!(!review.contains(['{', '}']), "{review}");
        stars[value["overall"].as_f64().unwrap() as usize - 1] += 1;
        assert!(products::CATEGORIES.iter().any(|category| value["category"] == category.name));
        assert!(!value["summary"].as_str().unwrap().is_empty());
        assert_eq!(value.as_object().unwrap().len(), 4);
        quotes += usize::from(review.contains('"'));
        unicode += usize::from(!review.is_ascii());
    }
    assert_eq!(stars, [400, 368, 64, 368, 400]);
    assert!(quotes > 50 && unicode > 50, "{quotes} {unicode}");
}

/// The spans `(kind, words)` of the last column; fails where the tags are not IOB1.
fn spans(text: &str) -> Vec<(String, String)> {
    let mut spans: Vec<(String, String)> = Vec::new();
    let mut previous = [String::new(), String::new()];
    for line in text.lines().filter(|line| !line.starts_with("-DOCSTART-")) {
        let columns: Vec<&str> = line.split(' ').collect();
        if line.is_empty() {
            previous = Default::default();
            continue;
        }
        assert_eq!(columns.len(), 4, "{line}");
        for (column, previous) in [2, 3].into_iter().zip(&mut previous) {
            let (prefix, kind) = columns[column].split_once('-').unwrap_or(("O", ""));
            let same = !kind.is_empty() && kind == previous;
            assert!(matches!((prefix, same), ("O", false) | ("I", _) | ("B", true)), "{line}");
            match prefix {
                "I" | "B" if column == 3 && !(prefix == "I" && same) => {
                    spans.push((kind.to_string(), columns[0].to_string()));
                }
                "I" if column == 3 => spans.last_mut().unwrap().1.push_str(&format!(" {}", columns[0])),
                _ => {}
            }
            *previous = kind.to_string();
        }
    }
    spans
}

#[test]
fn names_are_legal_iob1_of_all_kinds_and_half_of_the_test_is_new() {
    let files = corpora();
    let train = text(files, "names/train.conll");
    assert!(train.starts_with("-DOCSTART- -X- O O\n\n"));
    assert!(train.contains(" B-MISC\n") && train.contains(" B-NP "));
    let seen = spans(train);
    for kind in news::KINDS {
        assert!(seen.iter().filter(|span| span.0 == kind).count() > 150, "{kind}");
    }
    let seen: BTreeSet<_> = seen.into_iter().collect();
    for (path, sentences) in [("names/valid.conll", 250), ("names/test.conll", 250)] {
        let text = text(files, path);
        assert_eq!(text.split("\n\n").filter(|part| !part.is_empty() && !part.starts_with("-DOC")).count(), sentences);
        let all = spans(text);
        let new = all.iter().filter(|span| !seen.contains(span)).count() as f64 / all.len() as f64;
        assert!((0.3..0.8).contains(&new), "{new}");
    }
}

#[test]
fn most_words_have_a_vector_and_numbers_have_none() {
    let files = corpora();
    let known: BTreeSet<&str> = text(files, "vectors.txt").lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(!known.iter().any(|word| word.bytes().any(|byte| byte.is_ascii_digit())));
    let words = |text: &str| -> Vec<String> {
        let cut = |letter: char| !letter.is_alphabetic();
        text.to_lowercase().split(cut).filter(|word| word.len() > 2).map(str::to_string).collect()
    };
    let reviews = files.iter().filter(|file| file.path.starts_with("movies/"));
    let reviews: Vec<String> = reviews.flat_map(|file| words(std::str::from_utf8(&file.bytes).unwrap())).collect();
    let covered = reviews.iter().filter(|word| known.contains(word.as_str())).count() as f64 / reviews.len() as f64;
    assert!((0.9..0.999).contains(&covered), "{covered}");
}

#[test]
fn examples_are_in_no_corpus() {
    let files = corpora();
    let examples = example_sentences();
    let everything: Vec<&str> = files.iter().filter_map(|file| std::str::from_utf8(&file.bytes).ok()).collect();
    assert!(everything.iter().all(|text| !text.contains(examples.movie) && !text.contains(examples.product)));
    let unseen = [
        (&people::AGENCIES, "EU"),
        (&people::FIRST_NAMES, "Lucia"),
        (&people::SURNAMES, "Hartworth"),
        (&people::NATIONALITIES, "Greek"),
        (&people::COMPANIES, "Aerochem"),
        (&people::TOWNS, "Ravhaven"),
    ];
    for (names, name) in unseen {
        assert!(examples.names.contains(name) && names.is_unseen(name), "{name}");
        assert!(!text(files, "names/train.conll").contains(&format!("\n{name} ")), "{name}");
    }
}
