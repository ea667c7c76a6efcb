//! Who is next.
//!
//! A line is in one of two rings while a call in it may run: in the fresh one if it has just ceased to be empty, in the old one
//! after its first turn, for as long as it is not found empty there. The fresh ring goes first, but not for ever. A line
//! whose caller holds as many places as it may is in no ring, until it gives one back.

use std::collections::HashMap;
use std::time::Duration;

use hashlink::LinkedHashMap;
use slab::Slab;

use super::QueueState;
use crate::print::{Prehashed, Print};
use crate::shed::{Meter, retry_after};

/// Turns of the fresh ring before the old one has one, so that a stream of new callers does not stop the others.
const FRESH_IN_A_ROW: u32 = 8;

/// One place of so many is timed.
const TIMED: u64 = 8;

/// How many of what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) places: usize,
    pub(super) share: usize,
    pub(super) waiting_per_caller: usize,
    pub(super) waiting: usize,
}

/// A place, by the line that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) line: usize,
    pub(super) timed: bool,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entered {
    Now(Granted),
    Waits { line: usize, ticket: u64 },
}

/// Why a call cannot even wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    Line { waiting: usize, retry_after: Duration },
    All { waiting: usize, retry_after: Duration },
    TooSlow { expected: Duration, retry_after: Duration },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ring {
    Fresh,
    Old,
}

#[derive(Debug)]
struct Line<W> {
    caller: Print,
    running: usize,
    weight: u32,
    /// Turns left before the next line has one.
    turns: u32,
    ring: Option<Ring>,
    waiting: LinkedHashMap<u64, W, Prehashed>,
}

/// All lines. `W` is how a waiting call is told.
///
/// While a place is free, no call waits but of callers that hold as many as they may.
#[derive(Debug)]
pub(super) struct Lines<W> {
    bounds: Bounds,
    free: usize,
    waiting: usize,
    by_caller: HashMap<Print, usize, Prehashed>,
    lines: Slab<Line<W>>,
    fresh: LinkedHashMap<usize, (), Prehashed>,
    old: LinkedHashMap<usize, (), Prehashed>,
    fresh_in_a_row: u32,
    tickets: u64,
    meter: Meter,
}

