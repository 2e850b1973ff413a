//! In which order do the most similar tasks join?
//!
//! Average linkage (UPGMA): the two clusters with the largest mean similarity between their tasks are joined, until one is
//! left. Reference: Sokal and Michener, "A statistical method for evaluating systematic relationships", 1958.

use serde::{Deserialize, Serialize};

/// Two clusters join.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Merge {
    /// The tasks of the cluster with the lowest task, sorted.
    pub left: Vec<usize>,
    /// The tasks of the other.
    pub right: Vec<usize>,
    /// Mean similarity of a task of one and a task of the other.
    pub similarity: f64,
}

/// The merges in order, one fewer than tasks; equal similarities are decided for the lowest tasks.
///
/// `similarity` is symmetric; its diagonal is not looked at. `None` where it is not square or a value is no finite number.
pub fn average_linkage(similarity: &[Vec<f64>]) -> Option<Vec<Merge>> {
    let square = similarity.iter().all(|row| row.len() == similarity.len());
    if !square || similarity.iter().flatten().any(|value| !value.is_finite()) {
        return None;
    }
    let mut clusters: Vec<Vec<usize>> = (0..similarity.len()).map(|task| vec![task]).collect();
    let mut merges = Vec::new();
    while clusters.len() > 1 {
        let mut best = (f64::NEG_INFINITY, 0, 1);
        for later in 1..clusters.len() {
            for earlier in 0..later {
                let mean = mean_between(similarity, &clusters[earlier], &clusters[later]);
                if mean > best.0 || (mean == best.0 && (earlier, later) < (best.1, best.2)) {
                    best = (mean, earlier, later);
                }
            }
        }
        let (similarity, earlier, later) = best;
        let right = clusters.remove(later);
        let left = clusters[earlier].clone();
        clusters[earlier].extend_from_slice(&right);
        clusters[earlier].sort_unstable();
        merges.push(Merge { left, right, similarity });
    }
    Some(merges)
}

fn mean_between(similarity: &[Vec<f64>], left: &[usize], right: &[usize]) -> f64 {
    let sum: f64 = left.iter().flat_map(|&a| right.iter().map(move |&b| similarity[a][b])).sum();
    sum / (left.len() * right.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_bacteria_by_hand() {
        // Distances of 5S ribosomal RNA, a textbook example of UPGMA: a and b join at 17, e at (23 + 21) / 2 = 22, c and d at
        // 28, all at (21 + 30 + 39 + 31 + 34 + 43) / 6 = 33.
        let distances = [
            [0.0, 17.0, 21.0, 31.0, 23.0],
            [17.0, 0.0, 30.0, 34.0, 21.0],
            [21.0, 30.0, 0.0, 28.0, 39.0],
            [31.0, 34.0, 28.0, 0.0, 43.0],
            [23.0, 21.0, 39.0, 43.0, 0.0],
        ];
        let similarity: Vec<Vec<f64>> = distances.iter().map(|row| row.iter().map(|d| -d).collect()).collect();
        let found = average_linkage(&similarity).unwrap();
        let expected = [
            (vec![0], vec![1], -17.0),
            (vec![0, 1], vec![4], -22.0),
            (vec![2], vec![3], -28.0),
            (vec![0, 1, 4], vec![2, 3], -33.0),
        ];
        let expected = expected.map(|(left, right, similarity)| Merge { left, right, similarity });
        assert_eq!(found, expected);
    }

    #[test]
    fn few_tasks_ties_and_hostile_matrices() {
        assert_eq!(average_linkage(&[]), Some(vec![]));
        assert_eq!(average_linkage(&[vec![1.0]]), Some(vec![]));
        let tied = average_linkage(&vec![vec![0.5; 3]; 3]).unwrap();
        assert_eq!(tied[0], Merge { left: vec![0], right: vec![1], similarity: 0.5 });
        assert_eq!(average_linkage(&[vec![1.0, 2.0]]), None);
        assert_eq!(average_linkage(&[vec![f64::NAN]]), None);
    }
}
