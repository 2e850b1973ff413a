//! Reads genuine vectors files. The data are not part of the project: without them these tests say so and pass.

// Helpers of an integration test are not known to clippy as tests.
#![allow(clippy::print_stdout)]

use polytask_data::vectors::{VectorsProblem, WordVectors, read_vectors};
use polytask_data::vocabulary::{Match, Vocabulary, needed};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A file of `POLYTASK_DATA`, by default the folder beside the workspace; none where it is absent.
fn data(file: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("POLYTASK_DATA").map_or(beside, PathBuf::from);
    let path = root.join(file);
    if !path.exists() {
        println!("skipped: {} is absent", path.display());
    }
    path.exists().then_some(path)
}

fn all(path: &Path) -> WordVectors {
    read_vectors(path, &|_| true).expect("a genuine file")
}

/// Compares with the standard library's reading of the text, line by line.
fn check_against_text(path: &Path, read: &WordVectors) {
    let bytes = std::fs::read(path).expect("a readable file");
    let mut text = String::new();
    let mut reader: Box<dyn Read> = match bytes.starts_with(&[0x1f, 0x8b]) {
        true => Box::new(flate2::read::MultiGzDecoder::new(&bytes[..])),
        false => Box::new(&bytes[..]),
    };
    reader.read_to_string(&mut text).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(read.lines_read, lines.len());
    let header = usize::from(lines[0].split(' ').count() == 2);
    assert_eq!(read.words.len(), lines.len() - header);
    for (index, line) in lines[header..].iter().enumerate() {
        let mut fields = line.trim_end().split(' ');
        assert_eq!(fields.next(), Some(read.words[index].as_str()));
        let values: Result<Vec<f32>, _> = fields.map(str::parse).collect();
        assert_eq!(values.as_deref(), Ok(read.vector(index)), "{line}");
    }
}

#[test]
fn reads_the_large_glove_file() {
    let Some(path) = data("glove/glove.6B.100d.200k.txt.gz") else { return };
    let start = Instant::now();
    let read = all(&path);
    println!("all of {} vectors in {:.2} s", read.words.len(), start.elapsed().as_secs_f64());
    assert_eq!((read.dim, read.words.len(), read.lines_read), (100, 200_008, 200_008));
    assert_eq!(read.vector(0)[..3], [-0.038194, -0.24487, 0.72812]);
    check_against_text(&path, &read);

    let sentence = ["The", "EU", "rejects", "1996-08-22", "Blackburn", "qzxqzx"];
    let forms = needed(sentence);
    let start = Instant::now();
    let few = read_vectors(&path, &|word| forms.contains(word)).unwrap();
    println!("{} of them in {:.2} s", few.words.len(), start.elapsed().as_secs_f64());
    assert_eq!(few.lines_read, 200_008);
    let vocabulary = Vocabulary::build(sentence.map(|word| (word, 1)), &few.words, 1);
    let kinds = sentence.map(|word| vocabulary.lookup(word).1);
    assert_eq!(kinds[..3], [Match::Lowercase, Match::Lowercase, Match::Exact]);
    assert_eq!(kinds[5], Match::Own);
    let values = vocabulary.initial_values(Some(&few), 100, 1).unwrap();
    let row = vocabulary.lookup("The").0 as usize;
    assert_eq!(values[row * 100..][..100], *read.vector(0));
}

