//! Is each format recognised, and nothing else taken for it?

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use polytask_spec::data::Paths;
use tempfile::TempDir;

use super::*;

struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, text)| folder.write(name, text.as_bytes()));
        folder
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The format, the names of the columns, and the suggested target of the only dataset at a path.
    fn dataset(&self, name: &str) -> (String, String, String) {
        let found = recognise(&self.path(name)).unwrap();
        assert_eq!(found.datasets.len(), 1, "{found:?}");
        facts(&found.datasets[0])
    }

    fn refusal(&self, name: &str) -> String {
        recognise(&self.path(name)).unwrap_err().to_string().replace(&self.0.path().display().to_string(), "DIR")
    }
}

fn facts(dataset: &DatasetFound) -> (String, String, String) {
    let names: Vec<&str> = dataset.layout.columns.iter().map(|column| column.name.as_str()).collect();
    let target = dataset.layout.targets().find(|(column, _)| column.suggested);
    let target = target.map_or_else(String::new, |(column, kind)| format!("{} {}", kind.name(), column.name));
    (dataset.data.format().to_string(), names.join(" "), target)
}

fn expected(format: &str, columns: &str, target: &str) -> (String, String, String) {
    (format.to_string(), columns.to_string(), target.to_string())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar_gz(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    gzip(&builder.into_inner().unwrap())
}

const NER: &str = "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\nGerman JJ B-NP B-MISC\ncall NN I-NP O\n\n\
                   Peter NNP B-NP B-PER\nBlackburn NNP I-NP I-PER\nis VBZ B-VP O\nhere RB B-ADVP O\n\n";

#[test]
fn tagged_sentences_have_their_columns_named() {
    let folder = Folder::new(&[
        ("eng/eng.train", NER),
        ("eng/eng.testa", NER),
        ("eng/eng.testb", NER),
        ("eng/README", "read me\n"),
        ("two.txt", "Anna\tB-PER\nsings\tO\nwell\tO\n\nOslo\tB-LOC\nis\tO\nfine\tO\n\n"),
        ("pos.txt", "1 Anna PROPN\n2 sings VERB\n\n1 Oslo PROPN\n2 is AUX\n3 cold ADJ\n\n"),
    ]);
    assert_eq!(folder.dataset("eng"), expected("conll", "token pos chunk ner", "tag ner"));
    let found = recognise(&folder.path("eng")).unwrap();
    let files = found.datasets[0].data.files();
    let name = |paths: &Option<Paths>| paths.as_ref().unwrap().as_slice()[0].rsplit('.').next().unwrap().to_string();
    assert_eq!([&files.train, &files.valid, &files.test].map(name), ["train", "testa", "testb"]);
    assert_eq!((files.split.valid, files.split.test, found.datasets[0].name.as_str()), (0.0, 0.0, "eng"));
    assert_eq!(folder.dataset("two.txt"), expected("conll", "token ner", "tag ner"));
    assert_eq!(folder.dataset("pos.txt"), expected("conll", "id token pos", "tag pos"));
    let files = recognise(&folder.path("two.txt")).unwrap().datasets[0].data.files().clone();
    assert_eq!((files.split.valid, files.split.test), (0.1, 0.1));
}

#[test]
fn the_film_reviews_are_a_folder_or_an_archive() {
    let files = [
        ("aclImdb/train/pos/0_9.txt", "good film"),
        ("aclImdb/train/neg/0_2.txt", "bad film"),
        ("aclImdb/README", "x"),
    ];
    let folder = Folder::new(&files);
    folder.write("a.tar.gz", &tar_gz(&files));
    folder.write("other.tar.gz", &tar_gz(&[("a/b.txt", "x")]));
    for name in ["aclImdb", "a.tar.gz"] {
        assert_eq!(folder.dataset(name), expected("imdb", "text polarity rating", "classify polarity"), "{name}");
    }
    folder.write("packed/aclImdb_v1.tar.gz", &tar_gz(&files));
    let found = recognise(&folder.path("packed")).unwrap();
    let path = found.datasets[0].data.files().path.as_deref().unwrap_or_default();
    assert!(path.ends_with("aclImdb_v1.tar.gz") && !found.datasets[0].layout.whole, "{found:?}");
    let message = folder.refusal("other.tar.gz");
    assert!(message.contains("found a tar archive that is not IMDB's (a/b.txt)\n  help: unpack it"), "{message}");
}

#[test]
fn product_reviews_are_pseudo_xml_or_json() {
    let review = "<review>\n<rating>\n5.0\n</rating>\n<review_text>\nA good book\n</review_text>\n</review>\n";
    let line = "{\"reviewText\": \"good\", \"overall\": 5.0}\n{\"reviewText\": \"bad\", \"overall\": 1.0}\n";
    let newer = "{\"rating\": 5.0, \"title\": \"x\", \"text\": \"fine\", \"parent_asin\": \"B\"}\n";
    let folder = Folder::new(&[
        ("all/books/positive.review", review),
        ("all/books/negative.review", review),
        ("all/dvd/positive.review", review),
        ("Beauty.json", line),
        ("Gift.jsonl", newer),
    ]);
    assert_eq!(folder.dataset("all"), expected("amazon", "text polarity stars category", "classify polarity"));
    let (_, kind) = recognise(&folder.path("all")).unwrap().datasets[0]
        .layout
        .targets()
        .last()
        .map(|(c, k)| (c.name.clone(), k))
        .unwrap();
    assert_eq!(kind, TargetKind::Classify(2));
    for name in ["Beauty.json", "Gift.jsonl"] {
        assert_eq!(folder.dataset(name).0, "amazon", "{name}");
    }
}

#[test]
fn lines_with_labels_are_one_dataset_for_each_name() {
    let lines = "1\tthis is a good film .\n0\tthis is a bad film .\n1\tso good , so fine .\n0\tso bad , so dull .\n";
    let folder = Folder::new(&[
        ("fdu/books.task.train", lines),
        ("fdu/books.task.test", lines),
        ("fdu/books.task.unlabel", lines),
        ("fdu/dvd.task.train", lines),
        ("fdu/dvd.task.test", lines),
    ]);
    folder.write("latin.train", b"1\tcaf\xe9 is good\n0\tcaf\xe9 is bad\n1\tso good it is\n0\tso bad it is\n");
    let found = recognise(&folder.path("fdu")).unwrap();
    assert_eq!(found.datasets.iter().map(|dataset| dataset.name.as_str()).collect::<Vec<_>>(), ["books", "dvd"]);
    assert_eq!(facts(&found.datasets[0]), expected("lines", "label text", "classify label"));
    assert!(found.datasets[0].layout.spaced && found.passed[0].1.contains("no labels"), "{found:?}");
    assert_eq!(found.datasets[1].data.files().split.valid, 0.1);
    assert_eq!(folder.dataset("latin.train").0, "lines");
}

#[test]
fn tables_have_headers_or_none() {
    let folder = Folder::new(&[
        (
            "a.csv",
            "id,text,label,stars\n1,\"good, very good\",pos,4.5\n2,\"bad, very bad\",neg,1.2\n3,all well here,pos,4.1\n4,nothing well here,neg,1.9\n",
        ),
        ("b.csv", "pos;a very good film\nneg;a very bad film\npos;one more good film\nneg;one more bad film\n"),
        (
            "c.tsv",
            "sentence\tlabel\nit's a \"good film\t1\nit is a bad film\t0\na good one again\t1\na bad one again\t0\n",
        ),
        ("d/train.csv", "text,topic\na b c,x\nd e f,y\ng h i,x\nj k l,y\n"),
        ("d/test.csv", "text,topic\na b c,x\nd e f,y\n"),
        ("kaggle/train.csv", "text,topic\na b c,x\nd e f,y\ng h i,x\nj k l,y\n"),
        ("kaggle/test.csv", "id,text\n1,a b c\n2,d e f\n"),
    ]);
    assert_eq!(folder.dataset("a.csv"), expected("csv", "id text label stars", "classify label"));
    assert_eq!(folder.dataset("b.csv"), expected("csv", "label text", "classify label"));
    assert_eq!(folder.dataset("c.tsv"), expected("tsv", "sentence label", "classify label"));
    assert_eq!(folder.dataset("d"), expected("csv", "text topic", "classify topic"));
    let found = recognise(&folder.path("d")).unwrap();
    let Data::Csv(csv) = &found.datasets[0].data else { panic!("{found:?}") };
    assert_eq!((csv.named.stratum.as_deref(), csv.files.split.valid, csv.files.split.test), (Some("topic"), 0.1, 0.0));
    let Data::Csv(csv) = &recognise(&folder.path("b.csv")).unwrap().datasets[0].data else { panic!("no csv") };
    assert_eq!((csv.delimiter.as_str(), csv.columns.as_deref().unwrap()), (";", &["label".into(), "text".into()][..]));
    let found = recognise(&folder.path("kaggle")).unwrap();
    assert!(found.datasets[0].data.files().test.is_none(), "{found:?}");
    assert!(found.passed[0].1.contains("it lacks the column `topic`"), "{found:?}");
}

#[test]
fn objects_are_lines_a_list_or_columns() {
    let line = |words: &str, tags: &str| format!("{{\"tokens\": {words}, \"ner_tags\": {tags}}}");
    let tagged = [line("[\"EU\", \"rejects\"]", "[\"B-ORG\", \"O\"]"), line("[\"Peter\"]", "[\"B-PER\"]")].join("\n");
    let list = "[{\"review\": \"so good it is\", \"meta\": {\"label\": \"x\"}},\n {\"review\": \"so bad it is\", \
                \"meta\": {\"label\": \"y\"}}, {\"review\": \"so it is\", \"meta\": {\"label\": \"x\"}}]";
    let folder =
        Folder::new(&[("hf/data/train.jsonl", &tagged), ("hf/data/validation.jsonl", &tagged), ("b.json", list)]);
    assert_eq!(folder.dataset("hf"), expected("jsonl", "tokens ner_tags", "tag ner_tags"));
    assert_eq!(folder.dataset("b.json"), expected("jsonl", "review meta.label", "classify meta.label"));
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for (name, target) in [("reviews.parquet", "classify"), ("sentences.parquet", "tag")] {
        let found = recognise(&fixtures.join(name)).unwrap();
        let (format, columns, suggested) = facts(&found.datasets[0]);
        assert!(format == "parquet" && suggested.starts_with(target), "{name}: {columns}: {suggested}");
    }
}

#[test]
fn members_of_an_archive_are_files_of_a_folder() {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let train = |found: &Found, index: usize| {
        let files = found.datasets[index].data.files();
        files.train.as_ref().unwrap().as_slice()[0].rsplit("fixtures").next().unwrap()[1..].to_string()
    };
    let single = recognise(&fixtures.join("single.zip")).unwrap();
    assert_eq!(facts(&single.datasets[0]), expected("csv", "text label", "classify label"));
    assert_eq!(train(&single, 0), "single.zip");
    let several = recognise(&fixtures.join("several.zip")).unwrap();
    // One member is compressed in a way that is not read.
    assert_eq!((several.datasets.len(), several.passed.len()), (2, 1));
    assert!(several.passed[0].1.contains("found method 12"), "{several:?}");
    assert_eq!(facts(&several.datasets[1]), expected("csv", "text label", "classify label"));
    assert_eq!(train(&several, 1), "several.zip/data/train.csv");
    let member = recognise(&fixtures.join("several.zip/data/train.csv")).unwrap();
    assert_eq!(train(&member, 0), "several.zip/data/train.csv");
}

#[test]
fn word_vectors_are_text_or_binary() {
    let glove: String = ["the", ",", "of"].iter().map(|word| format!("{word} 0.1 -0.2 0.3 4e-2 0.5\n")).collect();
    let folder = Folder::new(&[("glove.txt", &glove), ("w2v.vec", "2 3\na 1 0 -1\nb c 0.5 0.5 1\n")]);
    folder.write("w2v.bin", &[b"1 2\na ".as_slice(), &0.5_f32.to_le_bytes(), &(-1.0_f32).to_le_bytes()].concat());
    folder.write("glove.txt.gz", &gzip(glove.as_bytes()));
    for (name, dim, words) in
        [("glove.txt", 5, None), ("w2v.vec", 3, Some(2)), ("w2v.bin", 2, Some(1)), ("glove.txt.gz", 5, None)]
    {
        let found = recognise(&folder.path(name)).unwrap();
        assert_eq!((found.vectors[0].dim, found.vectors[0].words), (dim, words), "{name}");
        assert!(found.vectors[0].is_readable());
    }
}

#[test]
fn what_is_not_text_is_named() {
    let folder = Folder::new(&[
        ("empty.csv", ""),
        ("prose.txt", "It was a dark night.\nThe rain fell.\n\nIt fell and fell, for hours on end, on and on.\n"),
        ("page.csv", "<!doctype html><html></html>"),
        (
            "ud.conllu",
            "# text = Hi you\n1\tHi\thi\tINTJ\tUH\t_\t0\troot\t_\t_\n2\tyou\tyou\tPRON\tPRP\t_\t1\tx\t_\t_\n\n",
        ),
        ("images/README.md", "x"),
    ]);
    folder.write("images/train-images-idx3-ubyte.gz", &gzip(&[0, 0, 8, 3, 0, 0, 0, 1, 0]));
    folder.write("a.mat", b"MATLAB 5.0 MAT-file\0\0");
    folder.write("x.bin", &[7, 1, 2, 3]);
    folder.write("model.bin", b"\xba\x16\x4f\x2f\x0c\0\0\0");
    let table = [
        ("empty.csv", "found an empty file"),
        ("prose.txt", "found something else\n  help: recognised are "),
        ("page.csv", "found a web page"),
        ("ud.conllu", "found CoNLL-U, whose comments and word ranges are not read\n  help: keep the lines of words"),
        ("images", "images/train-images-idx3-ubyte.gz: images in the idx format of MNIST"),
        ("a.mat", "found a MATLAB file\n  help: polytask learns from texts"),
        ("x.bin", "found a binary file that begins with \"\\x07\\x01\\x02\\x03\""),
        ("model.bin", "found a fastText model\n  help: use its .vec file"),
        ("absent", "absent: no such file or folder"),
    ];
    for (name, said) in table {
        let message = folder.refusal(name);
        assert!(message.starts_with("DIR") && message.contains(said), "{name}: {message}");
    }
    assert!(folder.refusal("prose.txt").contains("CoNLL") && folder.refusal("prose.txt").contains("Parquet"));
}

#[test]
fn all_that_a_dataset_holds_is_counted() {
    let folder = Folder::new(&[
        ("d/train.csv", "text,topic\na b c,x\nd e,y\ng,x\nj k l m,\n"),
        ("d/test.csv", "text,topic\na b c,x\nd e f,y\n"),
    ]);
    let found = recognise(&folder.path("d")).unwrap();
    let inspected = crate::inspect::inspect(&found.datasets[0]).unwrap();
    let [train, test] = &inspected.parts[..] else { panic!("{inspected:?}") };
    assert_eq!((train.part, train.examples, test.part, test.examples), ("train", 4, "test", 2));
    let lengths = train.lengths.unwrap();
    assert_eq!((lengths.median, lengths.max, lengths.total), (3, 4, 10));
    let topic = train.columns.iter().find(|column| column.name == "topic").unwrap();
    assert_eq!((topic.missing, topic.distinct), (1, Some(2)));
    assert_eq!(topic.values, [("x".to_string(), 2), ("y".to_string(), 1)]);
    assert_eq!(train.shown[0], "text = \"a b c\", topic = \"x\"");
}
