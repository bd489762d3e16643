//! The handle that steers a vendor from Rust.
//!
//! Everything here acts at once and on every clone of the simulator. The same is offered over HTTP by
//! `control_http`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;

use super::{
    BatchForm,
    connections::{Ambiguities, ConnectionCount},
    engine::Engine,
    fault::Fault,
    limits::Counters,
    log::CallRecord,
    script::{Hold, HoldAt, Matcher},
    seed,
    token_form::TokenForm,
};

/// Steers a [`super::Simulator`].
#[derive(Clone)]
pub struct Control {
    engine: Arc<Engine>,
}

impl Control {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Delays every call: half before it is evaluated, half after.
    pub fn latency(&self, latency: Duration) {
        self.engine.state().latency = latency;
    }

    /// Scripts what happens to the next calls that match; earlier scripts are used up first.
    pub fn next(&self, matcher: Matcher, fault: Fault) {
        self.engine.state().script.next(matcher, fault);
    }

    /// Lets every answer that stalls go on. Those that begin to stall later do stall.
    pub fn release_stalls(&self) {
        self.engine.release_stalls();
    }

    /// Forgets scripted faults that were not used.
    pub fn clear_faults(&self) {
        self.engine.state().script.clear_faults();
    }

    /// Stops matching calls until the [`Hold`] is released or dropped.
    #[must_use = "the calls go on as soon as the hold is dropped"]
    pub fn hold(&self, matcher: Matcher, at: HoldAt) -> Hold {
        self.engine.state().script.hold(matcher, at)
    }

    /// What has arrived since the start or the last reset.
    pub fn counters(&self) -> Counters {
        self.engine.state().limits.snapshot()
    }

    /// The last calls, oldest first.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.engine.state().log.calls()
    }

    /// The most arrivals in any window of this length, for every method and shape (`GET /chatgroups/{group_id}`),
    /// among the last `log_size` of each. A window of a second begun at 0 s does not hold what came at 1 s.
    pub fn windows(&self, length: Duration) -> BTreeMap<String, usize> {
        self.engine.state().limits.windows(length)
    }

    /// The most arrivals of one method and shape in any window of this length, see [`Self::windows`].
    pub fn max_in_window(&self, method: &str, shape: &str, length: Duration) -> usize {
        self.windows(length).get(&format!("{method} {shape}")).copied().unwrap_or_default()
    }

    /// The connections of the listener.
    pub fn connections(&self) -> ConnectionCount {
        self.engine.connections.count()
    }

    /// What could be read in two ways in the heads that came over a socket, where heads are recorded.
    pub fn ambiguities(&self) -> Ambiguities {
        self.engine.connections.odd().clone()
    }

    /// Whether connections that are opened from now on have their heads recorded.
    pub fn raw_heads(&self, recorded: bool) {
        self.engine.connections.hear(recorded);
    }

    /// Sets counters, log and odd heads back; the state, the running second of the limits and the counts of
    /// connections stay.
    pub fn reset_counters(&self) {
        self.engine.state().reset_counters();
        *self.engine.connections.odd() = Ambiguities::default();
    }

    /// Switches the enforcement of limits.
    pub fn limits(&self, enforced: bool) {
        self.engine.state().policy.enforced = enforced;
    }

    /// Multiplies every limit.
    pub fn limit_factor(&self, factor: f64) {
        self.engine.state().policy.factor = factor;
    }

    /// Ends every token that was issued.
    pub fn revoke_tokens(&self) {
        self.engine.state().tokens.revoke();
    }

    /// Life of tokens from now on, where the request names none; zero is for ever.
    pub fn token_ttl(&self, ttl: Duration) {
        self.engine.state().tokens.ttl = ttl;
    }

    /// How token requests are answered from now on.
    pub fn token_form(&self, form: TokenForm) {
        self.engine.state().tokens.form = form;
    }

    /// How details of several groups look from now on.
    pub fn batch(&self, form: BatchForm) {
        self.engine.state().world.batch = form;
    }

    /// Performs an operation past token, limits, counters, faults and holds: a change that a device or the
    /// console makes, or the question what the vendor would answer now. `Value::Null` is no body; an answer
    /// that is not JSON comes back as a string.
    pub fn behind(&self, method: Method, path_and_query: &str, body: Value) -> (StatusCode, Value) {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let settings = &self.engine.settings;
        let target = format!("/{}/{}{path_and_query}", settings.org, settings.app);
        let Ok(request) = Request::builder().method(method).uri(target).body(()) else {
            return (StatusCode::BAD_REQUEST, Value::from("not a path"));
        };
        let answer = self.engine.perform(&request.into_parts().0, body);
        let status = answer.status();
        // The body is in memory: collecting it neither waits nor fails.
        let collected = futures_util::FutureExt::now_or_never(answer.into_body().collect());
        let bytes = collected.and_then(Result::ok).map(|body| body.to_bytes()).unwrap_or_default();
        let text = || Value::from(String::from_utf8_lossy(&bytes).into_owned());
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| text()))
    }

    /// Makes a user exist.
    pub fn add_user(&self, user: &str) {
        self.engine.state().world.add_user(user);
    }

    /// Makes a group with an id of one's own.
    pub fn add_group(&self, id: &str, owner: &str, members: &[&str]) {
        self.engine.state().world.add_group(id, owner, members);
    }

    /// Makes a chat room with an id of one's own.
    pub fn add_room(&self, id: &str, owner: &str, members: &[&str]) {
        self.engine.state().world.add_room(id, owner, members);
    }

    /// Adds the sample data, see [`super::SAMPLE_GROUPS`].
    pub fn seed(&self) {
        seed::plant(&mut self.engine.state().world);
    }

    pub(super) fn keep(&self, hold: Hold) {
        self.engine.state().kept.push(hold);
    }

    pub(super) fn release_kept(&self) -> usize {
        std::mem::take(&mut self.engine.state().kept).len()
    }

    /// The vendor's clock, in milliseconds since the epoch.
    pub fn now_ms(&self) -> i64 {
        self.engine.state().world.now
    }
}
