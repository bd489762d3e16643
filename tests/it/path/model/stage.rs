//! Plays a history, and says what was wrong.
//!
//! A step is begun, and everything that is ready runs until nothing is; only then comes the next. So what overtakes
//! what is decided by holds alone. Callers are tasks: each is judged in the moment in which it is answered.

use super::callers::{Caller, Desk, is_now};
use super::history::{Fate, Forms, History, How, Setting, Step, Stop};
use super::line::Line;
use super::reference::Reference;
use super::score::Score;
use super::things::{Read, Write, report};
use crate::support::report::{believing, signed};
use crate::support::world::{Reply, World};
use easemob_gateway::cache::flight::UnderWay;
use easemob_gateway::config::{Config, EndpointOverride};
use easemob_gateway::gateway::purge::Purge;
use easemob_gateway::simulator::SAMPLE_GROUPS;
use easemob_gateway::telemetry::cells::Heard;
use easemob_gateway::units::ByteSize;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, advance, sleep_until};

/// Steps are so far apart if no time passes: all of a history together are less than what any deadline is told in.
const MOMENT: Duration = Duration::from_micros(1);

pub(super) struct Stage {
    world: World,
    line: Line,
    desk: Desk,
    callers: Vec<Caller>,
    setting: Setting,
    reads: Vec<Read>,
    trace: Vec<String>,
}

/// Plays it from beginning to end.
pub(super) fn play(history: &History) -> Result<Score, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut stage = Stage::new(history).await;
        let mut played = Ok(());
        for (at, step) in history.steps.iter().enumerate() {
            stage.trace.push(format!("{:2} {step:?}", at + 1));
            played = stage.play(at as u32 + 1, step).await;
            if played.is_err() {
                break;
            }
        }
        if played.is_ok() {
            stage.trace.push("the end".to_owned());
            played = stage.end().await;
        }
        let score = stage.line.judge(|reference| reference.score);
        played.map(|()| score).map_err(|wrong| format!("{wrong}\n  {}", stage.trace.join("\n  ")))
    })
}

impl Stage {
    async fn new(history: &History) -> Self {
        let setting = history.setting;
        let line = Line::new();
        let world = World::by(
            7,
            |simulator| line.way_to(simulator),
            |config| configure(config, setting),
            |vendor| {
                vendor.limits = false;
                if setting.forms == Forms::Differ {
                    vendor.batch.without = vec!["owner".to_owned()];
                }
            },
        );
        let settle = if setting.settle { Duration::from_secs(1) } else { Duration::ZERO };
        let reference =
            Reference::new(world.vendor.clone(), &history.reads, (settle, Duration::from_secs(60)));
        *line.reference.lock().unwrap() = Some(reference);
        line.judge(|reference| reference.excused = setting.slow);
        let desk = Desk::new(world.gateway.clone(), line.clone());
        // So that there is a token.
        line.allow(1);
        world.get("/chatgroups/count").await;
        Self {
            world,
            line,
            desk,
            callers: Vec::new(),
            setting,
            reads: history.reads.clone(),
            trace: Vec::new(),
        }
    }

    async fn play(&mut self, number: u32, step: &Step) -> Result<(), String> {
        let reads = self.line.reads();
        self.line.expect_reads(Stop::No, Fate::Good);
        // What begins in two steps begins at two moments: of two fetches, one is the later.
        advance(MOMENT).await;
        match *step {
            Step::Read { what, readers, how, stop, fate } => {
                self.line.expect_reads(stop, fate);
                (0..readers).for_each(|_| self.callers.push(self.desk.read(what, how)));
                self.settle().await?;
                let calls = self.line.reads() - reads;
                let most = if how == How::OnlyIfCached {
                    0
                } else if is_shared(what, how, fate) {
                    1
                } else {
                    usize::MAX
                };
                if calls > most {
                    return Err(format!("{readers} readers took {calls} calls"));
                }
            }
            Step::Write { what, stop, fate, then } => {
                let write = numbered(what, number);
                self.callers.push(self.desk.write(write, stop, fate, then));
            }
            Step::Behind(what) => {
                let (status, _) = numbered(what, number).perform(&self.world.vendor);
                self.tell(status);
                self.line.judge(|reference| drop(reference.look()));
            }
            Step::Report(group) => {
                let heard = self.world.parts.hear.hear(signed(report(group)).to_string().as_bytes());
                assert_eq!(heard, Heard::Touched);
                self.line.judge(|reference| reference.reported(group));
            }
            Step::Purge(group) => {
                let tags = json!({ "tags": [format!("group:{}/*", SAMPLE_GROUPS[group])] }).to_string();
                let house = &self.world.parts.house;
                let purge = Purge::read(tags.as_bytes(), &house.catalogue)?;
                house.purge(&purge);
                self.line.judge(|reference| reference.reported(group));
            }
            Step::Late(which) => {
                let done = self.line.do_late(&self.world.vendor, which);
                self.tell(done.map_or("nothing".to_owned(), |write| write.to_string()));
            }
            Step::Release(which) => {
                let released = self.line.release(which);
                self.tell(released.unwrap_or("nothing".to_owned()));
            }
            Step::Leave(which) => self.leave(which),
            Step::Pass(ms) => self.pass(Duration::from_millis(ms)).await,
        }
        self.settle().await?;
        self.ask_again().await
    }

