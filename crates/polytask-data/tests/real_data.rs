//! The readers on the corpora themselves, where they are at hand: in the folder `POLYTASK_DATA`, or `shared/data`
//! beside the workspace.

// Helpers of an integration test are not known to clippy as tests.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::PathBuf;
use std::time::Instant;

use polytask_data::interner::Interner;
use polytask_data::load::{AsKind, Dataset, Request, Target, TextOptions, load};
use polytask_data::open::Roots;
use polytask_data::table::Examples;
use polytask_spec::data::{
    AmazonData, ConllData, Data, Files, ImdbData, JsonlData, LinesData, NamedColumns, Paths, Split,
};
use polytask_spec::network::{Tokenize, Truncate};

/// The folder that holds `name`, or `None`, said on stdout, where it is not there.
fn corpus(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("POLYTASK_DATA").map_or(beside, PathBuf::from);
    if root.join(name).exists() {
        return Some(root);
    }
    println!("skipped: {} is not there", root.join(name).display());
    None
}

fn read(root: PathBuf, data: &Data, targets: &[(&str, AsKind)]) -> (Dataset, Interner) {
    let targets: Vec<Target> =
        targets.iter().map(|(column, as_)| Target { column: (*column).to_string(), as_: as_.clone() }).collect();
    let text = TextOptions { tokenize: Tokenize::Words, max_tokens: 512, truncate: Truncate::Head };
    let roots = Roots { dirs: vec![root] };
    let mut words = Interner::new();
    let start = Instant::now();
    let dataset = load(
        &Request { name: "real", data, roots: &roots, seed: 7, text, subwords: None, targets: &targets },
        &mut words,
    )
    .unwrap();
    println!("{} read in {:?}, {} words", data.format(), start.elapsed(), words.len());
    (dataset, words)
}

fn one(path: String) -> Option<Paths> {
    Some(Paths::One(path))
}

fn tokens(examples: &Examples) -> usize {
    examples.full_lengths.iter().map(|&length| length as usize).sum()
}

fn counts(examples: &Examples, column: &str) -> Vec<usize> {
    let labels = examples.labels(column).unwrap();
    (0..=labels.iter().copied().max().unwrap())
        .map(|label| labels.iter().filter(|&&found| found == label).count())
        .collect()
}

#[test]
fn conll_2003_has_its_published_counts() {
    let Some(root) = corpus("conll2003") else { return };
    for (folder, names, chunks, entities) in [
        ("iob1-original", ["eng.train", "eng.testa", "eng.testb"], 17, 8),
        ("iob2-docstart", ["train.txt", "valid.txt", "test.txt"], 21, 9),
    ] {
        let [train, valid, test] = names.map(|name| one(format!("conll2003/{folder}/{name}")));
        let files = Files { train, valid, test, ..Files::default() };
        let columns = ["token", "pos", "chunk", "ner"].map(str::to_string).to_vec();
        let targets = [("pos", AsKind::Tags), ("chunk", AsKind::Tags), ("ner", AsKind::Tags)];
        let (dataset, _) = read(root.clone(), &Data::Conll(ConllData { files, columns }), &targets);
        let test = dataset.test.unwrap();
        assert_eq!([dataset.train.len(), dataset.valid.len(), test.len()], [14_041, 3_250, 3_453]);
        assert_eq!([&dataset.train, &dataset.valid, &test].map(tokens), [203_621, 51_362, 46_435]);
        assert_eq!(["pos", "chunk", "ner"].map(|column| dataset.labels[column].len()), [45, chunks, entities]);
        assert_eq!(dataset.train.tags("ner").unwrap().values().len(), 203_621);
    }
}

#[test]
fn imdb_has_25000_reviews_for_training_and_test() {
    let Some(root) = corpus("imdb/aclImdb.tar.gz") else { return };
    let split = Split { valid: 0.1, ..Split::default() };
    let files = Files { path: Some("imdb/aclImdb.tar.gz".to_string()), split, ..Files::default() };
    let targets = [("polarity", AsKind::Label), ("rating", AsKind::Label)];
    let (dataset, _) = read(root, &Data::Imdb(ImdbData { files }), &targets);
    let test = dataset.test.unwrap();
    assert_eq!([dataset.train.len(), dataset.valid.len(), test.len()], [22_500, 2_500, 25_000]);
    assert_eq!(counts(&dataset.train, "polarity"), [11_250; 2]);
    assert_eq!(counts(&dataset.valid, "polarity"), [1_250; 2]);
    assert_eq!(counts(&test, "polarity"), [12_500; 2]);
    assert_eq!(dataset.labels["polarity"], ["neg", "pos"]);
    assert_eq!(dataset.labels["rating"], ["1", "2", "3", "4", "7", "8", "9", "10"]);
    println!("{} training texts cut, notes {:?}", dataset.train.truncated, dataset.notes);
    let trained: std::collections::BTreeSet<u64> =
        dataset.train.hashes.iter().chain(&dataset.valid.hashes).copied().collect();
    let shared = test.hashes.iter().filter(|hash| trained.contains(hash)).count();
    assert_eq!(shared, 123);
}

