//! The state of one vendor, and the course of one call through it.
//!
//! A call is counted and judged against its limit when it arrives; the token and the state are looked at
//! when it is evaluated, which a hold or a delay may put off. The lock is never held across a wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode, request::Parts};
use http_body_util::Full;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    Settings,
    breakage::Breakage,
    call::{Asked, Call},
    connections::Connections,
    fault::Fault,
    limits::{Limits, Policy},
    log::{Arrival, Log},
    reply::{Failure, Outcome},
    route::{Found, Route, route},
    script::{Gate, Hold, HoldAt, Script},
    tokens::Tokens,
    world::World,
};

/// Everything that clones of a simulator share.
pub(super) struct Engine {
    pub(super) settings: Settings,
    pub(super) connections: Arc<Connections>,
    clock: Clock,
    state: Mutex<State>,
    /// Cancelled when those who stall are to go on.
    stalls: Mutex<CancellationToken>,
}

/// What a call comes to: an answer, and what becomes of it on its way.
pub(super) struct Given {
    pub(super) response: Response<Full<Bytes>>,
    pub(super) breaks: Option<Breakage>,
}

/// What the lock protects.
pub(super) struct State {
    pub(super) world: World,
    pub(super) tokens: Tokens,
    pub(super) limits: Limits,
    pub(super) policy: Policy,
    pub(super) script: Script,
    /// Holds that were asked for over HTTP, where nobody can own them.
    pub(super) kept: Vec<Hold>,
    pub(super) log: Log,
    pub(super) latency: Duration,
}

/// Wall clock at the start, and tokio's clock since: paused time moves both.
struct Clock {
    start: Instant,
    start_ms: i64,
}

/// A call between its arrival and its end.
struct Arrived {
    number: u64,
    shape: &'static str,
    admitted: bool,
    fault: Option<Fault>,
    gates: Vec<(HoldAt, Gate)>,
    /// Each way: half of the whole delay.
    transit: Duration,
}

