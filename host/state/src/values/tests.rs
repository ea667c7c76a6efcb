//! What every store of values must do, asked of each.

use std::sync::Arc;

use super::*;
use crate::{Limits, MemoryStore};

const ROOMY: Quota = Quota { keys: 1_000_000, bytes: 1 << 30 };

pub(crate) fn write(plugin: &str, key: &str, value: Option<&[u8]>, expected: Expected, quota: Quota) -> ValueWrite {
    ValueWrite { plugin: plugin.into(), key: key.into(), value: value.map(<[u8]>::to_vec), expected, quota }
}

pub(crate) async fn set(store: &dyn ValueStore, plugin: &str, key: &str, value: &[u8]) {
    store.put(write(plugin, key, Some(value), Expected::Anything, ROOMY)).await.unwrap();
}

/// All keys of a prefix, page by page.
async fn all_keys(store: &dyn ValueStore, plugin: &str, prefix: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let page = store.keys(plugin, prefix, all.last().map(String::as_str)).await.unwrap();
        assert!(page.keys.len() <= PAGE_KEYS);
        assert!(!page.more || !page.keys.is_empty(), "a page that is empty is the last");
        all.extend(page.keys);
        if !page.more {
            return all;
        }
    }
}

/// Sets many keys at once, so that they share commits.
async fn set_all(store: &Arc<dyn ValueStore>, plugin: &'static str, keys: impl Iterator<Item = String>) {
    let set = |key: String| {
        let store = store.clone();
        tokio::spawn(async move { set(&*store, plugin, &key, b"x").await })
    };
    for set in keys.map(set).collect::<Vec<_>>() {
        set.await.unwrap();
    }
}

/// Every operation. The store is empty.
pub(crate) async fn suite(store: Arc<dyn ValueStore>) {
    setting_and_getting(&*store).await;
    comparing(&*store).await;
    listing(&store).await;
    quotas(&*store).await;
}

async fn setting_and_getting(store: &dyn ValueStore) {
    assert_eq!(store.value("a", "k").await.unwrap(), None);
    for value in [&b""[..], b"1", b"\0\xff", &[7; 100_000]] {
        set(store, "a", "k", value).await;
        assert_eq!(store.value("a", "k").await.unwrap().as_deref(), Some(value));
    }
    // Names that would meet if they were put together carelessly.
    for (plugin, key) in [("a", "bc"), ("ab", "c"), ("a", ""), ("", "a"), ("a", "b\0c"), ("a\0b", "c")] {
        set(store, plugin, key, format!("{plugin:?}{key:?}").as_bytes()).await;
    }
    for (plugin, key) in [("a", "bc"), ("ab", "c"), ("a", ""), ("", "a"), ("a", "b\0c"), ("a\0b", "c")] {
        let found = store.value(plugin, key).await.unwrap().unwrap();
        assert_eq!(found, format!("{plugin:?}{key:?}").as_bytes());
        store.put(write(plugin, key, None, Expected::Anything, ROOMY)).await.unwrap();
        assert_eq!(store.value(plugin, key).await.unwrap(), None);
        store.put(write(plugin, key, None, Expected::Anything, ROOMY)).await.expect("removing nothing is no error");
    }
    store.put(write("a", "k", None, Expected::Anything, ROOMY)).await.unwrap();
}

