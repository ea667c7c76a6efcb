//! Exports that are async, on the clock of WASI 0.3.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use crate::exports::test::later::waits::Guest as Waits;
use crate::wasi::clocks::monotonic_clock::wait_for;

wit_bindgen::generate!({ path: "async/wit", generate_all });

const NANOSECONDS: u64 = 1_000_000;

struct Later;

/// Ends when all of them have ended.
struct All(Vec<Pin<Box<dyn Future<Output = ()>>>>);

impl Future for All {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.retain_mut(|wait| wait.as_mut().poll(cx).is_pending());
        if self.0.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Waits for Later {
    async fn wait(milliseconds: u32) -> String {
        wait_for(u64::from(milliseconds) * NANOSECONDS).await;
        format!("waited {milliseconds} ms")
    }

    async fn wait_all(milliseconds: Vec<u32>) -> Result<u32, String> {
        if let Some(long) = milliseconds.iter().find(|wait| **wait > 1000) {
            return Err(format!("{long} ms is too long; wait for at most 1000"));
        }
        let count = milliseconds.len();
        let waits = milliseconds
            .into_iter()
            .map(|wait| -> Pin<Box<dyn Future<Output = ()>>> { Box::pin(wait_for(u64::from(wait) * NANOSECONDS)) });
        pin!(All(waits.collect())).await;
        u32::try_from(count).map_err(|_| "too many".to_owned())
    }
}

impl Guest for Later {
    async fn say(message: String) -> String {
        message
    }
}

export!(Later);
