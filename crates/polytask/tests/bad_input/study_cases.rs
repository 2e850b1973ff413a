//! What is said about studies that cannot be run?

use super::{CHECK, Case, Project, case};

/// The cases of `[study]`.
pub fn studies() -> Vec<Case> {
    fn with(project: &Project, study: &str) {
        project.config("batch_size = 4", &format!("batch_size = 4\n\n[study]\n{study}"));
    }
    vec![
        case(
            "A study without a budget",
            CHECK,
            2,
            |p| with(p, "seeds = 3"),
            &["polytask.toml:47:", "[study] has no `budget`"],
        ),
        case(
            "A budget of nothing",
            CHECK,
            2,
            |p| with(p, "budget = {}"),
            &["polytask.toml:48:", "`study.budget` has neither `runs` nor `minutes`"],
        ),
        case(
            "A budget that is no number of runs",
            CHECK,
            2,
            |p| with(p, "budget = { runs = \"all\" }"),
            &["polytask.toml:48:19", "`study.budget.runs`", "found the string"],
        ),
        case(
            "An arm that does not exist",
            CHECK,
            2,
            |p| with(p, "budget.runs = 3\narms = [\"separate\", \"joined\"]"),
            &["polytask.toml:49:", "did you mean `joint`?"],
        ),
        case(
            "Transfer from networks that are not trained",
            CHECK,
            2,
            |p| with(p, "budget.runs = 3\narms = [\"joint\", \"transfer\"]"),
            &["polytask.toml:49:18", "goes on from the networks of `separate`"],
        ),
        case(
            "An optimizer of a study that does not exist",
            CHECK,
            2,
            |p| with(p, "budget.runs = 3\noptimizers = [\"adam\", \"adma\"]"),
            &["polytask.toml:49:23", "no optimizer is called `adma`"],
        ),
        case(
            "A balancer of a study that does not exist",
            "study polytask.toml",
            2,
            |p| with(p, "budget.runs = 3\nbalancers = [\"equall\"]"),
            &["polytask.toml:49:14", "no balancer is called `equall`", "did you mean `equal`?"],
        ),
        case(
            "A balancer of a study that does not fit its tasks",
            "study polytask.toml",
            2,
            |p| with(p, "budget.runs = 3\nbalancers = [\"equal\", \"mgda\"]"),
            &["polytask.toml:49:23", "so each step needs a batch of every one", "sampling = \"joint\""],
        ),
        case(
            "A measure that does not exist",
            CHECK,
            2,
            |p| with(p, "budget.runs = 3\nmeasures = [\"cka\", \"afinity\"]"),
            &["polytask.toml:49:20", "did you mean `affinity`?"],
        ),
        case(
            "A measure of an arm that is not run",
            CHECK,
            2,
            |p| with(p, "budget.runs = 3\narms = [\"joint\"]\nmeasures = [\"cka\"]"),
            &["polytask.toml:50:13", "compares the networks of `separate`", "name `separate` in `arms` as well"],
        ),
        case(
            "Affinities without looks",
            CHECK,
            2,
            |p| p.config("method = \"equal\"", "method = \"equal\"\nwatch = 0\naffinity = true"),
            &["polytask.toml:43:12", "`balance.watch = 0` never looks", "set `watch` in [balance]"],
        ),
        case(
            "A study of a file that describes none",
            "study polytask.toml",
            2,
            |_| {},
            &["the configuration has no [study]"],
        ),
        case(
            "Weights to begin with that are not there",
            CHECK,
            3,
            |p| p.config("epochs = 1", "epochs = 1\nstart = \"runs/other\""),
            &["runs/other"],
        ),
    ]
}
