//! Squares whose colour is a value: cosines between tasks, counts of a large confusion matrix.

use polytask_metrics::ConfusionMatrix;

use super::{at, label, line, shortened, svg};
use crate::cluster::{Tree, cluster};
use crate::markup::{Element, element, text_element};
use crate::numbers::short;

/// The most opaque that a square is, so that text on it stays readable.
const OPACITY_MAX: f64 = 0.85;

/// Tasks up to which squares hold their cosine.
const WRITTEN_MAX: usize = 12;

/// Characters of a name beside a map.
const NAME_MAX: usize = 18;

/// A map of mean cosines.
#[derive(Debug, Clone)]
pub struct CosineMap {
    /// The drawing.
    pub drawing: Element,
    /// Its width in its own units, of which text is 11 high.
    pub width: f64,
    /// The largest absolute cosine, which has the full colour.
    pub cosine_max: f64,
}

/// Draws the cosines between tasks, `[task, task]` and symmetric, in the order that puts tasks together whose gradients
/// agree, with the tree of that order to the right. `None` where no pair of different tasks has a cosine.
pub fn cosine_map(tasks: &[&str], cosines: &[Vec<Option<f64>>]) -> Option<CosineMap> {
    task_map("mean cosine between the gradients of each pair of tasks", "and", tasks, cosines)
}

/// The same of other values of pairs, which may differ by direction, `[row, column]`; `what` they are, and the word that stands
/// between a row's name and a column's.
pub fn task_map(what: &str, link: &str, tasks: &[&str], values: &[Vec<Option<f64>>]) -> Option<CosineMap> {
    let (count, cosines) = (tasks.len(), values);
    let pairs = (0..count).flat_map(|a| (0..count).map(move |b| (a, b))).filter(|(a, b)| a != b);
    let cosine_max = pairs.filter_map(|(a, b)| cosines[a][b]).map(f64::abs).reduce(f64::max)?;
    // Tasks that never met are taken to be orthogonal; of two directions the mean counts.
    let value = |a: usize, b: usize| cosines[a][b].unwrap_or(0.0);
    let distance = |a: usize| (0..count).map(|b| 1.0 - (value(a, b) + value(b, a)) / 2.0).collect();
    let tree = cluster(&(0..count).map(distance).collect::<Vec<Vec<f64>>>());
    let side = if count <= WRITTEN_MAX { 38.0 } else { 22.0 };
    let longest = tasks.iter().map(|name| name.chars().count().min(NAME_MAX)).max().unwrap_or(0) as f64;
    let (left, top) = (6.6 * longest + 10.0, 4.7 * longest + 14.0);
    let (inner, tree_width) = (side * count as f64, 60.0_f64);
    // Names above the last columns lean over the tree.
    let width = left + inner + tree_width.max(4.7 * longest + 8.0);
    let mut drawing = svg(width, top + inner + 4.0, what);
    for (row, &a) in tree.order.iter().enumerate() {
        let (name, y) = (shortened(tasks[a], NAME_MAX), top + side * row as f64);
        let x = left + side * (row as f64 + 0.5);
        let turn = format!("rotate(-45 {} {})", at(x), at(top - 6.0));
        let above = label(x, top - 6.0, "start", &name).with("transform", turn);
        drawing = drawing.child(label(left - 6.0, y + side / 2.0 + 4.0, "end", &name)).child(above);
        for (column, &b) in tree.order.iter().enumerate() {
            let x = left + side * column as f64;
            let square = Square { x, y, side, between: [tasks[a], link, tasks[b]] };
            drawing = drawing.children(square.draw(if a == b { None } else { cosines[a][b] }, cosine_max, count));
        }
    }
    let drawing = drawing.child(dendrogram(&tree, (left + inner + 6.0, top), side, tree_width - 14.0));
    Some(CosineMap { drawing, width, cosine_max })
}

struct Square<'a> {
    x: f64,
    y: f64,
    side: f64,
    /// The task of the row, the word between, and the task of the column.
    between: [&'a str; 3],
}

impl Square<'_> {
    fn draw(&self, cosine: Option<f64>, cosine_max: f64, count: usize) -> Vec<Element> {
        let gap = 1.0;
        let side = at(self.side - gap);
        let rect =
            element("rect").with("x", at(self.x)).with("y", at(self.y)).with("width", &side).with("height", &side);
        let Some(cosine) = cosine else { return vec![rect.class("none")] };
        let opacity = if cosine_max > 0.0 { OPACITY_MAX * cosine.abs() / cosine_max } else { 0.0 };
        let class = if cosine < 0.0 { "negative" } else { "positive" };
        let [a, link, b] = self.between;
        let said = text_element("title", format!("{a} {link} {b}: {}", short(cosine)));
        let rect = rect.class(class).with("fill-opacity", format!("{opacity:.2}")).child(said);
        let middle = self.side / 2.0;
        let written = || label(self.x + middle, self.y + middle + 3.5, "middle", &format!("{cosine:.2}")).class("ink");
        std::iter::once(rect).chain((count <= WRITTEN_MAX).then(written)).collect()
    }
}