async fn comparing(store: &dyn ValueStore) {
    let exactly = |value: Option<&[u8]>| Expected::Exactly(value.map(<[u8]>::to_vec));
    // what must be there, what is to be, what happens
    type Row<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, Result<(), Option<&'a [u8]>>);
    let table: &[Row<'_>] = &[
        (Some(b"1"), Some(b"2"), Err(None)),
        (None, None, Ok(())),
        (None, Some(b"1"), Ok(())),
        (None, Some(b"2"), Err(Some(b"1"))),
        (Some(b"2"), None, Err(Some(b"1"))),
        (Some(b""), Some(b"2"), Err(Some(b"1"))),
        (Some(b"1"), Some(b""), Ok(())),
        (None, Some(b"2"), Err(Some(b""))),
        (Some(b""), None, Ok(())),
        (None, None, Ok(())),
    ];
    for (at, (expected, value, outcome)) in table.iter().enumerate() {
        let got = store.put(write("a", "n", *value, exactly(*expected), ROOMY)).await;
        let got = match got {
            Ok(()) => Ok(()),
            Err(StateError::Differs { current }) => Err(current),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(got, outcome.map_err(|current| current.map(<[u8]>::to_vec)), "step {at}");
    }
}

async fn listing(store: &Arc<dyn ValueStore>) {
    let mut keys: Vec<String> = (0..PAGE_KEYS + 5).map(|n| format!("item/{n:05}")).collect();
    let others = ["", "item", "item/", "item0", "itel", "ä", "\u{10ffff}"];
    set_all(store, "list", keys.iter().rev().cloned().chain(others.map(str::to_owned))).await;
    for neighbour in ["lis", "list2", "list\0"] {
        set_all(store, neighbour, ["item/x".to_owned()].into_iter()).await;
    }
    let store = &**store;
    keys.insert(0, "item/".to_owned());
    assert_eq!(all_keys(store, "list", "item/").await, keys);
    assert_eq!(all_keys(store, "list", "item/00001").await, ["item/00001"]);
    assert_eq!(all_keys(store, "list", "\u{10ffff}").await, ["\u{10ffff}"]);
    assert_eq!(all_keys(store, "list", "none").await, Vec::<String>::new());
    assert_eq!(all_keys(store, "nobody", "").await, Vec::<String>::new());
    let all = all_keys(store, "list", "").await;
    assert!(all.is_sorted() && all.len() == keys.len() + 6);

    // Whatever a stranger sends as a cursor, no other key and no other plugin's is shown.
    for (after, first) in [("", "item/"), ("a", "item/"), ("item/01003", "item/01004"), ("item/z", ""), ("z", "")] {
        let page = store.keys("list", "item/", Some(after)).await.unwrap();
        assert_eq!(page.keys.first().map(String::as_str).unwrap_or_default(), first, "after {after:?}");
    }
    // A cursor stays good when its key goes.
    store.put(write("list", "item/00003", None, Expected::Anything, ROOMY)).await.unwrap();
    let page = store.keys("list", "item/", Some("item/00003")).await.unwrap();
    assert_eq!(page.keys[0], "item/00004");

    // Long keys come on short pages.
    let long = "x".repeat(PAGE_KEY_BYTES / 2);
    for n in 0..3 {
        set(store, "long", &format!("{n}{long}"), b"").await;
    }
    assert_eq!(store.keys("long", "", None).await.unwrap().keys.len(), 1);
    assert_eq!(all_keys(store, "long", "").await.len(), 3);
}

async fn quotas(store: &dyn ValueStore) {
    let quota = Quota { keys: 2, bytes: 20 };
    let put = |key: &str, value: Option<&[u8]>, quota| store.put(write("q", key, value, Expected::Anything, quota));
    let full = |outcome: Result<(), StateError>| match outcome {
        Err(StateError::Full { what, limit, needed }) => (what, limit, needed),
        other => panic!("{other:?}"),
    };
    put("a", Some(b"123456789"), quota).await.unwrap();
    assert_eq!(full(put("b", Some(b"1234567890"), quota).await), (Full::Bytes, 20, 21));
    put("b", Some(b"123456789"), quota).await.expect("20 bytes fit");
    assert_eq!(full(put("b", Some(b"1234567890"), quota).await), (Full::Bytes, 20, 21));
    assert_eq!(full(put("c", Some(b""), quota).await), (Full::Keys, 2, 3));
    put("b", Some(b"1"), quota).await.unwrap();
    put("b", Some(b"12"), quota).await.expect("what shrank may grow again");
    // Another plugin has its own.
    store.put(write("q2", "c", Some(b"1"), Expected::Anything, quota)).await.unwrap();
    // A quota that was lowered stops growth and nothing else.
    let lower = Quota { keys: 1, bytes: 5 };
    put("a", Some(b"12345678"), lower).await.unwrap();
    put("a", Some(b"87654321"), lower).await.unwrap();
    assert_eq!(full(put("a", Some(b"123456789"), lower).await), (Full::Bytes, 5, 13));
    put("a", None, lower).await.unwrap();
    put("b", None, lower).await.unwrap();
    put("c", Some(b"1234"), lower).await.expect("removed keys leave their room");
    put("c", None, lower).await.unwrap();
}

/// Many count up at once; none is lost.
pub(crate) async fn race(store: Arc<dyn ValueStore>) {
    let add = |store: Arc<dyn ValueStore>| async move {
        for _ in 0..20 {
            let mut seen = store.value("race", "n").await.unwrap();
            loop {
                let n = seen.as_ref().map_or(0, |text| std::str::from_utf8(text).unwrap().parse::<u32>().unwrap());
                let next = (n + 1).to_string().into_bytes();
                match store.put(write("race", "n", Some(&next), Expected::Exactly(seen), ROOMY)).await {
                    Ok(()) => break,
                    Err(StateError::Differs { current }) => seen = current,
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    };
    let adding: Vec<_> = (0..8).map(|_| tokio::spawn(add(store.clone()))).collect();
    for added in adding {
        added.await.unwrap();
    }
    assert_eq!(store.value("race", "n").await.unwrap().as_deref(), Some(&b"160"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_what_a_store_must() {
    suite(Arc::new(MemoryStore::new(Limits::default()))).await;
    race(Arc::new(MemoryStore::new(Limits::default()))).await;
}
