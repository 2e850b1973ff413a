//! What would a pair have gained that was not trained? A guess from those that were.
//!
//! ```text
//! gain(task, partner) = m + a_task + b_partner
//! ```
//!
//! `a` tells how much a task gains by anybody, `b` how much a partner gives to anybody; what two tasks are to each other in
//! particular is not in it, which is why a guess is marked as one. Fitted by least squares with a penalty of one observation on
//! each effect, so that a task of which little was run is taken for an ordinary one.

/// Rounds of the fit, each exact in one group of effects; they converge geometrically.
const ROUNDS: usize = 500;

/// The matrix `[task][partner]` with every gap filled; the diagonal is left as it is. `None` where no pair is known.
pub fn fill(gains: &[Vec<Option<f64>>]) -> Option<Vec<Vec<f64>>> {
    let tasks = gains.len();
    let known: Vec<(usize, usize, f64)> = (0..tasks)
        .flat_map(|task| (0..tasks).map(move |partner| (task, partner)))
        .filter(|(task, partner)| task != partner)
        .filter_map(|(task, partner)| Some((task, partner, gains[task][partner]?)))
        .collect();
    if known.is_empty() {
        return None;
    }
    let (mut mean, mut of_task, mut of_partner) = (0.0, vec![0.0; tasks], vec![0.0; tasks]);
    for _ in 0..ROUNDS {
        let rest = known.iter().map(|&(task, partner, gain)| gain - of_task[task] - of_partner[partner]);
        mean = rest.sum::<f64>() / known.len() as f64;
        for (row, effect) in of_task.iter_mut().enumerate() {
            let rest = known
                .iter()
                .filter(|(task, ..)| *task == row)
                .map(|&(_, partner, gain)| gain - mean - of_partner[partner]);
            *effect = shrunk_mean(rest);
        }
        for (column, effect) in of_partner.iter_mut().enumerate() {
            let rest = known
                .iter()
                .filter(|(_, partner, _)| *partner == column)
                .map(|&(task, _, gain)| gain - mean - of_task[task]);
            *effect = shrunk_mean(rest);
        }
    }
    let value = |task: usize, partner: usize| {
        let guess = if task == partner { 0.0 } else { mean + of_task[task] + of_partner[partner] };
        gains[task][partner].unwrap_or(guess)
    };
    Some((0..tasks).map(|task| (0..tasks).map(|partner| value(task, partner)).collect()).collect())
}

/// The sum of some values over one more than their number.
fn shrunk_mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 1.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_filled_and_what_is_known_stays() {
        // Task 0 gains by all, task 3 loses by all; the pairs of 0 and 3 were not run.
        let effect = [0.1, 0.0, 0.0, -0.1];
        let gain = |task: usize, partner: usize| match (task, partner) {
            (0, 3) | (3, 0) => None,
            (task, partner) if task == partner => Some(0.0),
            (task, _) => Some(effect[task]),
        };
        let gains: Vec<Vec<Option<f64>>> =
            (0..4).map(|task| (0..4).map(|partner| gain(task, partner)).collect()).collect();
        let found = fill(&gains).unwrap();
        assert!(found[0][3] > 0.04 && found[3][0] < -0.04, "{found:?}");
        for (row, known) in found.iter().zip(&gains) {
            assert!(row.iter().zip(known).all(|(found, known)| known.is_none_or(|known| known == *found)));
        }
    }

    #[test]
    fn the_fit_is_the_least_squares_solution() {
        // numpy.linalg.lstsq of rows (1, a_t, b_p) for the three known gains and an identity for the six effects.
        let gains =
            vec![vec![Some(0.0), Some(0.2), Some(0.1)], vec![Some(-0.1), Some(0.0), None], vec![None, None, Some(0.0)]];
        let found = fill(&gains).unwrap();
        for (task, partner, expected) in [(1, 2, 0.0), (2, 0, 0.0), (2, 1, 0.1)] {
            assert!((found[task][partner] - expected).abs() < 1e-6, "{task} {partner}: {found:?}");
        }
        assert_eq!(fill(&[vec![Some(0.0), None], vec![None, Some(0.0)]]), None);
        assert_eq!(fill(&[]), None);
    }
}