#[test]
fn blitzer_has_2000_reviews_in_each_of_four_domains() {
    let Some(root) = corpus("amazon-blitzer") else { return };
    let files = Files { path: Some("amazon-blitzer/sorted_data_acl".to_string()), ..Files::default() };
    let targets = [("polarity", AsKind::Label), ("category", AsKind::Label), ("stars", AsKind::Number)];
    let (dataset, _) = read(root, &Data::Amazon(AmazonData { files }), &targets);
    assert_eq!(dataset.train.len(), 8_000);
    assert_eq!(counts(&dataset.train, "polarity"), [4_000; 2]);
    assert_eq!(counts(&dataset.train, "category"), [2_000; 4]);
    assert_eq!(dataset.labels["category"], ["books", "dvd", "electronics", "kitchen_&_housewares"]);
    let stars = dataset.train.numbers("stars").unwrap();
    let of = |wanted: f32| stars.iter().filter(|&&stars| stars == wanted).count();
    assert_eq!([1.0, 2.0, 4.0, 5.0].map(of), [2_421, 1_579, 1_121, 2_879]);
    println!("notes {:?}", dataset.notes);
}

#[test]
fn fdu_mtl_has_its_counts_in_sixteen_domains() {
    let Some(root) = corpus("fdu-mtl") else { return };
    let mut domains: Vec<String> = std::fs::read_dir(root.join("fdu-mtl"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_string_lossy().strip_suffix(".task.train").map(String::from))
        .collect();
    domains.sort();
    assert_eq!(domains.len(), 16);
    // Test lines that also stand in train, as far as they are published.
    let shared = [
        ("magazines", 169),
        ("video", 99),
        ("camera_photo", 72),
        ("software", 62),
        ("health_personal_care", 30),
        ("sports_outdoors", 28),
    ];
    for domain in domains {
        let files = Files {
            train: one(format!("fdu-mtl/{domain}.task.train")),
            test: one(format!("fdu-mtl/{domain}.task.test")),
            ..Files::default()
        };
        let (dataset, _) = read(root.clone(), &Data::Lines(LinesData { files }), &[("label", AsKind::Label)]);
        let test = dataset.test.unwrap();
        let expected = match domain.as_str() {
            "baby" => 1_500,
            "camera_photo" => 1_597,
            "electronics" => 1_598,
            "magazines" => 1_570,
            "software" => 1_515,
            // Of 1,600 lines one has a label and no text.
            "sports_outdoors" => 1_599,
            "apparel"
            | "books"
            | "dvd"
            | "health_personal_care"
            | "imdb"
            | "kitchen_housewares"
            | "MR"
            | "music"
            | "toys_games"
            | "video" => 1_600,
            other => panic!("unknown domain {other}"),
        };
        assert_eq!((dataset.train.len(), test.len()), (expected, 400), "{domain}");
        assert_eq!(dataset.labels["label"], ["0", "1"]);
        let notes = match domain.as_str() {
            "MR" => 2,
            "dvd" | "sports_outdoors" => 1,
            _ => 0,
        };
        let cut = usize::from(dataset.train.truncated + test.truncated > 0);
        assert_eq!(dataset.notes.len(), notes + cut, "{domain}: {:?}", dataset.notes);
        let found = test.hashes.iter().filter(|hash| dataset.train.hashes.contains(hash)).count();
        if let Some((_, published)) = shared.iter().find(|(name, _)| *name == domain) {
            assert_eq!(found, *published, "{domain}");
        }
    }
}

/// The same sentences in another form are the same dataset.
#[test]
fn conll_2003_is_the_same_from_json() {
    let Some(root) = corpus("conll2003/iob1-original/eng.testa") else { return };
    let columns = ["token", "pos", "chunk", "ner"].map(String::from).to_vec();
    let files = |train: &str| Files { train: one(train.to_string()), ..Files::default() };
    let data = Data::Conll(ConllData { files: files("conll2003/iob1-original/eng.testa"), columns });
    let targets = [("pos", AsKind::Tags), ("ner", AsKind::Tags)];
    let (expected, words) = read(root, &data, &targets);
    let names = |column: &str, ids: &[u32]| -> Vec<String> {
        ids.iter().map(|&id| expected.labels[column][id as usize].clone()).collect()
    };
    let train = &expected.train;
    let objects: Vec<serde_json::Value> = (0..train.len())
        .map(|index| {
            let tokens: Vec<&str> = train.tokens().unwrap().get(index).iter().map(|&id| words.word(id)).collect();
            let [pos, ner] = ["pos", "ner"].map(|column| names(column, train.tags(column).unwrap().get(index)));
            serde_json::json!({"id": index, "tokens": tokens, "pos": pos, "ner": ner})
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
    std::fs::write(dir.path().join("a.jsonl"), lines).unwrap();
    std::fs::write(dir.path().join("a.json"), serde_json::to_string_pretty(&objects).unwrap()).unwrap();
    for file in ["a.jsonl", "a.json"] {
        let data = Data::Jsonl(JsonlData { files: files(file), named: NamedColumns::default() });
        let (dataset, _) = read(dir.path().to_path_buf(), &data, &targets);
        assert_eq!(dataset.fingerprint(), expected.fingerprint(), "{file}");
        assert_eq!((&dataset.train.columns, &dataset.labels), (&expected.train.columns, &expected.labels), "{file}");
    }
}
