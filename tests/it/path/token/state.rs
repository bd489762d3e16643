//! What a restart finds: a token that is still good, and how often one was asked for.

mod trouble;

use super::{group, secs, uncached};
use crate::path::refusals::assert_refused;
use crate::support::lines::Lines;
use crate::support::world::{World, base_config};
use easemob_gateway::app::known;
use easemob_gateway::clock::Wall;
use easemob_gateway::config::{self, Config, Folder};
use easemob_gateway::simulator::{Fault, Matcher, Settings, Simulator};
use easemob_gateway::token::{Remembered, Report};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// A vendor and a folder that outlive any number of gateways, and a wall clock that can be set.
pub(super) struct Life {
    folder: TempDir,
    pub(super) config: Config,
    pub(super) vendor: Simulator,
    pub(super) shift_ms: Arc<AtomicI64>,
    pub(super) wall: Wall,
}

impl Life {
    pub(super) fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Config), vendor: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { seed: true, ..Settings::default() };
        vendor(&mut settings);
        let folder = TempDir::new().unwrap();
        let mut config = base_config();
        uncached(&mut config);
        config.token.state_dir = Some(Folder(folder.path().join("state")));
        change(&mut config);
        let (began, shift_ms) = (Instant::now(), Arc::new(AtomicI64::new(0)));
        let shift = Arc::clone(&shift_ms);
        let wall = Wall::of(move || {
            let shown = 1_790_000_000_000 + began.elapsed().as_millis() as u64;
            shown.saturating_add_signed(shift.load(Ordering::Relaxed))
        });
        Self { folder, config, vendor: Simulator::new(settings), shift_ms, wall }
    }

    /// Another process, after the one before has gone or beside it.
    pub(super) fn process(&self) -> World {
        World::before(&self.vendor, &self.config, self.wall.clone())
    }

    /// One more process that has gone again; whether it had a token for a call.
    async fn restart(&self) -> bool {
        let world = self.process();
        let good = world.get(&group()).await.status == 200;
        world.tasks.settled().await;
        good
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("state").join(name)
    }

    pub(super) fn grants(&self) -> usize {
        self.vendor.control().counters().token_requests.len()
    }
}

fn report(world: &World) -> Report {
    world.parts.house.tokens.report()
}

fn trouble(world: &World) -> String {
    match report(world).remembered {
        Remembered::Trouble(what) => what,
        other => panic!("{other:?}"),
    }
}

/// The token endpoint answers nothing of use.
pub(super) fn no_grants(life: &Life) {
    let fault = Fault::status(http::StatusCode::SERVICE_UNAVAILABLE);
    life.vendor.control().next(Matcher::exactly("/token").times(1_000_000), fault);
}

#[tokio::test(start_paused = true)]
async fn a_restart_asks_for_nothing_while_the_token_is_good() {
    let life = Life::new();
    for _ in 0..20 {
        assert!(life.restart().await);
        sleep(secs(60)).await;
    }
    assert_eq!(life.grants(), 1);
    let world = life.process();
    assert_eq!(report(&world).last.unwrap().1, "found");
    assert_eq!(report(&world).remembered, Remembered::Well);
}

