//! Which examples does a dataset hold out, and how many does it keep?

use polytask_spec::data::Paths;

use super::builder::Sets;
use super::{Request, unfit};
use crate::error::{Error, Result};
use crate::split::{self, Shares};
use crate::table::Examples;

/// Which sets were drawn from the training examples, and not read from files of their own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draws {
    pub(super) valid: bool,
    pub(super) test: bool,
}

/// Draws the validation and test sets that no file gives; `own_test` tells of a test part in the format's own files.
pub(super) fn hold_out(request: &Request<'_>, own_test: bool, sets: &mut Sets) -> Draws {
    let files = request.data.files();
    let has_test = own_test || files.test.is_some();
    let share = |share: f64, given: bool| if given { 0.0 } else { share };
    let shares =
        Shares { valid: share(files.split.valid, files.valid.is_some()), test: share(files.split.test, has_test) };
    if has_test && files.split.test > 0.0 {
        let name = request.name;
        sets.notes.push(format!("data.{name}: the test share is not drawn, because the files have a test part"));
    }
    let drawn = split::draw(seed(request), &sets.train.hashes, &sets.strata, shares);
    if shares.valid > 0.0 {
        sets.valid = sets.train.select(&drawn.valid);
    }
    if shares.test > 0.0 {
        sets.test = Some(sets.train.select(&drawn.test));
    }
    // Behind the draw, so that the test set does not depend on the validation set.
    let last = if files.valid.is_some() { 0 } else { files.split.valid_last };
    let (kept, last) = drawn.train.split_at(drawn.train.len().saturating_sub(last));
    if !last.is_empty() {
        sets.valid = sets.train.select(last);
    }
    if kept.len() < sets.train.len() {
        keep(kept, &mut sets.train, &mut sets.strata);
    }
    Draws { valid: shares.valid > 0.0 || !last.is_empty(), test: shares.test > 0.0 }
}

/// Keeps as many training examples as the file asks for.
pub(super) fn limit(request: &Request<'_>, train: &mut Examples, strata: &mut Vec<u32>) {
    if let Some(count) = request.data.files().limit.filter(|&count| count < train.len()) {
        let chosen = split::limit(seed(request), &train.hashes, strata, count);
        keep(&chosen, train, strata);
    }
}

/// Checks that the validation and test sets that the file asks for have examples.
///
/// # Errors
/// One of them has none.
pub(super) fn check_held_out(request: &Request<'_>, valid: &Examples, test: Option<&Examples>) -> Result<()> {
    let files = request.data.files();
    let given = |paths: &Option<Paths>, share: f64| paths.is_some() || share > 0.0;
    if (given(&files.valid, files.split.valid) || files.split.valid_last > 0) && valid.is_empty() {
        return Err(empty(request, "validation"));
    }
    if given(&files.test, files.split.test) && test.is_none_or(Examples::is_empty) {
        return Err(empty(request, "test"));
    }
    Ok(())
}

/// The error of a set that has no example.
pub(super) fn empty(request: &Request<'_>, set: &str) -> Error {
    let help = "examples without a word are left out, and equal texts are not divided; give more examples, or a larger \
                share";
    unfit(request, &format!("there is no {set} example with a word"), help)
}

fn keep(chosen: &[usize], train: &mut Examples, strata: &mut Vec<u32>) {
    *train = train.select(chosen);
    *strata = chosen.iter().map(|&index| strata[index]).collect();
}

fn seed(request: &Request<'_>) -> u64 {
    request.data.files().split.seed.unwrap_or(request.seed)
}
