//! A plugin of good manners, version 1 of two: the tests of reloading put one in the place of the other.

use toolcell_guests::versioned;

versioned!("v1");
