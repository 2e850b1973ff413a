//! Which network suits the tasks?
//!
//! A convolution for texts; for tags a bidirectional LSTM, with characters, because names are told by their letters.
//! Where both kinds of task are there, texts read the convolution above the LSTM, so that all share it.

use polytask::data::recognise::{DatasetFound, TargetKind, VectorsFound};

use super::toml::{comment, quoted};

/// Names of the layers.
const LOW: &str = "low";
const HIGH: &str = "high";

/// The longest text in words that is read whole; what lies beyond costs time and tells little.
const TOKENS_MAX: usize = 512;

/// The layer that a task reads.
pub fn attach(kind: TargetKind, datasets: &[DatasetFound]) -> &'static str {
    match (kind, is_mixed(datasets)) {
        (TargetKind::Tag | TargetKind::TagSpans, _) | (_, false) => LOW,
        (TargetKind::Classify(_) | TargetKind::Regress, true) => HIGH,
    }
}

/// Whether all texts together are fewer than so many.
pub fn are_fewer(datasets: &[DatasetFound], count: usize) -> bool {
    let texts: usize = datasets.iter().map(|dataset| dataset.layout.lengths.len()).sum();
    texts < count && datasets.iter().all(|dataset| dataset.layout.whole)
}

fn has_tags(datasets: &[DatasetFound]) -> bool {
    kinds(datasets).any(|kind| kind.name() == "tag")
}

fn has_texts(datasets: &[DatasetFound]) -> bool {
    kinds(datasets).any(|kind| kind.name() != "tag")
}

fn is_mixed(datasets: &[DatasetFound]) -> bool {
    has_tags(datasets) && has_texts(datasets)
}

/// The kinds of the tasks that will be there.
fn kinds(datasets: &[DatasetFound]) -> impl Iterator<Item = TargetKind> {
    let targets = datasets.iter().flat_map(|dataset| dataset.layout.targets());
    targets.filter(|(column, _)| column.suggested).map(|(_, kind)| kind)
}

/// The tables of the input and the encoder.
pub fn text(datasets: &[DatasetFound], vectors: Option<(&VectorsFound, String)>) -> String {
    let mut text = String::from("[input.words]\nkind = \"words\"\n");
    match vectors {
        Some((_, path)) => text += &format!("vectors = {}\n", quoted(&path)),
        None => {
            text += &comment(
                "Vectors that start at random. Pre-trained ones help most where examples are few: name a file here in the place of `dim` (`polytask data list` knows some).",
            );
            text += "dim = 100\n";
        }
    }
    if are_fewer(datasets, 500) {
        text += &comment("So few texts were found that a word counts if it comes once.");
        text += "min_count = 1\n";
    }
    let documents = |dataset: &&DatasetFound| dataset.layout.targets().any(|(_, kind)| kind.name() != "tag");
    let documents: Vec<&DatasetFound> = datasets.iter().filter(documents).collect();
    if !documents.is_empty() {
        let longest = documents.iter().map(|dataset| dataset.layout.length_p95()).max().unwrap_or(0);
        // Words that training cuts are some more than those between spaces.
        let tokens = (longest * 6 / 5).next_multiple_of(32).clamp(32, TOKENS_MAX);
        text += &comment(&format!("95 of 100 texts have up to {longest} words; longer ones are cut."));
        text += &format!("max_tokens = {tokens}\n");
        if documents.iter().all(|dataset| dataset.layout.spaced) && !has_tags(datasets) {
            text += &comment("Punctuation stands alone in these texts: they were cut into words before.");
            text += "tokenize = \"spaces\"\n";
        }
    }
    if has_tags(datasets) {
        text += "characters = { dim = 30, filters = 30 }\n";
    }
    text + "dropout = 0.2\n\n" + &layers(datasets)
}

fn layers(datasets: &[DatasetFound]) -> String {
    let low = match has_tags(datasets) {
        true => "{ name = \"low\", kind = \"bilstm\", hidden = 100, dropout = 0.3 }",
        false => "{ name = \"low\", kind = \"conv\", widths = [3, 4, 5], filters = 100, dropout = 0.3 }",
    };
    let mut text = String::from("[encoder.trunk]\nlayers = [\n");
    text += &format!("    {low},\n");
    if is_mixed(datasets) {
        text += "    { name = \"high\", kind = \"conv\", widths = [1, 3], filters = 100, dropout = 0.3 },\n";
    }
    text + "]\n"
}
