//! Which tasks should share a network, if there may be so many networks?
//!
//! What task `t` reaches in a network with tasks `S` is taken to be the mean of what it reaches with each of the others
//! alone (the higher-order approximation). A network may train a task that another network answers for, as a helper.
//! Sought are at most so many networks, and for each task one that answers for it, with the largest sum of what tasks reach.
//! Reference: Standley, Zamir, Chen, Guibas, Malik and Savarese, "Which tasks should be learned together in multi-task
//! learning?", ICML 2020.
//!
//! Up to twelve tasks the best answer is found: for each set of tasks that a network could answer for, branch and bound finds
//! the helpers that serve it best, and dynamic programming the best way to divide the tasks into such sets. Beyond, sets
//! are joined greedily.

use serde::{Deserialize, Serialize};

/// Tasks up to which the best grouping is found.
pub const EXACT_MAX: usize = 12;

/// One network of a grouping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The tasks it is trained on, by number.
    pub trains: Vec<usize>,
    /// Those of them that it answers for.
    pub answers: Vec<usize>,
}

/// Tasks divided over networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grouping {
    /// The networks; each task is answered for by one of them.
    pub networks: Vec<Network>,
    /// Sum over tasks of what each is expected to reach.
    pub expected: f64,
}

/// The best grouping into at most `networks` networks, found exactly up to [`EXACT_MAX`] tasks and greedily beyond.
///
/// `gains[t][u]` is what task `t` reaches with task `u`, the more the better, `gains[t][t]` what it reaches alone. All tasks are
/// weighed alike: gains should have no unit. `None` without tasks or networks, where the matrix is not square, or a gain is
/// no finite number.
pub fn group(gains: &[Vec<f64>], networks: usize) -> Option<Grouping> {
    if gains.len() <= EXACT_MAX { group_exactly(gains, networks) } else { group_greedily(gains, networks) }
}

/// The best grouping; see [`group`]. `None` beyond [`EXACT_MAX`] tasks as well.
pub fn group_exactly(gains: &[Vec<f64>], networks: usize) -> Option<Grouping> {
    if !is_sound(gains, networks) || gains.len() > EXACT_MAX {
        return None;
    }
    Some(divide(gains.len(), networks, &|set| best_helpers(gains, set)))
}

/// The best grouping in which every network answers for all tasks that it is trained on: as [`group`] without helpers.
pub fn partition(gains: &[Vec<f64>], networks: usize) -> Option<Grouping> {
    if gains.len() > EXACT_MAX {
        return group_greedily(gains, networks);
    }
    is_sound(gains, networks).then(|| divide(gains.len(), networks, &|set| (value(gains, set, set), set)))
}

/// The best way to divide tasks into at most `networks` sets, where `serve` gives what the tasks of a set reach, and in which
/// network.
fn divide(tasks: usize, networks: usize, serve: &dyn Fn(usize) -> (f64, usize)) -> Grouping {
    let all = (1usize << tasks) - 1;
    let served: Vec<(f64, usize)> = (0..=all).map(|set| if set == 0 { (0.0, 0) } else { serve(set) }).collect();
    // best[k][set]: the most that the tasks of a set reach in at most k networks, and the first network's answers.
    let mut best = vec![vec![(f64::NEG_INFINITY, 0); all + 1]];
    best[0][0].0 = 0.0;
    for count in 1..=networks.min(tasks) {
        let mut row = vec![(0.0, 0); all + 1];
        for (set, entry) in row.iter_mut().enumerate().skip(1) {
            *entry = best[count - 1][set];
            let lowest = set & set.wrapping_neg();
            let mut part = set;
            while part > 0 {
                if part & lowest != 0 {
                    let reached = served[part].0 + best[count - 1][set & !part].0;
                    if reached > entry.0 {
                        *entry = (reached, part);
                    }
                }
                part = (part - 1) & set;
            }
        }
        best.push(row);
    }
    let (mut set, mut count, mut found) = (all, best.len() - 1, Vec::new());
    let expected = best[count][set].0;
    while set > 0 {
        // The fewest networks that reach as much.
        while count > 1 && best[count - 1][set].0 >= best[count][set].0 {
            count -= 1;
        }
        let part = best[count][set].1;
        found.push(Network { trains: members(served[part].1), answers: members(part) });
        set &= !part;
        count -= 1;
    }
    Grouping { networks: found, expected }
}

/// The set of tasks, of all that hold `answers`, in which these reach the most, by branch and bound over the helpers.
fn best_helpers(gains: &[Vec<f64>], answers: usize) -> (f64, usize) {
    let helpers: Vec<usize> = (0..gains.len()).filter(|task| answers >> task & 1 == 0).collect();
    let mut search =
        Search { gains, answers: members(answers), helpers, best: (value(gains, answers, answers), answers) };
    search.branch(0, answers);
    search.best
}

struct Search<'a> {
    gains: &'a [Vec<f64>],
    answers: Vec<usize>,
    helpers: Vec<usize>,
    best: (f64, usize),
}

