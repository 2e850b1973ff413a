//! What does the fuzzer begin with? A few small inputs for each target, right and wrong ones, all made here.

mod archives;
mod configs;
mod networks;
mod parquets;
mod runs;

pub use archives::{gzip, imdb, right_checksums, zip};
pub use configs::config;
pub use networks::{CHECKPOINT_CONFIG, MODEL_CONFIG, NETWORK_DATA, checkpoint, model};
pub use parquets::parquet;
pub use runs::run;

fn all(texts: &[&[u8]]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.to_vec()).collect()
}

/// For CoNLL; the last byte chooses the columns.
pub fn conll() -> Vec<Vec<u8>> {
    all(&[
        b"-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n. . O O\n\nPeter NNP I-NP I-PER\n?",
        b"\xef\xbb\xbfword\r\n\r\nother\r\nthird\r\n\n@",
        b"B-PER Anna\nO sings\n\n\tO  is \nA",
        b"",
        b"caf\xe9 A B C\n",
        b"\xff\xfea\0",
    ])
}

/// For `LABEL<TAB>TEXT`.
pub fn lines() -> Vec<Vec<u8>> {
    all(&[
        b"good\ta fine film\nbad\ta dull\tfilm\n",
        b"\xef\xbb\xbf1\tcaf\xe9 \x93so\x94\r\n\r\n \r\n2\t",
        b"no tab\n",
        b"\tx",
    ])
}

/// For CSV; the last byte chooses delimiter and columns.
pub fn csv() -> Vec<Vec<u8>> {
    all(&[
        b"text,label,score,topics\n\"a \"\"fine\"\" one,\nso\",pos,1.5,a|b\ndull,neg,-2,\n,,,\n ",
        b"a;pos;1;x\n\"b;c\";neg;2e3;x,y\nA",
        b"\xef\xbb\xbftext\tbody\tlabel\tscore\ttopics\r\na\tb\tc\t1\t\r\n\"x\"\t\"y\r\nz\"\tc\tNaN\tq\r\n\n\nB",
        b"a|1|pos|body|text\n\"\"|inf|x|y|\"z\"\nC",
        b"text,label,score,topics\n\"open,1\n ",
        b"text,label,score,topics\n\"a\"b,1,2,3\n ",
    ])
}

/// For TSV; the last byte chooses the columns.
pub fn tsv() -> Vec<Vec<u8>> {
    all(&[
        b"text\tlabel\tscore\ttopics\n\"a\tpos\t1.5\ta,b\n\nb\t\t\t\n ",
        b"a\tb\tpos\t2\tx y\r\nc\td\tneg\t-1e-3\t\r\nA",
        b"label\ttext\n1\n ",
    ])
}

/// For JSON lines and lists; the last byte chooses the columns.
pub fn jsonl() -> Vec<Vec<u8>> {
    all(&[
        b"{\"text\": \"a \\u00e9 \\ud83d\\ude00\", \"label\": 1, \"score\": 2.5, \"topics\": [\"x\", \"y\"]}\n{\"text\": \"\", \
          \"label\": null, \"score\": \"3\", \"topics\": \"x,y\"}\n{\"text\": [\"a\", \"b\"], \"label\": true, \"score\": -1e300, \
          \"topics\": []}\n",
        b"[{\"tokens\": [\"a\", \"b\"], \"tags\": [\"O\", 1], \"label\": \"x\", \"score\": 1, \"topics\": null},\n{}]\n!",
        b"\xef\xbb\xbf [ {\"text\": \"a\", \"body\": \"b\", \"label\": 0.5, \"score\": 0, \"topics\": [1, 2]} ]\n\"",
        b"{\"text\": {\"a\": [[[{}]]]}, \"label\": {}, \"score\": [], \"topics\": {}}\n",
        b"{\"text\": \"a\", \"text\": \"b\", \"label\": 18446744073709551615, \"score\": 1e999}\n",
    ])
}

