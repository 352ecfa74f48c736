//! A stream that is at hand, or away with whoever waits for it.

use crate::mode::{Awaits, Pause};
use crate::wait::BoxFuture;
use crate::waiting::Waiting;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};
use wasi_host_core::stream::Subscribe;

/// Something that one task uses and waits for. A wait that begins in one poll goes on in later ones, so it cannot borrow:
/// it owns the stream and gives it back.
pub(super) enum Held<S> {
    Here(S),
    Away(BoxFuture<'static, (S, Result<(), Pause>)>),
    /// It has ended.
    Gone,
}

impl<S> Held<S> {
    /// The stream, once it is back; `None` if it has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<&mut S>, Pause>> {
        if let Self::Away(wait) = self {
            let (stream, ended) = ready!(wait.as_mut().poll(cx));
            *self = Self::Here(stream);
            ended?;
        }
        Poll::Ready(Ok(match self {
            Self::Here(stream) => Some(stream),
            Self::Away(_) | Self::Gone => None,
        }))
    }

    /// Gives it to `wait`, which gives it back.
    pub(super) fn send<F>(&mut self, wait: impl FnOnce(S) -> F)
    where
        F: Future<Output = (S, Result<(), Pause>)> + Send + 'static,
    {
        *self = match std::mem::replace(self, Self::Gone) {
            Self::Here(stream) => Self::Away(Box::pin(wait(stream))),
            other => other,
        };
    }
}

/// How far a [`step`](Awaited::step) came.
pub(super) enum Step<R> {
    Done(R),
    /// The guest took back what it had asked for.
    Cancelled,
    /// The stream has ended before.
    Ended,
}

/// A [`Held`] stream and how its context waits for it.
pub(super) struct Awaited<S> {
    held: Held<S>,
    waiting: Arc<Waiting>,
    /// Ends the wait at its next poll.
    recalled: Arc<AtomicBool>,
    /// A wait has ended since the stream was asked last.
    waited: bool,
}

impl<S: Subscribe> Awaited<S> {
    pub(super) fn new(stream: S, waiting: Arc<Waiting>) -> Self {
        Self { held: Held::Here(stream), waiting, recalled: Arc::default(), waited: false }
    }

    /// Does one thing with the stream, waiting for it as long as `op` can do nothing yet. `op` is told whether the stream
    /// has just been waited for.
    pub(super) fn step<R>(
        &mut self,
        cx: &mut Context<'_>,
        finish: bool,
        mut op: impl FnMut(&mut S, bool) -> Option<R>,
    ) -> Poll<Result<Step<R>, Pause>> {
        if finish {
            self.recall();
        }
        loop {
            self.waited |= matches!(self.held, Held::Away(_));
            let stream = match self.held.poll(cx) {
                Poll::Pending if finish => return Poll::Ready(Ok(Step::Cancelled)),
                stream => ready!(stream)?,
            };
            let Some(stream) = stream else { return Poll::Ready(Ok(Step::Ended)) };
            let waited = std::mem::take(&mut self.waited);
            if let Some(done) = op(stream, waited) {
                return Poll::Ready(Ok(Step::Done(done)));
            }
            if finish {
                return Poll::Ready(Ok(Step::Cancelled));
            }
            if waited {
                // It was worth asking, and yet there was nothing: others shall run before it is asked again.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.wait();
        }
    }

    /// Whether somebody has interrupted the context.
    pub(super) fn interrupted(&self) -> Result<(), Pause> {
        self.waiting.unless_set()
    }

    /// Waits for the stream, from the next poll on.
    fn wait(&mut self) {
        let (waiting, recalled) = (self.waiting.clone(), self.recalled.clone());
        self.held.send(|mut stream| async move {
            let ended = {
                let mut pause = pin!(waiting.pause_for_stream::<Awaits, _>(&mut stream));
                poll_fn(|cx| match recalled.swap(false, Ordering::Relaxed) {
                    true => Poll::Ready(Ok(())),
                    false => pause.as_mut().poll(cx),
                })
                .await
            };
            (stream, ended)
        });
    }

    /// Ends the wait, if there is one: nobody wants what it is for any more. Nothing was read meanwhile.
    fn recall(&mut self) {
        if let Held::Away(_) = self.held {
            self.recalled.store(true, Ordering::Relaxed);
            let _ = self.held.poll(&mut Context::from_waker(Waker::noop()));
        }
    }

    /// Ends with it: the stream, wherever it is.
    pub(super) fn take(&mut self) -> Option<S> {
        self.recall();
        match std::mem::replace(&mut self.held, Held::Gone) {
            Held::Here(stream) => Some(stream),
            Held::Away(_) | Held::Gone => None,
        }
    }
}
