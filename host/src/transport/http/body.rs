//! Bodies, in and out.

use std::convert::Infallible;
use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream::{Stream, StreamExt as _};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;

use super::pace::STEP;
use super::traffic::Open;

/// The body of a response: nothing, one message, or a stream of events. A [`Doorkeeper`](super::Doorkeeper) makes its own
/// from [`Body::empty`] and [`Body::full`].
pub struct Body(Kind);

enum Kind {
    Empty,
    Full(Bytes),
    Events(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

impl Body {
    /// Nothing.
    pub fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// All at once.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Full(bytes.into()))
    }

    /// The same; a stream of events counts as open for as long as it is there.
    pub(super) fn counted(self, open: impl FnOnce() -> Open) -> Self {
        match self.0 {
            Kind::Events(events) => {
                let open = open();
                Self::events(events.inspect(move |_| {
                    let _ = &open;
                }))
            }
            whole => Self(whole),
        }
    }

    /// Events, sent as they come.
    pub(super) fn events(events: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self(Kind::Events(Box::pin(events)))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Empty => "Body::Empty",
            Kind::Full(_) => "Body::Full",
            Kind::Events(_) => "Body::Events",
        })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => {
                // Piece by piece, so that no buffer below holds more than its reader can take.
                let piece = bytes.split_to(bytes.len().min(STEP));
                if bytes.is_empty() {
                    self.0 = Kind::Empty;
                }
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Kind::Events(events) => {
                events.as_mut().poll_next(cx).map(|event| event.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Kind::Empty)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Events(_) => SizeHint::default(),
        }
    }
}

/// Why a request has no usable body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is longer than allowed.
    TooLong,
    /// It ended with an error.
    Broken,
}

/// The whole body, without a copy where it comes in one piece.
pub(super) async fn read<B>(body: B, limit: usize) -> Result<Bytes, Unread>
where
    B: http_body::Body,
{
    let mut body = pin!(body);
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLong);
    }
    let mut first = Bytes::new();
    let mut more: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        let so_far = more.as_ref().map_or(first.len(), BytesMut::len);
        if so_far + data.remaining() > limit {
            return Err(Unread::TooLong);
        }
        if so_far == 0 {
            first = data.copy_to_bytes(data.remaining());
        } else {
            more.get_or_insert_with(|| BytesMut::from(first.as_ref()))
                .extend_from_slice(&data.copy_to_bytes(data.remaining()));
        }
    }
    Ok(more.map_or(first, BytesMut::freeze))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::{Unread, read};

    fn parts(parts: &[&'static str]) -> impl http_body::Body<Data = Bytes, Error = std::io::Error> {
        let frames: Vec<_> = parts.iter().map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes())))).collect();
        StreamBody::new(stream::iter(frames))
    }

    #[tokio::test]
    async fn parts_are_joined_up_to_the_limit() {
        for (given, limit, expected) in [
            (&[][..], 0, Ok("")),
            (&["abc"], 3, Ok("abc")),
            (&["ab", "c", "de"], 5, Ok("abcde")),
            (&["ab", "c", "de"], 4, Err(Unread::TooLong)),
            (&["abc"], 2, Err(Unread::TooLong)),
        ] {
            assert_eq!(read(parts(given), limit).await, expected.map(Bytes::from), "{given:?}");
        }
        let broken = StreamBody::new(stream::iter([Err::<Frame<Bytes>, _>(std::io::Error::other("gone"))]));
        assert_eq!(read(broken, 10).await, Err(Unread::Broken));
    }
}
