//! Asking the vendor: token, connection, permit, send, judge. The only way out.
//!
//! The order is a promise. A permit is a moment, so it is asked for last, with the token in hand and the
//! connection ready, and is consumed by sending. A refused token is renewed and the call sent once more, with a
//! new permit; a call that never left is sent again whatever it is; a safe read is repeated once when the
//! connection broke or the vendor stumbled. A write is never repeated after it has left.

use super::Passage;
use super::errand::{Errand, Payload};
use super::refusal::{Budget, Refusal};
use crate::body::{Body, Collected};
use crate::catalogue::EndpointId;
use crate::clock::{self, Instant};
use crate::easemob::dialect::{Verdict, judge, refused_as};
use crate::exchange::CallOutcome;
use crate::limit::{Charge, Permit, Spent, SpentKind};
use crate::telemetry::cells::Repeat;
use crate::token::{NoToken, Refused, Token};
use crate::upstream::{Answer, Lane, SendError};
use http::StatusCode;
use http::header::{HeaderMap, RETRY_AFTER};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What the vendor said, and what that means.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Collected,
}

/// Why there is no answer.
pub(super) enum Lost {
    /// Nothing is under way, nothing was done.
    Refused(Refusal),
    /// It left, and nobody knows what became of it.
    Unknown(Refusal),
    /// It left, and the answer may still come.
    Silent(Pin<Box<dyn Future<Output = Result<Answer, SendError>> + Send>>),
}

/// Error bodies are read up to this length, to be judged.
const ERROR_BYTES_MAX: usize = 64 * 1024;
/// Answers that are passed through are read whole up to this length.
const SHORT_BYTES: u64 = 16 * 1024;
/// A connection that turns out to be closed before anything was sent costs a new one, so many times.
const NOT_SENT_MAX: u8 = 3;

impl Passage {
    /// Asks, as often as it may. `leaves` is called just before the first sending.
    pub(super) async fn ask(&self, errand: &mut Errand, leaves: impl Fn() + Send) -> Result<Judged, Lost> {
        let (mut renewed, mut repeated, mut not_sent) = (false, false, 0);
        // What the vendor said to what is asked once more, should there be no way to ask.
        let mut said = None;
        loop {
            let (token, lane, permit) = match self.prepare(errand).await {
                Ok(prepared) => prepared,
                Err(lost) => return said.unwrap_or(Err(lost)),
            };
            let (left, reused) = (clock::now(), lane.reused);
            if errand.calls == 0 {
                leaves();
            }
            errand.calls = errand.calls.saturating_add(1);
            let judged = self.once(errand, lane, permit, &token).await;
            self.tell(errand.endpoint, &judged, left);
            match judged {
                Err(Failed::NotSent(body)) => {
                    if let (Payload::Gone(fault), Some(body)) = (&errand.payload, body) {
                        errand.payload = Payload::Stream(body, fault.clone());
                    }
                    errand.calls -= 1;
                    self.desk.cells.repeat(Repeat::NotSent);
                    not_sent += 1;
                    if not_sent == NOT_SENT_MAX {
                        return Err(Lost::Refused(Refusal::Unreachable("connections close at once".into())));
                    }
                }
                Err(Failed::Broken(what)) if errand.safe && reused && !repeated && errand.can_repeat() => {
                    self.desk.cells.repeat(Repeat::Broken);
                    repeated = true;
                    said = Some(Err(Lost::Unknown(errand.broken(what))));
                }
                Err(Failed::Broken(what)) => return Err(Lost::Unknown(errand.broken(what))),
                Err(Failed::TooSlow) => return Err(Lost::Unknown(Refusal::TimedOut)),
                Err(Failed::Silent(sending)) => return Err(Lost::Silent(sending)),
                Ok(judged) => match self.consider(&judged, errand, &token, left, (renewed, repeated))? {
                    Next::Done => return Ok(judged.without(&token)),
                    Next::AfterRenewal if errand.can_repeat() => {
                        self.desk.cells.repeat(Repeat::Token);
                        renewed = true;
                    }
                    Next::AfterRenewal => {
                        // Whoever sends it again shall find the new token.
                        self.house.tokens.get().await.map_err(|why| Lost::Refused(why.into()))?;
                        return Err(Lost::Refused(Refusal::SendAgain));
                    }
                    Next::Repeat => {
                        self.desk.cells.repeat(Repeat::Failed);
                        repeated = true;
                        // One that streams holds the connection that may be needed.
                        said =
                            matches!(judged.content, Collected::Whole(_)).then(|| Ok(judged.without(&token)));
                    }
                },
            }
        }
    }

