//! Configurations, right ones and ones with a fault in them.

/// For the configuration.
pub fn config() -> Vec<Vec<u8>> {
    let small = include_str!("../../../crates/polytask-spec/tests/three_tasks.toml");
    let pairs = r#"version = 1
data.pairs = { format = "csv", path = "pairs.csv", split = { valid = 0.1, test = 0.1 }, text = ["a", "b"], delimiter = ";" }
data.rows = { format = "parquet", train = ["a.parquet", "b.parquet"], valid = "c.parquet", limit = 9, batch_size = 3 }
input.words = { kind = "words", dim = 50, min_count = 2, dropout = 0.1, word_dropout = 0.1 }
encoder.trunk.layers = [
    { kind = "transformer", heads = 2, layers = 1 },
    { name = "b", kind = "bilstm", hidden = 8, residual = true },
    { name = "c", kind = "pool", pool = "attention" },
    { kind = "dense", width = 4 },
]
task.a = { data = "pairs", kind = "classify", target = "label", metric = "f1-macro" }
task.b = { data = "rows", kind = "multilabel", target = "topics", separator = "," }
task.c = { data = "rows", kind = "tag", target = "tags", scheme = "bioes", decoder = "crf" }
balance = { method = "pcgrad" }
optimizer = { method = "adamw", weight_decay = 0.01, warmup = 0.1, schedule = "cosine" }
train = { epochs = 2, patience = 1, accumulate = 2 }
"#;
    let texts = [
        small,
        pairs,
        "version = 1\n[data]\n[input]\n[encoder]\n[task]\n",
        "version = 2\nname = \"x\ny = = 3\n",
        "version = 1\nversion = 1e400\ndata = [[[{}]]]\n\"\\u0000\" = 1979-05-27T07:32:00Z\n",
        "\u{feff}version = 99999999999999999999\r\ntask.\"\".x = nan\r\n",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
