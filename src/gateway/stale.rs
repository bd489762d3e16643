//! Answers past their time, served on purpose: while they are fetched anew, when the vendor fails, and when its limit
//! is spent.
//!
//! Past its time is not untrue: whatever was touched is not even found. What says who may do what, and what is not
//! there, is never served so; nor is anything to a caller who says how fresh he wants it. Batches are not put
//! together from what is past its time.

use super::read::{Given, Question};
use super::refusal::Refusal;
use super::reply::{self, Stale};
use super::{Call, Passage};
use crate::body::Body;
use crate::cache::Entry;
use crate::clock::{self, Instant};
use crate::easemob::dialect::Verdict;
use http::Response;
use std::time::Duration;

impl Passage {
    /// An answer past its time, if it may be served before a new one is there. Sees to it that one is fetched.
    pub(super) fn meanwhile(
        &self,
        call: &Call,
        question: &Question,
        entry: &Entry,
        now: Instant,
    ) -> Option<Response<Body>> {
        let over = self.over(call, entry, now)?;
        if !call.directives.wants_stale() && over >= self.policy.settings.stale_refresh {
            return None;
        }
        // Who asks for memory alone has nobody asked.
        if !call.directives.only_if_cached {
            self.refresh(call, question);
        }
        Some(reply::stale(entry, (now, over), Stale::Refreshing, call))
    }

    /// An answer past its time, if there is none to be had now.
    pub(super) fn rather(&self, call: &Call, given: &Result<Given, Refusal>) -> Option<Response<Body>> {
        let why = match given {
            Ok(Given::Answer(landing, _)) => match landing.verdict {
                Verdict::Failed => Stale::Failed,
                Verdict::VendorLimited => Stale::Spent,
                _ => return None,
            },
            Err(Refusal::Unreachable(_) | Refusal::TimedOut | Refusal::NoToken(_)) => Stale::Failed,
            Err(Refusal::BudgetSpent(_)) => Stale::Spent,
            _ => return None,
        };
        let (now, entry) = (clock::now(), self.house.cache.find(call.key.as_ref()?)?);
        let over = self.over(call, &entry, now)?;
        Some(reply::stale(&entry, (now, over), why, call))
    }

    /// For how long this answer has been past its time, if it may be served all the same.
    fn over(&self, call: &Call, entry: &Entry, now: Instant) -> Option<Duration> {
        let over = now.saturating_duration_since(entry.deadline);
        let age = now.saturating_duration_since(entry.fetched);
        let longest = *self.policy.settings.stale.get(usize::from(call.subject.endpoint.0))?;
        let may = entry.status == 200 && over < longest && call.directives.accept_stale(age, over);
        may.then_some(over)
    }

    /// Fetches anew for nobody in particular, if there is room for it now: readers come first.
    fn refresh(&self, call: &Call, question: &Question) {
        if let Ok((ticket, true)) = self.seat(call, question, Duration::ZERO) {
            // A flight that nobody waits for does not leave.
            let wait = async move { drop(ticket.landed().await) };
            self.house.tasks.spawn("refresh", wait);
        }
    }
}
