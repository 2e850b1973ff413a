//! How is a value written in a config?

/// A string in quotes.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

/// A list of strings; on lines of their own where they are long.
pub fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    let line = format!("[{}]", quoted.join(", "));
    if line.len() <= 100 { line } else { format!("[\n    {},\n]", quoted.join(",\n    ")) }
}

/// Text as comments, cut into lines.
pub fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        if lines.last().is_some_and(|line| line.len() + word.len() > 110) {
            lines.push(String::from("#"));
        }
        let line = lines.last_mut().expect("there is a line");
        line.push(' ');
        line.push_str(word);
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_parse_back() {
        let hostile = "tab\t, quote \", \\ , \u{7f}, \u{1}, ü, line\nend".to_string();
        let texts = vec![hostile, "a".repeat(120)];
        let parsed: ::toml::Table = format!("one = {}\nmany = {}", quoted(&texts[0]), list(&texts)).parse().unwrap();
        assert_eq!(parsed["one"].as_str(), Some(texts[0].as_str()));
        assert_eq!(parsed["many"].as_array().unwrap().len(), 2);
        let text = comment(&"word\n".repeat(60));
        assert!(text.lines().all(|line| line.starts_with("# word") && line.len() <= 116), "{text}");
    }
}
