//! Where the rows went: from the roster to verdicts to outcomes, as bands whose widths are the numbers of rows.

use super::facts::{Facts, Stand};
use super::html::Html;
use crate::apply::Outcome;
use crate::number::Number;
use crate::plan::Verdict;

/// Rows that end in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// In words.
    pub word: &'static str,
    /// How it is drawn.
    pub class: &'static str,
    /// How many.
    pub n: u64,
}

/// Rows of one verdict, and what became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The verdict.
    pub verdict: Leaf,
    /// What became of its rows; nothing where nothing is done.
    pub leaves: Vec<Leaf>,
}

/// The size of a drawing: one for desks and paper, one for phones.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// What tells the two apart.
    pub name: &'static str,
    /// In the units of the drawing.
    pub width: f64,
    /// Of a node.
    node: f64,
    /// Where the three columns begin.
    columns: [f64; 3],
}

/// For desks and paper.
pub const WIDE: Size = Size { name: "wide", width: 960.0, node: 16.0, columns: [0.0, 372.0, 764.0] };
/// For phones.
pub const NARROW: Size = Size { name: "narrow", width: 340.0, node: 10.0, columns: [0.0, 104.0, 228.0] };

/// Height of all rows together.
const HEIGHT: f64 = 260.0;
/// What is narrower is drawn as narrow as this, and that is said.
const VISIBLE_MIN: f64 = 3.0;
/// A label takes two lines.
const LABEL: f64 = 36.0;
const GAP: f64 = 14.0;

/// What is drawn: no flow of nothing.
#[must_use]
pub fn branches(facts: &Facts) -> Vec<Branch> {
    let counts = &facts.manifest.counts;
    let branch = |verdict: Verdict| {
        let (class, leaves) = match verdict {
            Verdict::New => ("k-new", of_new(facts)),
            Verdict::Present => ("k-present", Vec::new()),
            Verdict::Deleted => ("k-deleted", of_deleted(facts)),
            Verdict::Duplicate => ("k-duplicate", Vec::new()),
            Verdict::Invalid => ("k-invalid", Vec::new()),
        };
        let leaves = leaves.into_iter().filter(|leaf| leaf.n > 0).collect();
        Branch { verdict: Leaf { word: verdict.as_str(), class, n: counts.of(verdict) }, leaves }
    };
    Verdict::ALL.into_iter().map(branch).filter(|branch| branch.verdict.n > 0).collect()
}

fn of_new(facts: &Facts) -> Vec<Leaf> {
    let of = |outcome: Outcome| facts.outcomes.of(outcome);
    let leaf = |word, class, n| Leaf { word, class, n };
    let left = of(Outcome::Unprocessed).saturating_sub(facts.held);
    let held = leaf("held back", "k-held", facts.held);
    if facts.stand == Stand::Planned {
        return vec![leaf("to be created", "k-todo", left), held];
    }
    let gone = &facts.changed;
    let created = of(Outcome::Created).saturating_sub(gone.removed - gone.removed_adopted);
    vec![
        leaf("created", "k-created", created),
        leaf("adopted", "k-adopted", of(Outcome::Adopted).saturating_sub(gone.removed_adopted)),
        leaf("deleted again", "k-removed", gone.removed),
        leaf("taken", "k-taken", of(Outcome::Taken)),
        leaf("refused", "k-refused", of(Outcome::Refused)),
        leaf("unknown", "k-unknown", of(Outcome::Unknown)),
        leaf("unprocessed", "k-todo", left),
        held,
    ]
}

fn of_deleted(facts: &Facts) -> Vec<Leaf> {
    if !facts.manifest.restore_deleted {
        return Vec::new();
    }
    let tally = &facts.restored;
    let leaf = |word, class, n| Leaf { word, class, n };
    vec![
        leaf("restored", "k-created", tally.restored),
        leaf("restore refused", "k-refused", tally.refused),
        leaf("restore unknown", "k-unknown", tally.unknown),
        leaf("to be restored", "k-todo", tally.left),
    ]
}

