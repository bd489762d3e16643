//! The engine that knows no vendor: rows of a toy with four endpoints, compiled, audited, looked up and filled.

mod audit;
mod lookup;
mod path;
mod pointer;
mod template;
mod toy;
mod weight;
