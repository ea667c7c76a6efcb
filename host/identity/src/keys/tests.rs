//! Keys from being made to being revoked, with real files.

use std::fs;
use std::sync::Arc;

use super::*;
use crate::refusal::Refusal;
use crate::scopes::Scopes;
use crate::secret::Secret;
use crate::testing::{NOW, at};

fn new(principal: &str) -> NewKey {
    NewKey {
        principal: principal.to_owned(),
        groups: ["dev".to_owned()].into(),
        scopes: ["admin".to_owned()].into(),
        lifetime: Some(Duration::from_secs(1000)),
        note: "laptop".to_owned(),
    }
}

fn reader(path: &std::path::Path) -> Keys {
    let implied = [("admin".to_owned(), ["tools".to_owned()].into())].into();
    Keys::open(path, Arc::new(Scopes::new(&implied).unwrap())).unwrap()
}

#[test]
fn a_key_is_made_used_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let file = KeyFile::open(&path).unwrap();
    let keys = reader(&path);
    let (text, record) = file.create(new("alice"), at(0)).unwrap();
    let (other, _) = file.create(new("bob"), at(0)).unwrap();
    let text = text.expose().to_owned();
    assert!(text.starts_with(&format!("tck_{}_", record.id)) && text.len() == 4 + 12 + 1 + 43, "{text}");
    assert!(!fs::read_to_string(&path).unwrap().contains(&text[17..]), "the secret is not in the file");

    let identity = keys.identify(&text, at(0)).unwrap();
    assert_eq!((identity.principal.as_str(), identity.key_id.as_ref()), ("alice", Some(&record.id)));
    assert_eq!(identity.scopes, ["admin".to_owned(), "tools".to_owned()].into());
    assert_eq!((identity.groups.len(), identity.expires), (1, Some(at(1000))));
    assert!(keys.identify(&text, at(999)).is_ok());
    assert_eq!(keys.identify(&text, at(1000)), Err(Refusal::Key));

    let revoked = file.revoke(&record.id, at(5)).unwrap();
    assert_eq!(revoked.revoked, Some(NOW + 5));
    assert_eq!(file.revoke(&record.id, at(9)).unwrap().revoked, Some(NOW + 5), "once");
    assert!(matches!(file.revoke("nobody", at(0)), Err(KeyError::Unknown(_))));
    assert_eq!(keys.identify(&text, at(1001)), Err(Refusal::Key));
    assert_eq!(file.list().unwrap().iter().map(|key| key.principal.as_str()).collect::<Vec<_>>(), ["alice", "bob"]);
    assert!(keys.identify(other.expose(), at(2)).is_ok());
}

#[test]
fn a_revocation_is_seen_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let file = KeyFile::open(&path).unwrap();
    let (text, record) = file.create(new("alice"), at(0)).unwrap();
    let keys = reader(&path);
    assert!(keys.identify(text.expose(), at(0)).is_ok());
    file.revoke(&record.id, at(0)).unwrap();
    assert!(keys.identify(text.expose(), at(0)).is_ok(), "the file is not looked at for every call");
    assert_eq!(keys.identify(text.expose(), at(1)), Err(Refusal::Key));
}

#[test]
fn what_is_not_the_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let (text, record) = KeyFile::open(&path).unwrap().create(new("alice"), at(0)).unwrap();
    let keys = reader(&path);
    let text = text.expose();
    for index in 0..text.len() {
        let mut bytes = text.as_bytes().to_vec();
        bytes[index] = if bytes[index] == b'a' { b'b' } else { b'a' };
        assert_eq!(keys.identify(&String::from_utf8(bytes).unwrap(), at(0)), Err(Refusal::Key), "{index}");
        assert_eq!(keys.identify(&text[..index], at(0)), Err(Refusal::Key), "{index}");
    }
    for bad in [format!("{text}="), format!("{text}A"), format!("tck_{}_", record.id), "tck_äöüäöüäöüäöü_x".to_owned()]
    {
        assert_eq!(keys.identify(&bad, at(0)), Err(Refusal::Key), "{bad}");
    }
    assert_eq!(keys.identify(&format!("tck_{}_{}", record.id, record.hash), at(0)), Err(Refusal::Key), "the hash");
    // An unknown id with a secret whose hash would be zero is nobody either: no entry, no yes.
    assert_eq!(keys.identify(&format!("tck_000000000000_{}", &text[17..]), at(0)), Err(Refusal::Key));
}

