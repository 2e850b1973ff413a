//! Which labels does an example have, where each label is a column of its own?

use crate::error::{Malformed, Result, excerpt};
use crate::record::{Place, Value};

/// The names of the columns that hold 1; `None` where no column has a value.
///
/// # Errors
/// A value that is neither 0 nor 1, and an example of which some values are known and some are not: its loss would not
/// be that of a set.
pub(super) fn labels<'n, 'v>(
    names: &'n [String],
    values: impl Iterator<Item = &'v Value>,
    place: &Place,
) -> Result<Option<Vec<&'n str>>> {
    let (mut labels, mut known, mut absent) = (Vec::new(), false, None);
    for (name, value) in names.iter().zip(values) {
        match truth(value) {
            Truth::Known(truth) => {
                known = true;
                labels.extend(truth.then_some(name.as_str()));
            }
            Truth::Missing => absent = absent.or(Some(name)),
            Truth::Neither(found) => return Err(malformed(name, excerpt(&found), place)),
        }
    }
    match absent {
        Some(name) if known => Err(malformed(name, "none, beside other labels that have one".into(), place)),
        Some(_) => Ok(None),
        None => Ok(Some(labels)),
    }
}

enum Truth {
    Known(bool),
    Missing,
    Neither(String),
}

/// What a value says of a label: 0 and 1, also as decimals (`1.0`), and `true` and `false` in any case.
fn truth(value: &Value) -> Truth {
    let (number, text) = match value {
        Value::Missing => return Truth::Missing,
        Value::Number(number) => (Some(*number), number.to_string()),
        Value::Label(label) => (label.parse::<f64>().ok(), label.clone()),
        other => return Truth::Neither(format!("{other:?}")),
    };
    match number {
        Some(0.0) => Truth::Known(false),
        Some(1.0) => Truth::Known(true),
        _ if text.eq_ignore_ascii_case("false") => Truth::Known(false),
        _ if text.eq_ignore_ascii_case("true") => Truth::Known(true),
        _ => Truth::Neither(text),
    }
}

fn malformed(column: &str, found: String, place: &Place) -> crate::Error {
    let accepted = format!("0, 1, true or false as {column}");
    let help = "say it of every label, or of none where an example is not to count".to_string();
    let (file, line) = (place.file.to_string(), u64::from(place.line));
    Malformed { file, line, column: None, accepted, found, help }.into()
}
