//! `keygen`: a caller key, and its digest.
//!
//! The key is shown this once and kept nowhere.

use super::Failure;
use crate::caller::key;

pub(super) fn run() -> Result<(), Failure> {
    let (key, digest) = key::generate().map_err(|_| anyhow::anyhow!("the system gives no randomness"))?;
    println!("key     {key}");
    println!("digest  {digest}");
    Ok(())
}
