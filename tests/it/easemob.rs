//! The vendor's rows, its grant and its dialect, against what its documentation says.

mod callback;
mod catalogue;
mod dialect;
mod grant;
mod reach;
