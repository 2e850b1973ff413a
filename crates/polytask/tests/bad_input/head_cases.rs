//! What is said about heads, losses and pairs of texts that cannot be?

use super::{CHECK, Case, case};

/// The cases of heads.
pub fn heads() -> Vec<Case> {
    vec![
        case(
            "A weight that is not above 0",
            CHECK,
            2,
            |p| p.config("attach = \"high\"", "attach = \"high\"\nclass_weights = { good = -1 }"),
            &["polytask.toml:33:26", "`task.reviews.class_weights.good` must be more than 0, found -1.0"],
        ),
        case(
            "Smoothed labels for a focal loss",
            CHECK,
            2,
            |p| p.config("attach = \"high\"", "attach = \"high\"\nlabel_smoothing = 0.1\nfocal_gamma = 2"),
            &["polytask.toml:34:15", "both `label_smoothing` and `focal_gamma`"],
        ),
        case(
            "A head that one task alone names",
            CHECK,
            2,
            |p| p.config("attach = \"high\"", "attach = \"high\"\nhead = \"polarity\""),
            &["polytask.toml:33:8", "no other task names the head `polarity`"],
        ),
        case(
            "A head that a classifier and a tagger name",
            CHECK,
            2,
            |p| {
                p.config("attach = \"high\"", "attach = \"high\"\nhead = \"h\"");
                p.config("attach = \"low\"", "attach = \"low\"\nhead = \"h\"");
            },
            &["polytask.toml:40:8", "`task.names` cannot share the head `h` with `task.reviews`: the kind is `tag`"],
        ),
        case(
            "Tags for pairs of texts",
            CHECK,
            2,
            |p| {
                let data = "format = \"jsonl\"\ntrain = \"a.jsonl\"\nvalid = \"b.jsonl\"\ntext = [\"a\", \"b\"]";
                p.reviews_from(data, "kind = \"tag\"\ntarget = \"ner\"");
            },
            &["`task.reviews` tags the tokens of one text, but [data.reviews] has two, `a` and `b`"],
        ),
        case(
            "Several columns for one class",
            CHECK,
            2,
            |p| p.config("target = \"label\"", "target = [\"label\", \"rude\"]"),
            &["polytask.toml:31:10", "`task.reviews.target` is a list, but `classify` predicts one column"],
        ),
        case(
            "A label that is neither 0 nor 1",
            CHECK,
            3,
            |p| {
                let data = "format = \"csv\"\ntrain = \"labels.csv\"\nvalid = \"labels.csv\"";
                p.reviews_from(data, "kind = \"multilabel\"\ntarget = [\"rude\", \"toxic\"]");
                p.write("labels.csv", b"text,rude,toxic\na fine film,0,1\na dull film,1,maybe\n");
            },
            &["labels.csv:3: expected 0, 1, true or false as toxic, found \"maybe\""],
        ),
        case(
            "Three texts",
            CHECK,
            2,
            |p| {
                let data = "format = \"csv\"\ntrain = \"a.csv\"\nvalid = \"b.csv\"\ntext = [\"a\", \"b\", \"c\"]";
                p.reviews_from(data, "kind = \"classify\"\ntarget = \"label\"");
            },
            &["`data.reviews.text` names 3 columns, and at most two can be read", "without `c`"],
        ),
    ]
}