/// A leaf with its place.
struct Placed<'a> {
    leaf: &'a Leaf,
    y: f64,
    height: f64,
}

/// Branches with their places, the height of all, and whether something is drawn wider than it is.
struct Layout<'a> {
    placed: Vec<(Placed<'a>, Vec<Placed<'a>>)>,
    height: f64,
    is_stretched: bool,
}

impl<'a> Layout<'a> {
    fn of(branches: &'a [Branch], rows: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a picture")]
        let length = |n: u64| HEIGHT * n as f64 / rows.max(1) as f64;
        let drawn = |n: u64| length(n).max(VISIBLE_MIN);
        let (mut placed, mut y, mut is_stretched) = (Vec::new(), 0.0, false);
        for branch in branches {
            let mut leaves = Vec::new();
            let mut below = y;
            for leaf in &branch.leaves {
                let height = drawn(leaf.n);
                leaves.push(Placed { leaf, y: below, height });
                below += height.max(LABEL) + GAP / 2.0;
            }
            let of_leaves: f64 = leaves.iter().map(|leaf| leaf.height).sum();
            let height = if leaves.is_empty() { drawn(branch.verdict.n) } else { of_leaves };
            let all = branch.leaves.iter().chain([&branch.verdict]);
            is_stretched |= all.into_iter().any(|leaf| length(leaf.n) < VISIBLE_MIN);
            placed.push((Placed { leaf: &branch.verdict, y, height }, leaves));
            y = below.max(y + height.max(LABEL)) + GAP;
        }
        Self { placed, height: (y - GAP).max(LABEL), is_stretched }
    }
}

/// Draws it; whether something is drawn wider than it is.
pub fn draw(html: &mut Html, branches: &[Branch], rows: u64, size: Size) -> bool {
    let layout = Layout::of(branches, rows);
    let top = 44.0;
    html.raw("<svg role=\"img\"").attr("class", size.name).attr("aria-labelledby", format_args!("flow-{}", size.name));
    html.raw(" viewBox=\"0 0 ").point(size.width).raw(" ").point(top + layout.height + 4.0).raw("\">");
    html.raw("<title").attr("id", format_args!("flow-{}", size.name)).raw(">Where the rows went: from the roster to ");
    html.raw("verdicts to outcomes. The table says the same in numbers.</title>");
    let sum: f64 = layout.placed.iter().map(|(branch, _)| branch.height).sum();
    let mut from = top + (layout.height - sum) / 2.0;
    node(html, (size.columns[0], from), (size.node, sum.max(VISIBLE_MIN)), "k-roster");
    label(html, (size.columns[0], from - 38.0), "roster", rows, None);
    let [first, second, third] = size.columns;
    for (branch, leaves) in &layout.placed {
        let y = top + branch.y;
        band(html, (first + size.node, from), (second, y), branch.height, branch.leaf.class);
        from += branch.height;
        let mut out = y;
        for leaf in leaves {
            band(html, (second + size.node, out), (third, top + leaf.y), leaf.height, leaf.leaf.class);
            out += leaf.height;
        }
        node(html, (second, y), (size.node, branch.height), branch.leaf.class);
        label(html, (second + size.node + 8.0, y), branch.leaf.word, branch.leaf.n, Some(rows));
        for leaf in leaves {
            node(html, (third, top + leaf.y), (size.node, leaf.height), leaf.leaf.class);
            label(html, (third + size.node + 8.0, top + leaf.y), leaf.leaf.word, leaf.leaf.n, Some(rows));
        }
    }
    html.raw("</svg>");
    layout.is_stretched
}

fn node(html: &mut Html, (x, y): (f64, f64), (width, height): (f64, f64), class: &'static str) {
    html.raw("<rect").attr("class", class).length("x", x).length("y", y).length("width", width);
    html.length("height", height).raw("/>");
}

