//! Writes: sent, then touched, whatever the caller does.
//!
//! A write runs in a task of its own. Until it has left, a caller who hangs up takes it with him; from then on
//! nothing does. What it changes is touched before the first byte of its answer is handed on, on every outcome:
//! success, a clear no, and not knowing. If nobody knows, the tags stay in doubt, and the task listens on for
//! the late answer and touches again when it comes.

use super::ask::{Judged, Lost};
use super::call::Subject;
use super::errand::{Errand, Payload};
use super::refusal::Refusal;
use super::reply::Way;
use super::{Call, Passage};
use crate::body::{Body, Collected};
use crate::cache::{Cause, Touched};
use crate::catalogue::pointer;
use crate::clock;
use crate::easemob::dialect::Verdict;
use crate::exchange::{CacheOutcome, Exchange};
use bytes::Bytes;
use http::Response;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;

/// A write under way: what it concerns, and that somebody must be told what became of it.
struct Deed {
    passage: Passage,
    subject: Subject,
    body: Option<pointer::Collected>,
    caller: Option<u16>,
    left: AtomicBool,
    touched: bool,
}

impl Passage {
    pub(super) async fn write(
        &self,
        mut call: Box<Call>,
        ledger: &mut Exchange,
    ) -> Result<Response<Body>, Refusal> {
        ledger.cache = CacheOutcome::Write;
        let (payload, body) = self.content(&mut call).await?;
        call.subject.check_tags(&self.house.catalogue, body.as_ref())?;
        let subject = call.subject.clone();
        let mut errand = Errand::new(self, *call, payload);
        errand.safe = false;
        errand.whole_bytes_max = self.policy.settings.answer_bytes_max;
        let (tell, told) = oneshot::channel();
        let deed = Deed {
            passage: self.clone(),
            subject,
            body,
            caller: ledger.caller,
            left: AtomicBool::new(false),
            touched: false,
        };
        self.house.tasks.spawn("write", Box::pin(deed.run(errand, tell)));
        let (calls, result) = told.await.map_err(|_| Refusal::Broken)?;
        ledger.calls = calls;
        result
    }

    /// The body to send, and what its tags need of it.
    async fn content(&self, call: &mut Call) -> Result<(Payload, Option<pointer::Collected>), Refusal> {
        let Some(pointers) = &self.house.catalogue[call.subject.endpoint].tags.body else {
            return Ok((self.payload(call).await?, None));
        };
        if call.is_encoded() {
            return Err(Refusal::WrongType);
        }
        let bytes = self.body_at_hand(call).await?;
        let collected = pointers.collect(&bytes).map_err(|error| Refusal::Malformed(error.to_string()))?;
        Ok((Payload::Bytes(bytes), Some(collected)))
    }

    /// The whole body, which must be read before anything is sent.
    pub(super) async fn body_at_hand(&self, call: &mut Call) -> Result<Bytes, Refusal> {
        match self.payload(call).await? {
            Payload::Bytes(bytes) => Ok(bytes),
            _ => Err(Refusal::TooLarge(self.policy.settings.replay_bytes_max as u64)),
        }
    }

    /// The body: at hand if it is short enough to be kept for a repeat, otherwise as it comes.
    pub(super) async fn payload(&self, call: &mut Call) -> Result<Payload, Refusal> {
        let settings = &self.policy.settings;
        let body = std::mem::take(call.request.body_mut());
        if matches!(body, Body::Empty) {
            return Ok(Payload::Bytes(Bytes::new()));
        }
        let began = clock::now();
        let reading = tokio::time::timeout(settings.body_timeout, body.collect(settings.replay_bytes_max));
        match reading.await {
            Ok(Ok(Collected::Whole(bytes))) => Ok(Payload::Bytes(bytes)),
            Ok(Ok(Collected::Larger(body))) => {
                let (body, fault) = body.limited(settings.body_bytes_max, began + settings.body_timeout);
                Ok(Payload::Stream(body, fault))
            }
            Ok(Err(_)) | Err(_) => Err(Refusal::BodyCut),
        }
    }
}