    /// Runs what is ready until nothing is.
    async fn settle(&mut self) -> Result<(), String> {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        // What is to be pushed out is pushed out now.
        let _ = self.world.parts.house.cache.size();
        self.line.judge(Reference::learn_all);
        self.callers.retain(|caller| !caller.is_done());
        self.line.check_calls()?;
        self.desk.wrong().map_or(Ok(()), Err)
    }

    /// Whoever asks again for what has just been kept costs no call, and is told the same, or what others fetched later.
    async fn ask_again(&mut self) -> Result<(), String> {
        let kept = self.desk.take_kept();
        let alone = kept.len() == 1;
        for (read, since, reply) in kept {
            if self.setting.tiny || !is_now(since) {
                continue;
            }
            let calls = self.line.reads();
            let reading = self.line.judge(|reference| reference.ask(read, How::Plain));
            let again = self.world.get(&read.path()).await;
            self.line.judge(|reference| reference.judge(&reading, &again))?;
            if !again.is_hit() || self.line.reads() != calls {
                return Err(format!(
                    "{read} was kept, and asked for again: {}",
                    again.header("cache-status")
                ));
            }
            let same = |reply: &Reply| read.judged(reply.status, reply.json());
            if alone && same(&again)? != same(&reply)? {
                return Err(format!("{read} was kept, and another answer was given"));
            }
            // Of several, one may have been fetched later; who has waited for it long is one of them.
            if !self.line.judge(|reference| reference.follows(read, &reply, &again))? {
                return Err(format!("{read} was kept, and an older answer was given"));
            }
        }
        Ok(())
    }

    /// Time passes, and the reference looks whenever a mute ends.
    async fn pass(&mut self, time: Duration) {
        if self.line.is_holding() {
            self.line.judge(|reference| reference.excused = true);
        }
        let end = Instant::now() + time;
        loop {
            let next = self.line.judge(|reference| reference.next_end()).map_or(end, |next| next.min(end));
            sleep_until(next).await;
            self.line.judge(Reference::look_at_mutes);
            if next == end {
                return;
            }
        }
    }

    fn leave(&mut self, which: usize) {
        let Some(at) = which.checked_rem(self.callers.len()) else {
            return self.tell("nobody");
        };
        let caller = self.callers.remove(at);
        self.tell(&caller.name);
        self.desk.hang_up(&caller);
    }

    /// Everything goes on, time passes, and nothing is left of it.
    async fn end(&mut self) -> Result<(), String> {
        self.line.expect_reads(Stop::No, Fate::Good);
        while self.line.release(0).is_some() {
            self.settle().await?;
        }
        self.pass(Duration::from_secs(200)).await;
        self.settle().await?;
        let open: Vec<&str> = self.callers.iter().map(|caller| caller.name.as_str()).collect();
        if !open.is_empty() || self.desk.open() > 0 {
            return Err(format!("never answered: {open:?}"));
        }
        for how in [How::NoCache, How::Plain] {
            self.reads.iter().for_each(|read| self.callers.push(self.desk.read(*read, how)));
            self.settle().await?;
        }
        self.ask_again().await?;
        self.pass(Duration::from_secs(5)).await;
        self.settle().await?;
        self.left_over()
    }

    fn left_over(&self) -> Result<(), String> {
        let house = &self.world.parts.house;
        let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        let pools: usize = house.limits.snapshot().iter().map(|pool| pool.waiting).sum();
        let left = [
            ("flights", house.flights.count()),
            ("doubts", house.cache.doubts.count()),
            ("requests", count(&house.waiting)),
            ("writes listened for", count(&house.listening)),
            ("tasks", self.world.tasks.counts().0),
            ("calls in pools", pools),
            ("calls at the vendor", self.line.tasks.counts().0),
            ("callers", self.desk.tasks()),
        ];
        match left.iter().find(|(_, count)| *count > 0) {
            Some((what, count)) => Err(format!("{count} {what} are left over")),
            None => Ok(()),
        }
    }

    fn tell(&mut self, what: impl std::fmt::Display) {
        if let Some(line) = self.trace.last_mut() {
            *line += &format!(": {what}");
        }
    }
}

/// Whether however many who ask for this at once take one call: fetched for all, and not in parts.
fn is_shared(what: Read, how: How, fate: Fate) -> bool {
    fate == Fate::Good && how == How::Plain && !matches!(what, Read::Some(_))
}

/// Texts differ, so that no two states are alike.
fn numbered(write: Write, number: u32) -> Write {
    match write {
        Write::Rename(group, _) => Write::Rename(group, number),
        Write::Announce(group, _) => Write::Announce(group, number),
        Write::RenameRoom(_) => Write::RenameRoom(number),
        other => other,
    }
}

fn configure(config: &mut Config, setting: Setting) {
    let cache = &mut config.cache;
    cache.slots = 1_024;
    if setting.tiny {
        (cache.bytes_max, cache.tags_max) = (ByteSize::kib(5), 6);
    }
    if !setting.settle {
        cache.settle = Duration::ZERO;
    }
    if setting.refresh {
        cache.stale_refresh = Duration::from_secs(20);
    }
    if setting.deaf {
        cache.write_listen_max = 1;
    }
    if setting.slow {
        for row in ["group.read", "group.announcement.read", "group.mutes.list"] {
            let rate = Some("1/s".parse().unwrap());
            config.endpoints.insert(row.into(), EndpointOverride { rate, fresh: None, stale: None });
        }
        config.limits.patience = Duration::from_secs(4);
    }
    config.vendor.group_forms_equal = setting.forms == Forms::Equal;
    config.callbacks = believing("secret = \"s3cr3t\"");
}