impl<W> Lines<W> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            free: bounds.places,
            waiting: 0,
            by_caller: HashMap::default(),
            lines: Slab::new(),
            fresh: LinkedHashMap::default(),
            old: LinkedHashMap::default(),
            fresh_in_a_row: 0,
            tickets: 0,
            meter: Meter::default(),
        }
    }

    /// A place, if one is free for this caller.
    pub(super) fn enter_now(&mut self, caller: Print, weight: u32) -> Option<Granted> {
        if self.free == 0 {
            return None;
        }
        let share = self.bounds.share;
        let index = self.line_of(caller, weight);
        let line = self.lines.get_mut(index).filter(|it| it.running < share)?;
        line.running += 1;
        self.free -= 1;
        Some(self.granted(index))
    }

    /// A place, or a ticket in the caller's line.
    pub(super) fn enter(&mut self, caller: Print, weight: u32, may_wait: Duration, waiter: W) -> Result<Entered, Full> {
        if let Some(granted) = self.enter_now(caller, weight) {
            return Ok(Entered::Now(granted));
        }
        let index = self.line_of(caller, weight);
        let entered = self.wait(index, may_wait, waiter);
        if entered.is_err() {
            self.tidy(index);
        }
        entered
    }

    fn wait(&mut self, index: usize, may_wait: Duration, waiter: W) -> Result<Entered, Full> {
        let expected = self.expected(index);
        let retry = retry_after(expected);
        let Some(line) = self.lines.get_mut(index) else {
            return Err(Full::All { waiting: self.waiting, retry_after: retry });
        };
        if line.waiting.len() >= self.bounds.waiting_per_caller {
            return Err(Full::Line { waiting: line.waiting.len(), retry_after: retry });
        }
        if self.waiting >= self.bounds.waiting {
            return Err(Full::All { waiting: self.waiting, retry_after: retry });
        }
        if let Some(expected) = expected.filter(|it| *it > may_wait) {
            return Err(Full::TooSlow { expected, retry_after: retry });
        }
        self.tickets += 1;
        self.waiting += 1;
        line.waiting.insert(self.tickets, waiter);
        if line.ring.is_none() && line.running < self.bounds.share {
            line.ring = Some(Ring::Fresh);
            line.turns = line.weight;
            self.fresh.insert(index, ());
        }
        Ok(Entered::Waits { line: index, ticket: self.tickets })
    }

    /// How long the next call in that line will wait: until its turn comes, and until its caller may hold one more.
    fn expected(&self, index: usize) -> Option<Duration> {
        let line = self.lines.get(index)?;
        let position = line.waiting.len() + 1;
        let Bounds { places, share, .. } = self.bounds;
        let lines = match line.ring {
            Some(Ring::Fresh) | None if position == 1 => 0,
            _ => self.old.len().max(1),
        };
        let weight = usize::try_from(line.weight).unwrap_or(1).max(1);
        let before = position.saturating_mul(lines).div_ceil(weight).saturating_add(self.fresh.len() + 1);
        let turn = self.meter.expected(before, places)?;
        let held = line.running.saturating_add(position).saturating_sub(share);
        Some(turn.max(self.meter.expected(held, share)?))
    }

    /// Gives a place back, that was held so long if anybody looked. What comes back is who has it now.
    pub(super) fn leave(&mut self, index: usize, held: Option<Duration>) -> Option<(Granted, W)> {
        if let Some(held) = held {
            self.meter.note(held);
        }
        self.free += 1;
        if let Some(line) = self.lines.get_mut(index) {
            line.running = line.running.saturating_sub(1);
            if line.ring.is_none() && !line.waiting.is_empty() {
                line.ring = Some(Ring::Old);
                line.turns = line.weight;
                self.old.insert(index, ());
            }
        }
        self.tidy(index);
        self.next()
    }

    /// Takes a call out of its line. Nothing happens if it was served.
    pub(super) fn forget(&mut self, index: usize, ticket: u64) {
        let Some(line) = self.lines.get_mut(index) else { return };
        if line.waiting.remove(&ticket).is_none() {
            return;
        }
        self.waiting -= 1;
        // One in the old ring stays until its turn, or a caller would be fresh again by giving up.
        if line.waiting.is_empty() && line.ring == Some(Ring::Fresh) {
            line.ring = None;
            self.fresh.remove(&index);
        }
        self.tidy(index);
    }

    /// Gives the free place to whose turn it is.
    fn next(&mut self) -> Option<(Granted, W)> {
        while self.free > 0 {
            let from_fresh = !self.fresh.is_empty() && (self.fresh_in_a_row < FRESH_IN_A_ROW || self.old.is_empty());
            let ring = if from_fresh { &mut self.fresh } else { &mut self.old };
            let (index, ()) = ring.pop_front()?;

            let share = self.bounds.share;
            let Some(line) = self.lines.get_mut(index) else { continue };
            line.ring = None;
            let next = if line.running < share { line.waiting.pop_front() } else { None };
            let Some((_, waiter)) = next else {
                self.tidy(index);
                continue;
            };
            // A line that was found empty has not had its ring's turn.
            self.fresh_in_a_row = if from_fresh { self.fresh_in_a_row + 1 } else { 0 };
            self.waiting -= 1;
            self.free -= 1;
            line.running += 1;
            line.ring = Some(Ring::Old);
            line.turns = line.turns.saturating_sub(1);
            if line.turns == 0 {
                line.turns = line.weight;
                self.old.insert(index, ());
            } else {
                self.old.insert_front(index, ());
            }
            return Some((self.granted(index), waiter));
        }
        None
    }

    fn granted(&mut self, line: usize) -> Granted {
        self.tickets += 1;
        Granted { line, timed: self.tickets.is_multiple_of(TIMED) }
    }

    fn line_of(&mut self, caller: Print, weight: u32) -> usize {
        if let Some(index) = self.by_caller.get(&caller) {
            if let Some(line) = self.lines.get_mut(*index) {
                line.weight = weight;
            }
            return *index;
        }
        let waiting = LinkedHashMap::default();
        let index = self.lines.insert(Line { caller, running: 0, weight, turns: weight, ring: None, waiting });
        self.by_caller.insert(caller, index);
        index
    }

    /// Forgets a caller that has no call in.
    fn tidy(&mut self, index: usize) {
        let idle = |it: &&Line<W>| it.running == 0 && it.waiting.is_empty() && it.ring.is_none();
        if let Some(caller) = self.lines.get(index).filter(idle).map(|it| it.caller) {
            self.by_caller.remove(&caller);
            self.lines.remove(index);
        }
    }

    pub(super) fn retry_after(&self) -> Duration {
        retry_after(self.meter.expected(self.waiting, self.bounds.places))
    }

    pub(super) fn state(&self) -> QueueState {
        let running = self.bounds.places.saturating_sub(self.free);
        QueueState { running, waiting: self.waiting, callers: self.lines.len() }
    }
}
