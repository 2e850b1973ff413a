mod named;

use std::path::Path;

use polytask_spec::data::{AmazonData, ConllData, ImdbData, LinesData, Split};

use super::*;
use crate::table::{MISSING_LABEL, TEXT};

/// A folder of files for one test.
struct Folder {
    dir: tempfile::TempDir,
}

fn write(files: &[(&str, &str)]) -> Folder {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    Folder { dir }
}

fn one(path: &str) -> Option<Paths> {
    Some(Paths::One(path.to_string()))
}

fn lines(files: Files) -> Data {
    Data::Lines(LinesData { files })
}

fn conll(files: Files) -> Data {
    Data::Conll(ConllData { files, columns: vec!["token".into(), "tag".into()] })
}

fn target(column: &str, as_: AsKind) -> Target {
    Target { column: column.to_string(), as_ }
}

const TEXT_OPTIONS: TextOptions = TextOptions { tokenize: Tokenize::Words, max_tokens: 100, truncate: Truncate::Head };

impl Folder {
    fn load_as(&self, data: &Data, text: TextOptions, targets: &[Target]) -> Result<(Dataset, Interner)> {
        let roots = Roots { dirs: vec![self.dir.path().to_path_buf()] };
        let request = Request { name: "books", data, roots: &roots, seed: 3, text, subwords: None, targets };
        let mut words = Interner::new();
        load(&request, &mut words).map(|dataset| (dataset, words))
    }

    fn load(&self, data: &Data, column: &str, as_: AsKind) -> Result<(Dataset, Interner)> {
        self.load_as(data, TEXT_OPTIONS, &[target(column, as_)])
    }

    fn message(&self, data: &Data, column: &str, as_: AsKind) -> String {
        let message = self.load(data, column, as_).unwrap_err().to_string();
        message.replace(&format!("{}{}", self.dir.path().display(), std::path::MAIN_SEPARATOR), "")
    }
}

fn text(examples: &Examples, words: &Interner, index: usize) -> String {
    let ids = examples.tokens().unwrap().get(index);
    ids.iter().map(|&id| words.word(id)).collect::<Vec<_>>().join(" ")
}

#[test]
fn files_become_numbers() {
    let files = write(&[("a", "pos\tGood book, good\nneg\tbad\n"), ("b", "pos\tgood\n"), ("v", "neg\tGood?\n")]);
    let train = Some(Paths::Many(vec!["a".into(), "b".into()]));
    let data = lines(Files { train, valid: one("v"), ..Files::default() });
    let (dataset, words) = files.load(&data, "label", AsKind::Label).unwrap();
    assert_eq!(dataset.labels["label"], ["neg", "pos"]);
    assert_eq!(dataset.train.labels("label"), Some(&[1, 0, 1][..]));
    assert_eq!(dataset.valid.labels("label"), Some(&[0][..]));
    assert_eq!(dataset.test, None);
    assert_eq!(words.words().collect::<Vec<_>>(), ["Good", "book", ",", "good", "bad", "?"]);
    assert_eq!(words.counts(), [1, 1, 1, 2, 1, 0]);
    assert_eq!(text(&dataset.train, &words, 0), "Good book , good");
    let place = dataset.train.place(2);
    assert_eq!((Path::new(&*place.file).file_name().unwrap().to_str(), place.line), (Some("b"), 1));
    assert!(dataset.notes.is_empty());
}

