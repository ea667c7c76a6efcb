//! Lists as many templates as it may, each dear to compare with a long URI, and all but alike.

use toolcell_guests::offering;
use toolcell_guests::offers::{Answer, Offers, ResourceTemplate, template};

/// The plugin.
pub struct Plugin;
offering!(Plugin);

impl Offers for Plugin {
    fn list_templates() -> Answer<Vec<ResourceTemplate>> {
        Ok((0..2_000).map(|n| template(format!("bomb://{}{{a}}/{n}!", "{+a}x".repeat(30)))).collect())
    }
}
