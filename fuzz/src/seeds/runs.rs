//! Run directories: their files one after the other, cut by [`PART`](crate::files::PART).

use crate::files::join;

const RUN: &str = r#"{"format": 1, "name": "tiny", "status": "complete"}"#;
const CONFIG: &str = "version = 1\n[task.a]\nkind = \"classify\"\nmetric = \"accuracy\"\n";
const ENVIRONMENT: &str =
    r#"{"version": "0.1.0", "seed": 7, "threads": 1, "target": "linux-x86_64", "cpu_features": ["avx2"]}"#;
const METRICS: &str = r#"{"format": 1, "kept": {"epoch": 1, "epochs": 2, "criterion": "worst-regret", "value": 0.0},
    "best": {"a": {"metric": "accuracy", "value": 0.5, "epoch": 1, "kept": 0.5}},
    "splits": {"valid": {"a": {"loss": 0.7, "examples": 4, "metrics": {"accuracy": 0.5},
        "confusion": {"labels": ["x", "y"], "counts": [[1, 1], [2, 0]]}}}}}"#;
const EVENTS: &str = r#"{"event":"start","format":1,"tasks":["a","b"],"steps_per_epoch":2,"epochs":2}
{"event":"balance","epoch":1,"step":1,"tasks":{"a":{"weight":1.0,"gradient_norm":2.0},"b":{"weight":0.5}},"cosines":[{"between":["a","b"],"cosine":-0.5}],"conflict_rate":1.0}
{"event":"epoch","epoch":1,"step":2,"learning_rate":0.001,"gradient_norm":1.0,"tasks":{"a":{"loss":0.7,"weight":1.0,"steps":2}}}
{"event":"evaluation","epoch":1,"step":2,"split":"valid","tasks":{"a":{"loss":0.7,"examples":4,"metrics":{"accuracy":0.5}}}}
{"event":"keep","epoch":1,"criterion":0.0}
{"event":"changed","step":2,"keys":["train.epochs"]}
{"event":"stop","epoch":2,"task":"a","best_epoch":1}
{"event":"end","epochs":2,"step":4,"kept_epoch":1}
"#;
const TIMING: &str =
    "{\"epoch\":1,\"train_seconds\":0.1,\"evaluation_seconds\":0.01,\"examples_per_second\":100.0}\n{\"epoch\":";

/// For run directories.
pub fn run() -> Vec<Vec<u8>> {
    let header = br#"{"task.a.head.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}"#;
    let weights = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 8]].concat();
    let whole = |run: &str, metrics: &str| {
        let texts = [run, CONFIG, ENVIRONMENT, metrics, EVENTS, TIMING].map(str::as_bytes);
        join(&[&texts[..], &[&weights]].concat())
    };
    let lying = join(&[RUN.as_bytes(), b"", b"", METRICS.as_bytes(), b"", b"", &[0xff, 0xff, 0xff, 3, 0, 0, 0, 0]]);
    vec![
        whole(RUN, METRICS),
        whole(&RUN.replace("complete", "running"), ""),
        whole(&RUN.replace('1', "9"), METRICS),
        lying,
        RUN.as_bytes().to_vec(),
    ]
}
