//! The way to the vendor: every call can be held before and after the vendor looks at it, and fares as its step says.
//!
//! The vendor works in tasks of its own: a gateway that no longer waits does not keep it from what it does.

use super::history::{Fate, Stop};
use super::reference::{Answer, Reference};
use super::things::Write;
use bytes::Bytes;
use easemob_gateway::body::Body;
use easemob_gateway::simulator::{Control, Simulator};
use easemob_gateway::tasks::Tasks;
use easemob_gateway::upstream::{SendError, Upstream};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::oneshot;

/// The header by which a write is known again.
pub(super) const DEED: &str = "x-deed";

#[derive(Clone)]
pub(super) struct Line {
    pub(super) reference: Arc<Mutex<Option<Reference>>>,
    plan: Arc<Mutex<Plan>>,
    pub(super) tasks: Tasks,
}

#[derive(Default)]
struct Plan {
    /// Of each write, by its number.
    writes: HashMap<usize, (Write, Stop, Fate)>,
    /// Where the next call of a read is held.
    stop: Option<Stop>,
    /// How all calls of reads fare now.
    fate: Option<Fate>,
    held: Vec<(String, oneshot::Sender<()>)>,
    limbo: Vec<usize>,
    reads: usize,
    /// As many calls of reads as there may have been by now.
    allowed: usize,
    /// A write that has come twice.
    twice: Option<Write>,
}

type Answered = Result<Response<Bytes>, SendError>;

impl Line {
    pub(super) fn new() -> Self {
        Self { reference: Arc::default(), plan: Arc::default(), tasks: Tasks::new() }
    }

    pub(super) fn way_to(&self, simulator: &Simulator) -> Upstream {
        let (line, simulator) = (self.clone(), simulator.clone());
        Upstream::service(tower::service_fn(move |request: Request<Body>| {
            let (line, simulator) = (line.clone(), simulator.clone());
            async move { line.pass(request, simulator).await }
        }))
    }

    async fn pass(&self, request: Request<Body>, simulator: Simulator) -> Result<Response<Body>, SendError> {
        let (head, body) = request.into_parts();
        let body = BodyExt::collect(body).await.map_err(|error| SendError::Broken(error.to_string()))?;
        let request = Request::from_parts(head, body.to_bytes());
        let (tell, told) = oneshot::channel();
        let line = self.clone();
        self.tasks.spawn("vendor", async move { line.take(request, &simulator, tell).await });
        let answer = told.await.map_err(|_| SendError::Broken("the vendor fell over".to_owned()))??;
        Ok(answer.map(|bytes| Body::stream(Full::new(bytes).map_err(|never| match never {}))))
    }

    async fn take(&self, request: Request<Bytes>, simulator: &Simulator, tell: oneshot::Sender<Answered>) {
        let deed = request.headers().get(DEED).and_then(|deed| deed.to_str().ok()?.parse().ok());
        match deed {
            Some(deed) => self.take_write(deed, simulator, tell).await,
            None if request.uri().path().ends_with("/token") => {
                drop(tell.send(plain(simulator, request).await))
            }
            None => self.take_read(request, simulator, tell).await,
        }
    }

    async fn take_read(
        &self,
        request: Request<Bytes>,
        simulator: &Simulator,
        tell: oneshot::Sender<Answered>,
    ) {
        let path = request.uri().path().to_owned();
        let (stop, fate) = {
            let mut plan = self.plan();
            let fate = plan.fate.unwrap_or(Fate::Good);
            plan.reads += 1;
            // What fails may be asked once more.
            plan.allowed += usize::from(matches!(fate, Fate::Failed { .. } | Fate::Cut { .. }));
            (plan.stop.take().unwrap_or(Stop::No), fate)
        };
        self.hold(stop.before(), || format!("{path}, before")).await;
        // Entries that ended by themselves, which nobody has looked at since.
        if path.ends_with("/mute") {
            self.judge(Reference::look_at_mutes);
        }
        let answer = match fate {
            Fate::Good => plain(simulator, request).await,
            Fate::Packed => {
                let place = self.judge(Reference::tick);
                Ok(said(StatusCode::OK, format!("packed {place}")))
            }
            Fate::Cut { .. } => Err(SendError::Broken("cut".to_owned())),
            _ => {
                Ok(said(StatusCode::SERVICE_UNAVAILABLE, json!({"error": "service_unavailable"}).to_string()))
            }
        };
        if fate != Fate::Good {
            self.judge(|reference| reference.excused = true);
        }
        self.hold(stop.after(), || format!("{path}, after")).await;
        let _ = tell.send(answer);
    }

