use polytask_spec::data::{CsvData, JsonlData, NamedColumns, Split, Texts};

use super::*;

fn csv(texts: &[&str], files: Files) -> Data {
    let text = (!texts.is_empty()).then(|| Texts::Many(texts.iter().map(ToString::to_string).collect()));
    let named = NamedColumns { text, stratum: None };
    Data::Csv(CsvData { files, named, delimiter: ",".into(), columns: None })
}

#[test]
fn an_empty_cell_is_a_missing_label() {
    let table = "text,label,stars\na,pos,1\nb,,2.5\nc,neg, \nd,neg,3\n";
    let files = write(&[("a.csv", table), ("v.csv", "stars,label,text\n,,e\n2,pos,f\n")]);
    let data = csv(&[], Files { path: one("a.csv").map(|_| "a.csv".into()), valid: one("v.csv"), ..Files::default() });
    let targets = [target("label", AsKind::Label), target("stars", AsKind::Number)];
    let (dataset, words) = files.load_as(&data, TEXT_OPTIONS, &targets).unwrap();
    assert_eq!(dataset.train.labels("label"), Some(&[1, MISSING_LABEL, 0, 0][..]));
    assert_eq!(dataset.valid.labels("label"), Some(&[MISSING_LABEL, 1][..]));
    let stars = dataset.train.numbers("stars").unwrap();
    assert!(stars[2].is_nan() && [stars[0], stars[1], stars[3]] == [1.0, 2.5, 3.0]);
    assert_eq!(text(&dataset.valid, &words, 1), "f");
    let files = write(&[("a.csv", "text,label,stars\na,pos,\nb,neg,many\n")]);
    let message = files.message(&csv(&[], Files { train: one("a.csv"), ..Files::default() }), "stars", AsKind::Number);
    assert!(message.starts_with("a.csv:3: expected a number as stars, found \"many\""), "{message}");
}

#[test]
fn cells_hold_sets_of_labels() {
    let table = "text,label\na,\"y, x,y\"\nb,\nc,\",\"\nd,z\n";
    let files = write(&[("a.csv", table), ("v.csv", "text,label\ne,\"x,w\"\n"), ("none.csv", "text,label\na,\"\"\n")]);
    let of = |train: &str, valid| csv(&[], Files { train: one(train), valid, ..Files::default() });
    let as_ = || AsKind::Labels { separator: ',' };
    let (dataset, _) = files.load(&of("a.csv", None), "label", as_()).unwrap();
    assert_eq!(dataset.labels["label"], ["x", "y", "z"]);
    let sets: Vec<&[u32]> = dataset.train.label_sets("label").unwrap().iter().collect();
    assert_eq!(sets, [&[1, 0][..], &[MISSING_LABEL], &[], &[2]]);
    let message = files.message(&of("a.csv", one("v.csv")), "label", as_());
    assert!(message.starts_with("v.csv:2: label `w` stands in no training example; training has x, y, z"), "{message}");
    let message = files.message(&of("none.csv", None), "label", as_());
    assert!(message.starts_with("data.books: no training example has a label in the column `label`"), "{message}");
    let both = [target("label", as_()), target("label", AsKind::Label)];
    let message = files.load_as(&of("a.csv", None), TEXT_OPTIONS, &both).unwrap_err().to_string();
    assert!(message.contains("asked for as a set of labels and as label"), "{message}");
}

/// What several columns of labels are asked for as.
fn flags(names: &[&str]) -> Vec<Target> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    vec![target(&names.join(", "), AsKind::Flags(names))]
}