#[test]
fn tags_are_cut_as_words_are() {
    let sentence = "a X\nb Y\nc Z\nd X\ne Y\n\nb Y\n\n";
    let files = write(&[("t", sentence), ("same", "b Y\n")]);
    let data = conll(Files { train: one("t"), valid: one("same"), ..Files::default() });
    for (truncate, kept, tags) in [
        (Truncate::Head, "a b c", &[0, 1, 2][..]),
        (Truncate::Tail, "c d e", &[2, 0, 1]),
        (Truncate::HeadTail, "a b e", &[0, 1, 1]),
    ] {
        let options = TextOptions { max_tokens: 3, truncate, ..TEXT_OPTIONS };
        let (dataset, words) = files.load_as(&data, options, &[target("tag", AsKind::Tags)]).unwrap();
        assert_eq!(text(&dataset.train, &words, 0), kept);
        assert_eq!(dataset.train.tags("tag").unwrap().get(0), tags);
        assert_eq!((dataset.train.truncated, dataset.valid.truncated), (1, 0));
        assert_eq!(dataset.train.full_lengths, [5, 1]);
        assert_eq!(dataset.train.hashes[1], dataset.valid.hashes[0]);
    }
}

#[test]
fn a_hash_covers_the_words_that_are_cut_off() {
    let files = write(&[("t", "1\ta b c\n0\ta b d\n1\ta b c\n")]);
    let options = TextOptions { max_tokens: 2, ..TEXT_OPTIONS };
    let data = lines(Files { train: one("t"), ..Files::default() });
    let (dataset, _) = files.load_as(&data, options, &[target("label", AsKind::Label)]).unwrap();
    let hashes = &dataset.train.hashes;
    assert!(hashes[0] == hashes[2] && hashes[0] != hashes[1]);
}

#[test]
fn numbers_and_labels_may_stand_for_each_other() {
    let json = "{\"text\":\"a\",\"rating\":5}\n{\"text\":\"b\",\"rating\":3.0}\n{\"text\":\"c\"}\n{\"text\":\"d\",\"rating\":1}\n";
    let files =
        write(&[("a.json", json), ("l", "10\ta\n9.5\tb\n"), ("bad", "10\ta\nhigh\tb\n"), ("huge", "1\ta\n1e39\tb\n")]);
    let data = Data::Amazon(AmazonData { files: Files { path: Some("a.json".into()), ..Files::default() } });
    let (dataset, _) = files.load(&data, "stars", AsKind::Label).unwrap();
    assert_eq!(dataset.labels["stars"], ["1", "3", "5"]);
    assert_eq!(dataset.train.labels("stars"), Some(&[2, 1, MISSING_LABEL, 0][..]));
    let (dataset, _) = files.load(&data, "polarity", AsKind::Label).unwrap();
    assert_eq!(dataset.train.labels("polarity"), Some(&[1, MISSING_LABEL, MISSING_LABEL, 0][..]));
    let (dataset, _) = files.load(&data, "stars", AsKind::Number).unwrap();
    let numbers = dataset.train.numbers("stars").unwrap();
    assert!(numbers[2].is_nan() && numbers[0] == 5.0 && dataset.labels.is_empty());

    let (dataset, _) =
        files.load(&lines(Files { train: one("l"), ..Files::default() }), "label", AsKind::Number).unwrap();
    assert_eq!(dataset.train.numbers("label"), Some(&[10.0, 9.5][..]));
    let message = files.message(&lines(Files { train: one("bad"), ..Files::default() }), "label", AsKind::Number);
    assert!(message.starts_with("bad:2: expected a number as label, found \"high\"\n  help: "), "{message}");
    let message = files.message(&lines(Files { train: one("huge"), ..Files::default() }), "label", AsKind::Number);
    assert!(message.starts_with("huge:2: expected a finite number as label, found \"1e39\"\n  help: "), "{message}");
}

