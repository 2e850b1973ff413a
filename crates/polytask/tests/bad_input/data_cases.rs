//! What is said about data that are wrong?

use super::project::{Project, archive, gzip};
use super::{CHECK, Case, case};

/// The cases of datasets.
pub fn data() -> Vec<Case> {
    vec![
        case("A file that is not there", CHECK, 3, |p| p.remove("names.conll"), &["names.conll: no such file"]),
        case(
            "A file that is in none of the folders",
            "check polytask.toml --data elsewhere",
            3,
            |p| p.remove("names.conll"),
            &["names.conll: no such file", "looked for names.conll, elsewhere/names.conll"],
        ),
        case(
            "A folder where a file is needed",
            CHECK,
            3,
            |p| {
                p.remove("names.conll");
                p.folder("names.conll");
            },
            &["names.conll", "it is a folder, a file is needed"],
        ),
        case("An empty file", CHECK, 3, |p| p.write("reviews.tsv", b""), &["reviews.tsv: holds no examples", "help:"]),
        case(
            "A file of empty lines",
            CHECK,
            3,
            |p| p.write("names-valid.conll", b"\n\r\n\n"),
            &["names-valid.conll: holds no examples"],
        ),
        case(
            "A file without words",
            CHECK,
            3,
            |p| p.write("reviews.tsv", b"good\t\nbad\t \n"),
            &["data.reviews: there is no training example with a word"],
        ),
        case(
            "A validation file without words",
            CHECK,
            3,
            |p| p.write("reviews-valid.tsv", b"good\t\n"),
            &["data.reviews: there is no validation example with a word"],
        ),
        case(
            "A test file without words",
            CHECK,
            3,
            |p| p.write("reviews-test.tsv", b"good\t\n"),
            &["data.reviews: there is no test example with a word"],
        ),
        case(
            "A line with too few columns",
            CHECK,
            3,
            |p| p.edit("names.conll", "is O", "is"),
            &["names.conll:5: expected 2 columns (token ner), found 1: \"is\""],
        ),
        case(
            "A line with too many columns",
            CHECK,
            3,
            |p| p.edit("names.conll", "is O", "is VBZ O"),
            &["names.conll:5: expected 2 columns (token ner), found 3: \"is VBZ O\""],
        ),
        case(
            "Tags that are not UTF-8",
            CHECK,
            3,
            |p| p.write("names.conll", b"Anna B-PER\n\nTroms\xf8 B-LOC\n"),
            &["names.conll:3:6: expected UTF-8, found the byte 0xF8", "iconv"],
        ),
        case(
            "UTF-16",
            CHECK,
            3,
            |p| p.write("reviews.tsv", b"\xff\xfeg\0o\0o\0d\0\t\0"),
            &["reviews.tsv:1:1: expected UTF-8, found UTF-16", "iconv"],
        ),
        case(
            "A tag that training never has",
            CHECK,
            3,
            |p| p.edit("names-valid.conll", "is O", "is B-VERB"),
            &["names-valid.conll:5: ner `B-VERB` stands in no training example", "B-LOC, B-PER, O"],
        ),
        case(
            "A label in the test that training never has",
            CHECK,
            3,
            |p| p.edit("reviews-test.tsv", "bad\tso", "mixed\tso"),
            &["reviews-test.tsv:4: label `mixed` stands in no training example", "training has bad, good"],
        ),
        case(
            "Hundreds of labels",
            CHECK,
            3,
            |p| {
                let lines: String = (0..300).map(|n| format!("label-{n:03}\tword {n}\n")).collect();
                p.write("reviews.tsv", lines.as_bytes());
            },
            &["reviews-valid.tsv:1: label `good`", "label-000, label-001", "and 280 more"],
        ),
        case(
            "A line without a TAB",
            CHECK,
            3,
            |p| p.edit("reviews.tsv", "bad\ta dull", "bad a dull"),
            &["reviews.tsv:2: expected LABEL<TAB>TEXT, found no TAB: \"bad a dull film\""],
        ),
        case(
            "A line without a label",
            CHECK,
            3,
            |p| p.edit("reviews.tsv", "bad\ta dull", "\ta dull"),
            &["reviews.tsv:2: expected LABEL<TAB>TEXT, found an empty label"],
        ),
        case(
            "A task with one class",
            CHECK,
            3,
            |p| p.write("reviews.tsv", b"good\ta fine film\ngood\tso very good\n"),
            &["every training example has the same label: `good`", "another class"],
        ),
        case(
            "Tags that are all the same",
            CHECK,
            3,
            |p| p.write("names.conll", b"Anna O\nsings O\n"),
            &["every training example has the same ner: `O`"],
        ),
        case(
            "A file that is cut off, compressed",
            CHECK,
            3,
            |p| {
                p.write("reviews.tsv", &gzip(&p.read("reviews.tsv")));
                p.cut("reviews.tsv", 0.7);
            },
            &["reviews.tsv: the file ends too early, it is cut off"],
        ),
        case("A file that is damaged, compressed", CHECK, 3, damaged, &["reviews.tsv", "damaged"]),
        case(
            "Several faults of the data at once",
            CHECK,
            3,
            |p| {
                p.edit("names.conll", "is O", "is");
                p.edit("reviews.tsv", "bad\ta dull", "bad a dull");
                p.remove("vectors.txt");
            },
            &["vectors.txt: no such file", "reviews.tsv:2", "names.conll:5", "3 errors"],
        ),
        case(
            "A share that leaves no validation set",
            CHECK,
            3,
            |p| {
                p.reviews_from(
                    "format = \"lines\"\ntrain = \"reviews.tsv\"\nsplit = { valid = 0.1 }",
                    "kind = \"classify\"\ntarget = \"label\"",
                );
                p.write("reviews.tsv", b"good\ta fine film\nbad\ta dull film\n");
            },
            &["data.reviews: there is no validation example"],
        ),
    ]
}

