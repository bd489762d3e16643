//! `[cache]`: what may be remembered, and how much of it.
//!
//! How long a read stays fresh is its row's in the catalogue, and `fresh` in `[endpoints."…"]`.

use std::time::Duration;

use super::value::Rule;
use super::{Section, Settings};
use crate::units::ByteSize;

/// What may be remembered, and how much of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cache {
    /// All kept answers together, with what they need around them. 1 MiB to 64 GiB, default 64 MiB.
    pub bytes_max: ByteSize,
    /// A larger answer is not kept. 1 KiB to 64 MiB and at most `bytes_max`, default 256 KiB.
    pub entry_bytes_max: ByteSize,
    /// Places where touches are noted, 8 bytes each. Two tags in one cost a miss, never a stale
    /// answer. A power of two, 1,024 to 16,777,216, default 262,144.
    pub slots: usize,
    /// An answer that shows more things than this is not kept. 1 to 65,536, default 1,024.
    pub tags_max: usize,
    /// So long after an acknowledged write nothing about it is kept, since the vendor's own copies
    /// may lag; 0 = at once. 0 to 1 min, default 1 s.
    pub settle: Duration,
    /// The same after a write whose outcome is unknown. 1 s to 1 h, default 60 s.
    pub doubt: Duration,
    /// So long a write that was given up is still listened for. 1 s to 10 min, default 60 s.
    pub write_listen: Duration,
    /// At most so many at a time. 1 to 65,536, default 256.
    pub write_listen_max: usize,
    /// Fetches under way. 1 to 1,000,000, default 4,096.
    pub flights_max: usize,
    /// Readers who wait for one fetch. 1 to 1,000,000, default 4,096.
    pub waiters_max: usize,
    /// So long past its time an answer may still be served when the vendor fails or its limit is spent; 0 = not
    /// at all. 0 to 1 d, default 5 min.
    pub stale: Duration,
    /// So long past its time it is served at once, while it is fetched anew; at most `stale`. 0 to 1 h, default 0.
    pub stale_refresh: Duration,
    /// How long "there is no such thing" is believed; 0 = not at all. 0 to 1 min, default 2 s.
    pub absent: Duration,
    /// A body up to this size is kept to be sent again after a new token, or to be read for what
    /// it changes. 1 KiB to 64 MiB, default 1 MiB.
    pub replay_bytes_max: ByteSize,
}

impl Section for Cache {
    fn start() -> Self {
        Self {
            bytes_max: ByteSize::mib(64),
            entry_bytes_max: ByteSize::kib(256),
            slots: 262_144,
            tags_max: 1_024,
            settle: Duration::from_secs(1),
            doubt: Duration::from_secs(60),
            write_listen: Duration::from_secs(60),
            write_listen_max: 256,
            flights_max: 4_096,
            waiters_max: 4_096,
            stale: Duration::from_secs(300),
            stale_refresh: Duration::ZERO,
            absent: Duration::from_secs(2),
            replay_bytes_max: ByteSize::mib(1),
        }
    }

    fn settings(&mut self, each: &mut impl Settings) {
        let Self {
            bytes_max,
            entry_bytes_max,
            slots,
            tags_max,
            settle,
            doubt,
            write_listen,
            write_listen_max,
            flights_max,
            waiters_max,
            stale,
            stale_refresh,
            absent,
            replay_bytes_max,
        } = self;
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let all_bytes = Rule::within(ByteSize::mib(1), ByteSize::mib(65_536));
        let entry_bytes = Rule::within(ByteSize::kib(1), ByteSize::mib(64));
        let replay_bytes = Rule::within(ByteSize::kib(1), ByteSize::mib(64));
        each.setting("bytes_max", bytes_max, all_bytes);
        each.setting("entry_bytes_max", entry_bytes_max, entry_bytes);
        each.setting(
            "slots",
            slots,
            Rule::is("a power of two from 1024 to 16777216", |slots| is_slots(*slots)),
        );
        each.setting("tags_max", tags_max, Rule::within(1, 65_536));
        each.setting("settle", settle, Rule::within(Duration::ZERO, minute));
        each.setting("doubt", doubt, Rule::within(second, minute * 60));
        each.setting("write_listen", write_listen, Rule::within(second, minute * 10));
        each.setting("write_listen_max", write_listen_max, Rule::within(1, 65_536));
        each.setting("flights_max", flights_max, Rule::within(1, 1_000_000));
        each.setting("waiters_max", waiters_max, Rule::within(1, 1_000_000));
        each.setting("stale", stale, Rule::within(Duration::ZERO, minute * 1_440));
        each.setting("stale_refresh", stale_refresh, Rule::within(Duration::ZERO, minute * 60));
        each.setting("absent", absent, Rule::within(Duration::ZERO, minute));
        each.setting("replay_bytes_max", replay_bytes_max, replay_bytes);
    }
}

fn is_slots(slots: usize) -> bool {
    slots.is_power_of_two() && (1_024..=16_777_216).contains(&slots)
}
