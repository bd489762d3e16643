//! What comes of every fault, for every kind of request: a table, and each of its cells performed.
//!
//! The table is the contract. A safe read is repeated once on 502, 503 and 504, and on a connection that breaks if it
//! was used before (here none is); a write never; what nobody knows the outcome of is in doubt; a leader's failure
//! is given to those who joined him; nothing broken is kept; and the keeper of the token waits before it asks again.

use super::oracle::{Ask, untrue};
use crate::support::faults::{Score, Table, cell, got, matcher, scripted};
use crate::support::world::{Reply, World};
use easemob_gateway::body::BodyError;
use easemob_gateway::config::Config;
use easemob_gateway::simulator::{HoldAt, Matcher, SAMPLE_FILE, SAMPLE_GROUPS};
use futures_util::poll;
use http::Method;
use http_body_util::BodyExt;
use serde_json::json;
use std::time::Duration;

const A: &str = SAMPLE_GROUPS[0];

/// Notation: see `support/faults.rs`.
const EXPECTED: &str = "
 fault                                                | read                   | joined                      | write                     | relay                | relayed write         | token
 reset, close, half_head, garbage, two_lengths        | 502:unreachable 1 -    | both 502:unreachable 1 -    | 502:unreachable 1 doubt   | 502:unreachable 1    | 502:unreachable 1     | 503:no_token 0
 reset applied, close applied, half_head applied      | 502:unreachable 1 -    | both 502:unreachable 1 -    | 502:unreachable 1 doubt   | 502:unreachable 1    | 502:unreachable 1     | 503:no_token 0
 half_body, reset_in_body, too_long, half_body applied | 502:unreachable 1 -    | both 502:unreachable 1 -    | 502:unreachable 1 doubt   | 502:unreachable 1    | 502:unreachable 1     | 503:no_token 0
 half_chunk, half_chunk applied                       | 502:unreachable 1 -    | both 502:unreachable 1 -    | 502:unreachable 1 doubt   | 200~ 1               | 200~ 1                | 503:no_token 0
 too_short, half_unframed, half_unframed applied      | 200 1 -                | both 200 1 -                | 200 1 touched             | 200 1                | 200 1                 | 503:no_token 0
 stall_before_head, stall_before_head applied         | 504:timed_out 1 -      | both 504:timed_out 1 -      | 504:timed_out 1 doubt     | 504:timed_out 1      | 504:timed_out 1       | 503:no_token 0
 stall_after_head, stall_in_body                      | 504:timed_out 1 -      | both 504:timed_out 1 -      | 504:timed_out 1 doubt     | 504:timed_out 1      | 504:timed_out 1       | 503:no_token 0
 stall_in_body applied, slow_drip, slow_drip applied  | 504:timed_out 1 -      | both 504:timed_out 1 -      | 504:timed_out 1 doubt     | 504:timed_out 1      | 504:timed_out 1       | 503:no_token 0
 drip applied, informational applied                  | 200 1 kept             | both 200 1 kept             | 200 1 touched             | 200 1                | 200 1                 | 200 1
 second_answer applied, length_and_chunks applied     | 200 1 kept             | both 200 1 kept             | 200 1 touched             | 200 1                | 200 1                 | 200 1
 drip, informational, second_answer                   | 200 1 kept             | both 200 1 kept             | 200 1 touched             | 200 1                | 200 1                 | 503:no_token 0
 length_and_chunks                                    | 200 1 kept             | both 200 1 kept             | 200 1 touched             | 200 1                | 200 1                 | 503:no_token 0
 status 500, status 500 applied, page 500             | 500 1 -                | both 500 1 -                | 500 1 doubt               | 500 1                | 500 1                 | 503:no_token 0
 status 502, status 502 applied, page 502             | 200 2 kept             | both 200 2 kept             | 502 1 doubt               | 200 2                | 502 1                 | 503:no_token 0
 status 503, status 503 applied                       | 200 2 kept             | both 200 2 kept             | 503 1 doubt               | 200 2                | 503 1                 | 503:no_token 0
 status 504, status 504 applied                       | 200 2 kept             | both 200 2 kept             | 504 1 doubt               | 200 2                | 504 1                 | 503:no_token 0
 status 502 always, page 502 always                   | 502 2 -                | both 502 2 -                | 502 1 doubt               | 502 2                | 502 1                 | 503:no_token 0
 status 503 always                                    | 503 2 -                | both 503 2 -                | 503 1 doubt               | 503 2                | 503 1                 | 503:no_token 0
 status 504 always                                    | 504 2 -                | both 504 2 -                | 504 1 doubt               | 504 2                | 504 1                 | 503:no_token 0
 status 408, status 408 applied                       | 408 1 -                | both 408 1 -                | 408 1 doubt               | 408 1                | 408 1                 | 503:no_token 0
 status 400                                           | 400 1 -                | both 400 1 -                | 400 1 touched             | 400 1                | 400 1                 | 503:no_token 0
 status 403, status 403 applied                       | 403 1 -                | both 403 1 -                | 403 1 touched             | 403 1                | 403 1                 | 503:no_token 0
 status 404                                           | 404 1 kept             | both 404 1 kept             | 404 1 touched             | 404 1                | 404 1                 | 503:no_token 0
 page 404                                             | 404 1 -                | both 404 1 -                | 404 1 touched             | 404 1                | 404 1                 | 503:no_token 0
 status 429                                           | 429 1 -                | both 429 1 -                | 429 1 touched             | 429 1                | 429 1                 | 503:no_token 0
 resource_limited                                     | 429 1 -                | both 429 1 -                | 429 1 touched             | 429 1                | 429 1                 | 503:no_token 0
 page 200, empty 200, page 200 applied                | 200 1 -                | both 200 1 -                | 200 1 touched             | 200 1                | 200 1                 | 503:no_token 0
 empty 204                                            | 204 1 -                | both 204 1 -                | 204 1 touched             | 204 1                | 204 1                 | 503:no_token 0
 401 expired, 401 expired_code, 401 unauthenticated   | 200 2 kept +1g         | both 200 2 kept +1g         | 200 2 touched +1g         | 200 2 +1g            | 200 2 +1g             | 503:no_token 0
 401 corrupt, 401 foreign, 401 blank                  | 200 2 kept +1g         | both 200 2 kept +1g         | 200 2 touched +1g         | 200 2 +1g            | 200 2 +1g             | 503:no_token 0
 401 expired always                                   | 502:token_refused 2 - +1g | both 502:token_refused 2 - +1g | 502:token_refused 2 touched +1g | 502:token_refused 2 +1g | 502:token_refused 2 +1g | 503:no_token 0
 401 registration_closed                              | 401 1 -                | both 401 1 -                | 401 1 touched             | 401 1                | 401 1                 | 503:no_token 0
