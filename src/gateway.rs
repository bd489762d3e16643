//! `Gateway`: the path of a request, top to bottom. Read this first.
//!
//! [`Gateway::call`] has two halves. [`Gateway::at_once`] is synchronous: who asks, what for, may he, is it in
//! memory. Hits and refusals end there and no future is made. [`Passage::go`] is what must wait: a read that
//! joins or begins a fetch (`read`), a write that touches what it changed (`write`), a relay (`relay`). All
//! three ask the vendor through one place (`ask`): token, connection, permit, send, judge.
//!
//! Refusals are one enum, answered at one desk. What happened is written into a ledger, which decides nothing.
//! What may change while it runs is one `Policy`; a request keeps the one it began with.

mod ask;
pub mod batch;
mod blot;
mod call;
mod directives;
mod errand;
pub mod explain;
mod grant;
pub mod hear;
pub mod keep;
mod policy;
pub mod purge;
pub mod read;
pub mod refusal;
mod relay;
mod reply;
mod seat;
mod sleep;
mod stale;
mod write;

use crate::body::Body;
use crate::cache::{Cache, Flights, Secret};
use crate::caller::page;
use crate::catalogue::{Catalogue, Effect};
use crate::clock;
use crate::exchange::CacheOutcome;
use crate::limit::{Limits, PoolId, QuotaSpent};
use crate::tasks::Tasks;
use crate::telemetry::cells::ConnectionEvent;
use crate::telemetry::{Desk, Ledger};
use crate::token::TokenKeeper;
use crate::upstream::Upstream;
use arc_swap::{ArcSwap, Guard};
use call::Call;
use http::{HeaderValue, Method, Request, Response};
pub use policy::Policy;
use read::Question;
use refusal::{Budget, Refusal};
use seat::{Seat, seated};
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll};
use std::time::Duration;

/// Numbers of the path itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The org and app that are served: `/org/app`.
    pub prefix: String,
    /// The vendor's host, as the `Host` header says it.
    pub host: HeaderValue,
    /// What has no row is refused, not relayed.
    pub refuse_unlisted: bool,
    /// Requests that may wait for something at once.
    pub requests_max: usize,
    /// The longest request body that is passed on.
    pub body_bytes_max: u64,
    /// A request body must be whole in this time where it has to be read first.
    pub body_timeout: Duration,
    /// The longest body that is kept for a repeat, or read for tags.
    pub replay_bytes_max: usize,
    /// The longest answer that is kept, shared or read.
    pub answer_bytes_max: usize,
    /// How long a call waits for a permit.
    pub patience: Duration,
    /// From the last byte of a call's head to the first of its answer.
    pub first_byte_timeout: Duration,
    /// From there to the last byte of the answer, for what is read whole.
    pub total_timeout: Duration,
    /// How long a write without an answer is listened for.
    pub write_listen: Duration,
    /// How many at once.
    pub write_listen_max: usize,
    /// How long "not found" is kept.
    pub absent: Duration,
    /// One thing asked for alone has the form that it has among others.
    pub forms_equal: bool,
    /// How long past its time an answer may be served if need be, by endpoint.
    pub stale: Vec<Duration>,
    /// How long it is served at once, while it is fetched anew; at most as long as above.
    pub stale_refresh: Duration,
    /// Freshness by endpoint, where it is not the row's own.
    pub fresh: Vec<Option<Duration>>,
}

/// What all workers share.
#[derive(Debug)]
pub struct House {
    /// What is known of the vendor's operations.
    pub catalogue: Arc<Catalogue>,
    /// Who may ask for what, and the numbers of the path: what a reload exchanges.
    pub policy: ArcSwap<Policy>,
    /// How often the vendor may be asked.
    pub limits: Arc<Limits>,
    /// What is kept.
    pub cache: Arc<Cache>,
    /// What is being fetched.
    pub flights: Arc<Flights<read::Landed>>,
    /// What is known of answers about several things.
    pub batches: batch::Batches,
    /// The token.
    pub tokens: Arc<TokenKeeper>,
    /// What hashes are keyed with.
    pub secret: Secret,
    /// What runs in the background.
    pub tasks: Tasks,
    /// The pools of each row.
    pub pools: Vec<Vec<PoolId>>,
    /// Requests that are waiting for something now.
    pub waiting: AtomicUsize,
    /// Token requests under way now: nobody knows yet who asks, so they take no place from those who are known.
    pub granting: AtomicUsize,
    /// Writes without an answer that are listened for now.
    pub listening: AtomicUsize,
}

/// The gateway, as one worker has it.
#[derive(Clone, Debug)]
pub struct Gateway {
    house: Arc<House>,
    upstream: Arc<Upstream>,
    desk: Arc<Desk>,
    /// `Host` may be any: nobody else's name leads here.
    any_host: bool,
}

