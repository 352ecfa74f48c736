//! What ends a guest from within a call.

/// The guest asked to exit, with this status. Calls that end a guest return it as their error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Exited with i32 exit status {0}")]
pub struct I32Exit(pub i32);

impl I32Exit {
    /// The status as a process can give it: its low eight bits.
    pub fn process_exit_code(&self) -> std::process::ExitCode {
        std::process::ExitCode::from(self.0 as u8)
    }
}

/// A wait of the guest was ended by [`Interrupt::interrupt`](crate::wait::Interrupt::interrupt).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted while waiting in a host call")]
pub struct Interrupted;
