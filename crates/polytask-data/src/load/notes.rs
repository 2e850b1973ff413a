//! What should a user know about a dataset that is in memory?

use polytask_spec::network::Truncate;

use super::Request;
use crate::table::Examples;

/// How many texts of each set were cut, where any was.
pub(super) fn cut(
    request: &Request<'_>,
    train: &Examples,
    valid: &Examples,
    test: Option<&Examples>,
) -> Option<String> {
    let held_out = [("valid", Some(valid)), ("test", test)];
    let held_out = held_out.map(|(name, set)| set.filter(|set| !set.is_empty()).map(|set| (name, set)));
    let total = train.truncated + held_out.iter().flatten().map(|(_, set)| set.truncated).sum::<usize>();
    if total == 0 {
        return None;
    }
    let share = |set: &Examples| format!("{} of {}", count(set.truncated), count(set.len()));
    let others: Vec<String> = held_out.iter().flatten().map(|(name, set)| format!("{} {name}", share(set))).collect();
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    let rule = match request.text.truncate {
        Truncate::Head => "head",
        Truncate::Tail => "tail",
        Truncate::HeadTail => "head-tail",
    };
    let (name, train, most) = (request.name, share(train), count(request.text.max_tokens));
    Some(format!("data.{name}: {train} training texts{others} are longer than {most} words and were cut ({rule})"))
}

/// A number with a comma before each group of three digits.
fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 12, 123, 1_234, 12_345, 123_456, 1_234_567].map(count);
        assert_eq!(texts, ["0", "12", "123", "1,234", "12,345", "123,456", "1,234,567"]);
    }
}
