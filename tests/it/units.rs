//! Quantities: what is read, what is refused, and that what is printed reads back.

use std::time::Duration;

use easemob_gateway::units::{ByteSize, Rate, parse_duration, print_duration};
use proptest::prelude::*;

const LOWEST: Rate = Rate::per_second(1);

#[test]
fn reads_what_people_write() {
    for (text, millis) in
        [("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("7d", 604_800_000), ("0s", 0)]
    {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        assert_eq!(print_duration(Duration::from_millis(millis)), text);
    }
    for (text, bytes) in [
        ("64MiB", 64 << 20),
        ("10MB", 10_000_000),
        ("512B", 512),
        ("1GiB", 1 << 30),
        ("3KB", 3_000),
        ("0B", 0),
    ] {
        assert_eq!(text.parse(), Ok(ByteSize::new(bytes)), "{text}");
        assert_eq!(ByteSize::new(bytes).to_string(), text);
    }
    for (text, count, seconds) in [
        ("100/s", 100, 1),
        ("20/min", 20, 60),
        ("7/h", 7, 3_600),
        ("50/day", 50, 86_400),
        ("100/10s", 100, 10),
    ] {
        let rate: Rate = text.parse().expect(text);
        assert_eq!((rate.count(), rate.per()), (count, Duration::from_secs(seconds)), "{text}");
        assert_eq!(rate.to_string(), text);
    }
    assert_eq!(LOWEST.to_string(), "1/s");
    assert_eq!(Rate::per_minute(20).to_string(), "20/min");
}

#[test]
fn refuses_everything_else() {
    for text in [
        "",
        "s",
        "30",
        "30 s",
        "1.5s",
        "-1s",
        "+1s",
        "30S",
        "1w",
        "99999999999999999999s",
        "9999999999999999d",
    ] {
        assert!(parse_duration(text).is_err(), "{text:?} is no duration");
    }
    for text in ["", "64", "64 MiB", "64mib", "1.5MB", "-1B", "99999999999999GiB"] {
        assert!(text.parse::<ByteSize>().is_err(), "{text:?} is no size");
    }
    for text in ["", "100", "0/s", "/s", "+1/s", "100/", "100/0s", "100/w", "1/s/s", "4294967296/s"] {
        assert!(text.parse::<Rate>().is_err(), "{text:?} is no rate");
    }
    assert_eq!(Rate::new(0, Duration::from_secs(1)), None);
    assert_eq!(Rate::new(1, Duration::ZERO), None);
    assert_eq!(Rate::new(1, Duration::from_nanos(1_000_001)), None);
}

#[test]
fn says_what_was_read_and_what_is_expected() {
    let said = parse_duration("10 parsecs").expect_err("no duration").to_string();
    assert_eq!(
        said,
        r#""10 parsecs" is not a duration; expected a whole number and ms, s, m, h or d, as in "30s""#
    );
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(millis in 0..u64::MAX / 100_000_000, bytes: u64, count in 1u32..) {
        let duration = Duration::from_millis(millis);
        prop_assert_eq!(parse_duration(&print_duration(duration)), Ok(duration));
        prop_assert_eq!(ByteSize::new(bytes).to_string().parse(), Ok(ByteSize::new(bytes)));
        if let Some(rate) = Rate::new(count, duration) {
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }
    }

    #[test]
    fn no_text_makes_them_panic(text in ".*") {
        let _ = (parse_duration(&text), text.parse::<Rate>(), text.parse::<ByteSize>());
    }
}