/// For reviews as JSON lines.
pub fn amazon() -> Vec<Vec<u8>> {
    all(&[
        b"{\"reviewText\": \"fine\", \"overall\": 5.0, \"category\": [\"Books\", \"Novels\"]}\n\n{\"text\": \"dull\", \"rating\": 1, \
          \"main_category\": \"Toys\"}\n",
        b"{\"title\": \"x\", \"overall\": 5}\n",
        b"{\"reviewText\": null, \"text\": \"a\", \"overall\": null, \"rating\": 3, \"category\": \"x\"}\n",
        b"\xef\xbb\xbf {\"text\": \"a\", \"overall\": 6}\n",
        b"<review>\n<rating>\n4.0\n</rating>\n<review_text>\na\n</review_text>\n</review>\n",
    ])
}

/// For reviews as pseudo-XML, without the first tag.
pub fn blitzer() -> Vec<Vec<u8>> {
    all(&[
        b"<title>\na < b\n</title>\n<rating>\n4.0\n</rating>\n<review_text>\nI <3 it & \x93you\x94.\n\n</review_text>\n</review>\n\
          <review>\r\n<rating>2</rating>\r\n<review_text>short</review_text>\r\n</review>\r\n",
        b"<rating>five</rating>\n",
        b"<review>\n",
        b"<review_text>\n",
    ])
}

/// For word vectors as text.
pub fn glove() -> Vec<Vec<u8>> {
    all(&[
        b"the 0.1 -0.2 3e-2\nof 1 2 3\nNew York .5 6. 7\n",
        b"2 3\nthe 0.1 -0.2 0.3\nof 1 2 3 \n",
        b"\xef\xbb\xbfa\t1\t2\r\n\r\nb 3 4\r\nb 5 6",
        b"a 1 NaN\n",
        b"a 1 2\nb 1\n",
        b"a 1 2\nb 1 2.0 3\n",
        b"a x\n",
        b"\xff\xfe 1 2\n",
        b"18446744073709551615 18446744073709551615\na 1\n",
    ])
}

/// For fastText's `.vec`, without the header `3 2`.
pub fn fasttext() -> Vec<Vec<u8>> {
    all(&[b"the 0.1 -0.2 \nof 1 2 \n</s> -1e-3 0 \n", b"a 1 2\na 3 4\n", b"a b 1 2\n", b"a 1 2 3\n"])
}

/// For word2vec's binary form.
pub fn word2vec() -> Vec<Vec<u8>> {
    let record = |word: &[u8], values: [f32; 2], end: &[u8]| {
        [word, b" ", &values[0].to_le_bytes(), &values[1].to_le_bytes(), end].concat()
    };
    let whole = [
        b"3 2\n".to_vec(),
        record(b"the", [0.1, -0.2], b"\n"),
        record(b"of", [1.0, 2.0], b""),
        record(b"caf\xe9", [f32::NAN, 0.0], b"\n"),
    ]
    .concat();
    let header = |text: &str| [text.as_bytes(), &whole[4..]].concat();
    vec![
        whole.clone(),
        whole[..whole.len() - 5].to_vec(),
        header("2 2\n"),
        header("99999999999 300\n"),
        header("3 65536\n"),
        header("3 18446744073709551615\n"),
        [b"1 1\n".as_slice(), &[b'x'; 5000], b" \0\0\0\0"].concat(),
    ]
}

/// For files of which nothing is known: some of all the others.
pub fn recognise() -> Vec<Vec<u8>> {
    let of = [conll(), lines(), csv(), tsv(), jsonl(), amazon(), glove(), word2vec(), zip(), gzip(), imdb()];
    let parquets = parquet().into_iter().map(|seed| seed[1..].to_vec()).take(3);
    of.into_iter().flat_map(|seeds| seeds.into_iter().take(3)).chain(parquets).collect()
}