    async fn take_write(&self, deed: usize, simulator: &Simulator, tell: oneshot::Sender<Answered>) {
        let (write, stop, fate) = self.plan().writes[&deed];
        if !self.judge(|reference| reference.arrived(deed)) {
            self.plan().twice = Some(write);
        }
        self.hold(stop.before(), || format!("{write}, before")).await;
        let perform = || self.perform(&simulator.control(), deed);
        let (answer, outcome) = match fate {
            Fate::Good => {
                let (status, body) = perform();
                let outcome = if status == StatusCode::OK { Answer::Yes } else { Answer::No };
                (Ok(said(status, body.to_string())), outcome)
            }
            Fate::Refused { done } => {
                done.then(perform);
                (Ok(said(StatusCode::FORBIDDEN, json!({"error": "forbidden_op"}).to_string())), Answer::No)
            }
            Fate::Failed { done } => {
                done.then(perform);
                let failed = json!({"error": "service_unavailable"}).to_string();
                (Ok(said(StatusCode::SERVICE_UNAVAILABLE, failed)), Answer::Failed)
            }
            Fate::Cut { done } => {
                done.then(perform);
                (Err(SendError::Broken("cut".to_owned())), Answer::Cut)
            }
            Fate::Limbo | Fate::Packed => {
                self.plan().limbo.push(deed);
                (Err(SendError::Broken("cut".to_owned())), Answer::Cut)
            }
        };
        self.hold(stop.after(), || format!("{write}, after")).await;
        if !tell.is_closed() {
            self.judge(|reference| reference.answered(deed, outcome));
        }
        let _ = tell.send(answer);
    }

    fn perform(&self, vendor: &Control, deed: usize) -> (StatusCode, serde_json::Value) {
        let write = self.plan().writes[&deed].0;
        let said = write.perform(vendor);
        self.judge(|reference| reference.done(deed));
        said
    }

    async fn hold(&self, held: bool, name: impl Fn() -> String) {
        if held {
            let (open, opened) = oneshot::channel();
            self.plan().held.push((name(), open));
            let _ = opened.await;
        }
    }

    /// A write of this number fares so.
    pub(super) fn expect_write(&self, deed: usize, plan: (Write, Stop, Fate)) {
        self.plan().writes.insert(deed, plan);
    }

    /// Reads fare so, and their first call is held, until this is said again.
    pub(super) fn expect_reads(&self, stop: Stop, fate: Fate) {
        let mut plan = self.plan();
        (plan.stop, plan.fate) = (Some(stop), Some(fate));
    }

    /// Lets one of those that are held go on; which.
    pub(super) fn release(&self, which: usize) -> Option<String> {
        let mut plan = self.plan();
        let at = which.checked_rem(plan.held.len())?;
        let (name, open) = plan.held.remove(at);
        let _ = open.send(());
        Some(name)
    }

    pub(super) fn is_holding(&self) -> bool {
        !self.plan().held.is_empty()
    }

    /// Does one of those writes that were lost; which.
    pub(super) fn do_late(&self, vendor: &Control, which: usize) -> Option<Write> {
        let mut plan = self.plan();
        let at = which.checked_rem(plan.limbo.len())?;
        let deed = plan.limbo.remove(at);
        let write = plan.writes[&deed].0;
        drop(plan);
        self.perform(vendor, deed);
        Some(write)
    }

    /// Calls of reads that have arrived.
    pub(super) fn reads(&self) -> usize {
        self.plan().reads
    }

    /// So many calls more may come.
    pub(super) fn allow(&self, calls: usize) {
        self.plan().allowed += calls;
    }

    /// An error if more calls have come than would without a memory: no read costs more than its own, no write two.
    pub(super) fn check_calls(&self) -> Result<(), String> {
        let plan = self.plan();
        let (reads, allowed) = (plan.reads, plan.allowed);
        if reads > allowed {
            return Err(format!("{reads} calls of reads, where {allowed} would do"));
        }
        plan.twice.map_or(Ok(()), |write| Err(format!("{write} has come twice")))
    }

    pub(super) fn judge<T>(&self, judge: impl FnOnce(&mut Reference) -> T) -> T {
        judge(self.reference.lock().unwrap().as_mut().expect("the reference has been made"))
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap()
    }
}

/// The vendor's own answer. Nothing in it waits, so that it and what is noted of it are one moment.
async fn plain(simulator: &Simulator, request: Request<Bytes>) -> Answered {
    let answer = simulator.answer(request.map(Full::new)).await;
    let (head, body) = answer.map_err(|dropped| SendError::Broken(dropped.to_string()))?.into_parts();
    let bytes = body.collect().await.map_err(|_| SendError::Broken("cut".to_owned()))?.to_bytes();
    Ok(Response::from_parts(head, bytes))
}

fn said(status: StatusCode, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json;charset=UTF-8");
    response.headers_mut().insert("content-type", json);
    response
}
