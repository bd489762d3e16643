//! A path has one meaning or none.

use easemob_gateway::catalogue::path::{Ambiguous, canonical};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use std::borrow::Cow;

#[test]
fn what_two_parsers_could_read_differently_is_refused() {
    use Ambiguous::*;
    for (path, why) in [
        ("//a", EmptySegment),
        ("/a//b", EmptySegment),
        ("/a//", EmptySegment),
        ("/.", DotSegment),
        ("/a/../b", DotSegment),
        ("/a/%2e%2E/b", DotSegment),
        ("/a/.%2e", DotSegment),
        ("/a%2Fb", Separator),
        ("/a%2fb", Separator),
        ("/a%5Cb", Separator),
        ("/a\\b", Separator),
        ("/a;b=c", Separator),
        ("/a%3Bb", Separator),
        ("/a%3Fb", Separator),
        ("/a%23b", Separator),
        ("/a#b", Separator),
        ("/a?b", Separator),
        ("/a%00", Character),
        ("/a%0d%0a", Character),
        ("/a%7f", Character),
        ("/a\u{7f}", Character),
        ("/a b", Character),
        ("/gr\u{fc}n", Character),
        ("/a%", Escape),
        ("/a%2", Escape),
        ("/a%2g", Escape),
        ("/a%+1", Escape),
        ("/a%252F", Escape),
        ("/a%25", Escape),
        ("/a%20", Blank),
        ("/%20a/b", Blank),
        ("/a/b%E3%80%80/", Blank),
    ] {
        assert_eq!(canonical(path), Err(why), "{path:?}");
    }
}

#[test]
fn what_has_one_meaning_is_taken() {
    for (path, matched) in [
        ("", ""),
        ("/", "/"),
        ("/a/", "/a"),
        ("/%61/", "/a"),
        ("/chatgroups/1,2", "/chatgroups/1,2"),
        ("/chatgroups/1%2C2", "/chatgroups/1,2"),
        ("/a/...", "/a/..."),
        ("/a/.b", "/a/.b"),
        ("/users/%41nn", "/users/Ann"),
        ("/users/gr%c3%bcn", "/users/gr%C3%BCn"),
        ("/users/a%20b%40c", "/users/a%20b%40c"),
        ("/users/a@b", "/users/a@b"),
    ] {
        assert_eq!(canonical(path).as_deref(), Ok(matched), "{path}");
    }
}

#[test]
fn a_path_with_nothing_to_undo_is_not_copied() {
    assert!(matches!(canonical("/chatgroups/1,2"), Ok(Cow::Borrowed(_))));
}

/// Text that is made of what hurts.
fn paths() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z0-9,.~@+]{0,4}",
        "%[0-9a-fA-F]{2}",
        Just("/".to_owned()),
        Just("%2".to_owned()),
        Just("%25".to_owned()),
        Just("..".to_owned()),
        Just(";".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_taken_has_one_meaning(path in paths()) {
        let Ok(matched) = canonical(&path) else { return Ok(()) };
        // What a server would make of what came is what it would make of what was matched.
        let decode = |path: &str| percent_decode_str(path).collect::<Vec<u8>>();
        // But for one slash at the end, which is nobody's.
        let path = path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(&path);
        prop_assert_eq!(decode(path), decode(&matched));
        prop_assert_eq!(path.split('/').count(), matched.split('/').count());
        for segment in matched.split('/').skip(1) {
            let bytes = decode(segment);
            prop_assert!(!segment.is_empty() || &*matched == "/");
            prop_assert!(bytes != b"." && bytes != b"..");
            prop_assert!(!bytes.iter().any(|byte| *byte < 0x20 || *byte == 0x7f));
            prop_assert!(!bytes.iter().any(|byte| b"/\\;?#%".contains(byte)));
        }
        // One spelling: matching it again changes nothing.
        let again = canonical(&matched);
        prop_assert_eq!(again.as_deref(), Ok(&*matched));
    }

    #[test]
    fn spellings_of_one_path_are_matched_as_one(words in proptest::collection::vec("[a-zA-Z0-9,._~-]{1,8}", 1..5)) {
        prop_assume!(!words.iter().any(|word| word == "." || word == ".."));
        let plain = format!("/{}", words.join("/"));
        for upper in [true, false] {
            let escape = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
            let escaped: String =
                plain.bytes().map(|byte| if byte == b'/' { "/".into() } else { escape(byte) }).collect();
            let matched = canonical(&escaped);
            prop_assert_eq!(matched.as_deref(), Ok(&*plain));
        }
    }
}