    /// All that a call needs: the permit last.
    async fn prepare(&self, errand: &Errand) -> Result<(Arc<Token>, Lane, Permit), Lost> {
        let token = self.house.tokens.get().await.map_err(|why| Lost::Refused(why.into()))?;
        let (lane, permit) = self.ready(errand).await?;
        Ok((token, lane, permit))
    }

    /// A connection that is ready, and the permit to use it now.
    async fn ready(&self, errand: &Errand) -> Result<(Lane, Permit), Lost> {
        let spent = |spent: Spent| {
            let pool = self.house.limits.state(spent.pool);
            if spent.kind == SpentKind::TooHeavy {
                return Lost::Refused(Refusal::TooHeavy(pool.name, pool.per_call));
            }
            let budget = Budget { pool: pool.name, rate: pool.rate, again: spent.retry_after };
            Lost::Refused(Refusal::BudgetSpent(budget))
        };
        let pools = &self.house.pools[usize::from(errand.endpoint.0)];
        let charges = pools
            .iter()
            .enumerate()
            .map(|(at, pool)| Charge { pool: *pool, units: errand.weights.get(at).copied().unwrap_or(1) });
        let mut place = self.house.limits.queue(charges, errand.patience).map_err(spent)?;
        place.near().await.map_err(spent)?;
        let lane = self.upstream.connect().await.map_err(|error| {
            self.desk.cells.vendor_call(errand.endpoint, CallOutcome::Unreachable, None);
            Lost::Refused(Refusal::Unreachable(error.to_string()))
        })?;
        let permit = place.admit().await.map_err(spent)?;
        Ok((lane, permit))
    }

    async fn once(
        &self,
        errand: &mut Errand,
        lane: Lane,
        _permit: Permit,
        token: &Arc<Token>,
    ) -> Result<Judged, Failed> {
        let settings = &self.policy.settings;
        let mut sending = Box::pin(lane.send(errand.request(token)));
        // A body that streams takes as long as its caller: the vendor is not late while it is on its way.
        let streams = matches!(errand.payload, Payload::Gone(_));
        let wait = if streams { settings.total_timeout } else { settings.first_byte_timeout };
        let answer = match tokio::time::timeout(wait, &mut sending).await {
            Ok(answer) => answer?,
            Err(_) => return Err(Failed::Silent(sending)),
        };
        let deadline = clock::now() + settings.total_timeout;
        let taking = tokio::time::timeout_at(deadline, self.take_in(answer, errand.whole_bytes_max));
        let mut judged = taking.await.unwrap_or(Err(Failed::TooSlow))?;
        // What streams on must end in time as well.
        if let Collected::Larger(body) = judged.content {
            let (body, end) = body.until(deadline);
            self.house.tasks.spawn_until_stop("end of a body", end);
            judged.content = Collected::Larger(body);
        }
        Ok(judged)
    }

