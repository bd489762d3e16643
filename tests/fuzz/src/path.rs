//! Paths: one meaning or none, whichever characters are escaped. Input: a path.

use easemob_gateway::catalogue::path::{Ambiguous, canonical};
use percent_encoding::percent_decode_str;

/// A path that is accepted has one meaning, and keeps it in every other spelling.
pub fn check(data: &[u8]) {
    let path = String::from_utf8_lossy(data);
    let path = format!("/{}", path.trim_start_matches('/'));
    let Ok(matched) = canonical(&path) else { return };
    assert_eq!(canonical(&matched).as_deref(), Ok(&*matched), "twice is not once");
    // What it says, undone by another hand, is what it said.
    let last = |path: &str| path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path).to_owned();
    let plain = |path: &str| percent_decode_str(path).collect::<Vec<u8>>();
    assert_eq!(plain(&matched), plain(&last(&path)), "another thing");
    // No step of another reader finds more in it.
    assert!(matched.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
    let decoded = plain(&matched);
    assert!(!decoded.iter().any(|byte| matches!(byte, b'%' | b'\\' | b';' | b'#' | b'?' | 0..=0x1f | 0x7f)));
    let segments: Vec<&[u8]> = decoded.split(|byte| *byte == b'/').skip(1).collect();
    assert_eq!(segments.len(), matched.split('/').skip(1).count(), "a slash too many");
    let is_root = matched == "/";
    assert!(is_root || segments.iter().all(|segment| !matches!(*segment, b"" | b"." | b"..")));
    spellings(&matched);
    // One slash at the end is taken for none, two are refused.
    if !is_root {
        assert_eq!(canonical(&format!("{matched}/")).as_deref(), Ok(&*matched));
        assert_eq!(canonical(&format!("{matched}//")), Err(Ambiguous::EmptySegment));
    }
}

/// Escaping what needs no escape changes nothing: `,` and `%2C` are one key.
fn spellings(matched: &str) {
    for lower in [false, true] {
        let mut escaped = String::new();
        let mut raw = 0;
        for (at, byte) in matched.bytes().enumerate() {
            if byte == b'%' {
                raw = 3;
            }
            let is_plain = raw == 0 && (byte.is_ascii_alphanumeric() || b"-._~,".contains(&byte));
            match (is_plain && at % 3 != 1, lower) {
                (true, true) => escaped += &format!("%{byte:02x}"),
                (true, false) => escaped += &format!("%{byte:02X}"),
                (false, _) => escaped.push(char::from(byte)),
            }
            raw = usize::saturating_sub(raw, 1);
        }
        assert_eq!(canonical(&escaped).as_deref(), Ok(matched), "{escaped}");
    }
}
