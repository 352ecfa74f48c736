//! The network, as WASI 0.2 names it.

use wasi_host_core::net::{Error, Tcp, Udp};
use wasi_host_core::stream::Subscribe;
use wasi_host_core::wait::Wait;

/// The resource behind `wasi:sockets/network`: a guest's handle to the network of its context. What may be reached
/// through it is said once for the whole context.
///
/// ```
/// use wasi_host_bindings::Network;
/// use wasmtime::component::{Resource, ResourceTable};
/// /// What an `instance-network` of one's own gives a guest.
/// fn instance_network(table: &mut ResourceTable) -> wasmtime::Result<Resource<Network>> {
///     Ok(table.push(Network::default())?)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Network;

/// The resource behind `wasi:sockets/tcp`'s `tcp-socket`.
pub type TcpSocket = Socket<Tcp>;

/// The resource behind `wasi:sockets/udp`'s `udp-socket`.
pub type UdpSocket = Socket<Udp>;

/// A socket whose steps are taken in two halves, as only WASI 0.2 has it: the first does the work, and the second ends
/// the time in which no other step may be begun.
#[derive(Debug)]
pub struct Socket<S> {
    socket: S,
    begun: Option<Step>,
}

/// What a [`Socket`] begins and finishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To bind.
    Bind,
    /// To listen.
    Listen,
}

impl<S> Socket<S> {
    /// One with which nothing was begun.
    pub fn new(socket: S) -> Self {
        Self { socket, begun: None }
    }

    /// What is there in every state.
    pub fn get(&self) -> &S {
        &self.socket
    }

    /// The same, where it is not about a step.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// The socket, where no step is under way.
    ///
    /// # Errors
    ///
    /// `e` where one is.
    pub fn free(&mut self, e: Error) -> Result<&mut S, Error> {
        if self.begun.is_some() { Err(e) } else { Ok(&mut self.socket) }
    }

    /// Takes the first half of a step, and nothing if that fails.
    ///
    /// # Errors
    ///
    /// Those of `op`; [`Error::ConcurrencyConflict`].
    pub fn begin(&mut self, step: Step, op: impl FnOnce(&mut S) -> Result<(), Error>) -> Result<(), Error> {
        op(self.free(Error::ConcurrencyConflict)?)?;
        self.begun = Some(step);
        Ok(())
    }

    /// Takes the second half.
    ///
    /// # Errors
    ///
    /// [`Error::NotInProgress`].
    pub fn finish(&mut self, step: Step) -> Result<(), Error> {
        self.begun.take_if(|begun| *begun == step).map(drop).ok_or(Error::NotInProgress)
    }

    /// Whether this step waits for its second half.
    pub fn has_begun(&self, step: Step) -> bool {
        self.begun == Some(step)
    }
}

#[async_trait::async_trait]
impl<S: Subscribe> Subscribe for Socket<S> {
    async fn ready(&mut self) {
        if self.begun.is_none() {
            self.socket.ready().await;
        }
    }

    fn wait(&self) -> Wait<'_> {
        if self.begun.is_none() { self.socket.wait() } else { Wait::Ready }
    }
}
