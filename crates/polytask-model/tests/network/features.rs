//! Do characters by LSTM and the shapes of words belong to the network as everything else does?

use crate::fixture::{DIM, Fixture, LSTM_AND_SHAPE};

#[test]
fn gradients_are_slopes_of_the_loss_with_other_features_of_words() {
    crate::check_gradients(Fixture::with_input(crate::DEEP, "0.0", LSTM_AND_SHAPE));
    crate::check_gradients(Fixture::with_input(crate::WIDE, "0.3", LSTM_AND_SHAPE));
}

#[test]
fn other_features_of_words_have_names_of_their_own() {
    let fixture = Fixture::with_input(crate::WIDE, "0.0", LSTM_AND_SHAPE);
    let names = fixture.model.parameters.dense().iter().map(|parameter| parameter.name.as_str());
    let expected = [
        "input.words.characters.vectors",
        "input.words.characters.forward.weight_ih",
        "input.words.characters.forward.weight_hh",
        "input.words.characters.forward.bias",
        "input.words.characters.backward.weight_ih",
        "input.words.characters.backward.weight_hh",
        "input.words.characters.backward.bias",
        "input.words.shape",
    ];
    assert_eq!(names.take(8).collect::<Vec<_>>(), expected);
    let width1 = &fixture.model.parameters.dense()[fixture.dense("encoder.left.wide.width1.weight")];
    assert_eq!(width1.shape, [DIM + 4 + 2, 4]);
}