    /// Reads what must be read of an answer, and judges it.
    pub(super) async fn take_in(&self, answer: Answer, whole_bytes_max: usize) -> Result<Judged, Failed> {
        let Answer { status, headers, body } = answer;
        let short = body.length().is_some_and(|length| length <= SHORT_BYTES);
        let bytes_max = match (status.is_success(), whole_bytes_max) {
            (false, _) => ERROR_BYTES_MAX,
            // A short answer is in the connection's buffer already: handed on whole it leaves with its head.
            (true, 0) if short => SHORT_BYTES as usize,
            (true, max) => max,
        };
        let content = if bytes_max == 0 {
            Collected::Larger(body)
        } else {
            body.collect(bytes_max).await.map_err(|error| Failed::Broken(error.to_string()))?
        };
        let beginning = match &content {
            Collected::Whole(bytes) => bytes.as_ref(),
            Collected::Larger(_) => b"",
        };
        if let Some(kind) = refused_as(status.as_u16(), beginning) {
            self.desk.cells.vendor_refused(kind);
        }
        Ok(Judged { verdict: judge(status.as_u16(), beginning), status, headers, content })
    }

    /// What an answer means for the token, the limits, and whether to ask once more.
    fn consider(
        &self,
        judged: &Judged,
        errand: &Errand,
        token: &Token,
        left: Instant,
        (renewed, repeated): (bool, bool),
    ) -> Result<Next, Lost> {
        match judged.verdict {
            Verdict::Good => self.house.tokens.proved(token),
            Verdict::TokenRefused if renewed => {
                self.house.tokens.refused_again(errand.endpoint);
                return Err(Lost::Refused(Refusal::TokenRefused));
            }
            Verdict::TokenRefused => match self.house.tokens.refuse(token, left, errand.endpoint) {
                Refused::Again => return Ok(Next::AfterRenewal),
                Refused::TooSoon => return Err(Lost::Refused(Refusal::TokenRefused)),
                Refused::NotTheToken => {}
            },
            Verdict::VendorLimited => {
                let after = judged.headers.get(RETRY_AFTER).and_then(|value| seconds(value.to_str().ok()?));
                self.house.limits.limited(&self.house.pools[usize::from(errand.endpoint.0)], after);
            }
            Verdict::Failed => {
                let passing = matches!(judged.status.as_u16(), 502..=504);
                if passing && errand.safe && !repeated && errand.can_repeat() {
                    return Ok(Next::Repeat);
                }
            }
            Verdict::PlanExhausted | Verdict::Absent | Verdict::Declined => {}
        }
        Ok(Next::Done)
    }

    fn tell(&self, endpoint: EndpointId, judged: &Result<Judged, Failed>, left: Instant) {
        let outcome = match judged {
            Ok(judged) => CallOutcome::Judged(judged.verdict),
            Err(Failed::NotSent(_)) => CallOutcome::NotSent,
            Err(Failed::Broken(_)) => CallOutcome::Broken,
            Err(Failed::TooSlow | Failed::Silent(_)) => CallOutcome::TimedOut,
        };
        let took = (outcome != CallOutcome::NotSent).then(|| clock::now().saturating_duration_since(left));
        self.desk.cells.vendor_call(endpoint, outcome, took);
    }
}

enum Next {
    Done,
    AfterRenewal,
    Repeat,
}

/// Why one sending has no answer.
pub(super) enum Failed {
    NotSent(Option<Body>),
    Broken(String),
    TooSlow,
    Silent(Pin<Box<dyn Future<Output = Result<Answer, SendError>> + Send>>),
}

impl From<SendError> for Failed {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotSent(request) => Self::NotSent(Some(request.into_body())),
            SendError::Broken(what) => Self::Broken(what),
        }
    }
}

impl From<NoToken> for Refusal {
    fn from(why: NoToken) -> Self {
        match why {
            NoToken::Refused(_, after) | NoToken::Failed(_, after) | NoToken::Spent(after) => {
                Self::NoToken(after)
            }
            NoToken::TimedOut => Self::NoToken(Duration::from_secs(1)),
        }
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more than anybody will wait.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let at_ms = at.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis() as u64;
    Some(Duration::from_millis(at_ms.saturating_sub(clock::unix_ms())))
}
