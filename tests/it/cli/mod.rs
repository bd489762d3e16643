//! The program as it is used: arguments, files, signals, exit codes.

mod commands;
mod crash;
mod drain;
mod log;
mod outlet;
mod probe;
mod reload;
mod secrets;
mod serve;
