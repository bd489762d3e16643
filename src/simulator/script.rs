//! What tests ask the vendor to do out of the ordinary: faults for the next calls, and calls that are held.
//!
//! A held call has arrived and was counted. It waits either before it touches the state or with its answer
//! in hand; that is how a test arranges any interleaving without sleeping.

use http::Method;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{call::Call, fault::Fault};

/// Picks calls by method, by path (after `/{org}/{app}`, decoded, without the query) or shape, and by chance.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    method: Option<Method>,
    path: String,
    exact: bool,
    shape: Option<String>,
    times: Option<usize>,
    chance: Option<(f64, fastrand::Rng)>,
}

impl Matcher {
    /// Every call, token requests among them.
    pub fn any() -> Self {
        Self::default()
    }

    /// Calls whose path begins with `prefix`.
    pub fn path(prefix: impl Into<String>) -> Self {
        Self { path: prefix.into(), ..Self::default() }
    }

    /// Calls of exactly this path.
    pub fn exactly(path: impl Into<String>) -> Self {
        Self { path: path.into(), exact: true, ..Self::default() }
    }

    /// Calls whose path has this shape, such as `/chatgroups/{group_id}`, as counters name it.
    pub fn shape(shape: impl Into<String>) -> Self {
        Self { shape: Some(shape.into()), ..Self::default() }
    }

    /// Only calls with this method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// At most so many calls. Without it a fault is for one call, or for all of them if chance decides; a hold is
    /// for all of them.
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Each of these calls with this probability, drawn with this seed.
    pub fn chance(mut self, probability: f64, seed: u64) -> Self {
        self.chance = Some((probability, fastrand::Rng::with_seed(seed)));
        self
    }

    fn fits(&mut self, call: &Call, shape: &str) -> bool {
        let path = if self.exact { call.path == self.path } else { call.path.starts_with(&self.path) };
        path && self.method.as_ref().is_none_or(|method| *method == call.method)
            && self.shape.as_ref().is_none_or(|own| own == shape)
            && self.chance.as_mut().is_none_or(|(probability, dice)| dice.f64() < *probability)
    }
}

/// Where a held call stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldAt {
    /// Before it is evaluated.
    Arrival,
    /// After it took effect, with the answer in hand.
    Answer,
}

/// Calls that are being held. They go on when this is released or dropped.
#[derive(Debug)]
pub struct Hold {
    gate: Gate,
}

impl Hold {
    /// Waits until `count` calls have been stopped by this hold, counting those that went on since.
    pub async fn arrived(&self, count: usize) {
        let mut arrivals = self.gate.arrived.subscribe();
        // The sender lives in `self`, so this cannot fail.
        let _ = arrivals.wait_for(|arrived| *arrived >= count).await;
    }

    /// How many calls this hold has stopped so far.
    pub fn count(&self) -> usize {
        *self.gate.arrived.borrow()
    }

    /// Lets the held calls go on and holds no more.
    pub fn release(self) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.gate.open.cancel();
    }
}

/// The side of a hold that calls wait at.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    open: CancellationToken,
    arrived: watch::Sender<usize>,
}

impl Gate {
    /// Reports the call as stopped, and waits for the release.
    pub(super) async fn pass(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        self.open.cancelled().await;
    }
}

/// The faults and holds that are still to come.
#[derive(Default)]
pub(super) struct Script {
    faults: Vec<(Matcher, Fault)>,
    holds: Vec<(Matcher, HoldAt, Gate)>,
}

impl Script {
    pub(super) fn next(&mut self, matcher: Matcher, fault: Fault) {
        let once = matcher.chance.is_none().then_some(1);
        self.faults.push((Matcher { times: matcher.times.or(once), ..matcher }, fault));
    }

    pub(super) fn hold(&mut self, matcher: Matcher, at: HoldAt) -> Hold {
        let gate = Gate { open: CancellationToken::new(), arrived: watch::Sender::new(0) };
        self.holds.push((matcher, at, gate.clone()));
        Hold { gate }
    }

    /// The fault that is meant for this call, if any: the one asked for first.
    pub(super) fn fault(&mut self, call: &Call, shape: &str) -> Option<Fault> {
        let index = self.faults.iter_mut().position(|(matcher, _)| matcher.fits(call, shape))?;
        let (matcher, fault) = &mut self.faults[index];
        let fault = fault.clone();
        if spend(matcher) {
            self.faults.remove(index);
        }
        Some(fault)
    }

    /// The gates that this call has to pass.
    pub(super) fn gates(&mut self, call: &Call, shape: &str) -> Vec<(HoldAt, Gate)> {
        self.holds.retain(|(_, _, gate)| !gate.open.is_cancelled());
        let mut gates = Vec::new();
        self.holds.retain_mut(|(matcher, at, gate)| {
            if !matcher.fits(call, shape) {
                return true;
            }
            gates.push((*at, gate.clone()));
            !spend(matcher)
        });
        gates
    }

    pub(super) fn clear_faults(&mut self) {
        self.faults.clear();
    }
}

/// Takes one off the matcher's number of calls, and says whether that was the last.
fn spend(matcher: &mut Matcher) -> bool {
    matcher.times = matcher.times.map(|left| left.saturating_sub(1));
    matcher.times == Some(0)
}
