//! How is laid out what was measured of how related tasks are: affinities, and the likeness of networks?

use polytask::report::{Drawing, SheetSection, Square};
use polytask::study::Answer;

use super::study_sheet::{networks, section, table, told_pairs};

/// Affinities, the groups that they make, and CKA, as far as these were measured.
pub fn sections(answer: &Answer) -> Vec<SheetSection> {
    [affinities(answer), groups(answer), similarities(answer)].into_iter().flatten().collect()
}

/// Affinities of each task (rows) onto each other one (columns) in percent of its loss.
fn affinities(answer: &Answer) -> Option<SheetSection> {
    let found = &answer.relatedness.affinities;
    let names: Vec<String> = answer.tasks.keys().cloned().collect();
    let value = |of: &String, on: &String| {
        let known = found.iter().find(|pair| pair.of == *of && pair.on == *on);
        known.map(|pair| 100.0 * pair.affinity)
    };
    let figures: Vec<String> = names.iter().map(|name| format!("on {name}")).collect();
    let mut table = table(&["a step for".to_owned()], &figures);
    for of in &names {
        let cells = names.iter().map(|on| value(of, on).map_or_else(String::new, |share| format!("{share:+.2}")));
        table.rows.push(std::iter::once(of.clone()).chain(cells).collect());
    }
    let drawing = Drawing::Square(Square {
        what: "look-ahead affinity of each task onto each other one, % of its loss".into(),
        link: "on".into(),
        signs: ["lowers the loss", "raises it"].map(String::from),
        values: names.iter().map(|of| names.iter().map(|on| value(of, on)).collect()).collect(),
        names,
    });
    let note = "Look-ahead affinity: % of a task's loss that a step along another one's gradient alone takes away, the mean over looks in the joint runs.";
    (!found.is_empty())
        .then(|| SheetSection { drawing, ..section("what a step for one task does for another", note, table) })
}

fn groups(answer: &Answer) -> Option<SheetSection> {
    let mut table = table(&["networks", "tasks"], &["mean affinity"]);
    for grouping in &answer.relatedness.affinity_groupings {
        let networks = networks(&grouping.trains, &grouping.answers);
        table.rows.push(vec![
            grouping.trains.len().to_string(),
            networks,
            format!("{:+.2} %", 100.0 * grouping.affinity),
        ]);
    }
    let note = "The best division by look-ahead affinity; the groups were not trained. A task alone counts 0.";
    (!table.rows.is_empty()).then(|| section("groups by affinity, by number of networks at most", note, table))
}

/// How alike the networks of tasks alone represent the same texts.
fn similarities(answer: &Answer) -> Option<SheetSection> {
    let found = &answer.relatedness.similarities;
    let names: Vec<String> = answer.tasks.keys().cloned().collect();
    let mut square = vec![vec![None; names.len()]; names.len()];
    let mut table = table(&["task", "and"], &["CKA", "texts"]);
    let mut rows = Vec::new();
    for pair in found {
        let [a, b] = &pair.between;
        rows.push((pair.cka, vec![a.clone(), b.clone(), format!("{:.4}", pair.cka), pair.texts.to_string()]));
        let place = |task: &String| names.iter().position(|name| name == task);
        if let Some((a, b)) = place(a).zip(place(b)) {
            (square[a][b], square[b][a]) = (Some(pair.cka), Some(pair.cka));
        }
    }
    let drawing = Drawing::Square(Square {
        what: "linear CKA between the networks of each pair of tasks alone".into(),
        link: "and".into(),
        signs: ["alike", "unlike"].map(String::from),
        names,
        values: square,
    });
    let mut note =
        "Linear CKA, from 0 to 1, of what the networks of two tasks alone make of the same validation texts."
            .to_owned();
    (table.rows, note) = told_pairs(rows, note);
    (!found.is_empty())
        .then(|| SheetSection { drawing, ..section("likeness of the networks of tasks alone", note, table) })
}
