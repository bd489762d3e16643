//! A client secret in a file that changes while the gateway runs.

use super::state::Life;
use super::{any_grant, group, secs};
use crate::path::refusals::assert_refused;
use crate::support::lines::Lines;
use crate::support::world::World;
use easemob_gateway::app::secret::{SecretWatch, TICK};
use easemob_gateway::config::{self, Config};
use easemob_gateway::simulator::HoldAt;
use std::fs;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::time::sleep;

struct Rotating {
    life: Life,
    folder: TempDir,
    world: World,
    watch: Arc<SecretWatch>,
}

impl Rotating {
    /// A gateway that watches the file, as the running program does.
    fn with(secret: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("secret"), format!("{secret}\n")).unwrap();
        let life = Life::with(|config| from_file(config, &folder), |_| {});
        let world = life.process();
        let tokens = Arc::clone(&world.parts.house.tokens);
        let secret = &life.config.vendor.client_secret;
        let watch = SecretWatch::new(secret, tokens, world.tasks.clone()).expect("it is in a file");
        world.tasks.spawn_until_stop("secret watch", Arc::clone(&watch).run());
        Self { life, folder, world, watch }
    }

    fn write(&self, secret: &str) {
        fs::write(self.folder.path().join("secret"), secret).unwrap();
    }

    async fn two_ticks(&self) {
        sleep(TICK * 2 + secs(1)).await;
        self.world.settle().await;
    }
}

fn from_file(config: &mut Config, folder: &TempDir) {
    let path = folder.path().join("secret");
    let text = format!(
        "[vendor]\norigin = \"http://127.0.0.1:1\"\norg = \"o\"\napp = \"a\"\nclient_id = \"c\"\nclient_secret = {{ file = {path:?} }}\n"
    );
    let names = easemob_gateway::app::known();
    let loaded = config::parse(&text, std::iter::empty(), &names).unwrap();
    config.vendor.client_secret = loaded.config.vendor.client_secret;
}

#[tokio::test(start_paused = true)]
async fn a_corrected_secret_is_tried_at_once() {
    let rotating = Rotating::with("old-secret");
    assert_refused(&rotating.world.get(&group()).await, 503, "service_unavailable", "no_token");
    rotating.write("demo-secret\n");
    rotating.two_ticks().await;
    assert_eq!(rotating.world.get(&group()).await.status, 200, "the pause after a refusal is a minute");
    assert_eq!(rotating.life.grants(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_changed_secret_drops_the_token_that_the_old_one_gave() {
    let rotating = Rotating::with("demo-secret");
    assert_eq!(rotating.world.get(&group()).await.status, 200);
    rotating.write("another-secret");
    rotating.two_ticks().await;
    assert_refused(&rotating.world.get(&group()).await, 503, "service_unavailable", "no_token");
    assert_eq!(rotating.life.grants(), 2);
    assert!(rotating.life.process().parts.house.tokens.current().is_none(), "nor is it in the folder");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_asked_for_with_the_old_secret_is_not_taken() {
    let rotating = Rotating::with("demo-secret");
    let hold = rotating.life.vendor.control().hold(any_grant().times(1), HoldAt::Answer);
    let meanwhile = async {
        hold.arrived(1).await;
        rotating.write("another-secret");
        rotating.watch.look(true).await;
        hold.release();
    };
    let path = group();
    let (reply, ()) = tokio::join!(rotating.world.get(&path), meanwhile);
    assert_refused(&reply, 503, "service_unavailable", "no_token");
    assert!(rotating.world.parts.house.tokens.current().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_half_written_empty_or_gone_changes_nothing() {
    let rotating = Rotating::with("demo-secret");
    assert_eq!(rotating.world.get(&group()).await.status, 200);
    rotating.write("demo");
    rotating.watch.look(false).await;
    rotating.write("demo-secret");
    rotating.two_ticks().await;
    for spoil in ["", " \n"] {
        rotating.write(spoil);
        rotating.two_ticks().await;
    }
    fs::remove_file(rotating.folder.path().join("secret")).unwrap();
    rotating.two_ticks().await;
    rotating.write("demo-secret\n\n");
    rotating.two_ticks().await;
    assert_eq!(rotating.world.get(&group()).await.status, 200);
    assert_eq!(rotating.life.grants(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_keeps_changing_does_not_exceed_the_budget() {
    let rotating = Rotating::with("demo-secret");
    for n in 0..50 {
        rotating.write(&format!("secret-{n}"));
        rotating.watch.look(true).await;
        rotating.world.get(&group()).await;
        sleep(secs(1)).await;
    }
    assert_eq!(rotating.life.grants(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_secret_is_told_and_the_old_one_put_back_helps_at_once() {
    let lines = Lines::at("info");
    let rotating = Rotating::with("demo-secret");
    assert_eq!(rotating.world.get(&group()).await.status, 200);
    rotating.write("demo-secrte");
    rotating.two_ticks().await;
    assert_refused(&rotating.world.get(&group()).await, 503, "service_unavailable", "no_token");
    // In the log, in metrics and on the status page.
    assert!(lines.text().contains("no token: the vendor answered 400"), "{}", lines.text());
    assert!(!lines.text().contains("demo-secr"));
    let refused = "gateway_token_grants_total{outcome=\"refused\",reason=\"secret\"}";
    assert_eq!((rotating.world.metric("gateway_token_usable"), rotating.world.metric(refused)), (0.0, 1.0));
    let report = rotating.world.parts.house.tokens.report();
    assert_eq!(report.last.map(|(_, outcome)| outcome), Some("refused"));
    assert!(report.next_in > secs(30), "it would wait for long: {:?}", report.next_in);
    rotating.write("demo-secret");
    rotating.two_ticks().await;
    assert_eq!(rotating.world.get(&group()).await.status, 200, "without that wait");
    assert_eq!(rotating.life.grants(), 3, "each counts");
}