fn damaged(project: &Project) {
    let text: String = (0..2000).map(|n| format!("{}\tword {} {n}\n", ["good", "bad"][n % 2], n * n)).collect();
    let mut bytes = gzip(text.as_bytes());
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    project.write("reviews.tsv", &bytes);
}

/// The cases of review corpora.
pub fn reviews() -> Vec<Case> {
    vec![
        case(
            "An IMDB folder that is none",
            CHECK,
            3,
            |p| imdb(p, "corpus", |p| p.folder("corpus/photos")),
            &["corpus: holds no examples", "train"],
        ),
        case(
            "An IMDB archive that is none",
            CHECK,
            3,
            |p| imdb(p, "vectors.txt", |_| {}),
            &["vectors.txt", "not a tar archive"],
        ),
        case(
            "An IMDB archive that is damaged",
            CHECK,
            3,
            |p| {
                let make = |p: &Project| {
                    let mut bytes = archive(&films());
                    let middle = bytes.len() / 2;
                    bytes[middle..middle + 200].fill(0xff);
                    p.write("imdb.tar.gz", &bytes);
                };
                imdb(p, "imdb.tar.gz", make);
            },
            &["imdb.tar.gz: the compressed data are damaged"],
        ),
        case(
            "An IMDB archive that is cut off",
            CHECK,
            3,
            |p| {
                imdb(p, "imdb.tar.gz", |p| p.write("imdb.tar.gz", &archive(&films())));
                p.cut("imdb.tar.gz", 0.5);
            },
            &["imdb.tar.gz: the file ends too early, it is cut off"],
        ),
        case(
            "An IMDB review whose name has no rating",
            CHECK,
            3,
            |p| {
                imdb(p, "imdb.tar.gz", |p| {
                    let mut films = films();
                    films.push(("aclImdb/train/pos/review.txt".into(), "fine".into()));
                    p.write("imdb.tar.gz", &archive(&films));
                })
            },
            &["imdb.tar.gz: aclImdb/train/pos/review.txt", "ID_RATING.txt"],
        ),
        case(
            "Amazon JSON that is broken",
            CHECK,
            3,
            |p| amazon(p, "{\"reviewText\": \"fine\", \"overall\": 5}\n{\"reviewText\": \"dull\", \"overall\": }\n"),
            &["products.jsonl:2:", "expected a review as one JSON object", "expected value"],
        ),
        case(
            "Amazon stars that are no number",
            CHECK,
            3,
            |p| amazon(p, "{\"reviewText\": \"fine\", \"overall\": \"five\"}\n"),
            &["products.jsonl:1:", "\"five\""],
        ),
        case(
            "Amazon JSON without texts",
            CHECK,
            3,
            |p| amazon(p, "{\"title\": \"fine\", \"overall\": 5}\n"),
            &["products.jsonl", "`reviewText`"],
        ),
        case(
            "A Blitzer rating that is no number",
            CHECK,
            3,
            |p| amazon(p, "<review>\n<rating>\nmany\n</rating>\n<review_text>\nfine\n</review_text>\n</review>\n"),
            &["products.jsonl:3: expected a rating of 1.0 to 5.0, found \"many\""],
        ),
        case(
            "A Blitzer review without an end",
            CHECK,
            3,
            |p| amazon(p, "\n<review>\n<rating>4.0</rating>\n<review_text>\nfine\n"),
            &["products.jsonl:2: expected a review with an end"],
        ),
        case(
            "Numbers that are all the same",
            CHECK,
            3,
            |p| {
                amazon(p, &"{\"reviewText\": \"fine\", \"overall\": 5}\n".repeat(20));
                p.config("kind = \"classify\"\ntarget = \"polarity\"", "kind = \"regress\"\ntarget = \"stars\"");
            },
            &["every training example has the same stars: `5`"],
        ),
    ]
}

/// Makes the reviews IMDB's, at `path`.
fn imdb(project: &Project, path: &str, make: fn(&Project)) {
    let data = format!("format = \"imdb\"\npath = \"{path}\"\nsplit = {{ valid = 0.2 }}");
    project.reviews_from(&data, "kind = \"classify\"\ntarget = \"polarity\"");
    make(project);
}

/// Makes the reviews Amazon's, with this text.
fn amazon(project: &Project, text: &str) {
    let data = "format = \"amazon\"\npath = \"products.jsonl\"\nsplit = { valid = 0.2 }";
    project.reviews_from(data, "kind = \"classify\"\ntarget = \"polarity\"");
    project.write("products.jsonl", text.as_bytes());
}

/// A small corpus of films that is right.
fn films() -> Vec<(String, String)> {
    let of = |part: &str, label: &str, id: usize| {
        let rating = if label == "pos" { 9 } else { 2 };
        let words: String = (0..40).map(|n| format!(" w{}", n * n * 7919 + id)).collect();
        (format!("aclImdb/{part}/{label}/{id}_{rating}.txt"), format!("a film{words}"))
    };
    let parts = ["train", "test"].iter().flat_map(|part| ["neg", "pos"].map(|label| (*part, label)));
    parts.flat_map(|(part, label)| (0..20).map(move |id| of(part, label, id))).collect()
}
