//! Which datasets and word vectors are known, and where do they come from?
//!
//! A hash stands here only where independent projects have recorded the same one for the same address: IMDB's (TFDS,
//! MLDatasets.jl), and those of GloVe (torchtext, Embeddings.jl). Of all others nobody publishes a SHA-256; their first
//! download is trusted, and remembered.

use crate::fetch::Source;

/// Something that can be fetched, or is told how to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What it is called, here and on the command line.
    pub key: &'static str,
    /// What it is.
    pub summary: &'static str,
    /// Whether it is a dataset or word vectors.
    pub kind: Kind,
    /// What its publishers say about using it.
    pub licence: &'static str,
    /// The page of its publishers.
    pub page: &'static str,
    /// Its files; none where it cannot be fetched.
    pub files: &'static [Source<'static>],
    /// What becomes of the files before they are used.
    pub then: Then,
    /// What else one has to know.
    pub note: &'static str,
}

/// What is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Texts to learn from.
    Dataset,
    /// Word vectors.
    Vectors,
}

impl Kind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Dataset => "dataset",
            Kind::Vectors => "vectors",
        }
    }
}

/// What becomes of files before they are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// They are read as they are.
    Read,
    /// They are `.tar.gz` archives and are unpacked into a folder of the entry's name.
    Unpack,
    /// The user unpacks them: `unzip FILE`.
    Unzip,
}

/// Every entry, sorted by name.
pub fn all() -> &'static [Known] {
    KNOWN
}

/// The entry of a name.
pub fn find(key: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.key == key)
}

const fn file(url: &'static str, name: &'static str) -> Source<'static> {
    Source { url, name, sha256: None, bytes: None }
}

const AMAZON: &str = "for research; see the page";
const AMAZON_PAGE: &str = "https://amazon-reviews-2023.github.io/";
const AMAZON_NOTE: &str = "JSON lines; the page lists 33 categories: `polytask data get URL` fetches any of them";
const GLOVE_PAGE: &str = "https://nlp.stanford.edu/projects/glove/";
const PDDL: &str = "Public Domain Dedication and License 1.0";
const CC_BY_SA_3: &str = "CC BY-SA 3.0";