impl Search<'_> {
    fn branch(&mut self, next: usize, chosen: usize) {
        let answers = self.answers.iter().fold(0, |set, task| set | 1 << task);
        let reached = value(self.gains, chosen, answers);
        if reached > self.best.0 {
            self.best = (reached, chosen);
        }
        if next == self.helpers.len() || self.bound(next, chosen) <= self.best.0 {
            return;
        }
        self.branch(next + 1, chosen | 1 << self.helpers[next]);
        self.branch(next + 1, chosen);
    }

    /// No choice of further helpers lets the answers reach more: each task's mean with the partners that raise it.
    fn bound(&self, next: usize, chosen: usize) -> f64 {
        let most = |&task: &usize| {
            let mut further: Vec<f64> = self.helpers[next..].iter().map(|&helper| self.gains[task][helper]).collect();
            further.sort_unstable_by(|left, right| right.total_cmp(left));
            let partners = chosen & !(1 << task);
            let (mut sum, mut count) = (sum_over(&self.gains[task], partners), partners.count_ones() as f64);
            let mut most = if count > 0.0 { sum / count } else { self.gains[task][task] };
            for gain in further {
                (sum, count) = (sum + gain, count + 1.0);
                most = most.max(sum / count);
            }
            most
        };
        self.answers.iter().map(most).sum()
    }
}

/// Sum over the tasks of `answers` of what they reach in a network of the tasks of `trains`.
fn value(gains: &[Vec<f64>], trains: usize, answers: usize) -> f64 {
    let reach = |task: usize| {
        let partners = trains & !(1 << task);
        match partners.count_ones() {
            0 => gains[task][task],
            count => sum_over(&gains[task], partners) / f64::from(count),
        }
    };
    (0..gains.len()).filter(|task| answers >> task & 1 == 1).map(reach).sum()
}

fn sum_over(row: &[f64], set: usize) -> f64 {
    row.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1).map(|(_, gain)| gain).sum()
}

fn members(set: usize) -> Vec<usize> {
    (0..usize::BITS as usize).filter(|task| set >> task & 1 == 1).collect()
}