#[test]
fn shares_are_drawn_by_seed() {
    let rows: String = (0..100).map(|row| format!("{}\tword{row}\n", row % 2)).collect();
    let files = write(&[("t", &rows), ("test", "0\tx\n")]);
    let split = Split { valid: 0.1, test: 0.2, ..Split::default() };
    let data = lines(Files { path: Some("t".into()), split, limit: Some(10), ..Files::default() });
    let (dataset, words) = files.load(&data, "label", AsKind::Label).unwrap();
    let test = dataset.test.as_ref().unwrap();
    assert_eq!((dataset.train.len(), dataset.valid.len(), test.len()), (10, 10, 20));
    let ones = |examples: &Examples| examples.labels("label").unwrap().iter().filter(|&&label| label == 1).count();
    assert_eq!((ones(&dataset.train), ones(&dataset.valid), ones(test)), (5, 5, 10));
    assert_eq!(words.counts().iter().sum::<u64>(), 10);
    assert!(dataset.train.places.is_sorted());
    assert_eq!(files.load(&data, "label", AsKind::Label).unwrap().0, dataset);

    let seeded = Split { seed: Some(4), ..split };
    let data = lines(Files { path: Some("t".into()), split: seeded, limit: Some(10), ..Files::default() });
    let other = files.load(&data, "label", AsKind::Label).unwrap().0;
    assert_ne!(other.valid.places, dataset.valid.places);
    assert_ne!(other.fingerprint(), dataset.fingerprint());

    let data = lines(Files { train: one("t"), test: one("test"), split, ..Files::default() });
    let (dataset, _) = files.load(&data, "label", AsKind::Label).unwrap();
    assert_eq!((dataset.train.len(), dataset.valid.len(), dataset.test.unwrap().len()), (90, 10, 1));
    assert!(dataset.notes[0].contains("the test share is not drawn"));
}

#[test]
fn neither_names_nor_tasks_nor_options_change_a_split() {
    let review = |row: usize| {
        let (text, stars) = (format!("it's word{}, {row}", row % 97), row % 5 + 1);
        format!("{{\"text\": \"{text}\", \"rating\": {stars}, \"category\": \"c{}\"}}\n", row % 2)
    };
    let files = write(&[("r", &(0..400).map(review).collect::<String>())]);
    let split = Split { valid: 0.1, test: 0.2, ..Split::default() };
    let data = |split, limit| {
        Data::Amazon(AmazonData { files: Files { path: Some("r".into()), split, limit, ..Files::default() } })
    };
    let roots = Roots { dirs: vec![files.dir.path().to_path_buf()] };
    let load = |name: &str, data: &Data, text: TextOptions, targets: &[Target]| {
        load(&Request { name, data, roots: &roots, seed: 3, text, subwords: None, targets }, &mut Interner::new())
            .unwrap()
    };
    let polarity = target("polarity", AsKind::Label);
    let first = load("a", &data(split, None), TEXT_OPTIONS, std::slice::from_ref(&polarity));
    let stars = target("stars", AsKind::Number);
    let short = TextOptions { tokenize: Tokenize::Spaces, max_tokens: 2, truncate: Truncate::Tail };
    let second = load("b", &data(split, None), short, &[stars, target("category", AsKind::Label)]);
    for (left, right) in [(&first.train, &second.train), (&first.valid, &second.valid)] {
        assert_eq!((&left.places, &left.hashes), (&right.places, &right.hashes));
    }
    let places = |dataset: &Dataset| dataset.test.as_ref().unwrap().places.clone();
    assert_eq!(places(&first), places(&second));
    // Reviews of three stars, which have no polarity, are a stratum of their own.
    assert_eq!(second.test.as_ref().unwrap().numbers("stars").unwrap().iter().filter(|&&n| n == 3.0).count(), 16);
    assert_eq!(second.valid.numbers("stars").unwrap().iter().filter(|&&n| n == 3.0).count(), 8);

    let more = load("a", &data(Split { valid: 0.3, ..split }, None), TEXT_OPTIONS, std::slice::from_ref(&polarity));
    assert_eq!((places(&more), more.valid.len()), (places(&first), 120));
    let limited = |name, targets: &[Target]| load(name, &data(split, Some(50)), TEXT_OPTIONS, targets).train.places;
    assert_eq!(limited("a", &[polarity]), limited("b", &[target("stars", AsKind::Label)]));
}

