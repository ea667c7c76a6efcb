//! Callers and tools as numbers of one size, so that a map of them is as large as its count says, whatever their names.
//!
//! A print is 128 bits: two SipHashes, each with random keys of this process. Nobody outside knows the keys, so nobody can
//! choose a name with the print of another, and by chance it happens once in 2^64 names.

use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

/// A caller, a tool or a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Print(u64, u64);

impl Hash for Print {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// Makes prints. Those of different makers do not compare.
#[derive(Clone, Debug, Default)]
pub(crate) struct Printer(RandomState, RandomState);

impl Printer {
    pub(crate) fn of<T: Hash>(&self, what: T) -> Print {
        Print(self.0.hash_one(&what), self.1.hash_one(&what))
    }
}

/// A hasher for what is a hash already, or a running number.
pub(crate) type Prehashed = BuildHasherDefault<Spread>;

/// Spreads a number over all bits, because the maps look at the highest and at the lowest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0.rotate_left(8) ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio.
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_tells_names_and_their_places_apart() {
        let printer = Printer::default();
        let prints = [
            printer.of((Some("a"), "bc")),
            printer.of((Some("ab"), "c")),
            printer.of((None::<&str>, "abc")),
            printer.of((Some(""), "abc")),
        ];
        for (index, print) in prints.iter().enumerate() {
            assert!(prints.iter().skip(index + 1).all(|it| it != print));
        }
        assert_eq!(printer.of((Some("a"), "bc")), prints[0]);
        assert_ne!(Printer::default().of((Some("a"), "bc")), prints[0]);
    }
}