/// The way of one request that must wait, under the policy it began with.
#[derive(Clone, Debug)]
struct Passage {
    house: Arc<House>,
    upstream: Arc<Upstream>,
    desk: Arc<Desk>,
    policy: Arc<Policy>,
}

/// What [`Gateway::call`] gives: an answer at hand, or the future of one.
#[derive(Debug)]
pub enum Outcome {
    /// Answered without waiting.
    Ready(Option<Response<Body>>),
    /// On its way.
    Waiting(Waiting),
}

/// An answer on its way.
pub struct Waiting(Pin<Box<dyn Future<Output = Response<Body>> + Send>>);

/// The most token requests at once: client libraries ask once a day.
const GRANTS_MAX: usize = 256;

/// The asynchronous half of one request.
type Going<'a> = Pin<Box<dyn Future<Output = Result<Response<Body>, Refusal>> + Send + 'a>>;

/// What the synchronous half found.
enum Step {
    /// The answer.
    Reply(Response<Body>),
    /// It must wait.
    Go(Box<Call>),
    /// It asks for a token, and is identified by its body.
    Grant(Box<Request<Body>>),
}

impl Gateway {
    /// A worker's gateway: the house, with a way out and a desk of its own.
    #[must_use]
    pub fn new(house: Arc<House>, upstream: Arc<Upstream>, desk: Arc<Desk>) -> Self {
        Self { house, upstream, desk, any_host: false }
    }

    /// The same for a door that nobody else's name leads to.
    #[must_use]
    pub fn under_any_host(self) -> Self {
        Self { any_host: true, ..self }
    }

    /// Starts what runs beside the requests of a worker. Must be called on its runtime.
    pub fn start(&self) {
        let desk = Arc::clone(&self.desk);
        self.house.tasks.spawn_until_stop("log lines", async move { desk.lines.run().await });
    }

    /// Something happened to a caller's connection.
    pub fn connection(&self, event: ConnectionEvent) {
        self.desk.cells.connection(event);
    }

    /// Answers one request. Never fails: what goes wrong is an answer too.
    pub fn call(&self, request: Request<Body>) -> Outcome {
        let mut ledger = self.desk.open(request.method().clone());
        // A look at it, not a share of it: most requests end here.
        let policy = self.house.policy.load();
        let step = std::panic::catch_unwind(AssertUnwindSafe(|| self.at_once(request, &policy, &mut ledger)));
        match step.unwrap_or(Err(Refusal::Broken)) {
            Ok(Step::Reply(response)) => Outcome::Ready(Some(close(response, ledger))),
            Ok(Step::Go(call)) => {
                let passage = self.under(Guard::into_inner(policy));
                Outcome::Waiting(Waiting(Box::pin(async move { passage.go(call, ledger).await })))
            }
            Ok(Step::Grant(request)) => {
                let passage = self.under(Guard::into_inner(policy));
                Outcome::Waiting(Waiting(Box::pin(async move { passage.grant(*request, ledger).await })))
            }
            Err(refusal) => Outcome::Ready(Some(refused(&refusal, ledger))),
        }
    }

    fn under(&self, policy: Arc<Policy>) -> Passage {
        let Self { house, upstream, desk, .. } = self.clone();
        Passage { house, upstream, desk, policy }
    }

    fn at_once(
        &self,
        request: Request<Body>,
        policy: &Arc<Policy>,
        ledger: &mut Ledger,
    ) -> Result<Step, Refusal> {
        let house = &*self.house;
        let came = house.cache.epochs.now();
        call::check_target(&request)?;
        // Who is known by a key is no page, whatever leads there.
        if policy.callers.is_open() {
            let ours = (!self.any_host).then_some(&policy.settings.host);
            page::refuse(&request, ours).map_err(Refusal::Unidentified)?;
        }
        if grant::is_for(&request, &policy.settings.prefix) {
            return Ok(Step::Grant(Box::new(request)));
        }
        ledger.caller = policy.callers.identify(request.headers()).map_err(Refusal::Unidentified)?;
        let mut call = Call::classify(&house.catalogue, &policy.settings, request, came, ledger)?;
        let may = may(house, policy, ledger, &call).and_then(|()| call.check_head(&policy.settings));
        if let Err(refusal) = may {
            // Who is to extend the rules must see what was asked for.
            ledger.path = Some(call.subject.path().into());
            if call.acts(&house.catalogue) {
                self.desk.audit_refused(ledger, refusal.row().reason);
            }
            return Err(refusal);
        }
        if let Some(response) = self.look_up(policy, &mut call, ledger) {
            return Ok(Step::Reply(response));
        }
        // What is asked by body is looked up once the body is there.
        if call.directives.only_if_cached && is_safe(call.request.method()) {
            ledger.path = Some(call.subject.path().into());
            return Err(Refusal::NotKept);
        }
        if ledger.path.is_none() {
            ledger.path = Some(call.subject.path().into());
        }
        Ok(Step::Go(Box::new(call)))
    }