#[test]
fn many_different_numbers_are_drawn_by_tenths() {
    let rows: String = (0..100).map(|row| format!("{}.5\tword{row}\n", row)).collect();
    let files = write(&[("t", &rows)]);
    let split = Split { valid: 0.2, test: 0.0, ..Split::default() };
    let data = lines(Files { path: Some("t".into()), split, ..Files::default() });
    let (dataset, _) = files.load(&data, "label", AsKind::Number).unwrap();
    let numbers = dataset.valid.numbers("label").unwrap();
    let tenth = |tenth: usize| numbers.iter().filter(|&&number| number as usize / 10 == tenth).count();
    assert!((0..10).all(|number| tenth(number) == 2), "{numbers:?}");
}

#[test]
fn a_tag_that_the_draw_takes_from_training_is_an_error_that_says_so() {
    let rows: String = (0..40).map(|row| format!("word{row} {row}\nb X\n\n")).collect();
    let files = write(&[("t", &rows)]);
    let split = Split { valid: 0.5, test: 0.0, ..Split::default() };
    let data = conll(Files { train: one("t"), split, ..Files::default() });
    let message = files.message(&data, "tag", AsKind::Tags);
    assert!(message.starts_with("t:") && message.contains("stands in no training example; training has"), "{message}");
    assert!(message.contains("\n  help: the draw leaves training none: give `split` another `seed`"), "{message}");
}

#[test]
fn texts_that_are_cut_are_told() {
    let long = |count: usize| (0..count).map(|row| format!("{}\tw{row} a b c\n", row % 2)).collect::<String>();
    let files = write(&[("t", &(long(1200) + "1\tx\n")), ("v", "1\tx\n0\ty z a b\n"), ("s", "1\tx\n")]);
    let options = TextOptions { max_tokens: 3, truncate: Truncate::HeadTail, ..TEXT_OPTIONS };
    let data = lines(Files { train: one("t"), valid: one("v"), test: one("s"), ..Files::default() });
    let notes = |data| files.load_as(data, options, &[target("label", AsKind::Label)]).unwrap().0.notes;
    let expected = "data.books: 1,200 of 1,201 training texts (1 of 2 valid, 0 of 1 test) are longer than 3 words and \
                    were cut (head-tail)";
    assert_eq!(notes(&data), [expected]);
    let notes = notes(&lines(Files { train: one("t"), limit: Some(1200), ..Files::default() }));
    assert!(notes[0].contains(" of 1,200 training texts are longer than 3 words"), "{notes:?}");
}

