//! Those who ask: each a task, judged in the moment in which it is answered.

use super::history::{Fate, How, Stop};
use super::line::{DEED, Line};
use super::reference::Reading;
use super::things::{Read, Write};
use crate::support::world::{Reply, read as whole, request};
use easemob_gateway::gateway::{Gateway, Outcome};
use easemob_gateway::tasks::Tasks;
use futures_util::future::{AbortHandle, abortable};
use http::{HeaderValue, Method};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// What callers have in common.
#[derive(Clone)]
pub(super) struct Desk {
    gateway: Gateway,
    line: Line,
    tasks: Tasks,
    wrong: Arc<Mutex<Vec<String>>>,
    kept: Arc<Mutex<Vec<Kept>>>,
    /// Callers who have not been answered.
    open: Arc<AtomicUsize>,
}

/// A reading whose answer was kept, and when it began.
pub(super) type Kept = (Read, Instant, Reply);

pub(super) struct Caller {
    pub(super) name: String,
    handle: AbortHandle,
    done: Arc<AtomicBool>,
}

impl Caller {
    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }
}

impl Desk {
    pub(super) fn new(gateway: Gateway, line: Line) -> Self {
        let (wrong, kept, open) = Default::default();
        Self { gateway, line, tasks: Tasks::new(), wrong, kept, open }
    }

    /// A caller who reads.
    pub(super) fn read(&self, what: Read, how: How) -> Caller {
        let (reading, outcome) = self.ask(what, how);
        let desk = self.clone();
        self.start(what.to_string(), async move { desk.hear(reading, outcome).await })
    }

    /// A caller who writes, and may read as soon as he is answered.
    pub(super) fn write(&self, write: Write, stop: Stop, fate: Fate, then: Option<Read>) -> Caller {
        let deed = self.line.judge(|reference| reference.begin(write));
        self.line.expect_write(deed, (write, stop, fate));
        let mut request = write.ask().request();
        request.headers_mut().insert(DEED, HeaderValue::from(deed));
        let (desk, outcome) = (self.clone(), self.gateway.call(request));
        self.start(write.to_string(), async move {
            let response = outcome.await.unwrap();
            // Nothing comes between the answer and the reading.
            let known = desk.line.judge(|reference| reference.told(deed, response.status()));
            desk.note(known);
            if let Some(then) = then {
                let (reading, outcome) = desk.ask(then, How::Plain);
                desk.hear(reading, outcome).await;
            }
        })
    }

    fn start(&self, name: String, talk: impl Future<Output = ()> + Send + 'static) -> Caller {
        let done = Arc::new(AtomicBool::new(false));
        let (talk, handle) = abortable(talk);
        let (open, over) = (Arc::clone(&self.open), Arc::clone(&done));
        open.fetch_add(1, Ordering::Relaxed);
        self.tasks.spawn("caller", async move {
            if talk.await.is_ok() {
                open.fetch_sub(1, Ordering::Relaxed);
                over.store(true, Ordering::Relaxed);
            }
        });
        Caller { name, handle, done }
    }

    fn ask(&self, what: Read, how: How) -> (Reading, Outcome) {
        let reading = self.line.judge(|reference| reference.ask(what, how));
        self.line.allow(calls(what, how));
        let mut request = request(Method::GET, &what.path(), None);
        if let Some(how) = how.header() {
            request.headers_mut().insert("cache-control", how.parse().unwrap());
        }
        (reading, self.gateway.call(request))
    }

    async fn hear(&self, reading: Reading, outcome: Outcome) {
        let reply = whole(outcome.await.unwrap()).await;
        let judged = self.line.judge(|reference| reference.judge(&reading, &reply));
        self.note(judged);
        if reply.header("cache-status").contains("stored") {
            self.kept.lock().unwrap().push((reading.what, reading.since, reply));
        }
    }

    fn note(&self, judged: Result<(), String>) {
        self.wrong.lock().unwrap().extend(judged.err());
    }

    /// What was wrong, the first of it.
    pub(super) fn wrong(&self) -> Option<String> {
        self.wrong.lock().unwrap().first().cloned()
    }

    pub(super) fn take_kept(&self) -> Vec<Kept> {
        std::mem::take(&mut self.kept.lock().unwrap())
    }

    pub(super) fn hang_up(&self, caller: &Caller) {
        caller.handle.abort();
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn tasks(&self) -> usize {
        self.tasks.counts().0
    }
}

/// Whether no time has passed since but that between steps.
pub(super) fn is_now(since: Instant) -> bool {
    since.elapsed() < Duration::from_millis(1)
}

/// The most calls that one reader may cost. What could not be put together from a part is asked for whole.
fn calls(what: Read, how: How) -> usize {
    match (what, how) {
        (_, How::OnlyIfCached) => 0,
        (Read::Some(_), _) => 2,
        _ => 1,
    }
}
