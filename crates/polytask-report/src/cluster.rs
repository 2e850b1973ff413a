//! Which tasks belong together? Agglomerative clustering with average linkage.
//!
//! The two closest groups are joined again and again; the distance of two groups is the mean distance of their members
//! (UPGMA: Sokal and Michener, "A statistical method for evaluating systematic relationships", University of Kansas
//! Science Bulletin, 1958). O(n³) for n members, which are tasks.

/// A tree over members: who is joined with whom, and in which order the leaves stand without crossing lines.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    /// The members from left to right.
    pub order: Vec<usize>,
    /// The joins in order of growing distance; a group is named by `members + index of its join`.
    pub joins: Vec<Join>,
}

/// Two groups that become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Join {
    /// The groups.
    pub groups: [usize; 2],
    /// Mean distance of their members.
    pub distance: f64,
}

/// Clusters members by their distances, `[member, member]`, symmetric.
pub fn cluster(distances: &[Vec<f64>]) -> Tree {
    let members = distances.len();
    // Each group that is not joined yet: its name and its leaves from left to right.
    let mut groups: Vec<(usize, Vec<usize>)> = (0..members).map(|member| (member, vec![member])).collect();
    let mut joins = Vec::new();
    while groups.len() > 1 {
        let mut closest = (f64::INFINITY, 0, 1);
        for first in 0..groups.len() {
            for second in first + 1..groups.len() {
                let distance = mean_distance(distances, &groups[first].1, &groups[second].1);
                if distance < closest.0 {
                    closest = (distance, first, second);
                }
            }
        }
        let (distance, first, second) = closest;
        let (name, leaves) = groups.remove(second);
        joins.push(Join { groups: [groups[first].0, name], distance });
        groups[first].0 = members + joins.len() - 1;
        groups[first].1.extend(leaves);
    }
    Tree { order: groups.pop().map(|(_, leaves)| leaves).unwrap_or_default(), joins }
}

fn mean_distance(distances: &[Vec<f64>], first: &[usize], second: &[usize]) -> f64 {
    let pairs = first.iter().flat_map(|&a| second.iter().map(move |&b| distances[a][b]));
    pairs.sum::<f64>() / (first.len() * second.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn average_linkage_as_computed_by_hand() {
        // The worked example of UPGMA: five members a to e.
        let distances = [
            [0.0, 17.0, 21.0, 31.0, 23.0],
            [17.0, 0.0, 30.0, 34.0, 21.0],
            [21.0, 30.0, 0.0, 28.0, 39.0],
            [31.0, 34.0, 28.0, 0.0, 43.0],
            [23.0, 21.0, 39.0, 43.0, 0.0],
        ];
        let tree = cluster(&distances.map(|row| row.to_vec()));
        let joined: Vec<_> = tree.joins.iter().map(|join| (join.groups, join.distance)).collect();
        // a-b at 17; ab-e at (23 + 21) / 2; c-d at 28; (abe)-(cd) at (21 + 31 + 30 + 34 + 39 + 43) / 6.
        assert_eq!(joined, [([0, 1], 17.0), ([5, 4], 22.0), ([2, 3], 28.0), ([6, 7], 33.0)]);
        assert_eq!(tree.order, [0, 1, 4, 2, 3]);
    }

    #[test]
    fn few_members_are_a_tree_too() {
        assert_eq!(cluster(&[]), Tree::default());
        assert_eq!(cluster(&[vec![0.0]]).order, [0]);
        let far = cluster(&[vec![0.0, f64::INFINITY], vec![f64::INFINITY, 0.0]]);
        assert_eq!((far.order, far.joins.len()), (vec![0, 1], 1));
    }
}
