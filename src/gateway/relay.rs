//! What is passed through: nothing is kept, nothing is touched. Metered all the same.
//!
//! Bodies stream both ways; only what is short enough to be sent twice is read first. Where the vendor counts
//! recipients and not calls, a body is read whole, or nobody knows what it costs. What does something leaves an audit
//! line, also when its caller has gone.

use super::ask::{Judged, Lost};
use super::call::Subject;
use super::errand::{Errand, Payload};
use super::refusal::Refusal;
use super::reply::Way;
use super::{Call, Passage};
use crate::body::Body;
use crate::catalogue::weight::Weightless;
use crate::exchange::{CacheOutcome, Exchange};
use http::header::CONTENT_LENGTH;
use http::{Method, Response};
use std::sync::atomic::{AtomicBool, Ordering};

/// Something that is done at the vendor: told of when it is dropped, if it has left.
struct Act<'a> {
    passage: &'a Passage,
    subject: Subject,
    caller: Option<u16>,
    left: AtomicBool,
    outcome: &'static str,
}

impl Passage {
    pub(super) async fn relay(
        &self,
        mut call: Box<Call>,
        ledger: &mut Exchange,
    ) -> Result<Response<Body>, Refusal> {
        ledger.cache = CacheOutcome::Relay;
        let (payload, weights) = self.weighed(&mut call).await?;
        let way = if super::is_safe(call.request.method()) { Way::Bypass } else { Way::Passed };
        let mut act = call.acts(&self.house.catalogue).then(|| Act::new(self, &call, ledger.caller));
        let mut errand = Errand::new(self, *call, payload);
        errand.weights = weights;
        let leaves = || act.iter().for_each(|act| act.left.store(true, Ordering::Relaxed));
        let judged = self.ask(&mut errand, leaves).await;
        ledger.calls = errand.calls;
        if let Some(act) = &mut act {
            act.ended(&judged, errand.calls);
        }
        let judged = judged.map_err(Refusal::from)?;
        // How long a body would be is all that is asked, and all that is known of it.
        let length = judged.headers.get(CONTENT_LENGTH).filter(|_| errand.method == Method::HEAD).cloned();
        let mut response = judged.reply(way);
        response.headers_mut().extend(length.map(|length| (CONTENT_LENGTH, length)));
        Ok(response)
    }

    /// The body to send, and what it spends of each pool of its row.
    async fn weighed(&self, call: &mut Call) -> Result<(Payload, Vec<u32>), Refusal> {
        let Some(weights) = &self.house.catalogue[call.subject.endpoint].weights else {
            return Ok((self.payload(call).await?, Vec::new()));
        };
        if call.is_encoded() {
            return Err(Refusal::WrongType);
        }
        let bytes = self.body_at_hand(call).await?;
        let weights = weights.weigh(&bytes).map_err(|why| match why {
            Weightless::Malformed(error) => Refusal::Malformed(error.to_string()),
            Weightless::Uncountable => Refusal::Uncountable,
        })?;
        Ok((Payload::Bytes(bytes), weights))
    }
}

impl<'a> Act<'a> {
    fn new(passage: &'a Passage, call: &Call, caller: Option<u16>) -> Self {
        let subject = call.subject.clone();
        Self { passage, subject, caller, left: AtomicBool::new(false), outcome: "abandoned" }
    }

    fn ended(&mut self, judged: &Result<Judged, Lost>, calls: u8) {
        // What turned out not to have left is told of as any other refusal.
        *self.left.get_mut() &= calls > 0;
        self.outcome = match judged {
            Ok(judged) => judged.verdict.as_str(),
            Err(Lost::Refused(refusal)) => refusal.row().reason,
            Err(Lost::Unknown(_) | Lost::Silent(_)) => "unknown",
        };
    }
}

impl Drop for Act<'_> {
    fn drop(&mut self) {
        if *self.left.get_mut() {
            let Self { passage, subject, caller, outcome, .. } = self;
            passage.desk.audit(*caller, subject.endpoint, subject.path(), outcome);
        }
    }
}