    /// A kept answer that is still true. Names the read on the way, for the fetch that follows a miss.
    fn look_up(&self, policy: &Arc<Policy>, call: &mut Call, ledger: &mut Ledger) -> Option<Response<Body>> {
        let read = call.read(&self.house.catalogue)?;
        if !read.by_body {
            call.name(&self.house, read, None);
        }
        let now = ledger.opened;
        let found = self.house.cache.find(call.key.as_ref()?);
        let response = match found.as_ref().and_then(|entry| read::fresh(entry, call, now, ledger)) {
            Some(response) => response,
            None if found.is_none() && read.by_entity.is_none() => return None,
            // What is past its time may have to be fetched, under the policy of this request.
            None => {
                let passage = self.under(Arc::clone(policy));
                passage.kept(found, call, &Question::default(), now, ledger)?
            }
        };
        if ledger.cache != CacheOutcome::Hit || self.desk.hit_is_logged() {
            ledger.path = Some(call.subject.path().into());
        }
        Some(response)
    }
}

impl Passage {
    async fn go(&self, call: Box<Call>, mut ledger: Ledger) -> Response<Body> {
        let acts = call.acts(&self.house.catalogue);
        // Behind a pointer each: moved about by value they cost more than the allocation.
        let going: Going<'_> = match &self.house.catalogue[call.subject.endpoint].endpoint.effect {
            Effect::Read(_) => Box::pin(self.read(call, &mut ledger)),
            Effect::Write(_) if call.changes(&self.house.catalogue) => {
                Box::pin(self.write(call, &mut ledger))
            }
            Effect::Write(_) | Effect::Relay => Box::pin(self.relay(call, &mut ledger)),
        };
        let seat = Seat::take(&self.house.waiting, self.policy.settings.requests_max);
        let result = seated(seat, going).await;
        if let Err(refusal) = &result
            && acts
            && ledger.calls == 0
        {
            // What has left tells of itself, whoever has stayed to hear it.
            self.desk.audit_refused(&ledger, refusal.row().reason);
        }
        answer(result, ledger)
    }

    async fn grant(&self, request: Request<Body>, mut ledger: Ledger) -> Response<Body> {
        let going: Going<'_> = Box::pin(self.answer_grant(request, &mut ledger));
        let result = seated(Seat::take(&self.house.granting, GRANTS_MAX), going).await;
        let outcome = match &result {
            Ok(response) if response.status().is_success() => "granted",
            Ok(_) => "declined",
            Err(refusal) => refusal.row().reason,
        };
        self.desk.audit_grant(ledger.caller, outcome);
        answer(result, ledger)
    }
}

/// The first gate: right and fairness. Asked before the cache, since a flood of hits must be stoppable too.
fn may(house: &House, policy: &Policy, ledger: &Ledger, call: &Call) -> Result<(), Refusal> {
    right(house, policy, ledger.caller, call)?;
    let endpoint = Some(usize::from(call.subject.endpoint.0));
    ledger.caller.map_or(Ok(()), |caller| policy.fairness.check(caller, endpoint).map_err(limited))
}

/// Whether the caller may do this at all.
fn right(house: &House, policy: &Policy, caller: Option<u16>, call: &Call) -> Result<(), Refusal> {
    let endpoint = usize::from(call.subject.endpoint.0);
    if !policy.callers.may(caller, endpoint) {
        return Err(Refusal::Forbidden);
    }
    if policy.settings.refuse_unlisted && call.subject.endpoint == house.catalogue.unlisted() {
        return Err(Refusal::UnknownEndpoint);
    }
    Ok(())
}

/// A caller's own quota is spent.
fn limited(spent: QuotaSpent) -> Refusal {
    Refusal::CallerLimited(Budget { pool: spent.name, rate: spent.rate, again: spent.again })
}

fn answer(result: Result<Response<Body>, Refusal>, ledger: Ledger) -> Response<Body> {
    match result {
        Ok(response) => close(response, ledger),
        Err(refusal) => refused(&refusal, ledger),
    }
}

/// Closes the ledger with what is answered: of that, `HEAD` gets the head.
fn close(response: Response<Body>, ledger: Ledger) -> Response<Body> {
    let response = if ledger.method == Method::HEAD { reply::without_body(response) } else { response };
    ledger.close(response)
}

/// Answers a refusal at the one desk.
fn refused(refusal: &Refusal, mut ledger: Ledger) -> Response<Body> {
    ledger.refusal = Some(refusal.row().reason);
    let took = clock::now().saturating_duration_since(ledger.opened);
    close(refusal.response(took), ledger)
}

impl Future for Outcome {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Ready(response) => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
            Self::Waiting(Waiting(future)) => future.as_mut().poll(cx).map(Ok),
        }
    }
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting")
    }
}

/// A method that asks and changes nothing, where a row stands for any method.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
