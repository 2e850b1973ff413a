//! Where do the ticks of an axis stand, and how are they written?

use crate::numbers::short;

/// A range of values with its ticks.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The least value shown.
    pub low: f64,
    /// The greatest value shown; above `low`.
    pub high: f64,
    /// Values of the ticks, within the range, ascending.
    pub ticks: Vec<f64>,
    step: f64,
}

/// Where a range ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// At the values, for time.
    Values,
    /// At the ticks around them, for what is measured.
    Ticks,
}

impl Axis {
    /// An axis over finite values with about `count` ticks; `None` of no values.
    pub fn over(values: impl Iterator<Item = f64>, count: usize, ends: Ends) -> Option<Axis> {
        let values = values.filter(|value| value.is_finite());
        let (mut low, mut high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return None;
        }
        // A range that rounding alone makes up is none.
        let size = low.abs().max(high.abs());
        if high - low <= size * 1e-9 {
            let room = if size == 0.0 { 1.0 } else { size * 0.1 };
            (low, high) = (low - room, high + room);
        }
        let mut step = step((high - low) / count.max(1) as f64);
        if ends == Ends::Values {
            step = step.max(1.0);
        }
        let (mut first, mut last) = ((low / step).ceil(), (high / step).floor());
        if ends == Ends::Ticks {
            (first, last) = ((low / step + 1e-6).floor(), (high / step - 1e-6).ceil());
            (low, high) = (first * step, last * step);
        }
        let ticks = (0..=(last - first).max(0.0) as usize).map(|index| (first + index as f64) * step);
        Some(Axis { low, high, ticks: ticks.collect(), step })
    }

    /// Where a value stands, 0 at the low end and 1 at the high one.
    pub fn place(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// A tick as it is written: with as many decimals as tell it from its neighbours.
    pub fn written(&self, tick: f64) -> String {
        let decimals = -self.step.log10().floor();
        match tick {
            _ if tick.abs() < self.step / 2.0 => "0".to_owned(),
            _ if tick.abs() >= 1e5 || decimals > 5.0 => short(tick),
            _ => format!("{tick:.*}", decimals.max(0.0) as usize),
        }
    }
}

/// The nearest of 1, 2 and 5 times a power of ten that is not below `rough`, which is positive.
fn step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    steps.into_iter().find(|&step| step >= rough * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(values: &[f64], count: usize, ends: Ends) -> Vec<String> {
        let axis = Axis::over(values.iter().copied(), count, ends).unwrap();
        assert!(axis.low < axis.high && axis.ticks.len() <= count + 3, "{axis:?}");
        assert!(axis.ticks.iter().all(|&tick| (-1e-9..=1.0 + 1e-9).contains(&axis.place(tick))), "{axis:?}");
        axis.ticks.iter().map(|&tick| axis.written(tick)).collect()
    }

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        assert_eq!(written(&[0.61, 0.92], 3, Ends::Ticks), ["0.6", "0.8", "1.0"]);
        assert_eq!(written(&[0.0, 1.0], 2, Ends::Ticks), ["0", "0.5", "1.0"]);
        assert_eq!(written(&[-0.03, 0.04], 3, Ends::Ticks), ["-0.05", "0", "0.05"]);
        assert_eq!(written(&[1.0, 12.0], 5, Ends::Values), ["5", "10"]);
        assert_eq!(written(&[1.0, 2.0], 5, Ends::Values), ["1", "2"]);
        assert_eq!(written(&[2e-9, 8e-9], 2, Ends::Ticks), ["0", "5.000e-9", "1.000e-8"]);
        assert_eq!(written(&[0.0, 2e7], 2, Ends::Ticks), ["0", "1.000e7", "2.000e7"]);
    }

    #[test]
    fn one_value_has_room_around_it_and_no_value_no_axis() {
        let axis = Axis::over([1.0].into_iter(), 3, Ends::Ticks).unwrap();
        assert!(axis.low < 1.0 && axis.high > 1.0);
        assert!(Axis::over([0.0, 0.0].into_iter(), 3, Ends::Ticks).unwrap().ticks.len() >= 2);
        assert!(Axis::over([f64::MAX, f64::MIN].into_iter(), 3, Ends::Values).is_none_or(|axis| axis.ticks.len() < 99));
        assert_eq!(Axis::over([f64::NAN].into_iter(), 3, Ends::Values), None);
    }
}
