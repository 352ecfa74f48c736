//! Figures as ratios, with the bounds that they are held against.

/// What one operation is to reach.
#[derive(Clone, Copy, Default)]
pub struct Bounds {
    /// Times faster than the peer on the calling thread: synchronous, asynchronous.
    pub inline: Option<(f64, f64)>,
    /// Times faster than the peer's default.
    pub default: Option<f64>,
}

/// Nanoseconds of one operation in each host: synchronous, asynchronous.
pub struct Row {
    /// The system call alone.
    pub native: f64,
    /// By hand.
    pub floor: [f64; 2],
    /// This crate.
    pub ours: [f64; 2],
    /// The peer, on the calling thread.
    pub peer_inline: [f64; 2],
    /// The peer by its default.
    pub peer: [f64; 2],
}

/// Above the lines.
pub const HEAD: &str = "\
| call | system call | floor | ours | ours / floor | peer inline / ours | bound | peer / ours | bound | |
|---|--:|--:|--:|--:|--:|--:|--:|--:|---|";

/// One line for the synchronous linker, one for the asynchronous. `near` says whether ours is as near to the floor as it is
/// to be.
pub fn print(name: &str, row: &Row, bounds: Bounds, near: impl Fn(f64, f64) -> bool) {
    for (i, kind) in ["", ", async"].into_iter().enumerate() {
        let (floor, ours) = (row.floor[i], row.ours[i]);
        let inline = bounds.inline.map(|b| if i == 0 { b.0 } else { b.1 });
        let mut missed = Vec::new();
        if !near(ours, floor) {
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
pub fn nanos(n: f64) -> String {
    match n {
        0.0 => "–".to_owned(),
        n if n < 100.0 => format!("{n:.1}"),
        n if n < 100_000.0 => format!("{n:.0}"),
        n => format!("{:.0}k", n / 1000.0),
    }
}
