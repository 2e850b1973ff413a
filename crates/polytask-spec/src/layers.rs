//! Do the layers of an encoder fit together?
//!
//! Sees well-formed layers only, as [`check`](crate::check) does.

use crate::Spec;
use crate::network::{Encoder, Layer, LayerKind};
use crate::node::Node;
use crate::references::fault_at;
use crate::validate::Fault;

/// Faults of encoders.
pub(crate) fn check(spec: &Spec, root: &Node) -> Vec<Fault> {
    let mut look = Look { root, faults: Vec::new() };
    for (name, encoder) in &spec.encoder {
        look.encoder(name, encoder);
    }
    look.faults
}

struct Look<'a> {
    root: &'a Node,
    faults: Vec<Fault>,
}

impl Look<'_> {
    fn fault(&mut self, path: &[&str], message: String, help: String) {
        self.faults.push(fault_at(self.root, path, message, Some(help)));
    }

    fn encoder(&mut self, name: &str, encoder: &Encoder) {
        // What has pooled the tokens of each layer's output.
        let mut pooled: Vec<Option<String>> = Vec::new();
        for (index, layer) in encoder.layers.iter().enumerate() {
            let mut pooled_by = encoder.below(index).and_then(|below| pooled[below].clone());
            let position = index.to_string();
            let path = ["encoder", name, "layers", &position];
            let own = layer.name_at(index);
            match (&layer.kind, &pooled_by) {
                (LayerKind::Pool(_), None) => pooled_by = Some(own.clone()),
                (LayerKind::Dense(_) | LayerKind::Norm(_), _) | (_, None) => {}
                (kind, Some(pool)) => {
                    let message = format!(
                        "the {} layer `{own}` of [encoder.{name}] needs tokens, but `{pool}` below it has pooled them",
                        kind.name()
                    );
                    self.fault(&path, message, format!("only dense and norm layers may follow `{pool}`"));
                }
            }
            if let Some(pool) = &pooled_by {
                self.dropouts(path, &own, layer, pool);
            }
            self.heads(path, &own, layer);
            pooled.push(pooled_by);
        }
    }

    /// Masks that all tokens of a text share, or that drop whole tokens, need tokens.
    fn dropouts(&mut self, path: [&str; 4], own: &str, layer: &Layer, pool: &str) {
        for (key, rate) in [("locked_dropout", layer.locked_dropout), ("word_dropout", layer.word_dropout)] {
            if rate > 0.0 {
                let message = format!(
                    "`{key}` of layer `{own}` of [encoder.{}] needs tokens, but `{pool}` has pooled them",
                    path[1]
                );
                let [a, b, c, d] = path;
                self.fault(&[a, b, c, d, key], message, "give a vector `dropout`".into());
            }
        }
    }

    fn heads(&mut self, path: [&str; 4], own: &str, layer: &Layer) {
        let LayerKind::Transformer(transformer) = &layer.kind else { return };
        let (heads, width) = (transformer.heads, transformer.width);
        if width % heads != 0 {
            let message =
                format!("the {heads} heads of layer `{own}` of [encoder.{}] do not divide its width {width}", path[1]);
            let [a, b, c, d] = path;
            let help = match width / heads {
                0 => format!("give `width` a multiple of `heads`, at least {heads}"),
                each => format!("give `width` a multiple of `heads`: {} or {}", each * heads, (each + 1) * heads),
            };
            self.fault(&[a, b, c, d, "heads"], message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{THREE_TASKS, messages, spec};

    const LOW: &str = "kind = \"bilstm\", hidden = 200, dropout = 0.5";
    const HIGH: &str = "kind = \"conv\", widths = [3, 4, 5], filters = 100";

    /// One replacement in the example, the only message, and the line it names.
    #[track_caller]
    fn check(from: &str, to: &str, fragments: &[&str]) {
        assert!(THREE_TASKS.contains(from), "{from}");
        let found = messages(&THREE_TASKS.replacen(from, to, 1));
        assert_eq!(found.len(), 1, "{to}: {found:#?}");
        assert!(found[0].starts_with("polytask.toml:29:"), "{to}: {found:#?}");
        for fragment in fragments {
            assert!(found[0].contains(fragment), "{to}: {fragment:?} is not in {found:#?}");
        }
    }

    #[test]
    fn branches_follow_what_they_read() {
        // A pool on one branch takes no tokens from the other.
        spec(&THREE_TASKS.replace(HIGH, "kind = \"pool\" }, { name = \"other\", kind = \"conv\", reads = \"low\""));
        check(
            HIGH,
            "kind = \"pool\" }, { kind = \"conv\", reads = \"high\"",
            &["the conv layer `conv3`", "`high` below it has pooled"],
        );
        let found = messages(&THREE_TASKS.replacen(LOW, &format!("{LOW}, reads = \"low\""), 1));
        assert!(found.len() == 1 && found[0].contains("layers[0] of [encoder.trunk] reads `low`"), "{found:?}");
        assert!(found[0].contains("the first layer reads the input"), "{found:?}");
        check(HIGH, &format!("{HIGH}, reads = \"lo\""), &["no layer before it is called so", "did you mean `low`?"]);
    }

    #[test]
    fn layers_follow_each_other() {
        check(HIGH, "kind = \"pool\" }, { kind = \"bilstm\"", &["`bilstm3`", "`high` below it has pooled"]);
        check(
            HIGH,
            "kind = \"pool\" }, { kind = \"pool\"",
            &["`pool3`", "only dense and norm layers may follow `high`"],
        );
        check(LOW, &format!("{LOW} }}, {{ kind = \"pool\""), &["the conv layer `high`", "`pool2`"]);
        for kind in ["lstm", "gru", "transformer"] {
            check(HIGH, &format!("kind = \"pool\" }}, {{ kind = \"{kind}\""), &[&format!("`{kind}3`"), "needs tokens"]);
        }
        spec(&THREE_TASKS.replace(HIGH, "kind = \"pool\" }, { kind = \"dense\" }, { kind = \"norm\""));
        spec(
            &THREE_TASKS
                .replace(HIGH, "kind = \"gru\" }, { kind = \"transformer\" }, { kind = \"norm\" }, { kind = \"pool\""),
        );
    }

    #[test]
    fn dropout_of_tokens_needs_tokens() {
        for key in ["locked_dropout", "word_dropout"] {
            let dropped = format!("{key} = 0.25");
            check(HIGH, &format!("kind = \"pool\", {dropped}"), &[&format!("`{key}` of layer `high`"), "`dropout`"]);
            check(
                HIGH,
                &format!("kind = \"pool\" }}, {{ kind = \"dense\", {dropped}"),
                &["layer `dense3`", "`high` has pooled"],
            );
            let parsed = spec(&THREE_TASKS.replace(HIGH, &format!("{HIGH}, {dropped}")));
            let high = &parsed.encoder["trunk"].layers[1];
            assert_eq!(high.locked_dropout + high.word_dropout, 0.25);
        }
    }

    #[test]
    fn heads_divide_the_width() {
        let transformer = |options: &str| format!("kind = \"transformer\", {options}");
        check(HIGH, &transformer("heads = 3"), &["3 heads of layer `high`", "width 128", "126 or 129"]);
        check(HIGH, &transformer("width = 4, heads = 6"), &["6 heads", "width 4", "at least 6"]);
        spec(&THREE_TASKS.replace(HIGH, &transformer("width = 12, heads = 3")));
    }

    #[test]
    fn only_some_layers_have_a_residual_connection() {
        check(HIGH, "kind = \"norm\", residual = true", &["unknown key `residual`", "belongs to `kind = \"conv\"`"]);
        for kind in ["conv", "bilstm", "lstm", "gru", "dense"] {
            let parsed = spec(&THREE_TASKS.replace(HIGH, &format!("kind = \"{kind}\", residual = true")));
            assert!(
                parsed.encoder["trunk"].layers[1].kind.residual() && !parsed.encoder["trunk"].layers[0].kind.residual()
            );
        }
    }
}