#[test]
fn many_writers_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                let file = KeyFile::open(path).unwrap();
                for n in 0..10 {
                    let (_, key) = file.create(new(&format!("w{writer}-{n}")), at(0)).unwrap();
                    if n % 2 == 0 {
                        file.revoke(&key.id, at(1)).unwrap();
                    }
                }
            });
        }
    });
    let keys = KeyFile::open(&path).unwrap().list().unwrap();
    assert_eq!(keys.len(), 40);
    assert_eq!(keys.iter().filter(|key| key.revoked.is_some()).count(), 20);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the file and its lock, nothing else: {left:?}");
}

#[test]
fn a_broken_file_keeps_the_last_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let (text, record) = KeyFile::open(&path).unwrap().create(new("alice"), at(0)).unwrap();
    let keys = reader(&path);
    let good = fs::read_to_string(&path).unwrap();
    let doubled = good.replace("\"keys\": [", &format!("\"keys\": [{},", serde_json::to_string(&record).unwrap()));
    let mut seconds = 0;
    for broken in ["{", "", "[]", r#"{"version":2,"keys":[]}"#, &good.replace(&record.hash, "AAAA"), &doubled] {
        fs::write(&path, broken).unwrap();
        seconds += 2;
        assert!(keys.identify(text.expose(), at(seconds)).is_ok(), "{broken}");
        if broken != doubled && !broken.contains("AAAA") {
            assert!(matches!(KeyFile::open(&path), Err(KeyError::Broken { .. })), "{broken}");
        }
        assert!(Keys::open(&path, Arc::default()).is_err(), "{broken}");
    }
    fs::write(&path, r#"{"version":1,"keys":[]}"#).unwrap();
    assert_eq!(keys.identify(text.expose(), at(seconds + 2)), Err(Refusal::Key), "the next good one counts");
    fs::write(&path, &good).unwrap();
    assert!(keys.identify(text.expose(), at(seconds + 4)).is_ok());
    fs::remove_file(&path).unwrap();
    assert_eq!(keys.identify(text.expose(), at(seconds + 6)), Err(Refusal::Key), "no file, no keys");
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let file = KeyFile::open(&path).unwrap();
    file.create(new("alice"), at(0)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
    assert!(matches!(file.create(new("bob"), at(0)), Err(KeyError::Writable { .. })));
    assert!(matches!(Keys::open(&path, Arc::default()), Err(KeyError::Writable { .. })));
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = KeyFile::open(folder.path().join("keys.json")).unwrap();
    let refused = |change: fn(&mut NewKey)| {
        let mut key = new("alice");
        change(&mut key);
        file.create(key, at(0)).unwrap_err()
    };
    assert!(matches!(refused(|key| key.principal.clear()), KeyError::Name(_)));
    assert!(matches!(refused(|key| key.principal = "a\nb".to_owned()), KeyError::Name(_)));
    assert!(matches!(refused(|key| key.scopes = ["a b".to_owned()].into()), KeyError::Name(_)));
    assert!(matches!(refused(|key| key.note = "x".repeat(1025)), KeyError::Note));
    assert!(file.list().unwrap().is_empty());
}

#[test]
fn no_two_keys_are_alike_and_none_is_shown() {
    let made: std::collections::BTreeSet<String> =
        (0..1000).map(|_| text::new().unwrap().0.expose().to_owned()).collect();
    assert_eq!(made.len(), 1000);
    assert_eq!(format!("{:?}", Secret::from("tck_x")), "[secret]");
}
