//! `baggage`, the W3C header of that name: checked, bounded, and carried as it came.

/// The longest header kept, in bytes (W3C Baggage, "Limits").
pub const MAX_BAGGAGE: usize = 8_192;
/// The most members kept.
pub const MAX_MEMBERS: usize = 64;

/// Whether a header is well-formed baggage within the limits.
pub(crate) fn valid(header: &str) -> bool {
    header.len() <= MAX_BAGGAGE
        && header.split(',').count() <= MAX_MEMBERS
        && header.split(',').all(|member| {
            let mut parts = member.split(';');
            let first = parts.next().and_then(|pair| pair.split_once('='));
            first.is_some_and(|(key, value)| token(key.trim_matches(BLANK)) && octets(value.trim_matches(BLANK)))
                && parts.all(|property| match property.split_once('=') {
                    Some((key, value)) => token(key.trim_matches(BLANK)) && octets(value.trim_matches(BLANK)),
                    None => token(property.trim_matches(BLANK)),
                })
        })
}

const BLANK: [char; 2] = [' ', '\t'];

/// `token` of RFC 9110.
fn token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// `baggage-octet`: visible ASCII without `"`, `,`, `;` and `\`.
fn octets(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::valid;

    #[test]
    fn table() {
        for good in ["userId=alice,serverNode=DF%2028,isProduction=false", "k=v;p1;p2=x", "a = b ; c", "k="] {
            assert!(valid(good), "{good}");
        }
        for bad in ["", "=v", "k", "k=v,", "k=a b", "k=\"v\"", "k=ä", "k=v\r\nx: y", "k=v;=x", &"k=v,".repeat(65)] {
            assert!(!valid(bad), "{bad}");
        }
        assert!(!valid(&format!("k={}", "v".repeat(8_192))));
    }
}
