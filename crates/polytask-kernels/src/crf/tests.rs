//! The field against enumeration of every sequence.

use super::*;
use crate::testing::Lcg;

struct Case {
    count: usize,
    time: usize,
    emissions: Vec<f32>,
    parameters: [Vec<f32>; 3],
    legal: Legal,
    lengths: Vec<usize>,
    tags: Vec<u32>,
}

impl Case {
    fn new(count: usize, time: usize, lengths: &[usize], spread: f32, seed: u64) -> Self {
        let mut rng = Lcg::new(seed);
        let mut random = |n: usize| rng.uniform(n, -spread, spread);
        let parameters = [random(count * count), random(count), random(count)];
        let mut emissions = random(lengths.len() * time * count);
        for (text, length) in lengths.iter().enumerate() {
            emissions[(text * time + length) * count..(text + 1) * time * count].fill(f32::NAN);
        }
        let mut legal = Legal::all(count);
        if count > 1 {
            (0..count * count).filter(|at| at % 4 == 1).for_each(|at| legal.transitions[at] = false);
            (legal.start[count - 1], legal.end[0]) = (false, count == 2);
        }
        let mut case = Self { count, time, emissions, parameters, legal, lengths: lengths.to_vec(), tags: Vec::new() };
        case.tags = vec![u32::MAX; lengths.len() * time];
        for (text, length) in lengths.iter().enumerate() {
            let legal: Vec<Vec<u32>> = case.sequences(text).into_iter().map(|(tags, _)| tags).collect();
            case.tags[text * time..][..*length].copy_from_slice(&legal[rng.below(legal.len())]);
        }
        case
    }

    fn crf(&self) -> Crf<'_> {
        let [transitions, start, end] = &self.parameters;
        Crf { transitions, start, end, allowed: &self.legal }
    }

    fn batch(&self) -> Emissions<'_> {
        Emissions { scores: &self.emissions, time: self.time, lengths: &self.lengths }
    }

    /// Every legal sequence of a text, in lexicographic order, with its score.
    fn sequences(&self, text: usize) -> Vec<(Vec<u32>, f64)> {
        let (length, count) = (self.lengths[text], self.count);
        let all = (0..count.pow(length as u32)).map(|code| {
            let digits = (0..length as u32).rev().map(|place| (code / count.pow(place) % count) as u32);
            digits.collect::<Vec<u32>>()
        });
        all.filter_map(|tags| Some((self.score(text, &tags)?, tags))).map(|(score, tags)| (tags, score)).collect()
    }

    fn score(&self, text: usize, tags: &[u32]) -> Option<f64> {
        let [transitions, start, end] = &self.parameters;
        let (Some(first), Some(last)) = (tags.first(), tags.last()) else { return Some(0.0) };
        let mut legal = self.legal.start[*first as usize] && self.legal.end[*last as usize];
        let mut score = f64::from(start[*first as usize]) + f64::from(end[*last as usize]);
        for pair in tags.windows(2) {
            let at = pair[0] as usize * self.count + pair[1] as usize;
            legal &= self.legal.transitions[at];
            score += f64::from(transitions[at]);
        }
        for (position, tag) in tags.iter().enumerate() {
            score += f64::from(self.emissions[(text * self.time + position) * self.count + *tag as usize]);
        }
        legal.then_some(score)
    }

    fn weighted(&self, weights: &[f32]) -> f64 {
        let losses = nll(&self.crf(), &self.batch(), &self.tags).unwrap();
        losses.iter().zip(weights).map(|(loss, weight)| loss * f64::from(*weight)).sum()
    }
}

fn log_sum(scores: impl Iterator<Item = f64> + Clone) -> f64 {
    let base = scores.clone().fold(f64::NEG_INFINITY, f64::max);
    base + scores.map(|score| (score - base).exp()).sum::<f64>().ln()
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(3, 0, &[0, 0], 1.0, 1),
        Case::new(3, 4, &[], 1.0, 2),
        Case::new(1, 3, &[3, 1, 0], 1.0, 3),
        Case::new(4, 4, &[2, 4, 0, 1, 3, 4, 4, 2, 3, 1, 4], 2.0, 4),
        Case::new(3, 5, &[5], 1.0, 5),
        Case::new(3, 6, &[6, 5], 1e4, 6),
    ];
    cases.extend((10..30).map(|seed| Case::new(3, 4, &[4, 3], 900.0, seed)));
    cases
}

