//! What a call weighs: as many units of a limit as its body names recipients.
//!
//! Whether there is room for so much is for others. Counted is generously: a string that packs a list is as many
//! as it has commas, and of a repeated member every occurrence counts. A body that does not name anybody weighs
//! one, since the vendor answers it with an error; one that names somebody in a form that is not a list of names
//! has no weight, and must not be sent, or it could cost more than was paid for.

use super::Pool;
use super::pointer::Pointers;

/// How bodies of one row are weighed.
#[derive(Debug)]
pub struct Weights {
    pointers: Pointers,
    /// For each pool of the row, the number of its pointer.
    pools: Vec<Option<usize>>,
}

/// Why a body has no weight.
#[derive(Debug)]
pub enum Weightless {
    /// It is not JSON.
    Malformed(serde_json::Error),
    /// It names somebody in a form that cannot be counted.
    Uncountable,
}

impl Weights {
    /// For these pools; `None` if each takes one unit of a call.
    pub(super) fn of<'a>(pools: impl Iterator<Item = &'a Pool>) -> Option<Self> {
        let mut places = Vec::new();
        let pools: Vec<_> = pools
            .map(|pool| {
                pool.weighs.map(|weighs| {
                    places.push(weighs.at);
                    places.len() - 1
                })
            })
            .collect();
        (!places.is_empty()).then(|| Self { pointers: Pointers::new(&places), pools })
    }

    /// What this body weighs in each pool of the row, in their order; at least one.
    ///
    /// # Errors
    /// [`Weightless`]: it cannot be told.
    pub fn weigh(&self, body: &[u8]) -> Result<Vec<u32>, Weightless> {
        let found = self.pointers.collect(body).map_err(Weightless::Malformed)?;
        let weigh = |place: &Option<usize>| {
            let Some(found) = place.map(|place| found.at(place)) else {
                return Ok(1);
            };
            if found.absent {
                return Ok(1);
            }
            if found.unclear || found.gap {
                return Err(Weightless::Uncountable);
            }
            let names: usize = found.values.iter().map(|value| value.split(',').count()).sum();
            Ok(u32::try_from(names).unwrap_or(u32::MAX).max(1))
        };
        self.pools.iter().map(weigh).collect()
    }
}
