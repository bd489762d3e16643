//! The token keeper's own parts, without a gateway around them: the arithmetic of the budget, what is written down,
//! and what a crash between any two steps leaves.

mod budget;
mod crash;
mod seal;