const KNOWN: &[Known] = &[
    Known {
        key: "amazon-all-beauty",
        summary: "Amazon reviews 2023: beauty (Hou et al., 2024)",
        kind: Kind::Dataset,
        licence: AMAZON,
        page: AMAZON_PAGE,
        files: &[file(
            "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/raw/review_categories/All_Beauty.jsonl.gz",
            "All_Beauty.jsonl.gz",
        )],
        then: Then::Read,
        note: AMAZON_NOTE,
    },
    Known {
        key: "amazon-blitzer",
        summary: "Amazon reviews of 4 categories with stars, 8,000 labelled (Blitzer et al., 2007)",
        kind: Kind::Dataset,
        licence: "none stated",
        page: "https://www.cs.jhu.edu/~mdredze/datasets/sentiment/",
        files: &[file(
            "https://www.cs.jhu.edu/~mdredze/datasets/sentiment/domain_sentiment_data.tar.gz",
            "domain_sentiment_data.tar.gz",
        )],
        then: Then::Unpack,
        note: "",
    },
    Known {
        key: "amazon-gift-cards",
        summary: "Amazon reviews 2023: gift cards (Hou et al., 2024)",
        kind: Kind::Dataset,
        licence: AMAZON,
        page: AMAZON_PAGE,
        files: &[file(
            "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/raw/review_categories/Gift_Cards.jsonl.gz",
            "Gift_Cards.jsonl.gz",
        )],
        then: Then::Read,
        note: AMAZON_NOTE,
    },
    Known {
        key: "conll2003",
        summary: "English news with names, parts of speech and phrases (Tjong Kim Sang and De Meulder, 2003)",
        kind: Kind::Dataset,
        licence: "Reuters text for research only, by agreement with NIST",
        page: "https://www.clips.uantwerpen.be/conll2003/ner/",
        files: &[],
        then: Then::Read,
        note: "its licence forbids to pass the texts on. Ask NIST for Reuters Corpus Volume 1 \
               (https://trec.nist.gov/data/reuters/reuters.html), get the annotations (ner.tgz) from \
               https://www.clips.uantwerpen.be/conll2003/ner/, and build eng.train, eng.testa and eng.testb as its README \
               says; then `polytask init FOLDER`",
    },
    Known {
        key: "fasttext-cc-en",
        summary: "fastText vectors, 2 million English words, 300 numbers (Grave et al., 2018)",
        kind: Kind::Vectors,
        licence: CC_BY_SA_3,
        page: "https://fasttext.cc/docs/en/crawl-vectors.html",
        files: &[file("https://dl.fbaipublicfiles.com/fasttext/vectors-crawl/cc.en.300.vec.gz", "cc.en.300.vec.gz")],
        then: Then::Read,
        note: "",
    },
    Known {
        key: "fasttext-wiki-news",
        summary: "fastText vectors, 1 million English words, 300 numbers (Mikolov et al., 2018)",
        kind: Kind::Vectors,
        licence: CC_BY_SA_3,
        page: "https://fasttext.cc/docs/en/english-vectors.html",
        files: &[file(
            "https://dl.fbaipublicfiles.com/fasttext/vectors-english/wiki-news-300d-1M.vec.zip",
            "wiki-news-300d-1M.vec.zip",
        )],
        then: Then::Unzip,
        note: "",
    },
    Known {
        key: "fdu-mtl",
        summary: "reviews of 16 domains, 1,400 to 1,600 + 400 each (Liu, Qiu and Huang, 2017)",
        kind: Kind::Dataset,
        licence: "none stated",
        page: "https://github.com/FrankWork/fudan_mtl_reviews",
        files: &[file(
            "https://github.com/FrankWork/fudan_mtl_reviews/raw/master/data/fudan-mtl-dataset.tar.gz",
            "fudan-mtl-dataset.tar.gz",
        )],
        then: Then::Unpack,
        note: "its authors' page is not served over https; this is the copy of a re-implementation that others use",
    },
    Known {
        key: "glove-42b",
        summary: "GloVe vectors of Common Crawl, 1.9 million lower-case words, 300 numbers",
        kind: Kind::Vectors,
        licence: PDDL,
        page: GLOVE_PAGE,
        files: &[Source {
            url: "https://nlp.stanford.edu/data/glove.42B.300d.zip",
            name: "glove.42B.300d.zip",
            sha256: Some("03d5d7fa28e58762ace4b85fb71fe86a345ef0b5ff39f5390c14869da0fc1970"),
            bytes: None,
        }],
        then: Then::Unzip,
        note: "",
    },
    Known {
        key: "glove-6b",
        summary: "GloVe vectors of Wikipedia and Gigaword, 400,000 words, 50, 100, 200 and 300 numbers (2014)",
        kind: Kind::Vectors,
        licence: PDDL,
        page: GLOVE_PAGE,
        files: &[Source {
            url: "https://nlp.stanford.edu/data/glove.6B.zip",
            name: "glove.6B.zip",
            sha256: Some("617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb"),
            bytes: Some(862_182_613),
        }],
        then: Then::Unzip,
        note: "",
    },
    Known {
        key: "glove-840b",
        summary: "GloVe vectors of Common Crawl, 2.2 million words, 300 numbers",
        kind: Kind::Vectors,
        licence: PDDL,
        page: GLOVE_PAGE,
        files: &[Source {
            url: "https://nlp.stanford.edu/data/glove.840B.300d.zip",
            name: "glove.840B.300d.zip",
            sha256: Some("c06db255e65095393609f19a4cfca20bf3a71e20cc53e892aafa490347e3849f"),
            bytes: None,
        }],
        then: Then::Unzip,
        note: "",
    },
    Known {
        key: "imdb",
        summary: "film reviews, 25,000 + 25,000, with polarity and rating (Maas et al., 2011)",
        kind: Kind::Dataset,
        licence: "for research; cite the paper",
        page: "https://ai.stanford.edu/~amaas/data/sentiment/",
        files: &[Source {
            url: "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
            name: "aclImdb_v1.tar.gz",
            sha256: Some("c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"),
            bytes: Some(84_125_825),
        }],
        then: Then::Read,
        note: "",
    },
    Known {
        key: "ud-english-ewt",
        summary: "English web texts with parts of speech, Universal Dependencies 2.14 (Silveira et al., 2014)",
        kind: Kind::Dataset,
        licence: "CC BY-SA 4.0",
        page: "https://universaldependencies.org/treebanks/en_ewt/",
        files: &[
            file(
                "https://raw.githubusercontent.com/UniversalDependencies/UD_English-EWT/r2.14/en_ewt-ud-train.conllu",
                "en_ewt-ud-train.conllu",
            ),
            file(
                "https://raw.githubusercontent.com/UniversalDependencies/UD_English-EWT/r2.14/en_ewt-ud-dev.conllu",
                "en_ewt-ud-dev.conllu",
            ),
            file(
                "https://raw.githubusercontent.com/UniversalDependencies/UD_English-EWT/r2.14/en_ewt-ud-test.conllu",
                "en_ewt-ud-test.conllu",
            ),
        ],
        then: Then::Read,
        note: "CoNLL-U has comments and word ranges, which are not read: keep the lines of words with \
               `grep -v '^#' FILE | grep -vE '^[0-9]+[-.]'`",
    },
    Known {
        key: "word2vec-google-news",
        summary: "word2vec vectors of Google News, 3 million words and phrases, 300 numbers (Mikolov et al., 2013)",
        kind: Kind::Vectors,
        licence: "none stated",
        page: "https://code.google.com/archive/p/word2vec/",
        files: &[Source {
            url: "https://github.com/RaRe-Technologies/gensim-data/releases/download/word2vec-google-news-300/\
                  word2vec-google-news-300.gz",
            name: "word2vec-google-news-300.bin.gz",
            sha256: None,
            bytes: Some(1_743_563_840),
        }],
        then: Then::Read,
        note: "Google serves it through a page that asks questions; this is the copy that gensim's authors publish",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_sorted_and_their_addresses_sound() {
        assert!(all().windows(2).all(|pair| pair[0].key < pair[1].key));
        for known in all() {
            assert_eq!(find(known.key), Some(known));
            assert!(known.page.starts_with("https://"), "{}", known.key);
            assert!(!known.files.is_empty() || !known.note.is_empty(), "{}: how to get it?", known.key);
            for (index, file) in known.files.iter().enumerate() {
                assert!(file.url.starts_with("https://") && !file.url.contains(' '), "{}", file.url);
                assert!(file.sha256.is_none_or(|hash| hash.len() == 64), "{}", file.url);
                assert!(known.files[..index].iter().all(|other| other.name != file.name), "{}", file.name);
                assert_eq!(known.then == Then::Unpack, file.name.ends_with(".tar.gz") && known.key != "imdb");
            }
        }
        assert_eq!(find("glove"), None);
    }
}