#[test]
fn columns_of_zero_and_one_are_labels() {
    let table = "text,rude,toxic\na,1,0\nb,True,1.0\nc,false,0\nd,,\n";
    let objects = "{\"text\": \"a\", \"rude\": 1, \"toxic\": 0}\n{\"text\": \"b\", \"rude\": true, \"toxic\": \"1\"}\n\
                   {\"text\": \"c\", \"rude\": false, \"toxic\": 0.0}\n{\"text\": \"d\", \"rude\": null}\n";
    let files = write(&[("a.csv", table), ("a.jsonl", objects)]);
    let jsonl = JsonlData {
        files: Files { train: one("a.jsonl"), ..Files::default() },
        named: NamedColumns { text: None, stratum: None },
    };
    let csv = csv(&[], Files { train: one("a.csv"), ..Files::default() });
    for data in [csv, Data::Jsonl(jsonl)] {
        // Labels are sorted, in whichever order the columns are named.
        for (names, column) in [(["toxic", "rude"], "toxic, rude"), (["rude", "toxic"], "rude, toxic")] {
            let (dataset, _) = files.load_as(&data, TEXT_OPTIONS, &flags(&names)).unwrap();
            assert_eq!(dataset.labels[column], ["rude", "toxic"]);
            let sets = dataset.train.label_sets(column).unwrap().iter().map(|set| {
                let mut set = set.to_vec();
                set.sort_unstable();
                set
            });
            assert_eq!(sets.collect::<Vec<_>>(), [vec![0], vec![0, 1], vec![], vec![MISSING_LABEL]]);
        }
    }
}

#[test]
fn columns_of_labels_that_hold_something_else_are_told() {
    for (table, expected) in [
        ("text,rude,toxic\na,1,0\nb,2,1\n", "a.csv:3: expected 0, 1, true or false as rude, found \"2\"\n  help: "),
        ("text,rude,toxic\na,1,yes\n", "a.csv:2: expected 0, 1, true or false as toxic, found \"yes\""),
        ("text,rude,toxic\na,1,-1\n", "a.csv:2: expected 0, 1, true or false as toxic, found \"-1\""),
        ("text,rude,toxic\na,1,\n", "a.csv:2: expected 0, 1, true or false as toxic, found none, beside other labels"),
        ("text,rude,toxic\na,1,0\nb,0,0\n", "data.books: no training example has 1 in the column `toxic`\n  help: "),
        ("text,rude\na,1\n", "a.csv:1: expected a column `toxic`, found `text`, `rude`"),
    ] {
        let files = write(&[("a.csv", table)]);
        let data = csv(&[], Files { train: one("a.csv"), ..Files::default() });
        let message = files.load_as(&data, TEXT_OPTIONS, &flags(&["rude", "toxic"])).unwrap_err().to_string();
        assert!(message.contains(expected), "{expected:?} is not in {message}");
    }
    let files = write(&[("l.tsv", "good\ta\nbad\tb\n")]);
    let data = lines(Files { train: one("l.tsv"), ..Files::default() });
    let message = files.load_as(&data, TEXT_OPTIONS, &flags(&["label", "rude"])).unwrap_err().to_string();
    assert!(message.starts_with("data.books: has no column `rude` to predict"), "{message}");
}

#[test]
fn shares_of_a_table_are_drawn_by_its_stratum() {
    let rows: String = (0..100).map(|row| format!("text {row},{},{}\n", row % 4, row % 2)).collect();
    let files = write(&[("a.csv", &format!("text,topic,label\n{rows}"))]);
    let split = Split { valid: 0.2, ..Split::default() };
    let data = csv(&[], Files { train: one("a.csv"), split, ..Files::default() });
    let by_label = files.load(&data, "label", AsKind::Label).unwrap().0;
    assert_eq!(by_label.valid.labels("label").unwrap().iter().filter(|&&label| label == 0).count(), 10);
    // What tasks predict does not change what is drawn.
    let by_topic = files.load(&data, "topic", AsKind::Label).unwrap().0;
    assert_eq!(by_topic.valid.hashes, by_label.valid.hashes);
}