#[test]
fn everything_equals_enumeration() {
    for case in cases() {
        let losses = nll(&case.crf(), &case.batch(), &case.tags).unwrap();
        let best = viterbi(&case.crf(), &case.batch()).unwrap();
        let posterior = marginals(&case.crf(), &case.batch()).unwrap();
        for (text, length) in case.lengths.iter().copied().enumerate() {
            let all = case.sequences(text);
            let log_z = log_sum(all.iter().map(|(_, score)| *score));
            let close = |got: f64, expected: f64| (got - expected).abs() < 1e-9 * (1.0 + log_z.abs());
            let gold = case.score(text, &case.tags[text * case.time..][..length]).unwrap();
            assert!(close(losses[text], log_z - gold), "{} against {}", losses[text], log_z - gold);
            assert!(close(posterior.log_z[text], log_z));
            let top = all.iter().rev().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            assert_eq!(best[text].tags, top.0);
            assert!(close(best[text].score, top.1));
            let rows = &posterior.posterior[text * case.time * case.count..][..case.time * case.count];
            for (position, row) in rows.chunks(case.count).enumerate() {
                let sum = if position < length { 1.0 } else { 0.0 };
                assert!((row.iter().sum::<f32>() - sum).abs() < 1e-5);
                for (tag, got) in (0..).zip(row) {
                    let with = all.iter().filter(|(tags, _)| tags.get(position) == Some(&tag));
                    let expected: f64 = with.map(|(_, score)| (score - log_z).exp()).sum();
                    assert!((f64::from(*got) - expected).abs() < 1e-6);
                    assert!(expected > 0.0 || *got == 0.0, "illegal means exactly zero");
                }
            }
        }
    }
}

#[test]
fn gradients_equal_expected_counts() {
    for case in cases() {
        let weights: Vec<f32> = (0..case.lengths.len()).map(|text| text as f32 - 0.5).collect();
        let (losses, got) = nll_gradients(&case.crf(), &case.batch(), &case.tags, &weights).unwrap();
        assert_eq!(losses, nll(&case.crf(), &case.batch(), &case.tags).unwrap());
        let count = case.count;
        let mut expected =
            [vec![0.0; case.emissions.len()], vec![0.0; count * count], vec![0.0; count], vec![0.0; count]];
        for (text, weight) in weights.iter().enumerate() {
            let all = case.sequences(text);
            let log_z = log_sum(all.iter().map(|(_, score)| *score));
            let gold = case.tags[text * case.time..][..case.lengths[text]].to_vec();
            let terms = all.into_iter().map(|(tags, score)| (tags, (score - log_z).exp())).chain([(gold, -1.0)]);
            for (tags, share) in terms {
                let share = share * f64::from(*weight);
                let (Some(first), Some(last)) = (tags.first(), tags.last()) else { continue };
                expected[2][*first as usize] += share;
                expected[3][*last as usize] += share;
                tags.windows(2).for_each(|pair| expected[1][pair[0] as usize * count + pair[1] as usize] += share);
                for (position, tag) in tags.iter().enumerate() {
                    expected[0][(text * case.time + position) * count + *tag as usize] += share;
                }
            }
        }
        let got = [got.emissions, got.transitions, got.start, got.end];
        for (got, expected) in got.iter().flatten().zip(expected.iter().flatten()) {
            assert!((f64::from(*got) - expected).abs() < 1e-5, "{got} against {expected}");
        }
        let illegal = case.legal.transitions.iter().chain(&case.legal.start).chain(&case.legal.end).map(|legal| !legal);
        let parameters = got[1].iter().chain(&got[2]).chain(&got[3]);
        assert!(parameters.zip(illegal).all(|(got, illegal)| !illegal || *got == 0.0));
        assert!(got[0].iter().zip(&case.emissions).all(|(got, emission)| !emission.is_nan() || *got == 0.0));
    }
}

