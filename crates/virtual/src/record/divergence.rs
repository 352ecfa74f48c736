//! Where a replayed program does other than the recorded one.

/// A program did not do what was recorded.
///
/// [`Replay`](super::Replay) has an example.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program does other than what was recorded: call {call} was {expected}, and now is {found}")]
#[non_exhaustive]
pub struct Divergence {
    /// The number of the call with which it began; the first is 1. That somebody wakes from a wait counts, too.
    pub call: u64,
    /// What was called then, with what, and on what.
    pub expected: String,
    /// What is called now.
    pub found: String,
}
