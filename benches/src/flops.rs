//! How much arithmetic does a training step do?
//!
//! A multiplication and its addition are two operations. A product `[n, i] x [i, o]` costs `2 n i o` on the way forward,
//! again for the gradient of its weights, and again for that of its input where the input has one. A convolution is such a
//! product over windows; under a maximum over positions, one window of each text and filter has a gradient, and a side
//! walks back through all of them ([`Backward::EveryWindow`], PyTorch) or through that one (polytask). Lookups,
//! activations, losses and the optimizer are left out: they are bound by memory. Characters are counted for every token.

use crate::sizes::Sizes;

/// Which windows of a convolution under a maximum a side walks back through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backward {
    /// All of them.
    EveryWindow,
    /// The one that is the largest, of each text and filter.
    WinningWindow,
}

/// Gradients of a product: of its weights alone, or of its input as well.
const WEIGHTS: f64 = 1.0;
const BOTH: f64 = 2.0;

/// Billions of floating-point operations of one step; `None` where a workload is no step.
///
/// # Errors
///
/// Where a size is no number.
pub fn gflop(workload: &str, sizes: &Sizes, backward: Backward) -> Result<Option<f64>, String> {
    let size = |key: &str, default: usize| sizes.number(key, default).map(|number| number as f64);
    let forward = |rows: f64, inputs: f64, outputs: f64| 2e-9 * rows * inputs * outputs;
    let product = |rows: f64, inputs: f64, outputs: f64| (1.0 + BOTH) * forward(rows, inputs, outputs);
    // `positions` windows for each of `texts`.
    let convolution = |texts: f64, positions: f64, width: f64, filters: f64, gradients: f64| {
        let walked = if backward == Backward::WinningWindow { 1.0 } else { positions };
        forward(texts * positions, width, filters) + gradients * forward(texts * walked, width, filters)
    };
    let dim = 100.0;
    Ok(Some(match workload {
        "w1" => {
            let (batch, length, filters) = (size("batch", 64)?, size("length", 256)?, size("filters", 100)?);
            let widths = widths(sizes.word("widths", "3/4/5"))?;
            let windows: f64 = widths.iter().map(|width| convolution(batch, length, width * dim, filters, BOTH)).sum();
            let joined = filters * widths.len() as f64;
            windows + product(batch, joined, 128.0) + product(batch, 128.0, 2.0 + 5.0)
        }
        "w2" | "w2-crf" => {
            let (tokens, hidden) = (size("batch", 32)? * size("length", 64)?, size("hidden", 200)?);
            let (inputs, extra) = match workload {
                "w2" => (dim, 0.0),
                // Words of five letters: width 3 x 30 to 50 filters; and 9 x 9 transitions a token.
                _ => (dim + 50.0, convolution(tokens, 5.0, 3.0 * 30.0, 50.0, BOTH) + product(tokens, 9.0, 9.0)),
            };
            2.0 * product(tokens, inputs + hidden, 4.0 * hidden) + product(tokens, 2.0 * hidden, 9.0) + extra
        }
        "w5" => {
            let (batch, hidden) = (size("batch", 64)?, size("hidden", 256)?);
            let first = (1.0 + WEIGHTS) * forward(batch, 128.0, hidden);
            first + product(batch, hidden, hidden) + product(batch, hidden, 10.0)
        }
        "tasks" => {
            let (batch, length) = (size("batch", 16)?, size("length", 128)?);
            let gradients = if sizes.word("embedding", "trained") == "frozen" { WEIGHTS } else { BOTH };
            let windows = convolution(batch, length, (3.0 + 4.0 + 5.0) * dim, 100.0, gradients);
            size("tasks", 16)? * (windows + product(batch, 300.0, 128.0) + product(batch, 128.0, 2.0))
        }
        _ => return Ok(None),
    }))
}

fn widths(text: &str) -> Result<Vec<f64>, String> {
    text.split('/').map(|width| width.parse().map_err(|_| format!("widths={text} is no list like 3/4/5"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(workload: &str, words: &[&str]) -> f64 {
        gflop(workload, &Sizes::parse(words).unwrap(), Backward::EveryWindow).unwrap().unwrap()
    }

    #[test]
    fn counts_are_those_made_by_hand() {
        // One window of width 1: 100 products and sums, three times; dense 1 x 128; two heads of 7 classes.
        let by_hand = 3.0 * 2.0 * (100.0 + 128.0 + 128.0 * 7.0) * 1e-9;
        assert!((of("w1", &["batch=1", "length=1", "filters=1", "widths=1"]) - by_hand).abs() < 1e-15);
        // One token, one unit: two directions of four gates over 100 + 1 inputs; 2 x 9 outputs.
        assert!((of("w2", &["batch=1", "length=1", "hidden=1"]) - 3.0 * 2.0 * (808.0 + 18.0) * 1e-9).abs() < 1e-15);
        assert!((of("w5", &["batch=1", "hidden=1"]) - (2.0 * 256.0 + 3.0 * 22.0) * 1e-9).abs() < 1e-15);
        assert!((of("tasks", &["tasks=4"]) * 4.0 - of("tasks", &[])).abs() < 1e-12);
        assert!(of("tasks", &["embedding=frozen"]) < of("tasks", &[]));
    }

    #[test]
    fn an_epoch_is_no_step() {
        assert_eq!(gflop("epoch", &Sizes::parse::<&str>(&[]).unwrap(), Backward::EveryWindow), Ok(None));
        assert!(gflop("w1", &Sizes::parse(&["widths=3,4"]).unwrap(), Backward::EveryWindow).is_err());
    }

    #[test]
    fn winning_windows_cost_one_position_on_the_way_back() {
        let sizes = Sizes::parse(&["tasks=1", "batch=1", "length=128"]).unwrap();
        let winning = gflop("tasks", &sizes, Backward::WinningWindow).unwrap().unwrap();
        let head = 3.0 * 2e-9 * (300.0 * 128.0 + 128.0 * 2.0);
        assert!((winning - head - 2e-9 * 120_000.0 * (128.0 + 2.0)).abs() < 1e-12);
    }
}