#[test]
fn two_texts_are_two_columns() {
    let table = "b,a,label\nOne two,three four five six,x\nOne, two three four five six,y\n,z,x\n";
    let files = write(&[("a.csv", table)]);
    let data = csv(&["b", "a"], Files { train: one("a.csv"), ..Files::default() });
    let text_options = TextOptions { max_tokens: 3, ..TEXT_OPTIONS };
    let (dataset, words) = files.load_as(&data, text_options, &[target("label", AsKind::Label)]).unwrap();
    let Some(ColumnStore::Tokens(second)) = dataset.train.columns.get("a") else { panic!("no second text") };
    let second: Vec<String> =
        second.iter().map(|row| row.iter().map(|&id| words.word(id)).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!((text(&dataset.train, &words, 0).as_str(), second[0].as_str()), ("One two", "three four five"));
    assert_eq!((text(&dataset.train, &words, 1).as_str(), second[1].as_str()), ("One", "two three four"));
    assert_ne!(dataset.train.hashes[0], dataset.train.hashes[1], "what stands in which text matters");
    assert_eq!((dataset.train.truncated, words.counts().iter().sum::<u64>()), (0, 9));
    assert!(dataset.notes[0].contains("1 example has no word"), "{:?}", dataset.notes);
    let files = write(&[("a.csv", "a,text,label\nx,y,z\n")]);
    let data = csv(&["a", "text"], Files { train: one("a.csv"), ..Files::default() });
    let message = files.message(&data, "label", AsKind::Label);
    assert!(message.starts_with("data.books: the text `text` cannot follow another one\n  help: "), "{message}");
}

#[test]
fn tagged_sentences_come_from_json() {
    let train = "{\"tokens\": [\"EU\", \"rejects\"], \"ner\": [\"B-ORG\", \"O\"], \"topic\": 1}\n\
                 {\"tokens\": [\"a\", \"b\"], \"ner\": null, \"topic\": 2}\n";
    let files =
        write(&[("a.jsonl", train), ("v.jsonl", "{\"tokens\": [\"a\", \"b\"], \"ner\": [\"O\", \"B-PER\"]}\n")]);
    let of = |valid| {
        let files = Files { train: one("a.jsonl"), valid, ..Files::default() };
        Data::Jsonl(JsonlData { files, named: NamedColumns::default() })
    };
    let targets = [target("ner", AsKind::Tags), target("topic", AsKind::Number)];
    let (dataset, words) = files.load_as(&of(None), TEXT_OPTIONS, &targets).unwrap();
    assert_eq!(dataset.labels["ner"], ["B-ORG", "O"]);
    let tags: Vec<&[u32]> = dataset.train.tags("ner").unwrap().iter().collect();
    assert_eq!(tags, [[0, 1], [MISSING_LABEL; 2]]);
    assert_eq!(
        (text(&dataset.train, &words, 0).as_str(), dataset.train.numbers("topic")),
        ("EU rejects", Some(&[1.0, 2.0][..]))
    );
    // Both words share a line.
    let message = files.message(&of(one("v.jsonl")), "ner", AsKind::Tags);
    assert!(message.starts_with("v.jsonl:1: ner `B-PER` stands in no training example"), "{message}");
}

#[test]
fn files_may_stand_in_an_archive() {
    let roots = Roots { dirs: vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")] };
    let load = |data: &Data| {
        let targets = [target("label", AsKind::Label)];
        let request =
            Request { name: "x", data, roots: &roots, seed: 3, text: TEXT_OPTIONS, subwords: None, targets: &targets };
        load(&request, &mut Interner::new())
    };
    let files = Files { train: one("single.zip"), valid: one("several.zip/data/données.csv"), ..Files::default() };
    let dataset = load(&csv(&[], files)).unwrap();
    assert_eq!((dataset.train.len(), dataset.valid.labels("label")), (200, Some(&[0][..])));
    let file = &*dataset.valid.place(0).file;
    assert!(file.ends_with("several.zip/data/données.csv"), "{file}");
    let files = Files { train: one("several.zip/data/none.csv"), ..Files::default() };
    let message = load(&csv(&[], files)).unwrap_err().to_string();
    assert!(message.contains("several.zip: expected a member `data/none.csv`, found 3: "), "{message}");
}