/// A good grouping without helpers: each task begins alone, and the two networks whose union reaches the most over their parts
/// are joined, as long as there are too many or it does not lose; see [`group`].
pub fn group_greedily(gains: &[Vec<f64>], networks: usize) -> Option<Grouping> {
    if !is_sound(gains, networks) {
        return None;
    }
    let mut sets: Vec<Vec<usize>> = (0..gains.len()).map(|task| vec![task]).collect();
    while sets.len() > 1 {
        let pairs = (1..sets.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
        let gained = pairs.map(|(earlier, later)| {
            let union = [sets[earlier].as_slice(), &sets[later]].concat();
            (reached(gains, &union) - reached(gains, &sets[earlier]) - reached(gains, &sets[later]), earlier, later)
        });
        let best =
            gained.max_by(|left, right| left.0.total_cmp(&right.0).then((right.1, right.2).cmp(&(left.1, left.2))));
        let Some((gained, earlier, later)) = best else { break };
        if sets.len() <= networks && gained < 0.0 {
            break;
        }
        let joined = sets.remove(later);
        sets[earlier].extend(joined);
        sets[earlier].sort_unstable();
    }
    let expected = sets.iter().map(|set| reached(gains, set)).sum();
    let networks = sets.into_iter().map(|set| Network { trains: set.clone(), answers: set }).collect();
    Some(Grouping { networks, expected })
}

/// Sum of what the tasks of a set reach together.
fn reached(gains: &[Vec<f64>], set: &[usize]) -> f64 {
    let reach = |&task: &usize| match set.len() {
        1 => gains[task][task],
        count => {
            set.iter().filter(|&&other| other != task).map(|&other| gains[task][other]).sum::<f64>()
                / (count - 1) as f64
        }
    };
    set.iter().map(reach).sum()
}

fn is_sound(gains: &[Vec<f64>], networks: usize) -> bool {
    let square = gains.iter().all(|row| row.len() == gains.len() && row.iter().all(|gain| gain.is_finite()));
    square && !gains.is_empty() && networks > 0
}

#[cfg(test)]
mod tests {
    use polytask_data::rng::Rng;

    use super::*;

    fn random(tasks: usize, index: u64) -> Vec<Vec<f64>> {
        let mut random = Rng::derive(5, "gains", index);
        (0..tasks).map(|_| (0..tasks).map(|_| random.uniform() - 0.5).collect()).collect()
    }

    /// The best over all ways to choose up to `networks` networks, each any set of tasks.
    fn brute_force(gains: &[Vec<f64>], networks: usize) -> f64 {
        let sets = 1usize << gains.len();
        let mut best = f64::NEG_INFINITY;
        let mut chosen = vec![1usize; networks];
        loop {
            let reach = |task: usize| {
                let holding = chosen.iter().filter(|&&set| set >> task & 1 == 1);
                holding.map(|&set| value(gains, set, 1 << task)).fold(f64::NEG_INFINITY, f64::max)
            };
            best = best.max((0..gains.len()).map(reach).sum());
            let Some(at) = chosen.iter().position(|&set| set + 1 < sets) else { return best };
            chosen[at] += 1;
            chosen[..at].fill(1);
        }
    }

    #[test]
    fn the_exact_grouping_is_the_best_of_all() {
        for (tasks, networks) in [(1, 1), (2, 2), (3, 2), (4, 1), (4, 2), (4, 3), (5, 2), (6, 2)] {
            for index in 0..6 {
                let gains = random(tasks, index + 10 * tasks as u64);
                let found = group_exactly(&gains, networks).unwrap();
                let expected = brute_force(&gains, networks);
                assert!((found.expected - expected).abs() < 1e-12, "{tasks} {networks}: {found:?}, best {expected}");
                is_whole(&found, &gains, networks);
                assert!(group_greedily(&gains, networks).unwrap().expected <= expected + 1e-12);
            }
        }
    }

    /// Every task is answered for once, by a network that trains it, and the sum is what it says.
    fn is_whole(found: &Grouping, gains: &[Vec<f64>], networks: usize) {
        assert!(found.networks.len() <= networks);
        let mut answered: Vec<usize> = found.networks.iter().flat_map(|network| network.answers.clone()).collect();
        answered.sort_unstable();
        assert_eq!(answered, (0..gains.len()).collect::<Vec<_>>());
        let set = |tasks: &[usize]| tasks.iter().fold(0, |set, task| set | 1 << task);
        let sum: f64 = found.networks.iter().map(|n| value(gains, set(&n.trains), set(&n.answers))).sum();
        assert!((sum - found.expected).abs() < 1e-12);
    }

    #[test]
    fn a_partition_is_the_best_without_helpers() {
        // All partitions of four tasks by hand of a recursive enumeration: each task joins a set before it, or begins one.
        fn enumerate(gains: &[Vec<f64>], task: usize, sets: &mut Vec<Vec<usize>>, networks: usize) -> f64 {
            if task == gains.len() {
                return sets.iter().map(|set| reached(gains, set)).sum();
            }
            let mut best = f64::NEG_INFINITY;
            for at in 0..sets.len() {
                sets[at].push(task);
                best = best.max(enumerate(gains, task + 1, sets, networks));
                sets[at].pop();
            }
            if sets.len() < networks {
                sets.push(vec![task]);
                best = best.max(enumerate(gains, task + 1, sets, networks));
                sets.pop();
            }
            best
        }
        for (tasks, networks) in [(3, 2), (5, 3), (6, 6), (7, 2)] {
            let gains = random(tasks, tasks as u64);
            let found = partition(&gains, networks).unwrap();
            assert!((found.expected - enumerate(&gains, 0, &mut Vec::new(), networks)).abs() < 1e-12);
            assert!(found.networks.iter().all(|network| network.trains == network.answers));
            is_whole(&found, &gains, networks);
        }
    }

    #[test]
    fn friends_share_and_foes_do_not() {
        // 0 and 1 help each other, 2 and 3 likewise, all others harm.
        let gain = |a: usize, b: usize| {
            if a == b {
                0.0
            } else if a / 2 == b / 2 {
                0.1
            } else {
                -0.2
            }
        };
        let gains: Vec<Vec<f64>> = (0..4).map(|a| (0..4).map(|b| gain(a, b)).collect()).collect();
        let pairs =
            [Network { trains: vec![0, 1], answers: vec![0, 1] }, Network { trains: vec![2, 3], answers: vec![2, 3] }];
        for found in [group_exactly(&gains, 4).unwrap(), group_greedily(&gains, 4).unwrap()] {
            let mut networks = found.networks;
            networks.sort_by_key(|network| network.trains.clone());
            assert_eq!(networks, pairs);
        }
    }

    #[test]
    fn a_helper_is_trained_and_not_answered_for() {
        // Task 0 gains by 1, which loses by 0: with two networks, 1 helps 0 and is answered for alone.
        let gains = [vec![0.0, 0.3], vec![-0.3, 0.0]];
        let found = group_exactly(&gains, 2).unwrap();
        assert!(found.networks.contains(&Network { trains: vec![0, 1], answers: vec![0] }), "{found:?}");
        assert!((found.expected - 0.3).abs() < 1e-12);
    }

    #[test]
    fn twelve_tasks_are_exact_and_more_are_greedy() {
        let twelve = random(12, 1);
        let (exact, greedy) = (group(&twelve, 4).unwrap(), group_greedily(&twelve, 4).unwrap());
        is_whole(&exact, &twelve, 4);
        assert!(exact.expected >= greedy.expected);
        let many = random(20, 2);
        assert_eq!(group(&many, 5), group_greedily(&many, 5));
        assert_eq!(group_exactly(&many, 5), None);
        assert!(group(&many, 5).unwrap().networks.len() <= 5);
        for gains in [vec![], vec![vec![1.0, 2.0]], vec![vec![f64::NAN]]] {
            assert_eq!(group(&gains, 1), None);
        }
        assert_eq!(group(&[vec![1.0]], 0), None);
    }
}