#[test]
fn gradients_equal_finite_differences() {
    let mut case = Case::new(5, 9, &[9, 0, 4, 1], 1.0, 8);
    let weights = [0.5, 1.0, -2.0, 1.0];
    let (_, got) = nll_gradients(&case.crf(), &case.batch(), &case.tags, &weights).unwrap();
    let step = 1.0 / 1024.0;
    let mut check = |got: &[f32], slot: fn(&mut Case) -> &mut Vec<f32>| {
        for (at, got) in got.iter().enumerate() {
            let start = slot(&mut case)[at];
            if start.is_nan() {
                assert_eq!(*got, 0.0);
                continue;
            }
            let mut shifted = |delta: f32| {
                slot(&mut case)[at] = start + delta;
                (case.weighted(&weights), f64::from(start + delta))
            };
            let ((high, above), (low, below)) = (shifted(step), shifted(-step));
            slot(&mut case)[at] = start;
            let expected = (high - low) / (above - below);
            assert!((f64::from(*got) - expected).abs() < 1e-5, "{got} against {expected}");
        }
    };
    check(&got.emissions, |case| &mut case.emissions);
    check(&got.transitions, |case| &mut case.parameters[0]);
    check(&got.start, |case| &mut case.parameters[1]);
    check(&got.end, |case| &mut case.parameters[2]);
}

#[test]
fn illegal_gold_names_its_place() {
    let mut case = Case::new(3, 3, &[3, 2], 1.0, 9);
    let error = |case: &Case| nll(&case.crf(), &case.batch(), &case.tags).unwrap_err();
    case.tags[3] = 3;
    assert_eq!(error(&case), CrfError::IllegalGold { text: 1, position: 0 });
    case.tags[3] = 2;
    assert_eq!(error(&case), CrfError::IllegalGold { text: 1, position: 0 });
    // Transition 1 (from 0 to 1) is illegal, and no text ends with 0.
    case.tags[3..5].copy_from_slice(&[0, 1]);
    assert_eq!(error(&case), CrfError::IllegalGold { text: 1, position: 1 });
    case.tags[3..5].copy_from_slice(&[0, 0]);
    assert_eq!(error(&case), CrfError::IllegalGold { text: 1, position: 1 });
    assert!(nll_gradients(&case.crf(), &case.batch(), &case.tags, &[1.0; 2]).is_err());
}

#[test]
fn no_finite_sequence_is_an_error() {
    let mut case = Case::new(3, 3, &[3, 2], 1.0, 9);
    case.emissions[3 * 3..].fill(f32::NAN);
    assert_eq!(viterbi(&case.crf(), &case.batch()), Err(CrfError::NoSequence { text: 1 }));
    assert_eq!(marginals(&case.crf(), &case.batch()).unwrap_err(), CrfError::NoSequence { text: 1 });
    case.legal.start.fill(false);
    assert_eq!(viterbi(&case.crf(), &case.batch()), Err(CrfError::NoSequence { text: 0 }));
}

#[test]
fn long_texts_stay_finite_and_threads_change_no_bit() {
    let mut case = Case::new(2, 1, &[1], 1.0, 3);
    (case.time, case.lengths) = (10_000, vec![10_000, 9_999]);
    case.emissions = Lcg::new(1).uniform(40_000, -50.0, 50.0);
    case.legal = Legal::all(2);
    case.tags = vec![1; 20_000];
    let results = [1, 2, 5].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| nll_gradients(&case.crf(), &case.batch(), &case.tags, &[1.0, 0.5])).unwrap()
    });
    assert!(results[0].0.iter().all(|loss| loss.is_finite() && *loss > 0.0));
    assert!(results[0].1.emissions.iter().all(|gradient| gradient.is_finite()));
    assert!(results[0] == results[1] && results[1] == results[2]);
}