";

fn notice() -> Ask {
    Ask::get(format!("/chatgroups/{A}/announcement"))
}

fn announce() -> Ask {
    Ask::new(Method::POST, notice().path, json!({ "announcement": "new" }))
}

fn download() -> Ask {
    Ask::get(format!("/chatgroups/{A}/share_files/{SAMPLE_FILE}"))
}

fn message() -> Ask {
    let body = json!({"from": "alice", "to": ["bob"], "type": "txt", "body": {"msg": "hello"}});
    Ask::new(Method::POST, "/messages/users", body)
}

#[tokio::test(start_paused = true)]
async fn every_fault_has_the_outcome_that_was_promised() {
    let (table, mut score) = (Table::read(EXPECTED), Score::default());
    table.assert_complete();
    for (fault, column, expected) in table.cells() {
        let scene = Scene::new(fault, column);
        let found = match column {
            "read" => scene.reading().await,
            "joined" => scene.joining().await,
            "write" => scene.writing().await,
            "relay" => scene.relaying(download()).await,
            "relayed write" => scene.relaying(message()).await,
            _ => scene.asking_for_a_token().await,
        };
        score.note((fault, column, expected), &found);
    }
    score.assert_all(table.cells().count());
}

/// A world in which a fault is to come.
struct Scene {
    world: World,
    fault: &'static str,
    column: &'static str,
}

impl Scene {
    fn new(fault: &'static str, column: &'static str) -> Self {
        let change = |config: &mut Config| {
            config.cache.settle = Duration::ZERO;
            // Less than what is kept stays fresh.
            config.vendor.total_timeout = Duration::from_secs(20);
        };
        let world = World::with(change, |_| {});
        Self { world, fault, column }
    }

    fn arm(&self) {
        let (matcher, fault) = scripted(self.fault, matcher(self.column));
        self.world.vendor.next(matcher, fault);
        self.world.vendor.reset_counters();
    }

    /// The fault is over; limits that were paused for it go on.
    async fn calm(&self) {
        self.world.vendor.clear_faults();
        if self.fault == "status 429" {
            tokio::time::advance(Duration::from_secs(2)).await;
        }
    }

