//! One caller's flood leaves another's p99 within twice of what it is alone: on virtual time, so that the figure is the
//! queue's and not the machine's.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use toolcell_quota::{FairQueue, QueueConfig};

const CALLS: usize = 400;
const FLOOD: usize = 3_000;

/// A number from 0 to 1, the same on each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// How long a call takes: `mean` on average, exponentially distributed.
    fn time(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-(1.0 - self.roll()).ln())
    }
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

fn queue(places: usize, per_caller: Option<usize>) -> FairQueue {
    let max_wait = Duration::from_secs(3_600);
    let waiting_per_caller = FLOOD;
    FairQueue::new(QueueConfig {
        places,
        per_caller,
        max_wait,
        waiting_per_caller,
        waiting: 100_000,
        ..QueueConfig::default()
    })
    .expect("the numbers are good")
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

async fn call(queue: &FairQueue, caller: &str, takes: Duration) {
    let place = queue.enter(Some(caller), 1, later()).await.expect("it is let in");
    sleep(takes).await;
    drop(place);
}

/// The p99 of somebody who calls now and then, beside so many floods of calls of that length.
async fn victim(places: usize, per_caller: Option<usize>, floods: usize, flood_mean: Duration) -> Duration {
    let queue = queue(places, per_caller);
    let mut flooding = Vec::new();
    for flooder in 0..floods {
        for index in 0..FLOOD {
            let queue = queue.clone();
            let mut dice = Dice(((flooder * FLOOD + index) as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            flooding.push(tokio::spawn(async move {
                loop {
                    call(&queue, &format!("flooder {flooder}"), dice.time(flood_mean)).await;
                }
            }));
        }
    }
    if floods > 0 {
        sleep(Duration::from_millis(1)).await;
        let waiting = queue.state().waiting;
        assert!(waiting >= floods * (FLOOD - places), "the flood is there: {waiting}");
    }
    let mut dice = Dice(42);
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let takes = dice.time(Duration::from_millis(20));
        let came = Instant::now();
        call(&queue, "victim", takes).await;
        times.push(came.elapsed());
        sleep(Duration::from_millis(7)).await;
    }
    for task in flooding {
        task.abort();
        let _ = task.await;
    }
    assert_eq!(queue.state().running, 0);
    assert_eq!(queue.state().waiting, 0);
    p99(times)
}

async fn assert_fair(places: usize, per_caller: Option<usize>, floods: usize, flood_mean: Duration) {
    let alone = victim(places, per_caller, 0, flood_mean).await;
    let flooded = victim(places, per_caller, floods, flood_mean).await;
    let factor = flooded.as_secs_f64() / alone.as_secs_f64();
    assert!(factor <= 2.0, "{places} places, {floods} floods: {alone:?} alone, {flooded:?} flooded, {factor:.2}×");
}

#[tokio::test(start_paused = true)]
async fn beside_a_flood_of_equal_calls() {
    assert_fair(8, None, 1, Duration::from_millis(20)).await;
}

#[tokio::test(start_paused = true)]
async fn beside_a_flood_of_calls_fifty_times_as_long() {
    assert_fair(8, None, 1, Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn beside_a_flood_of_short_calls() {
    assert_fair(4, None, 1, Duration::from_millis(2)).await;
}

/// Without places that are kept free, by turns alone.
#[tokio::test(start_paused = true)]
async fn beside_a_flood_that_may_hold_all_places() {
    assert_fair(8, Some(8), 1, Duration::from_millis(20)).await;
}

#[tokio::test(start_paused = true)]
async fn beside_several_floods_at_once() {
    assert_fair(8, None, 5, Duration::from_millis(20)).await;
}

/// What the figure would be without the queue: the test above can fail.
#[tokio::test(start_paused = true)]
async fn a_plain_semaphore_is_not_fair() {
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(8));
    let mut dice = Dice(7);
    for _ in 0..FLOOD {
        let (places, takes) = (places.clone(), dice.time(Duration::from_millis(20)));
        tokio::spawn(async move {
            let _place = places.acquire_owned().await.expect("it is open");
            sleep(takes).await;
        });
    }
    sleep(Duration::from_millis(1)).await;
    let came = Instant::now();
    let _place = places.acquire_owned().await.expect("it is open");
    assert!(came.elapsed() > Duration::from_secs(5), "{:?}", came.elapsed());
}