/// The tree to the right of its leaves: the further to the right two groups meet, the less they agree.
fn dendrogram(tree: &Tree, start: (f64, f64), side: f64, width: f64) -> Element {
    let members = tree.order.len();
    let low = tree.joins.iter().map(|join| join.distance).fold(f64::INFINITY, f64::min);
    let high = tree.joins.iter().map(|join| join.distance).fold(f64::NEG_INFINITY, f64::max);
    // Where each group ends: leaves at the map, joins by their distance.
    let mut ends = vec![(start.0, 0.0); members];
    for (place, &member) in tree.order.iter().enumerate() {
        ends[member].1 = start.1 + side * (place as f64 + 0.5);
    }
    let mut drawing = element("g").class("tree");
    for join in &tree.joins {
        let share = if high > low { (join.distance - low) / (high - low) } else { 1.0 };
        let x = start.0 + width * (0.15 + 0.85 * share);
        let [first, second] = join.groups.map(|group| ends[group]);
        for end in [first, second] {
            drawing = drawing.child(line("branch", end, (x, end.1)));
        }
        drawing = drawing.child(line("branch", (x, first.1), (x, second.1)));
        ends.push((x, (first.1 + second.1) / 2.0));
    }
    drawing
}

/// Shades that the squares of a large matrix have.
const SHADES: usize = 8;

/// Draws a confusion matrix of many classes: a row a gold class, shaded by the share that its columns have in it.
pub fn counts_map(matrix: &ConfusionMatrix) -> Element {
    let count = matrix.labels.len();
    let side = if count <= 30 { 12.0 } else { 8.0 };
    let every = if count <= 30 { 1 } else { 2 };
    let left =
        6.2 * matrix.labels.iter().map(|name| name.chars().count().min(NAME_MAX)).max().unwrap_or(0) as f64 + 8.0;
    let inner = side * count as f64;
    let width = left + inner + 2.0;
    let shown = "confusion matrix: a row a gold class, a column a predicted one";
    let mut drawing = svg(width, inner + 2.0, shown).with("style", format!("max-width:{:.0}px", 1.25 * width));
    // One path a shade rather than one square a cell: most cells of such matrices are empty.
    let mut paths = vec![[String::new(), String::new()]; SHADES];
    for (row, counts) in matrix.counts.iter().enumerate() {
        let total = counts.iter().map(|&count| count as f64).sum::<f64>();
        for (column, &cell) in counts.iter().enumerate().filter(|(_, cell)| **cell > 0) {
            let shade = ((cell as f64 / total * SHADES as f64).ceil() as usize).clamp(1, SHADES) - 1;
            let place =
                format!("M{} {}h{side}v{side}h-{side}z", at(left + side * column as f64), at(side * row as f64));
            paths[shade][usize::from(row == column)].push_str(&place);
        }
        if row % every == 0 {
            let name = shortened(&matrix.labels[row], NAME_MAX);
            drawing =
                drawing.child(label(left - 4.0, side * row as f64 + side / 2.0 + 3.5, "end", &name).class("small"));
        }
    }
    let frame =
        element("rect").class("frame").with("x", at(left)).with("y", 0).with("width", inner).with("height", inner);
    drawing = drawing.child(frame);
    for (shade, [wrong, right]) in paths.into_iter().enumerate() {
        let opacity = format!("{:.2}", OPACITY_MAX * (shade + 1) as f64 / SHADES as f64);
        for (class, path) in [("negative", wrong), ("positive", right)] {
            let squares = element("path").class(class).with("fill-opacity", &opacity).with("d", &path);
            drawing = drawing.children((!path.is_empty()).then_some(squares));
        }
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(element: &Element) -> String {
        let mut out = String::new();
        element.render(&mut out);
        assert!(roxmltree::Document::parse(&out).is_ok() && !out.contains("NaN"), "{out}");
        out
    }

    #[test]
    fn tasks_whose_gradients_agree_stand_together() {
        let cosines = [[None, Some(-0.5), Some(0.4)], [Some(-0.5), None, None], [Some(0.4), None, None]];
        let map = cosine_map(&["a", "b", "c"], &cosines.map(|row| row.to_vec())).unwrap();
        assert_eq!(map.cosine_max, 0.5);
        let drawn = rendered(&map.drawing);
        let place = |name: &str| drawn.find(&format!("text-anchor=\"end\">{name}<")).unwrap();
        assert!(place("a") < place("c") && place("c") < place("b"), "{drawn}");
        assert_eq!(drawn.matches("class=\"none\"").count(), 5);
        assert!(drawn.contains("<title>a and b: -0.5</title>") && drawn.contains("fill-opacity=\"0.85\""), "{drawn}");
    }

    #[test]
    fn values_that_differ_by_direction_are_drawn_each_in_its_place() {
        let values = [[None, Some(8.0)], [Some(-2.0), None]].map(|row| row.to_vec());
        let map = task_map("share", "on", &["a", "b"], &values).unwrap();
        assert_eq!(map.cosine_max, 8.0);
        let drawn = rendered(&map.drawing);
        assert!(drawn.contains("<title>a on b: 8</title>") && drawn.contains("<title>b on a: -2</title>"), "{drawn}");
        assert!(drawn.contains("fill-opacity=\"0.85\"") && drawn.contains("fill-opacity=\"0.21\""), "{drawn}");
    }

    #[test]
    fn without_a_cosine_there_is_no_map() {
        assert!(cosine_map(&[], &[]).is_none());
        assert!(cosine_map(&["a", "b"], &[vec![None, None], vec![None, None]]).is_none());
        let zero = [vec![None, Some(0.0)], vec![Some(0.0), None]];
        rendered(&cosine_map(&["a", "b"], &zero).unwrap().drawing);
    }

    #[test]
    fn a_large_matrix_draws_what_is_not_empty() {
        let labels = (0..40).map(|class| format!("class <{class}>")).collect();
        let mut counts = vec![vec![0; 40]; 40];
        (counts[0][0], counts[0][3], counts[7][7]) = (3, 1, 5);
        let drawn = rendered(&counts_map(&ConfusionMatrix { labels, counts }));
        assert_eq!(drawn.matches("h8v8h-8z").count(), 3, "{drawn}");
    }
}