    async fn ask(&self, ask: &Ask) -> (String, Option<Reply>) {
        let response = self.world.gateway.call(ask.request()).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let refusal = headers.get("gateway-error").map_or("", |value| value.to_str().unwrap()).to_owned();
        let (head, body) = response.into_parts();
        let body: Result<_, BodyError> = BodyExt::collect(body).await;
        let got = got(status, &refusal, body.is_ok());
        let reply = body.ok().map(|body| Reply { status: head.status, headers, body: body.to_bytes() });
        (got, reply)
    }

    /// What the next reader of the notice gets.
    async fn next(&self) -> Next {
        let (read, by_fault) = (notice(), !matches!(self.column, "write" | "relay" | "relayed write"));
        let reply = read.through(&self.world).await;
        // What a fault has said in place of the vendor, and was to be kept, is not the truth.
        let told = by_fault && reply.is_hit() && reply.status == 404;
        match untrue(&self.world, &read, &reply) {
            Some(_) if !told => Next::Untrue,
            _ if reply.is_hit() => Next::Hit,
            _ => Next::Miss,
        }
    }

    async fn reading(self) -> String {
        self.world.get("/chatgroups").await;
        self.arm();
        let (got, _) = self.ask(&notice()).await;
        self.read_cell(&got).await
    }

    async fn read_cell(&self, got: &str) -> String {
        let (calls, grants) = (self.world.calls(), self.world.grants());
        self.calm().await;
        let kept = match self.next().await {
            Next::Hit => "kept",
            Next::Miss => "-",
            Next::Untrue => "untrue",
        };
        cell(got, calls, kept, grants)
    }

    async fn joining(self) -> String {
        self.world.get("/chatgroups").await;
        self.arm();
        let hold = self.world.vendor.hold(Matcher::exactly(notice().path).times(1), HoldAt::Arrival);
        let mut leader = Box::pin(async { self.ask(&notice()).await });
        assert!(poll!(&mut leader).is_pending());
        hold.arrived(1).await;
        let mut follower = Box::pin(async { self.ask(&notice()).await });
        assert!(poll!(&mut follower).is_pending());
        assert_eq!(self.world.calls(), 1);
        hold.release();
        let ((led, _), (followed, _)) = tokio::join!(leader, follower);
        let got = if led == followed { format!("both {led}") } else { format!("{led}, {followed}") };
        self.read_cell(&got).await
    }

    async fn writing(self) -> String {
        self.keep().await;
        self.arm();
        let (got, _) = self.ask(&announce()).await;
        let (calls, grants) = (self.world.calls(), self.world.grants());
        self.calm().await;
        let known = match (self.next().await, self.next().await) {
            (Next::Untrue, _) | (_, Next::Untrue) => "untrue",
            (Next::Hit, _) => "the same",
            (Next::Miss, Next::Hit) => "touched",
            (Next::Miss, Next::Miss) => "doubt",
        };
        cell(&got, calls, known, grants)
    }

    async fn relaying(self, ask: Ask) -> String {
        self.keep().await;
        self.arm();
        let (got, _) = self.ask(&ask).await;
        let (calls, grants) = (self.world.calls(), self.world.grants());
        self.calm().await;
        let known = match self.next().await {
            Next::Hit if ask.method == Method::GET && ask.through(&self.world).await.is_hit() => "kept",
            Next::Hit => "",
            Next::Miss => "touched",
            Next::Untrue => "untrue",
        };
        cell(&got, calls, known, grants)
    }

    async fn asking_for_a_token(self) -> String {
        self.arm();
        let (got, _) = self.ask(&notice()).await;
        let calls = self.world.calls();
        // Who comes right after is not the reason for another question.
        let again = self.ask(&notice()).await.0;
        let asked = self.world.grants();
        self.world.vendor.clear_faults();
        // What stalls is given up, and then there is a pause.
        for seconds in [70, 300] {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            self.world.settle().await;
        }
        let later = self.world.get(&notice().path).await;
        let known = match (asked, later.status.as_u16()) {
            (1, 200) if again == got => "",
            (1, 200) => "other for the next",
            (1, _) => "never again",
            _ => "asks again at once",
        };
        cell(&got, calls, known, 0)
    }

    /// The notice is read, and kept.
    async fn keep(&self) {
        assert_eq!(self.world.get(&notice().path).await.status, 200);
        assert!(self.world.get(&notice().path).await.is_hit());
    }
}

/// What a reader gets after the fault.
enum Next {
    Hit,
    Miss,
    /// Something that the vendor would not say.
    Untrue,
}