#[test]
fn an_archive_is_read_in_any_order() {
    let review = |part: &str, label: &str, id: usize| {
        let rating = if label == "pos" { 7 + id % 4 } else { 1 + id % 4 };
        (format!("aclImdb/{part}/{label}/{id}_{rating}.txt"), format!("a film w{id} {label} {}", "b ".repeat(id)))
    };
    let mut reviews = Vec::new();
    for (part, count) in [("train", 40), ("test", 6)] {
        reviews.extend(["neg", "pos"].iter().flat_map(|label| (0..count).map(move |id| review(part, label, id))));
    }
    let files = write(&[]);
    let split = Split { valid: 0.2, test: 0.0, ..Split::default() };
    let targets = [target("polarity", AsKind::Label), target("rating", AsKind::Number)];
    let options = TextOptions { max_tokens: 20, ..TEXT_OPTIONS };
    let mut datasets = Vec::new();
    for turn in [0, 57] {
        reviews.rotate_left(turn);
        let mut archive = tar::Builder::new(Vec::new());
        for (name, text) in &reviews {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_cksum();
            archive.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        std::fs::write(files.dir.path().join("a.tar"), archive.into_inner().unwrap()).unwrap();
        let data = Data::Imdb(ImdbData { files: Files { path: Some("a.tar".into()), split, ..Files::default() } });
        let (mut dataset, words) = files.load_as(&data, options, &targets).unwrap();
        let texts: Vec<String> = (0..dataset.train.len()).map(|index| text(&dataset.train, &words, index)).collect();
        let fingerprint = dataset.fingerprint();
        for examples in [&mut dataset.train, &mut dataset.valid].into_iter().chain(dataset.test.as_mut()) {
            examples.columns.remove(TEXT);
        }
        datasets.push((dataset, texts, fingerprint));
    }
    assert!(datasets[0].0.train.truncated > 0);
    assert!(datasets[0].0.train.labels("polarity").unwrap().is_sorted());
    assert_eq!(datasets[0], datasets[1]);
}

#[test]
fn a_fingerprint_follows_texts_and_targets() {
    let files = write(&[("a", "1\tx\n0\ty\n"), ("b", "1\tx\n0\tz\n"), ("c", "0\tx\n1\ty\n"), ("d", "2\tx\n0\ty\n")]);
    let of = |train: &str, valid: Option<Paths>| {
        let data = lines(Files { train: one(train), valid, ..Files::default() });
        files.load(&data, "label", AsKind::Label).unwrap().0.fingerprint()
    };
    let found = [of("a", None), of("b", None), of("c", None), of("d", None), of("a", one("a"))];
    for (index, left) in found.iter().enumerate() {
        assert!(found[index + 1..].iter().all(|right| left != right), "{found:?}");
    }
    assert_eq!(of("a", None), found[0]);
}

#[test]
fn a_label_that_training_never_has_is_an_error_with_its_place() {
    let files =
        write(&[("t", "b\tx\na\tx\n"), ("v", "a\tx\nc\tx\n"), ("s", "x A\ny B\n"), ("sv", "\nx A\ny A\nz C\n")]);
    let data = lines(Files { train: one("t"), test: one("v"), ..Files::default() });
    assert!(matches!(files.load(&data, "label", AsKind::Label), Err(Error::UnknownLabel(_))));
    let message = files.message(&data, "label", AsKind::Label);
    let expected = "v:2: label `c` stands in no training example; training has a, b\n  help: ";
    assert!(message.starts_with(expected), "{message}");

    let data = conll(Files { train: one("s"), valid: one("sv"), ..Files::default() });
    let message = files.message(&data, "tag", AsKind::Tags);
    assert!(message.starts_with("sv:4: tag `C` stands in no training example; training has A, B\n"), "{message}");
    let options = TextOptions { max_tokens: 1, truncate: Truncate::Tail, ..TEXT_OPTIONS };
    let train = write(&[("s", "x A\n\ny B\n"), ("sv", "\nx A\ny A\nz C\n")]);
    let message = train.load_as(&data, options, &[target("tag", AsKind::Tags)]).unwrap_err().to_string();
    assert!(message.contains("sv:4: tag `C`"), "{message}");
}

#[test]
fn a_span_tag_of_a_known_type_is_admitted() {
    let files = write(&[("t", "x B-PRT\ny O\n"), ("v", "x B-PRT\ny I-PRT\n"), ("w", "x B-LOC\n")]);
    let data = conll(Files { train: one("t"), valid: one("v"), ..Files::default() });
    let (dataset, _) = files.load(&data, "tag", AsKind::Tags).unwrap();
    assert_eq!(dataset.labels["tag"], ["B-PRT", "I-PRT", "O"]);
    assert_eq!(dataset.train.tags("tag").unwrap().get(0), [0, 2]);
    assert_eq!(dataset.valid.tags("tag").unwrap().get(0), [0, 1]);
    assert!(dataset.notes[0].contains("no training example has the tag tags I-PRT"), "{:?}", dataset.notes);
    let data = conll(Files { train: one("t"), valid: one("w"), ..Files::default() });
    assert!(files.message(&data, "tag", AsKind::Tags).starts_with("w:1: tag `B-LOC` stands in no training example"));
}

#[test]
fn a_request_that_does_not_fit_says_what_there_is() {
    let files = write(&[("t", "a\tx\na\ty\n"), ("n", "1\tx\n1\ty\n"), ("empty", ""), ("blank", "\n\n")]);
    let data = lines(Files { train: one("t"), ..Files::default() });
    let table = [
        ("stars", AsKind::Label, "data.books: has no column `stars` to predict\n  help: there is label (label)"),
        ("text", AsKind::Label, "data.books: has no column `text` to predict"),
        ("label", AsKind::Tags, "data.books: the column `label` cannot be read as tags\n  help: there is"),
        ("label", AsKind::Label, "data.books: every training example has the same label: `a`\n  help: "),
    ];
    for (column, as_, expected) in table {
        let message = files.message(&data, column, as_);
        assert!(message.starts_with(expected), "{message}");
    }
    let message = files.message(&lines(Files { train: one("n"), ..Files::default() }), "label", AsKind::Number);
    assert!(message.starts_with("data.books: every training example has the same label: `1`"), "{message}");
    for name in ["empty", "blank"] {
        let message = files.message(&lines(Files { train: one(name), ..Files::default() }), "label", AsKind::Label);
        assert!(message.starts_with(&format!("{name}: holds no examples\n  help: ")), "{message}");
    }
    let missing = lines(Files { train: one("t"), valid: one("gone"), ..Files::default() });
    assert!(matches!(files.load(&missing, "label", AsKind::Label), Err(Error::Missing { .. })));
    let both = lines(Files { path: Some("t".into()), train: one("t"), ..Files::default() });
    assert!(files.message(&both, "label", AsKind::Label).contains("gives both `path` and `train`"));
    assert!(files.message(&lines(Files::default()), "label", AsKind::Label).contains("names no files"));
    let twice = [target("label", AsKind::Label), target("label", AsKind::Number)];
    let message = files.load_as(&data, TEXT_OPTIONS, &twice).unwrap_err().to_string();
    assert!(message.contains("asked for as label and as number"), "{message}");
    let no_token = Data::Conll(ConllData { files: Files::default(), columns: vec!["word".into()] });
    assert!(files.message(&no_token, "word", AsKind::Tags).contains("no column holds words"));
}

#[test]
fn examples_without_words_are_left_out_and_told() {
    let files = write(&[("t", "a\tx\nb\t\nb\ty\n")]);
    let data = lines(Files { train: one("t"), ..Files::default() });
    let (dataset, _) = files.load(&data, "label", AsKind::Label).unwrap();
    assert_eq!(dataset.train.len(), 2);
    assert_eq!(dataset.notes, ["data.books: 1 example has no word and was left out"]);
}

#[test]
fn the_last_examples_of_the_files_may_be_the_validation_set() {
    let files = write(&[("t", "a\tone\nb\ttwo\na\tthree\nb\tfour\na\tfive\n"), ("v", "a\tsix\nb\tseven\n")]);
    let split = Split { valid_last: 2, ..Split::default() };
    let data = lines(Files { train: one("t"), split, ..Files::default() });
    let (dataset, words) = files.load(&data, "label", AsKind::Label).unwrap();
    let texts = |examples: &Examples| (0..examples.len()).map(|at| text(examples, &words, at)).collect::<Vec<_>>();
    assert_eq!(
        (texts(&dataset.train), texts(&dataset.valid)),
        (vec!["one".into(), "two".into(), "three".into()], vec!["four".into(), "five".into()])
    );
    let given = lines(Files { train: one("t"), valid: one("v"), split, ..Files::default() });
    let (dataset, _) = files.load(&given, "label", AsKind::Label).unwrap();
    assert_eq!((dataset.train.len(), dataset.valid.len()), (5, 2));
    let test_of = |valid_last: usize| {
        let split = Split { test: 0.4, valid_last, ..Split::default() };
        let data = lines(Files { train: one("t"), split, ..Files::default() });
        let (dataset, words) = files.load(&data, "label", AsKind::Label).unwrap();
        let test = dataset.test.unwrap();
        (0..test.len()).map(|at| text(&test, &words, at)).collect::<Vec<_>>()
    };
    assert_eq!(test_of(0), test_of(1));
    let all = Split { valid_last: 9, ..Split::default() };
    let data = lines(Files { train: one("t"), split: all, ..Files::default() });
    assert!(files.message(&data, "label", AsKind::Label).contains("no training example"));
}
