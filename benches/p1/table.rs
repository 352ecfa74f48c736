//! Figures as ratios, with the bounds that they are held against.

/// What one operation is to reach.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bounds {
    /// Times faster than the peer on the calling thread: synchronous, asynchronous.
    pub(crate) inline: Option<(f64, f64)>,
    /// Times faster than the peer's default.
    pub(crate) default: Option<f64>,
}

/// Nanoseconds of one operation in each host.
pub(crate) struct Row {
    pub(crate) native: f64,
    pub(crate) floor: [f64; 2],
    pub(crate) ours: [f64; 2],
    pub(crate) peer_inline: [f64; 2],
    pub(crate) peer: [f64; 2],
}

pub(crate) const HEAD: &str = "\
| call | system call | floor | ours | ours / floor | peer inline / ours | bound | peer / ours | bound | |
|---|--:|--:|--:|--:|--:|--:|--:|--:|---|";

/// One line for the synchronous linker, one for the asynchronous.
pub(crate) fn print(name: &str, row: &Row, bounds: Bounds) {
    for (i, kind) in ["", ", async"].into_iter().enumerate() {
        let (floor, ours) = (row.floor[i], row.ours[i]);
        let inline = bounds.inline.map(|b| if i == 0 { b.0 } else { b.1 });
        let mut missed = Vec::new();
        if ours > floor * 1.3 && ours > floor + 60.0 {
            missed.push("floor");
        }
        if inline.is_some_and(|b| row.peer_inline[i] / ours < b) {
            missed.push("peer inline");
        }
        if bounds.default.is_some_and(|b| row.peer[i] / ours < b) {
            missed.push("peer");
        }
        let bound = |b: Option<f64>| b.map_or(String::new(), |b| format!("{b}"));
        println!(
            "| {name}{kind} | {} | {} | {} | {:.2} | {:.2} | {} | {:.1} | {} | {} |",
            nanos(row.native),
            nanos(floor),
            nanos(ours),
            ours / floor,
            row.peer_inline[i] / ours,
            bound(inline),
            row.peer[i] / ours,
            bound(bounds.default),
            if missed.is_empty() { String::new() } else { format!("**missed: {}**", missed.join(", ")) },
        );
    }
}

/// Nanoseconds in three or four digits.
pub(crate) fn nanos(n: f64) -> String {
    match n {
        0.0 => "–".to_owned(),
        n if n < 100.0 => format!("{n:.1}"),
        n if n < 100_000.0 => format!("{n:.0}"),
        n => format!("{:.0}k", n / 1000.0),
    }
}
