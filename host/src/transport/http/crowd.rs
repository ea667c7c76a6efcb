//! How many connections, sessions or streams one client has: a place is a client's as long as it holds its seat.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bits of an IPv6 address that are given to one customer; the rest is free for the taking.
const NETWORK: u128 = !(u64::MAX as u128);

/// Who has how many.
#[derive(Debug)]
pub(super) struct Crowd<C> {
    most: usize,
    seats: Mutex<HashMap<C, usize>>,
}

/// One place of a client; dropping it makes room.
#[derive(Debug)]
pub(super) struct Seat<C: Eq + Hash> {
    crowd: Arc<Crowd<C>>,
    client: C,
}

impl<C: Eq + Hash + Clone> Crowd<C> {
    /// At most that many for each.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, seats: Mutex::default() })
    }

    /// A seat for a client; none if it has all it may have.
    pub(super) fn enter(self: &Arc<Self>, client: C) -> Option<Seat<C>> {
        let mut seats = self.lock();
        let taken = seats.entry(client.clone()).or_default();
        if *taken >= self.most {
            if *taken == 0 {
                seats.remove(&client);
            }
            return None;
        }
        *taken += 1;
        drop(seats);
        Some(Seat { crowd: Arc::clone(self), client })
    }
}

impl<C> Crowd<C> {
    /// How many each may have.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<C, usize>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Eq + Hash> Drop for Seat<C> {
    fn drop(&mut self) {
        let mut seats = self.crowd.lock();
        if let Some(taken) = seats.get_mut(&self.client) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&self.client);
            }
        }
    }
}

/// Who counts as one client by its address.
pub(super) fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK)),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Crowd, client};

    #[test]
    fn each_client_has_its_own_seats_and_a_network_is_one_client() {
        for (one, same, other) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"),
            ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"),
        ] {
            let [one, same, other] = [one, same, other].map(|address| client(address.parse().unwrap()));
            let crowd = Crowd::new(2);
            let (first, _second) = (crowd.enter(one).unwrap(), crowd.enter(same).unwrap());
            assert!(crowd.enter(one).is_none() && crowd.enter(same).is_none(), "{one}");
            assert!(crowd.enter(other).is_some(), "{other}");
            drop(first);
            let third = crowd.enter(same);
            assert!(third.is_some() && crowd.enter(one).is_none(), "{one}");
        }
    }

    #[test]
    fn nothing_is_kept_of_those_who_left() {
        let crowd = Crowd::new(1);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let seat = crowd.enter(address);
        assert!(crowd.enter(address).is_none());
        drop(seat);
        assert!(crowd.lock().is_empty());
        assert!(Crowd::new(0).enter(address).is_none());
    }
}
