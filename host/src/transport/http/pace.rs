//! How slowly a client may read. One that stops, or reads a byte now and then, would hold an answer and its connection
//! for as long as it likes.
//!
//! Two clocks, because HTTP/2 has two ways to stop reading: [`Paced`] watches what the system takes of the whole
//! connection, [`Bodies`] what the client takes of each response.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep};

use super::body::Body;

/// Bytes that a client must take in the time it has; for as many it gets that time anew.
pub(super) const STEP: usize = 64 * 1024;

/// A connection whose other end must read.
pub(super) struct Paced<T> {
    io: T,
    patience: Duration,
    /// Since when something waits, and how much of it was taken.
    waiting: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<T> Paced<T> {
    /// With `patience` for each [`STEP`].
    pub(super) fn new(io: T, patience: Duration) -> Self {
        Self { io, patience, waiting: None }
    }

    fn judge(
        &mut self,
        cx: &mut Context<'_>,
        offered: usize,
        taken: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match taken {
            Poll::Ready(Ok(taken)) if taken < offered => {
                let so_far = self.waiting.as_ref().map_or(0, |(_, so_far)| *so_far) + taken;
                match &mut self.waiting {
                    Some((_, sum)) if so_far < STEP => *sum = so_far,
                    waiting => *waiting = Some((Box::pin(tokio::time::sleep(self.patience)), 0)),
                }
            }
            Poll::Ready(_) => self.waiting = None,
            Poll::Pending => {
                let patience = self.patience;
                let (sleep, _) = self.waiting.get_or_insert_with(|| (Box::pin(tokio::time::sleep(patience)), 0));
                ready!(sleep.as_mut().poll(cx));
                let error = "the client does not read what it is sent";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, error)));
            }
        }
        taken
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.judge(cx, bytes.len(), taken)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.judge(cx, slices.iter().map(|slice| slice.len()).sum(), taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// The responses of one connection that have more to say, and when each was last asked for it.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    asked: Mutex<Asked>,
    more: Notify,
}

#[derive(Debug, Default)]
struct Asked {
    last: u64,
    open: BTreeMap<u64, Instant>,
}

impl Bodies {
    /// Watches a body, unless it says all at once.
    pub(super) fn watch(self: &Arc<Self>, body: Body) -> PacedBody {
        if body.size_hint().exact().is_some_and(|bytes| bytes <= STEP as u64) {
            return PacedBody { body, watched: None };
        }
        let mut asked = self.lock();
        asked.last += 1;
        let number = asked.last;
        asked.open.insert(number, Instant::now());
        drop(asked);
        self.more.notify_one();
        PacedBody { body, watched: Some(Watched { bodies: Arc::clone(self), number }) }
    }

    /// Ends when some body has not been asked for more in all that time.
    pub(super) async fn stuck(&self, patience: Duration) {
        loop {
            let oldest = self.lock().open.values().min().copied();
            match oldest.map(|asked| patience.checked_sub(asked.elapsed())) {
                None => self.more.notified().await,
                Some(None | Some(Duration::ZERO)) => return,
                Some(Some(rest)) => tokio::time::sleep(rest).await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a response that is watched.
pub(super) struct PacedBody {
    body: Body,
    watched: Option<Watched>,
}

struct Watched {
    bodies: Arc<Bodies>,
    number: u64,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.bodies.lock().open.remove(&self.number);
    }
}

impl http_body::Body for PacedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(Watched { bodies, number }) = &self.watched
            && let Some(asked) = bodies.lock().open.get_mut(number)
        {
            *asked = Instant::now();
        }
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if self.body.is_end_stream() || matches!(frame, Poll::Ready(None)) {
            self.watched = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn a_connection_that_takes_nothing_more_breaks() {
        let (ours, theirs) = tokio::io::duplex(64);
        let mut paced = Paced::new(ours, SOON);
        paced.write_all(&[0; 64]).await.unwrap();
        let error = paced.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(theirs);
    }

    #[tokio::test]
    async fn a_connection_that_takes_a_byte_now_and_then_breaks_too() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut paced = Paced::new(ours, SOON);
        let trickle = async {
            while theirs.read_u8().await.is_ok() {
                tokio::time::sleep(SOON).await
            }
        };
        let written = async move { paced.write_all(&[0; STEP]).await.unwrap_err() };
        let (error, ()) = tokio::join!(written, trickle);
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_connection_that_is_read_goes_on() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut paced = Paced::new(ours, Duration::from_secs(60));
        let mut read = Vec::new();
        let writing = async move { paced.write_all(&[7; 3 * STEP]).await };
        let (written, read_to_end) = tokio::join!(writing, theirs.read_to_end(&mut read));
        written.unwrap();
        assert_eq!(read_to_end.unwrap(), 3 * STEP);
    }

    #[tokio::test]
    async fn a_body_must_be_asked_for_more_until_it_is_through() {
        use http_body_util::BodyExt as _;
        let bodies = Arc::new(Bodies::default());
        assert!(bodies.watch(Body::full("short")).watched.is_none());
        let mut large = bodies.watch(Body::full(vec![0; 2 * STEP]));
        bodies.stuck(SOON).await;
        for _ in 0..2 {
            assert_eq!(large.frame().await.unwrap().unwrap().data_ref().map(Bytes::len), Some(STEP));
        }
        assert!(bodies.lock().open.is_empty());
        let dropped = bodies.watch(Body::events(futures_util::stream::pending()));
        assert_eq!(bodies.lock().open.len(), 1);
        drop(dropped);
        assert!(bodies.lock().open.is_empty());
    }
}