/// A band from one place to another.
fn band(html: &mut Html, (x0, y0): (f64, f64), (x1, y1): (f64, f64), height: f64, class: &'static str) {
    let middle = f64::midpoint(x0, x1);
    html.raw("<path").attr("class", format_args!("band {class}")).raw(" d=\"M").point(x0).raw(" ").point(y0);
    let points = [middle, y0, middle, y1, x1, y1];
    curve(html, points);
    html.raw("V").point(y1 + height);
    curve(html, [middle, y1 + height, middle, y0 + height, x0, y0 + height]);
    html.raw("Z\"/>");
}

fn curve(html: &mut Html, points: [f64; 6]) {
    html.raw("C");
    for (at, point) in points.into_iter().enumerate() {
        html.raw(if at == 0 { "" } else { " " }).point(point);
    }
}

fn label(html: &mut Html, (x, y): (f64, f64), word: &'static str, n: u64, of: Option<u64>) {
    html.raw("<text class=\"word\"").length("x", x).length("y", y + 13.0).raw(">").raw(word).raw("</text>");
    html.raw("<text class=\"count\"").length("x", x).length("y", y + 29.0).raw(">").text(Number(n));
    if let Some(rows) = of {
        html.raw(" · <tspan class=\"share\">").text(share(n, rows)).raw("</tspan>");
    }
    html.raw("</text>");
}

/// `34.7%`; what is not nothing is never called 0.
#[must_use]
pub fn share(n: u64, of: u64) -> String {
    let per_mille = n.saturating_mul(1000).checked_div(of).unwrap_or(0);
    match (n, per_mille) {
        (0, _) => "0%".to_owned(),
        (_, 0) => "<0.1%".to_owned(),
        _ => format!("{}.{}%", per_mille / 10, per_mille % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(word: &'static str, n: u64, leaves: &[(&'static str, u64)]) -> Branch {
        let leaf = |word, n| Leaf { word, class: "k", n };
        Branch { verdict: leaf(word, n), leaves: leaves.iter().map(|(word, n)| leaf(word, *n)).collect() }
    }

    #[test]
    fn widths_are_true_and_the_smallest_is_seen_and_said() {
        let all = [branch("new", 600, &[("created", 400), ("refused", 200)]), branch("present", 400, &[])];
        let layout = Layout::of(&all, 1000);
        assert!(!layout.is_stretched);
        let heights: Vec<f64> = layout.placed.iter().map(|(b, _)| b.height).collect();
        assert!((heights[0] / heights[1] - 1.5).abs() < 1e-9, "{heights:?}");
        let leaves: Vec<f64> = layout.placed[0].1.iter().map(|leaf| leaf.height).collect();
        assert!((leaves[0] / leaves[1] - 2.0).abs() < 1e-9, "{leaves:?}");
        let tiny = [branch("present", 999_999, &[]), branch("invalid", 1, &[])];
        let layout = Layout::of(&tiny, 1_000_000);
        assert!(layout.is_stretched && layout.placed[1].0.height >= VISIBLE_MIN);
    }

    #[test]
    fn no_label_covers_another() {
        let all = [branch("new", 5, &[("created", 3), ("refused", 1), ("unknown", 1)]), branch("present", 1, &[])];
        let layout = Layout::of(&all, 6);
        let mut ys: Vec<f64> = layout.placed[0].1.iter().map(|leaf| leaf.y).collect();
        ys.push(layout.placed[1].0.y);
        assert!(ys.windows(2).all(|pair| pair[1] - pair[0] >= LABEL), "{ys:?}");
    }

    #[test]
    fn a_share_of_something_is_never_called_none_or_all() {
        let told = [(0, 5), (1, 100_000), (99_999, 100_000), (5, 5), (347, 1000)].map(|(n, of)| share(n, of));
        assert_eq!(told, ["0%", "<0.1%", "99.9%", "100.0%", "34.7%"]);
    }
}
