//! How are numbers written so that they are read at a glance?

/// A count with thousands separated.
pub fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A score with four decimals.
pub fn score(value: f64) -> String {
    format!("{value:.4}")
}

/// A number of any size with four significant digits.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e6).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals = (3 - size.log10().floor() as i32).clamp(0, 7) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A share as a percentage with one decimal.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A duration in seconds, minutes or hours.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..=9 => format!("{:.1} s", seconds.max(0.0)),
        10..=59 => format!("{whole} s"),
        60..=3599 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!((count(0), count(999), count(1_234_567)), ("0".into(), "999".into(), "1,234,567".into()));
        let written = [0.0, 1.0, -0.05, 0.123456, 12345.678, 2.5e-7, 1e9, f64::NAN].map(short);
        assert_eq!(written, ["0", "1", "-0.05", "0.1235", "12346", "2.500e-7", "1.000e9", "NaN"]);
        let written = [-1.0, 5.44, 59.6, 65.0, 7260.0].map(duration);
        assert_eq!(written, ["0.0 s", "5.4 s", "1 min 00 s", "1 min 05 s", "2 h 01 min"]);
    }
}
