//! The user of this machine who runs the process: the caller where nobody proves anything, on standard input and output. On
//! systems other than Unix such a caller has no name.

use crate::policy::Principal;
use std::sync::Arc;
#[cfg(unix)]
use toolcell_identity::Identity;

/// `local:NAME`, or `local:UID` where the system's list of users has no name for it.
#[cfg(unix)]
pub(super) fn user() -> Option<Arc<Principal>> {
    // The kernel knows it; the variables of the environment are anybody's word.
    let uid = rustix::process::geteuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = name_of(uid, &users).map_or_else(|| uid.to_string(), str::to_owned);
    Some(Arc::new(Principal::new(Identity::local(&name).principal)))
}

/// Nobody in particular: here only variables of the environment would tell it, and those are anybody's word.
#[cfg(not(unix))]
pub(super) fn user() -> Option<Arc<Principal>> {
    None
}

/// The first name of a user, of a text in the form of passwd(5).
#[cfg(unix)]
fn name_of(uid: u32, users: &str) -> Option<&str> {
    let uid = uid.to_string();
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| toolcell_identity::identity::is_name(name))?;
        (fields.nth(1) == Some(uid.as_str())).then_some(name)
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn users_have_the_names_of_the_systems_list() {
        let users = "root:x:0:0:root:/root:/bin/sh\n# no user\n:x:7:7::/:\nalice:x:1000:1000::/home/alice:/bin/sh\n\
                     also:x:1000:1000::/:/bin/sh\n";
        for (uid, name) in [(0, Some("root")), (1000, Some("alice")), (7, None), (1, None)] {
            assert_eq!(name_of(uid, users), name);
        }
        let user = user().expect("somebody runs the tests");
        assert!(user.id.starts_with("local:") && user.id.len() > "local:".len(), "{}", user.id);
    }
}
