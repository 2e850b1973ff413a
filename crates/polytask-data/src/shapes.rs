//! What does a word look like? Its case and its digits, which tell names, abbreviations and numbers apart even where the
//! word itself is unknown.
//!
//! Collobert, Weston, Bottou, Karlen, Kavukcuoglu and Kuksa, "Natural language processing (almost) from scratch", JMLR
//! 2011, give a word's capitalisation an embedding of its own; Huang, Xu and Yu, "Bidirectional LSTM-CRF models for
//! sequence tagging", 2015, add digits and punctuation to the features.

/// The shape of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Neither a letter nor a digit: `,`, `...`, `€`; and the word without characters.
    Punctuation,
    /// Letters that have case, all lower: `word`, `n't`, `well-known`.
    Lower,
    /// Two or more letters that have case, all upper: `NATO`, `U.S.`.
    Upper,
    /// The first letter upper, those that follow lower, if any: `London`, `I`, `'S`.
    Initial,
    /// Any other mixture of upper and lower letters: `McDonald`, `iPhone`, `O'Brien`.
    Mixed,
    /// Letters without case alone: `東京`.
    Caseless,
    /// Letters and digits: `B52`, `4th`.
    Alphanumeric,
    /// Digits alone: `1996`.
    Digits,
    /// Digits with other signs, but no letter: `1,000.50`, `-3`, `1996-08-22`.
    Number,
}

impl Shape {
    /// Number of shapes.
    pub const COUNT: usize = 9;

    /// The shape of a word.
    pub fn of(word: &str) -> Shape {
        let (mut letters, mut digits, mut others) = (0, 0, 0);
        let (mut upper, mut lower, mut begins_upper) = (0, 0, false);
        for character in word.chars() {
            if character.is_alphabetic() {
                letters += 1;
                begins_upper |= upper + lower == 0 && character.is_uppercase();
                upper += usize::from(character.is_uppercase());
                lower += usize::from(character.is_lowercase());
            } else if character.is_numeric() {
                digits += 1;
            } else {
                others += 1;
            }
        }
        match (letters, digits) {
            (0, 0) => Shape::Punctuation,
            (0, _) if others == 0 => Shape::Digits,
            (0, _) => Shape::Number,
            (_, 1..) => Shape::Alphanumeric,
            _ if upper + lower == 0 => Shape::Caseless,
            _ if upper == 0 => Shape::Lower,
            _ if begins_upper && upper == 1 => Shape::Initial,
            _ if lower == 0 => Shape::Upper,
            _ => Shape::Mixed,
        }
    }

    /// Its number, below [`Self::COUNT`]: the row of a table of shapes. Numbers never change.
    pub fn id(self) -> u32 {
        self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_shapes_that_are_documented() {
        let table: [(Shape, &[&str]); Shape::COUNT] = [
            (Shape::Punctuation, &[",", "...", "€", "", " ", "😀"]),
            (Shape::Lower, &["word", "n't", "well-known", "é", "日a"]),
            (Shape::Upper, &["NATO", "U.S.", "ÉCOLE", "A-B"]),
            (Shape::Initial, &["London", "I", "'S", "Éa", "A."]),
            (Shape::Mixed, &["McDonald", "iPhone", "O'Brien", "mY", "aB"]),
            (Shape::Caseless, &["東京", "עברית"]),
            (Shape::Alphanumeric, &["B52", "4th", "x-1", "第3"]),
            (Shape::Digits, &["1996", "0", "٣"]),
            (Shape::Number, &["1,000.50", "-3", "1996-08-22", "50%"]),
        ];
        for (at, (shape, words)) in table.into_iter().enumerate() {
            assert_eq!(shape.id() as usize, at);
            words.iter().for_each(|word| assert_eq!(Shape::of(word), shape, "{word}"));
        }
    }
}