impl Deed {
    async fn run(mut self, mut errand: Errand, tell: oneshot::Sender<(u8, Result<Response<Body>, Refusal>)>) {
        let mut tell = tell;
        let asked = {
            let hung_up = async {
                tell.closed().await;
                // Once it has left, only its own end ends it.
                if self.left.load(Ordering::Relaxed) {
                    std::future::pending::<()>().await;
                }
            };
            let asking = self.passage.ask(&mut errand, || self.left.store(true, Ordering::Relaxed));
            tokio::select! {
                biased;
                () = hung_up => return,
                asked = asking => asked,
            }
        };
        match asked {
            Ok(judged) => {
                self.settle(&judged);
                let _ = tell.send((errand.calls, Ok(judged.reply(Way::Passed))));
            }
            Err(Lost::Silent(sending)) => {
                let touched = self.touch(Cause::Unknown, "unknown", None);
                let _ = tell.send((errand.calls, Err(Refusal::TimedOut)));
                self.listen(sending, &touched).await;
            }
            Err(Lost::Unknown(refusal)) => {
                self.touch(Cause::Unknown, "unknown", None);
                let _ = tell.send((errand.calls, Err(refusal)));
            }
            Err(Lost::Refused(refusal)) => {
                if errand.calls > 0 {
                    self.touch(Cause::Declined, refusal.row().reason, None);
                }
                // What turned out not to have left has changed nothing.
                self.left.store(false, Ordering::Relaxed);
                let _ = tell.send((errand.calls, Err(refusal)));
            }
        }
    }

    /// Touches according to what the vendor said.
    fn settle(&mut self, judged: &Judged) {
        let cause = match judged.verdict {
            Verdict::Good => Cause::Write,
            Verdict::Failed => Cause::Unknown,
            _ => Cause::Declined,
        };
        let row = &self.passage.house.catalogue[self.subject.endpoint];
        let answer = match (&row.tags.answer, &judged.content) {
            (Some(pointers), Collected::Whole(bytes)) => pointers.collect(bytes).ok(),
            _ => None,
        };
        self.touch(cause, judged.verdict.as_str(), answer.as_ref());
    }

    fn touch(&mut self, cause: Cause, outcome: &str, answer: Option<&pointer::Collected>) -> Touched {
        self.touched = true;
        let passage = &self.passage;
        let values = self.subject.values(self.body.as_ref(), answer);
        let tags = if cause == Cause::Declined {
            // A clear no names nobody new: the coarse tags stay as they are.
            passage.house.catalogue.tags(self.subject.endpoint, &values)
        } else {
            passage.house.catalogue.touches(self.subject.endpoint, &values)
        };
        let touched = passage.house.cache.touch(&tags.names, cause);
        passage.desk.cells.touched(cause);
        passage.desk.audit(self.caller, self.subject.endpoint, self.subject.path(), outcome);
        touched
    }

    /// Waits for the late answer of a write that timed out.
    async fn listen(
        &self,
        sending: impl Future<Output = Result<crate::upstream::Answer, crate::upstream::SendError>>,
        touched: &Touched,
    ) {
        let (house, settings) = (&self.passage.house, &self.passage.policy.settings);
        let listening = house.listening.fetch_add(1, Ordering::Relaxed);
        if listening < settings.write_listen_max {
            let late = tokio::time::timeout(settings.write_listen, async {
                // Its end, not its beginning: only then is the vendor done.
                let answer = sending.await.ok()?;
                self.passage.take_in(answer, settings.answer_bytes_max).await.ok()
            });
            if let Ok(Some(judged)) = late.await {
                // Who fails late does not say what he has done, no more than who fails at once.
                match judged.verdict {
                    Verdict::Failed => house.cache.doubt_anew(touched),
                    _ => house.cache.resolve(touched),
                }
                self.passage.desk.cells.touched(Cause::Unknown);
            }
        }
        house.listening.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Deed {
    /// A write that has left and of which nothing more will be heard, because its task ended early.
    fn drop(&mut self) {
        if self.left.load(Ordering::Relaxed) && !self.touched {
            self.touch(Cause::Unknown, "abandoned", None);
        }
    }
}
