//! `tracestate`: checked, bounded, and carried on.

/// The longest field kept, in bytes. Longer ones lose members, the long ones first, as W3C Trace Context asks.
pub const MAX_STATE: usize = 512;
/// The most members a field may have; one with more is dropped.
pub const MAX_STATE_MEMBERS: usize = 32;
/// Longer than this is not even looked at.
const MAX_SEEN: usize = 16 * 1024;
/// A member longer than this goes first.
const LONG: usize = 128;

/// The field with its blanks and empty members taken out, cut to [`MAX_STATE`]. Nothing if any member is not one, or a
/// key is there twice.
pub(crate) fn clean(field: &str) -> Option<String> {
    if field.len() > MAX_SEEN {
        return None;
    }
    let mut members: Vec<&str> =
        field.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty()).collect();
    if members.is_empty() || members.len() > MAX_STATE_MEMBERS {
        return None;
    }
    let mut keys = Vec::with_capacity(members.len());
    for member in &members {
        let (name, content) = member.split_once('=')?;
        if !key(name) || !value(content) || keys.contains(&name) {
            return None;
        }
        keys.push(name);
    }
    while size(&members) > MAX_STATE {
        match members.iter().rposition(|member| member.len() > LONG) {
            Some(long) => drop(members.remove(long)),
            None => drop(members.pop()),
        }
    }
    (!members.is_empty()).then(|| members.join(","))
}

fn size(members: &[&str]) -> usize {
    members.iter().map(|member| member.len() + 1).sum::<usize>().saturating_sub(1)
}

/// `key` of level 2: a letter or digit, then up to 255 of letters, digits and `_-*/@`.
fn key(text: &str) -> bool {
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= 256
        && text.bytes().next().is_some_and(lower)
        && text.bytes().all(|byte| lower(byte) || b"_-*/@".contains(&byte))
}

/// `value`: up to 256 visible characters or blanks without `,` and `=`, the last no blank.
fn value(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 256
        && !text.ends_with(' ')
        && text.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b',' && byte != b'=')
}
