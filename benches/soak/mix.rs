//! What callers do, what the vendor does to them, and which answers are in order.

use crate::client::{Answer, Caller};
use crate::house::{GROUPS, House, group};
use easemob_gateway::simulator::{Fault, Matcher};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// What came of it.
#[derive(Default)]
pub(crate) struct Done {
    requests: u64,
    writes: u64,
    faults: u64,
    /// By reason.
    refused: BTreeMap<String, u64>,
    /// Reads that show the state before an acknowledged write.
    pub(crate) stale: u64,
    /// Answers that neither the vendor nor a fault explains.
    pub(crate) odd: u64,
    pub(crate) examples: Vec<String>,
}

/// Runs the mix for so long.
pub(crate) async fn run(house: &House, length: Duration) -> Done {
    let until = Instant::now() + length;
    let callers = (0..GROUPS).map(|at| caller(house, at, until));
    let (parts, faults) = tokio::join!(futures_util::future::join_all(callers), troubles(house, until));
    let mut done = Done { faults, ..Done::default() };
    parts.iter().for_each(|part| done.add(part));
    done
}

/// The vendor's bad days: now and then the next call of some kind goes wrong.
async fn troubles(house: &House, until: Instant) -> u64 {
    let mut faults = 0;
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(fastrand::u64(5..50))).await;
        let matcher = match fastrand::u8(..4) {
            0 => Matcher::any(),
            1 => Matcher::any().method(Method::GET),
            2 => Matcher::any().method(Method::PUT),
            _ => Matcher::path("/passed"),
        };
        let fault = match fastrand::u8(..8) {
            0 => Fault::ResetBefore,
            1 => Fault::ResetAfter,
            2 => Fault::status(StatusCode::INTERNAL_SERVER_ERROR),
            3 => Fault::status(StatusCode::BAD_GATEWAY),
            4 => Fault::status(StatusCode::SERVICE_UNAVAILABLE).after_effect(),
            5 => Fault::body(StatusCode::OK, "<html>a page</html>"),
            6 => Fault::status(StatusCode::FORBIDDEN),
            _ => Fault::body(StatusCode::OK, "{\"data\":"),
        };
        house.vendor.next(matcher, fault);
        faults += 1;
    }
    house.vendor.clear_faults();
    faults
}

async fn caller(house: &House, at: usize, until: Instant) -> Done {
    let (mut caller, mut done) = (Caller::of(house.address), Done::default());
    let own = format!("/chatgroups/{}", group(at));
    let mut number = 0_u64;
    while Instant::now() < until {
        let other = format!("/chatgroups/{}", group(fastrand::usize(..GROUPS)));
        match fastrand::u8(..20) {
            0..=7 => done.takes(&caller.ask(Method::GET, &other, &Value::Null).await),
            8 | 9 => done.takes(&caller.ask(Method::GET, &format!("{other}/mute"), &Value::Null).await),
            10 => {
                let two = format!("{other},{}", group(at));
                done.takes(&caller.ask(Method::GET, &two, &Value::Null).await);
            }
            11..=13 => {
                number += 1;
                let name = format!("{at}-{number}");
                rename(&mut caller, &own, &name, &mut done).await;
            }
            14 => {
                let body = json!({"usernames": ["bob"], "mute_duration": 60_000});
                done.takes(&caller.ask(Method::POST, &format!("{own}/mute"), &body).await);
            }
            15 => done.takes(&caller.ask(Method::GET, &format!("/passed/{at}"), &Value::Null).await),
            16 => {
                let body = json!({"pad": "x".repeat(64 * 1024)});
                done.takes(&caller.ask(Method::POST, "/passed", &body).await);
            }
            17 => {
                let body = json!({"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "any"});
                done.takes(&caller.ask(Method::POST, "/token", &body).await);
            }
            18 => caller.hang_up(&other).await,
            _ => tokio::time::sleep(Duration::from_millis(fastrand::u64(..20))).await,
        }
    }
    done
}

/// Renames one's own group, and reads it. Nobody else writes there.
async fn rename(caller: &mut Caller, own: &str, name: &str, done: &mut Done) {
    let written = caller.ask(Method::PUT, own, &json!({"groupname": name})).await;
    done.takes(&written);
    done.writes += 1;
    let read = caller.ask(Method::GET, own, &Value::Null).await;
    done.takes(&read);
    let acknowledged =
        written.is_ok_and(|answer| answer.status == 200 && answer.body["data"]["groupname"] == json!(true));
    if let Ok(Answer { status: StatusCode::OK, body, .. }) = &read
        && acknowledged
        && body["data"][0]["name"].is_string()
        && body["data"][0]["name"] != name
    {
        done.stale += 1;
    }
}

impl Done {
    /// Counts an answer, and notes one that nobody made.
    fn takes(&mut self, answer: &Result<Answer, String>) {
        self.requests += 1;
        let in_order = match answer {
            Err(_) => false,
            Ok(answer) => match (answer.status.as_u16(), answer.refusal.as_deref()) {
                (_, Some(why)) => {
                    *self.refused.entry(why.to_owned()).or_default() += 1;
                    matches!(why, "unreachable" | "timed_out" | "no_token" | "token_refused")
                }
                // The vendor's own, or a fault's.
                (status, None) => matches!(status, 200 | 400 | 403 | 404 | 429 | 500 | 502 | 503),
            },
        };
        if !in_order {
            self.odd += 1;
            if self.examples.len() < 5 {
                self.examples.push(match answer {
                    Err(error) => error.clone(),
                    Ok(answer) => format!("{} {:?} {}", answer.status, answer.refusal, answer.body),
                });
            }
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.writes += other.writes;
        self.faults += other.faults;
        other.refused.iter().for_each(|(why, count)| *self.refused.entry(why.clone()).or_default() += count);
        self.stale += other.stale;
        self.odd += other.odd;
        self.examples.extend(other.examples.iter().cloned());
        self.examples.truncate(5);
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, writes, faults, refused, .. } = self;
        write!(
            f,
            "{requests} requests, {writes} checked writes, {faults} faults, refused for them: {refused:?}"
        )
    }
}
