//! What is passed through: nothing is kept, nothing is touched. Metered all the same.
//!
//! Bodies stream both ways; only what is short enough to be sent twice is read first.

use super::ask::Errand;
use super::refusal::Refusal;
use super::reply::Way;
use super::{Call, Gateway};
use crate::body::Body;
use crate::exchange::{CacheOutcome, Exchange};
use http::Response;

impl Gateway {
    pub(super) async fn relay(
        &self,
        mut call: Box<Call>,
        ledger: &mut Exchange,
    ) -> Result<Response<Body>, Refusal> {
        ledger.cache = CacheOutcome::Relay;
        let payload = self.payload(&mut call).await?;
        let way = if super::is_safe(call.request.method()) { Way::Bypass } else { Way::Passed };
        let mut errand = Errand::new(self, *call, payload);
        let judged = self.ask(&mut errand, || {}).await;
        ledger.calls = errand.calls;
        Ok(judged.map_err(Refusal::from)?.reply(way))
    }
}
