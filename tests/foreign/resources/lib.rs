//! Exports with values that JSON cannot hold, and one without.

use std::cell::Cell;

use crate::exports::test::resources::flows::Guest as Flows;
use crate::exports::test::resources::handles::{Counter, CounterBorrow, Guest as Handles, GuestCounter};
use wit_bindgen::{FutureReader, StreamReader, StreamResult};

wit_bindgen::generate!({ path: "resources/wit" });

struct Resources;

struct Count(Cell<u32>);

impl GuestCounter for Count {
    fn new(start: u32) -> Self {
        Self(Cell::new(start))
    }

    fn next(&self) -> u32 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}

impl Handles for Resources {
    type Counter = Count;

    fn peek(counter: CounterBorrow<'_>) -> u32 {
        counter.get::<Count>().0.get()
    }

    fn counters() -> Vec<Counter> {
        vec![Counter::new(Count(Cell::new(0)))]
    }
}

impl Flows for Resources {
    async fn drain(mut bytes: StreamReader<u8>) -> u64 {
        let mut count = 0;
        loop {
            let (status, read) = bytes.read(Vec::with_capacity(1024)).await;
            count += read.len() as u64;
            if !matches!(status, StreamResult::Complete(_)) {
                return count;
            }
        }
    }

    async fn soon() -> FutureReader<u32> {
        let (writer, reader) = wit_future::new(|| 0);
        drop(writer);
        reader
    }
}

impl Guest for Resources {
    fn plain(number: u32) -> u32 {
        number
    }
}

export!(Resources);