#[tokio::test(start_paused = true)]
async fn a_restored_token_is_renewed_and_ends_at_the_time_that_it_was_granted_for() {
    let life = Life::with(|_| {}, |vendor| vendor.token_ttl = secs(3_600));
    assert!(life.restart().await);
    sleep(secs(1_800)).await;
    let world = life.process();
    let left = report(&world).left.unwrap();
    assert!((secs(1_795)..=secs(1_800)).contains(&left), "{left:?}");
    super::renew(&world);
    sleep(secs(300)).await;
    assert_eq!(life.grants(), 1, "not before two thirds of its life");
    sleep(secs(600)).await;
    assert_eq!(life.grants(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ended_meanwhile_is_not_used() {
    let life = Life::with(|_| {}, |vendor| vendor.token_ttl = secs(3_600));
    assert!(life.restart().await);
    sleep(secs(3_599)).await;
    assert!(life.restart().await);
    assert_eq!(life.grants(), 2);
    let seen = life.vendor.control().counters().get("GET", "/chatgroups/{group_id}").statuses;
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [200]);
}

#[tokio::test(start_paused = true)]
async fn a_token_without_an_end_is_restored_and_renewed_within_seven_days() {
    let life = Life::with(|_| {}, |vendor| vendor.token_ttl = Duration::ZERO);
    assert!(life.restart().await);
    sleep(secs(5 * 86_400)).await;
    let world = life.process();
    super::renew(&world);
    assert_eq!(world.get(&group()).await.status, 200);
    assert_eq!((life.grants(), report(&world).left), (1, None));
    sleep(secs(2 * 86_400)).await;
    assert_eq!(life.grants(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_spends_the_budget_and_no_more() {
    let life = Life::new();
    no_grants(&life);
    for _ in 0..590 {
        life.restart().await;
        sleep(secs(1)).await;
    }
    assert_eq!(life.grants(), 6, "in the first ten minutes");
    let world = life.process();
    let state = report(&world);
    assert_eq!((state.grants_left, state.grants_last_hour), (0, 6));
    assert!(state.next_in > Duration::ZERO && state.next_in <= secs(600), "{:?}", state.next_in);
    let reply = world.get(&group()).await;
    assert_refused(&reply, 503, "service_unavailable", "no_token");
    assert_eq!(reply.header("retry-after"), state.next_in.as_secs_f64().ceil().to_string());
    assert_eq!(world.metric("gateway_token_budget_left_grants"), 0.0);
    drop(world);
    sleep(secs(30)).await;
    life.restart().await;
    assert_eq!(life.grants(), 7, "ten minutes after the last");
    let world = life.process();
    assert!((secs(1_150)..=secs(1_200)).contains(&report(&world).next_in), "{:?}", report(&world));
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_does_not_make_the_budget_whole() {
    let mut life = Life::new();
    no_grants(&life);
    for n in 0..30 {
        life.config.vendor.client_id = format!("other-{n}");
        life.restart().await;
        sleep(secs(5)).await;
    }
    assert_eq!(life.grants(), 6);
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_a_setting() {
    for budget in [1, 2, 17] {
        let life = Life::with(|config| config.token.grants_per_hour = budget, |_| {});
        no_grants(&life);
        for _ in 0..100 {
            life.restart().await;
            sleep(secs(5)).await;
        }
        assert_eq!(life.grants(), budget);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_folder_the_count_is_the_process_own() {
    let life = Life::with(|config| config.token.state_dir = None, |_| {});
    for _ in 0..8 {
        assert!(life.restart().await);
    }
    assert_eq!(life.grants(), 8);
    let world = life.process();
    assert_eq!(report(&world).remembered, Remembered::Off);
    assert_eq!(world.metric("gateway_token_state_usable"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn files_are_for_their_owner_only() {
    let life = Life::new();
    assert!(life.restart().await);
    let mut names = Vec::new();
    for entry in fs::read_dir(life.folder.path().join("state")).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort_unstable();
    assert_eq!(names, ["grants", "in-use", "lock", "token"]);
    assert_eq!(fs::metadata(life.folder.path().join("state")).unwrap().permissions().mode() & 0o777, 0o700);
    for name in names {
        let bytes = fs::read(life.path(&name)).unwrap();
        for secret in ["demo-secret", "YWMt"] {
            assert!(
                !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
                "{secret} in {name}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_dated_in_the_future_is_not_used_and_grants_of_the_future_count_as_now() {
    let life = Life::new();
    life.shift_ms.store(86_400_000, Ordering::Relaxed);
    assert!(life.restart().await);
    life.shift_ms.store(0, Ordering::Relaxed);
    let lines = Lines::at("warn");
    let world = life.process();
    assert!(lines.text().contains("dated in the future"), "{}", lines.text());
    assert_eq!((report(&world).usable, report(&world).grants_last_hour), (false, 1));
    assert_eq!(world.get(&group()).await.status, 200);
    drop(world);
    sleep(secs(3_601)).await;
    assert_eq!(report(&life.process()).grants_last_hour, 0, "from then on they age like others");
}

#[tokio::test(start_paused = true)]
async fn two_processes_with_one_folder_share_budget_and_token() {
    let life = Life::new();
    let lines = Lines::at("warn");
    let (one, other) = (life.process(), life.process());
    assert!(lines.text().contains("another process uses the state directory"), "{}", lines.text());
    for world in [&one, &other, &one] {
        assert_eq!(world.get(&group()).await.status, 200);
        world.tasks.settled().await;
    }
    assert_eq!(life.grants(), 1, "the second found what the first was granted");
    sleep(secs(1)).await;
    life.vendor.control().revoke_tokens();
    for world in [&one, &other, &other, &one] {
        assert_eq!(world.get(&group()).await.status, 200);
        sleep(secs(1)).await;
    }
    assert_eq!(life.grants(), 2, "also when it was refused");
    no_grants(&life);
    life.vendor.control().revoke_tokens();
    for _ in 0..500 {
        one.get(&group()).await;
        other.get(&group()).await;
        sleep(secs(1)).await;
    }
    assert_eq!(life.grants(), 6, "six in all");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_secret_app_or_host_is_not_sent() {
    let change: [fn(&mut Config); 3] = [
        |config| config.vendor.client_id = "another".to_owned(),
        |config| config.vendor.app = "another".to_owned(),
        |config| config.vendor.origin.host = "127.0.0.2".to_owned(),
    ];
    for change in change {
        let mut life = Life::new();
        assert!(life.restart().await);
        change(&mut life.config);
        let world = life.process();
        assert!(trouble(&world).contains("not granted to this app"), "{}", trouble(&world));
        assert!(!report(&world).usable);
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_was_changed_between_two_processes_gives_a_new_token() {
    let mut life = Life::new();
    assert!(life.restart().await);
    let text = "[vendor]\norigin = \"http://127.0.0.1:1\"\norg = \"o\"\napp = \"a\"\nclient_id = \"c\"\nclient_secret = \"other\"\n";
    let other = config::parse(text, std::iter::empty(), &known()).unwrap().config;
    life.config.vendor.client_secret = other.vendor.client_secret;
    let world = life.process();
    assert!(!report(&world).usable);
    assert_eq!(report(&world).grants_last_hour, 1, "what was asked before counts");
}
