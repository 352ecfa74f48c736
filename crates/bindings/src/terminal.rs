//! The resources that say "this is a terminal". There is nothing yet that could be done with one.

/// The resource behind `wasi:cli/terminal-input`.
#[derive(Clone, Copy, Debug)]
pub struct TerminalInput;

/// The resource behind `wasi:cli/terminal-output`.
#[derive(Clone, Copy, Debug)]
pub struct TerminalOutput;
