//! The end of a network for one guest, while it uses it.

use super::{Shutdown, TcpSocket};
use crate::wait::{Notify, Wait};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Whether the network was taken back, and what is to be shut down when it is.
#[derive(Default)]
pub(super) struct Revocation {
    revoked: AtomicBool,
    told: Notify,
    sockets: Mutex<Watched>,
}

/// Sockets, some of which may be gone: they are looked through when there are twice as many as there were after that
/// was done last.
#[derive(Default)]
struct Watched {
    sockets: Vec<Weak<dyn TcpSocket>>,
    enough: usize,
}

/// Fewer are not worth looking through.
const FEW: usize = 16;

impl Revocation {
    #[inline]
    pub(super) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    /// What ends when it is taken back.
    pub(super) fn wait(&self) -> Wait<'_> {
        let watch = self.told.watch();
        if self.is_revoked() { Wait::Ready } else { Wait::Notify(watch) }
    }

    pub(super) fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
        // Who comes now finds that it is revoked, and this lock free: one of us shuts each socket down.
        let watched = std::mem::take(&mut self.watched().sockets);
        watched.iter().filter_map(Weak::upgrade).for_each(|socket| shut_down(&*socket));
        self.told.notify();
    }

    pub(super) fn watch_over(&self, socket: &Arc<dyn TcpSocket>) {
        let mut watched = self.watched();
        if watched.sockets.len() >= watched.enough.max(FEW) {
            watched.sockets.retain(|socket| socket.strong_count() > 0);
            watched.enough = 2 * watched.sockets.len();
        }
        watched.sockets.push(Arc::downgrade(socket));
        drop(watched);
        if self.is_revoked() {
            shut_down(&**socket);
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that is not connected has nothing to shut down, and says so.
fn shut_down(socket: &dyn TcpSocket) {
    let _ = socket.shutdown(Shutdown::Both);
}