impl Engine {
    pub(super) fn new(settings: Settings) -> Self {
        let clock = Clock::new();
        let mut world = World::new(settings.open_users, settings.batch.clone(), clock.now_ms());
        if settings.seed {
            super::seed::plant(&mut world);
        }
        let policy = Policy {
            enforced: settings.limits,
            factor: settings.limit_factor,
            refused_count: settings.refused_count,
        };
        let state = State {
            world,
            tokens: Tokens::new(settings.token_ttl),
            limits: Limits::new(settings.log_size),
            policy,
            script: Script::default(),
            kept: Vec::new(),
            log: Log::new(settings.log_size),
            latency: Duration::ZERO,
        };
        let connections = Connections::new(settings.raw_heads);
        Self { settings, connections, clock, state: Mutex::new(state), stalls: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.world.now = self.clock.now_ms();
        state
    }

    /// What those wait for who stall now.
    pub(super) fn stalls(&self) -> CancellationToken {
        self.stalls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets those go on who stall now.
    pub(super) fn release_stalls(&self) {
        std::mem::take(&mut *self.stalls.lock().unwrap_or_else(PoisonError::into_inner)).cancel();
    }

    /// The course of one call, from its arrival to its answer.
    pub(super) async fn answer(&self, head: &Parts, body: Bytes, arrival: &Arrival) -> Given {
        let Some(call) = Call::new(&self.settings.org, &self.settings.app, head, body) else {
            return Given { response: self.elsewhere(head), breaks: None };
        };
        let route = route(&call);
        let arrived = self.arrive(&call, &route, arrival);
        pass(&arrived.gates, HoldAt::Arrival).await;
        delay(arrived.transit).await;
        let response = self.evaluate(&call, &route, &arrived);
        pass(&arrived.gates, HoldAt::Answer).await;
        delay(arrived.transit).await;
        let breaks = arrived.fault.as_ref().and_then(Fault::breaks);
        let status = breaks.is_none_or(Breakage::shows_status).then(|| response.status().as_u16());
        self.end(&call.method, &arrived, status);
        Given { response, breaks }
    }

    /// Performs an operation on the state, without token, limits, counters or script.
    pub(super) fn perform(&self, head: &Parts, body: Bytes) -> Response<Full<Bytes>> {
        let Some(call) = Call::new(&self.settings.org, &self.settings.app, head, body) else {
            return self.elsewhere(head);
        };
        let route = route(&call);
        let mut state = self.state();
        let outcome = state.operate(&self.settings, &call, &route);
        respond(outcome, &self.settings, &call, state.world.now)
    }

    fn arrive(&self, call: &Call, route: &Route<'_>, arrival: &Arrival) -> Arrived {
        let at = Instant::now();
        let state = &mut *self.state();
        let admitted = state.limits.arrive(&call.method, route.shape, at, state.policy);
        if matches!(route.found, Found::Token) {
            state.limits.token_request(state.world.now);
        }
        let number = state.log.note(call, route.shape, (at, state.world.now), arrival);
        Arrived {
            number,
            shape: route.shape,
            admitted,
            fault: state.script.fault(call, route.shape),
            gates: state.script.gates(call, route.shape),
            transit: state.latency / 2,
        }
    }

    fn evaluate(&self, call: &Call, route: &Route<'_>, arrived: &Arrived) -> Response<Full<Bytes>> {
        let mut state = self.state();
        let now = state.world.now;
        let mut own = || {
            let outcome = if arrived.admitted {
                state.judge(&self.settings, call, route)
            } else {
                Err(Failure::reach_limit())
            };
            respond(outcome, &self.settings, call, now)
        };
        match &arrived.fault {
            None => own(),
            Some(fault) => {
                let own = fault.performs(&call.method).then(own);
                fault.response(own, now)
            }
        }
    }

    fn end(&self, method: &Method, arrived: &Arrived, status: Option<u16>) {
        let mut state = self.state();
        if state.log.ended(arrived.number, status) {
            state.limits.ended(method, arrived.shape, status);
        }
    }

    fn elsewhere(&self, head: &Parts) -> Response<Full<Bytes>> {
        let path = head.uri.path().trim_start_matches('/');
        let mut names = path.splitn(3, '/');
        let (org, app) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        let text = format!("Could not find application for {org}/{app} from URI: {path}");
        Failure::new(StatusCode::NOT_FOUND, "organization_application_not_found", text)
            .into_response(self.clock.now_ms())
    }
}

impl State {
    /// As the vendor does it: first who calls, then what is asked.
    fn judge(&mut self, settings: &Settings, call: &Call, route: &Route<'_>) -> Outcome {
        if !matches!(route.found, Found::Token) {
            self.tokens.check(&call.headers)?;
        }
        self.operate(settings, call, route)
    }

    fn operate(&mut self, settings: &Settings, call: &Call, route: &Route<'_>) -> Outcome {
        match route.found {
            Found::Operation(operation) => {
                let asked = Asked { call, first: route.first, second: route.second };
                operation(&mut self.world, &asked)
            }
            Found::Token => self.tokens.grant(settings, &mut self.world, call),
            Found::WrongMethod => Err(Failure::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "unsupported_service_operation",
                "Service operation not supported",
            )),
            Found::Nothing => Err(Failure::new(
                StatusCode::NOT_FOUND,
                "service_resource_not_found",
                "Service resource not found",
            )),
        }
    }

    /// Forgets counters and log; calls under way then end unrecorded.
    pub(super) fn reset_counters(&mut self) {
        self.limits.reset();
        self.log.empty();
    }
}

impl Clock {
    fn new() -> Self {
        // Read once: from then on the wall clock moves with the one clock, also when that is paused.
        let since_epoch = Duration::from_millis(crate::clock::unix_ms());
        Self { start: Instant::now(), start_ms: millis(since_epoch) }
    }

    fn now_ms(&self) -> i64 {
        self.start_ms + millis(self.start.elapsed())
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}

async fn pass(gates: &[(HoldAt, Gate)], here: HoldAt) {
    for (_, gate) in gates.iter().filter(|(at, _)| *at == here) {
        gate.pass().await;
    }
}

async fn delay(transit: Duration) {
    if !transit.is_zero() {
        sleep(transit).await;
    }
}

fn respond(outcome: Outcome, settings: &Settings, call: &Call, now: i64) -> Response<Full<Bytes>> {
    match outcome {
        Ok(reply) => reply.into_response(settings, call, now),
        Err(failure) => failure.into_response(now),
    }
}