#[test]
fn reads_small_genuine_files() {
    for (file, words, dim) in [
        ("allennlp/test_fixtures/embeddings/glove.6B.100d.sample.txt.gz", 100, 100),
        ("allennlp/test_fixtures/embeddings/glove.6B.300d.sample.txt.gz", 100, 300),
        ("allennlp/test_fixtures/embeddings/fake_embeddings.5d.txt.gz", 15, 5),
        ("allennlp/test_fixtures/embeddings/fake_embeddings.5d.txt", 15, 5),
        ("finalfusion/testdata/similarity.txt", 41, 100),
        ("finalfusion/testdata/similarity.nodims", 41, 100),
        ("gensim/gensim/test/test_data/crime-and-punishment.vec", 291, 5),
        ("gensim/gensim/test/test_data/lee_fasttext.vec", 1762, 10),
        ("gensim/gensim/test/test_data/toy-model.vec", 22, 5),
        ("gensim/gensim/test/test_data/EN.1-10.cbow1_wind5_hs0_neg10_size300_smpl1e-05.txt", 20, 300),
    ] {
        let Some(path) = data(&format!("embedding-fixtures/{file}")) else { continue };
        let read = all(&path);
        assert_eq!((read.words.len(), read.dim), (words, dim), "{file}");
        check_against_text(&path, &read);
    }
}

#[test]
fn refuses_other_formats() {
    let problem = |file: &str| {
        let path = data(&format!("embedding-fixtures/{file}"))?;
        Some(read_vectors(&path, &|_| true).map(|read| read.words.len()).unwrap_err().problem)
    };
    for file in [
        "finalfusion/testdata/fasttext.bin",
        "gensim/gensim/test/test_data/lee_fasttext.bin",
        "allennlp/test_fixtures/embeddings/fake_embeddings.5d.txt.tar.gz",
    ] {
        if let Some(problem) = problem(file) {
            let is_told = matches!(problem, VectorsProblem::Binary { .. } | VectorsProblem::FastText);
            assert!(is_told, "{file}: {problem}");
        }
    }
    for (file, expected) in [
        ("finalfusion/testdata/utf8-incomplete.txt", 2),
        ("gensim/gensim/test/test_data/pang_lee_polarity_fasttext.vec", 150),
    ] {
        if let Some(problem) = problem(file) {
            assert!(matches!(problem, VectorsProblem::Encoding { line, .. } if line == expected), "{file}: {problem}");
        }
    }
    for (file, kind) in [("zip", "zip"), ("xz", "xz"), ("bz2", "bzip2")] {
        let path = format!("allennlp/test_fixtures/embeddings/fake_embeddings.5d.txt.{file}");
        if let Some(problem) = problem(&path) {
            assert!(problem.to_string().contains(&format!("is a {kind} file")), "{problem}");
        }
    }
}

#[test]
fn reads_genuine_binary_files_of_word2vec() {
    let folder = "embedding-fixtures";
    // The same vectors in both forms, the text rounded.
    if let (Some(binary), Some(text)) = (
        data(&format!("{folder}/finalfusion/testdata/similarity.bin")),
        data(&format!("{folder}/finalfusion/testdata/similarity.txt")),
    ) {
        let (binary, text) = (all(&binary), all(&text));
        assert_eq!((binary.dim, &binary.words), (text.dim, &text.words));
        assert_eq!((binary.dim, binary.words.len()), (100, 41));
        assert!(binary.values.iter().zip(&text.values).all(|(a, b)| (a - b).abs() < 1e-4));
    }
    for (file, words, dim) in [
        ("finalfusion/testdata/analogy.bin", 43, 100),
        ("finalfusion/testdata/utf8-incomplete.bin", 2, 3),
        ("gensim/gensim/test/test_data/euclidean_vectors.bin", 2747, 10),
        ("gensim/gensim/test/test_data/poincare_vectors.bin", 1182, 10),
        ("gensim/gensim/test/test_data/lee_fasttext.vec", 1762, 10),
    ] {
        let Some(path) = data(&format!("{folder}/{file}")) else { continue };
        let read = all(&path);
        assert_eq!((read.words.len(), read.dim), (words, dim), "{file}");
    }
    let Some(model) = data(&format!("{folder}/fasttext-lid/lid.176.ftz")) else { return };
    let problem = read_vectors(&model, &|_| true).expect_err("a model").problem;
    assert!(matches!(problem, VectorsProblem::FastText), "{problem}");
}
