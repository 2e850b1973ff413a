//! What is said about a config and a command line that are wrong?

use super::project::Project;
use super::{CHECK, Case, case};

/// The cases of the config.
pub fn config() -> Vec<Case> {
    vec![
        case("The config is not there", "check missing.toml", 2, |_| {}, &["missing.toml", "check the path"]),
        case("The config is a folder", "check data", 2, |p| p.folder("data"), &["`data` is a folder"]),
        case(
            "The config is empty",
            CHECK,
            2,
            |p| p.write("polytask.toml", b""),
            &["no `version`", "polytask.toml:1:1"],
        ),
        case(
            "TOML that is cut off",
            CHECK,
            2,
            |p| p.config("columns = [\"token\", \"ner\"]", "columns = [\"token\", "),
            &["polytask.toml:15:1: not valid TOML"],
        ),
        case(
            "A config that is not UTF-8",
            CHECK,
            2,
            |p| p.write("polytask.toml", b"version = 1\nname = \"na\xefve\"\n"),
            &["polytask.toml:2:11", "not UTF-8: byte 0xEF", "save the file as UTF-8"],
        ),
        case(
            "A key that does not exist",
            CHECK,
            2,
            |p| p.config("epochs = 1", "epoch = 1"),
            &["polytask.toml:44:1: unknown key `epoch` in [train]", "did you mean", "`epochs`?"],
        ),
        case(
            "A table that does not exist",
            CHECK,
            2,
            |p| p.config("[balance]", "[balanse]"),
            &["polytask.toml:40:2", "did you mean `balance`?"],
        ),
        case(
            "A key that belongs to another table",
            CHECK,
            2,
            |p| p.config("seed = 7", "batch_size = 7"),
            &["polytask.toml:3:1", "`batch_size` belongs into `[train]`"],
        ),
        case(
            "A value of the wrong type",
            CHECK,
            2,
            |p| p.config("epochs = 1", "epochs = \"one\""),
            &["polytask.toml:44:10", "must be an integer, found the string"],
        ),
        case(
            "A value out of range",
            CHECK,
            2,
            |p| p.config("filters = 4", "filters = 0"),
            &["polytask.toml:24:60", "must be between 1"],
        ),
        case(
            "A key that is missing",
            CHECK,
            2,
            |p| p.config("data = \"reviews\"\n", ""),
            &["polytask.toml:28:7", "[task.reviews] has no `data`"],
        ),
        case(
            "A format that does not exist",
            CHECK,
            2,
            |p| p.config("\"conll\"", "\"conl\""),
            &["polytask.toml:13:10", "did you mean `conll`?"],
        ),
        case(
            "A task on a dataset that does not exist",
            CHECK,
            2,
            |p| p.config("data = \"reviews\"", "data = \"review\""),
            &["polytask.toml:29:8", "there is no [data.review]", "did you mean `reviews`?"],
        ),
        case(
            "A target that the dataset does not have",
            CHECK,
            2,
            |p| p.config("target = \"ner\"", "target = \"pos\""),
            &["polytask.toml:37:10", "[data.names] has no target `pos`", "accepted: `ner`"],
        ),
        case(
            "A layer that does not exist",
            CHECK,
            2,
            |p| p.config("attach = \"high\"", "attach = \"hihg\""),
            &["polytask.toml:32:10", "[encoder.trunk] has no such layer", "did you mean `high`?"],
        ),
        case(
            "Tags for a dataset of reviews",
            CHECK,
            2,
            |p| p.config("kind = \"classify\"", "kind = \"tag\""),
            &["polytask.toml:30:8", "`tag` does not fit the target `label`", "one label for a whole text"],
        ),
        case(
            "A metric that does not judge the task",
            CHECK,
            2,
            |p| p.config("attach = \"high\"", "attach = \"high\"\nmetric = \"rmse\""),
            &["polytask.toml:33:10", "`rmse` does not judge", "`f1-macro`"],
        ),
        case(
            "A metric that does not exist",
            CHECK,
            2,
            |p| p.config("attach = \"low\"", "attach = \"low\"\nmetric = \"span-f2\""),
            &["polytask.toml:39:10", "did you mean `span-f1`?"],
        ),
        case(
            "Weights of a class that does not exist",
            CHECK,
            2,
            |p| p.config("attach = \"high\"", "attach = \"high\"\nclass_weights = { godo = 2 }"),
            &["polytask.toml:33:26", "training has no class `godo`", "did you mean `good`?"],
        ),
        case(
            "No validation set",
            CHECK,
            2,
            |p| p.config("valid = \"names-valid.conll\"\n", ""),
            &["polytask.toml:12:7", "has no validation set", "split = { valid = 0.1 }"],
        ),
        case(
            "A balancer that does not exist",
            CHECK,
            2,
            |p| p.config("method = \"equal\"", "method = \"uncertanty\""),
            &["polytask.toml:41:10", "did you mean `uncertainty`?"],
        ),
        case(
            "An option that the balancer does not have",
            CHECK,
            2,
            |p| p.config("method = \"equal\"", "method = \"uncertainty\"\nlearning_rat = 0.1"),
            &["polytask.toml:42:1: unknown key", "`learning_rat`", "did you mean `learning_rate`?"],
        ),
        case(
            "An option of the balancer that is of the wrong type",
            CHECK,
            2,
            |p| p.config("method = \"equal\"", "method = \"uncertainty\"\nlearning_rate = \"big\""),
            &["polytask.toml:42:17", "must be a number, found the string"],
        ),
        case(
            "Weights for tasks that do not exist",
            CHECK,
            2,
            |p| p.config("method = \"equal\"", "method = \"fixed\"\nweights = { reviews = 1, name = 2 }"),
            &["polytask.toml:42:1: balance.weights: `weights` has none for `names`", "names `name`, not a task"],
        ),
        case(
            "An optimizer that does not exist",
            CHECK,
            2,
            |p| p.config("[train]", "[optimizer]\nmethod = \"adm\"\n\n[train]"),
            &["polytask.toml:44:10", "did you mean `adam`?", "`muon`"],
        ),
        case(
            "An option of another optimizer",
            CHECK,
            2,
            |p| p.config("[train]", "[optimizer]\nmethod = \"lion\"\nmomentum = 0.9\n\n[train]"),
            &["polytask.toml:45:1: unknown key `momentum`", "`momentum` belongs to `method = \"muon\"`", "`beta2`"],
        ),
        case(
            "An option of another optimizer than the default",
            CHECK,
            2,
            |p| p.config("[train]", "[optimizer]\nnesterov = true\n\n[train]"),
            &["polytask.toml:44:1: unknown key `nesterov`", "belongs to `method = "],
        ),
        case(
            "A schedule that does not exist",
            CHECK,
            2,
            |p| p.config("[train]", "[optimizer]\ndecay = \"plateu\"\n\n[train]"),
            &["polytask.toml:44:9", "did you mean `plateau`?"],
        ),
        case(
            "An option that the schedule does not have",
            CHECK,
            2,
            |p| p.config("[train]", "[optimizer]\ndecay = { kind = \"linear\", every = 3 }\n\n[train]"),
            &["polytask.toml:44:28: unknown key `every`", "belongs to `kind = \"step\"`"],
        ),
        case(
            "A mean of weights that forgets nothing",
            CHECK,
            2,
            |p| p.config("[train]", "[optimizer]\nema = 1.0\n\n[train]"),
            &["polytask.toml:44:7", "`optimizer.ema` must be between 0 and 0.999999"],
        ),
        case(
            "Factors for a layer and a task that do not exist",
            CHECK,
            2,
            |p| {
                let scale =
                    "[optimizer]\nscale = { layers = { \"trunk.lwo\" = 0.1 }, tasks = { name = 2 } }\n\n[train]";
                p.config("[train]", scale);
            },
            &["names `trunk.lwo`, which is no encoder or layer", "names `name`, which is no task", "2 errors in"],
        ),
        case(
            "No draw in a step",
            CHECK,
            2,
            |p| p.config("epochs = 1", "epochs = 1\naccumulate = 0"),
            &["polytask.toml:45:14", "`train.accumulate` must be between 1 and"],
        ),
        case(
            "A balancer that looks at one batch, and several draws",
            CHECK,
            2,
            |p| {
                p.config("method = \"equal\"", "method = \"famo\"");
                p.config("epochs = 1", "epochs = 1\nsampling = \"joint\"\naccumulate = 2");
            },
            &["polytask.toml:41:10", "before and after its own update", "leave out `accumulate`"],
        ),
        case(
            "A wrong width of word vectors",
            CHECK,
            2,
            |p| p.config("vectors = \"vectors.txt\"", "vectors = \"vectors.txt\"\ndim = 50"),
            &["polytask.toml:21:7", "50", "3 wide"],
        ),
        case(
            "A layer that needs tokens above one that pools them",
            CHECK,
            2,
            |p| {
                p.config(
                    "{ name = \"low\", kind = \"conv\", widths = [1], filters = 4 }",
                    "{ name = \"low\", kind = \"pool\" }",
                )
            },
            &["polytask.toml:25:5", "needs tokens"],
        ),
        case(
            "Heads that do not divide a transformer's width",
            CHECK,
            2,
            |p| {
                p.config(
                    "kind = \"conv\", widths = [1, 2], filters = 4",
                    "kind = \"transformer\", width = 8, heads = 3",
                )
            },
            &["polytask.toml:25:", "the 3 heads of layer `high`", "width 8", "6 or 9"],
        ),
        case(
            "A residual connection past a layer that has none",
            CHECK,
            2,
            |p| p.config("kind = \"conv\", widths = [1, 2], filters = 4", "kind = \"norm\", residual = true"),
            &["polytask.toml:25:", "unknown key `residual`", "belongs to `kind = \"conv\"`"],
        ),
        case(
            "A layer that reads one that stands after it",
            CHECK,
            2,
            |p| p.config("name = \"low\"", "name = \"low\", reads = \"high\""),
            &["layers[0] of [encoder.trunk] reads `high`", "the first layer reads the input"],
        ),
        case(
            "Dropout of whole tokens where there are none",
            CHECK,
            2,
            |p| p.config("kind = \"conv\", widths = [1, 2], filters = 4", "kind = \"pool\", word_dropout = 0.1"),
            &["polytask.toml:25:", "`word_dropout` of layer `high`", "needs tokens", "`dropout`"],
        ),
        case(
            "A pool that does not exist",
            CHECK,
            2,
            |p| p.config("attach = \"high\"", "attach = \"high\"\npool = \"atention\""),
            &["polytask.toml:33:8", "did you mean `attention`?"],
        ),
        case(
            "Several faults at once",
            CHECK,
            2,
            several,
            &["polytask.toml:3:8", "polytask.toml:37:10", "polytask.toml:44:1", "3 errors in"],
        ),
        case(
            "Faults of the config and of the data at once",
            CHECK,
            2,
            |p| {
                p.config("method = \"equal\"", "method = \"fixed\"\nweights = { reviews = 2 }");
                p.remove("names.conll");
            },
            &["`names`", "names.conll: no such file", "2 errors in polytask.toml"],
        ),
    ]
}

