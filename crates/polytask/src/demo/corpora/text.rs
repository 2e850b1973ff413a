//! How do templates become sentences?

/// The words of a list written as one string.
pub(super) fn words(list: &'static str) -> Vec<&'static str> {
    list.split_whitespace().collect()
}

/// Replaces every `{slot}` of `template` with what `fill` gives for its name and for the text before it.
pub(super) fn expand(template: &str, mut fill: impl FnMut(&str, &str) -> String) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, (slot, after))) =
        rest.split_once('{').and_then(|(before, open)| Some((before, open.split_once('}')?)))
    {
        text.push_str(before);
        let filled = fill(slot, &text);
        text.push_str(&filled);
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The text with a capital first letter, and `an` for `a` where the next word starts with a vowel.
pub(super) fn polish(text: &str) -> String {
    let mut polished = String::with_capacity(text.len() + 4);
    let mut pieces = text.split_whitespace().peekable();
    while let Some(piece) = pieces.next() {
        if !polished.is_empty() {
            polished.push(' ');
        }
        polished.push_str(piece);
        if matches!(piece, "a" | "A") && pieces.peek().is_some_and(|next| sounds_like_vowel(next)) {
            polished.push('n');
        }
    }
    capitalize(&polished)
}

/// The text with a capital first letter.
pub(super) fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Whether `an` stands before the word.
pub(super) fn sounds_like_vowel(word: &str) -> bool {
    let consonant = ["use", "usa", "uni", "one", "eu"].iter().any(|start| word.starts_with(start));
    let spoken =
        word.starts_with("hon") || word.starts_with("hour") || word.starts_with("unim") || word.starts_with("unin");
    spoken || !consonant && word.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_in_order() {
        let text = expand("the {a} of {b-}!", |slot, before| format!("<{slot} after {}>", before.len()));
        assert_eq!(text, "the <a after 4> of <b- after 19>!");
        assert_eq!(expand("no slot { here", |_, _| String::new()), "no slot { here");
    }

    #[test]
    fn articles_and_capitals_follow_the_words() {
        assert_eq!(polish("a awful film, a  useful knife"), "An awful film, a useful knife");
        assert_eq!(polish("it is a honest, a unimpressive one"), "It is an honest, an unimpressive one");
        assert_eq!(polish("écran"), "Écran");
    }
}
