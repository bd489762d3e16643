//! What is passed through: nothing is kept, nothing is touched. Metered all the same.
//!
//! Bodies stream both ways; only what is short enough to be sent twice is read first. Where the vendor counts
//! recipients and not calls, a body is read whole, or nobody knows what it costs.

use super::ask::{Errand, Payload};
use super::refusal::Refusal;
use super::reply::Way;
use super::{Call, Passage};
use crate::body::Body;
use crate::catalogue::weight::Weightless;
use crate::exchange::{CacheOutcome, Exchange};
use http::Response;

impl Passage {
    pub(super) async fn relay(
        &self,
        mut call: Box<Call>,
        ledger: &mut Exchange,
    ) -> Result<Response<Body>, Refusal> {
        ledger.cache = CacheOutcome::Relay;
        let (payload, weights) = self.weighed(&mut call).await?;
        let way = if super::is_safe(call.request.method()) { Way::Bypass } else { Way::Passed };
        let mut errand = Errand::new(self, *call, payload);
        errand.weights = weights;
        let judged = self.ask(&mut errand, || {}).await;
        ledger.calls = errand.calls;
        Ok(judged.map_err(Refusal::from)?.reply(way))
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
