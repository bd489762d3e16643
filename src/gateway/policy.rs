//! `Policy`: what of the gateway may change while it runs, as one value that never changes.
//!
//! A reload makes another one and swaps it in. A request reads the swap once and keeps what it found to its end, so
//! that no request is judged by half of one and half of the other. What cannot change stands in the house.

use super::Settings;
use crate::caller::Callers;
use crate::limit::Fairness;

/// Who may ask for what and how often, and the numbers of the path.
#[derive(Debug)]
pub struct Policy {
    /// Who may ask.
    pub callers: Callers,
    /// Who may say that something has changed, each by a key of the operators' listener.
    pub operators: Callers,
    /// How often each may.
    pub fairness: Fairness,
    /// Numbers.
    pub settings: Settings,
}