fn several(project: &Project) {
    project.config("seed = 7", "seed = -7");
    project.config("target = \"ner\"", "target = \"nre\"");
    project.config("epochs = 1", "epoch = 1");
}

/// The cases of the command line.
pub fn command() -> Vec<Case> {
    vec![
        case("A command that does not exist", "chekc polytask.toml", 2, |_| {}, &["unrecognized subcommand", "check"]),
        case("An option that does not exist", "train polytask.toml --resum", 2, |_| {}, &["--resum", "--resume"]),
        case("No config named", "check", 2, |_| {}, &["<FILE>"]),
        case(
            "`--set` of a key that does not exist",
            "check polytask.toml --set train.epoch=3",
            2,
            |_| {},
            &["`--set train.epoch=3`", "did you mean", "`epochs`?"],
        ),
        case(
            "`--set` of a value of the wrong type",
            "check polytask.toml --set train.epochs=many",
            2,
            |_| {},
            &["`--set train.epochs=many`", "must be an integer, found the string"],
        ),
        case(
            "`--set` of a layer that a list does not have",
            "check polytask.toml --set encoder.trunk.layers.7.filters=3",
            2,
            |_| {},
            &["`7` is not a position from 0 to 1"],
        ),
        case(
            "`--set` without a value",
            "check polytask.toml --set train.epochs",
            2,
            |_| {},
            &["not of the form `key=value`"],
        ),
        case(
            "A run directory that exists",
            "train polytask.toml --out run",
            2,
            |p| p.write("run/notes.txt", b"mine"),
            &["run exists already", "--out"],
        ),
        case(
            "A file where the run directory would be",
            "train polytask.toml --out vectors.txt",
            2,
            |_| {},
            &["vectors.txt exists already"],
        ),
        case("A demo that exists", "demo --out demo", 2, |p| p.folder("demo/run"), &["demo is not empty", "--out"]),
    ]
}
