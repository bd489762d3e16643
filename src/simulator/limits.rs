//! Counts arrivals and applies the vendor's call limits.
//!
//! A counter belongs to a method and a path shape. Its window is the second before the call, both for the
//! limit and for the busiest second that is reported. Every arrival counts towards the report, refused ones
//! too; whether a refused call also uses up the limit is not known of the vendor, so it is a setting.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use http::Method;
use serde::Serialize;
use tokio::time::Instant;

const WINDOW: Duration = Duration::from_secs(1);

/// What arrived for one method and path shape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallCount {
    /// Calls that arrived.
    pub total: u64,
    /// Answers given, by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Calls whose connection was dropped on purpose.
    pub dropped: u64,
    /// The most arrivals in any second.
    pub busiest_second: usize,
}

/// A snapshot of all counters, keyed like `GET /chatgroups/{group_id}`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counters {
    /// One entry for every method and path shape that was called.
    pub calls: BTreeMap<String, CallCount>,
    /// When each token request arrived, in milliseconds since the epoch.
    pub token_requests: Vec<i64>,
}

impl Counters {
    /// The count of one method and shape; zero if it was never called.
    pub fn get(&self, method: &str, shape: &str) -> CallCount {
        self.calls.get(&format!("{method} {shape}")).cloned().unwrap_or_default()
    }

    /// All arrivals, whatever they asked for.
    pub fn total(&self) -> u64 {
        self.calls.values().map(|count| count.total).sum()
    }
}

/// How the limits are applied at this moment.
#[derive(Clone, Copy)]
pub(super) struct Policy {
    pub(super) enforced: bool,
    pub(super) factor: f64,
    pub(super) refused_count: bool,
}

/// The counters of all shapes.
pub(super) struct Limits {
    /// So many arrivals of each shape are remembered.
    arrivals_max: usize,
    shapes: HashMap<(Method, &'static str), Shape>,
    token_requests: Vec<i64>,
}

#[derive(Default)]
struct Shape {
    count: CallCount,
    /// Arrivals of the last second, and whether each was let through.
    recent: VecDeque<(Instant, bool)>,
    admitted: usize,
    /// The last arrivals, however long ago.
    arrivals: VecDeque<Instant>,
}

impl Limits {
    pub(super) fn new(arrivals_max: usize) -> Self {
        Self { arrivals_max, shapes: HashMap::new(), token_requests: Vec::new() }
    }

    /// Counts an arrival and says whether it is within its limit.
    pub(super) fn arrive(
        &mut self,
        method: &Method,
        shape: &'static str,
        at: Instant,
        policy: Policy,
    ) -> bool {
        let allowed = allowed(shape, policy);
        let counted = self.shapes.entry((method.clone(), shape)).or_default();
        if counted.arrivals.len() >= self.arrivals_max {
            counted.arrivals.pop_front();
        }
        if self.arrivals_max > 0 {
            counted.arrivals.push_back(at);
        }
        counted.arrive(at, allowed, policy.refused_count)
    }

    /// The most arrivals in any window of this length, for every method and shape that was called.
    pub(super) fn windows(&self, length: Duration) -> BTreeMap<String, usize> {
        let called = self.shapes.iter().filter(|(_, shape)| !shape.arrivals.is_empty());
        called
            .map(|((method, name), shape)| (format!("{method} {name}"), most_within(&shape.arrivals, length)))
            .collect()
    }

    pub(super) fn token_request(&mut self, at_ms: i64) {
        self.token_requests.push(at_ms);
    }

    /// Notes how a call ended: with a status, or without an answer.
    pub(super) fn ended(&mut self, method: &Method, shape: &'static str, status: Option<u16>) {
        let Some(shape) = self.shapes.get_mut(&(method.clone(), shape)) else {
            return;
        };
        match status {
            Some(status) => *shape.count.statuses.entry(status).or_default() += 1,
            None => shape.count.dropped += 1,
        }
    }

    pub(super) fn snapshot(&self) -> Counters {
        let called = self.shapes.iter().filter(|(_, shape)| shape.count != CallCount::default());
        let calls = called.map(|((method, name), shape)| (format!("{method} {name}"), shape.count.clone()));
        Counters { calls: calls.collect(), token_requests: self.token_requests.clone() }
    }

    /// Forgets what was counted, but not the second that is running: the limits stay as strict as they were.
    pub(super) fn reset(&mut self) {
        for shape in self.shapes.values_mut() {
            shape.count = CallCount::default();
            shape.arrivals.clear();
        }
        self.token_requests.clear();
    }
}

impl Shape {
    fn arrive(&mut self, at: Instant, allowed: usize, refused_count: bool) -> bool {
        while let Some((oldest, admitted)) = self.recent.front().copied() {
            if at.duration_since(oldest) < WINDOW {
                break;
            }
            self.recent.pop_front();
            self.admitted -= usize::from(admitted);
        }
        let used = if refused_count { self.recent.len() } else { self.admitted };
        let admitted = used < allowed;
        self.recent.push_back((at, admitted));
        self.admitted += usize::from(admitted);
        self.count.total += 1;
        self.count.busiest_second = self.count.busiest_second.max(self.recent.len());
        admitted
    }
}

/// The most of these moments, which are in order, in any window of this length that leaves out its end.
fn most_within(moments: &VecDeque<Instant>, length: Duration) -> usize {
    let (mut most, mut first) = (0, 0);
    for (index, at) in moments.iter().enumerate() {
        while first < index && at.duration_since(moments[first]) >= length {
            first += 1;
        }
        most = most.max(index + 1 - first);
    }
    most
}

/// Calls per second, as the vendor's limit tables give them.
fn allowed(shape: &str, policy: Policy) -> usize {
    if !policy.enforced {
        return usize::MAX;
    }
    let documented = match shape {
        "/chatgroups/user/{username}" | "/users/{username}/joined_chatgroups" => 50.0,
        "/chatrooms" | "/users/{username}/joined_chatrooms" => 50.0,
        "/messages/chatgroups" => 20.0,
        "/token" => 300.0,
        _ => 100.0,
    };
    // A float becomes the nearest integer in range: no factor can overflow.
    (documented * policy.factor).max(1.0) as usize
}
