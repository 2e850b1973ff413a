//! What is said about data that `init` and `data` can make nothing of?

use super::{Case, case};

/// The cases of `init` and `data inspect`.
pub fn init() -> Vec<Case> {
    const INIT: &str = "init data -o new.toml";
    vec![
        case(
            "A config that is there already",
            "init reviews.tsv",
            2,
            |_| {},
            &["polytask.toml is there already", "--force"],
        ),
        case("Data that are not there", INIT, 3, |_| {}, &["data: no such file or folder"]),
        case(
            "A file of prose",
            INIT,
            3,
            |p| p.write("data", b"It was a dark night.\nThe rain fell.\n\nIt fell for hours, on and on.\n"),
            &["data: expected texts to learn from, or word vectors, found something else", "CoNLL", "Parquet"],
        ),
        case("An empty file", INIT, 3, |p| p.write("data", b""), &["found an empty file"]),
        case(
            "Images",
            INIT,
            3,
            |p| p.write("data/t10k-images-idx3-ubyte", &[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28]),
            &["data/t10k-images-idx3-ubyte: images in the idx format of MNIST"],
        ),
        case(
            "A MATLAB file",
            INIT,
            3,
            |p| p.write("data", b"MATLAB 5.0 MAT-file\0\0"),
            &["found a MATLAB file", "polytask learns from texts"],
        ),
        case(
            "A web page in the place of data",
            "data inspect page.csv",
            3,
            |p| p.write("page.csv", b"<!DOCTYPE html><html><body>quota exceeded</body></html>"),
            &["page.csv", "found a web page"],
        ),
        case(
            "Texts and nothing to predict",
            INIT,
            3,
            |p| p.write("data", b"id,text\n1,a fine film\n2,a dull film\n3,a good film\n"),
            &["expected a column that can be predicted, found none (`id`: it names the rows)"],
        ),
        case(
            "Word vectors and no data",
            "init vectors.txt -o new.toml",
            2,
            |p| p.write("vectors.txt", b"film 0.1 0.2 0.3 0.4 0.5\ngood 0.4 0.5 0.6 0.7 0.8\n"),
            &["found word vectors alone"],
        ),
        case(
            "Data in the place of word vectors",
            "init reviews.tsv -o new.toml --vectors names.conll",
            3,
            |_| {},
            &["names.conll: expected word vectors, found a dataset"],
        ),
    ]
}

/// The cases of `data get`.
pub fn get() -> Vec<Case> {
    vec![
        case(
            "A name that is not known",
            "data get gloves-6b --to cache",
            2,
            |_| {},
            &["`gloves-6b` is no known dataset or vectors", "did you mean `glove-6b`?"],
        ),
        case(
            "A dataset that may not be passed on",
            "data get conll2003 --to cache",
            2,
            |_| {},
            &["`conll2003` cannot be fetched", "NIST"],
        ),
        case(
            "An address without encryption",
            "data get http://example.org/data.csv --to cache",
            2,
            |_| {},
            &["http://example.org/data.csv: it is not encrypted", "https://"],
        ),
        case("An address without a file", "data get https://example.org/ --to cache", 2, |_| {}, &["names no file"]),
        case(
            "No folder to fetch into",
            "data get imdb",
            2,
            |_| {},
            &["no folder for caches is known", "--to", "POLYTASK_CACHE"],
        ),
    ]
}
