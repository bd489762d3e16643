//! The documentation against the program: tables that name every metric, refusal, setting and write name them all,
//! and nothing that does not exist.

use crate::support::promtool;
use crate::support::world::{World, base_config};
use crate::tidy::FLOORS;
use easemob_gateway::app::{endpoint_names, known};
use easemob_gateway::cache::Cause;
use easemob_gateway::caller::{Unidentified, key};
use easemob_gateway::catalogue::path::Ambiguous;
use easemob_gateway::catalogue::{Endpoint, Pool, table};
use easemob_gateway::config;
use easemob_gateway::easemob;
use easemob_gateway::easemob::dialect;
use easemob_gateway::exchange::{CacheOutcome, CallOutcome};
use easemob_gateway::gateway::refusal::{Budget, Refusal};
use easemob_gateway::limit::SpentKind;
use easemob_gateway::simulator::{Fault, Matcher};
use easemob_gateway::telemetry::cells::{ConnectionEvent, FlightEvent, Heard, Repeat};
use easemob_gateway::telemetry::words::PLACES;
use easemob_gateway::token::{OUTCOMES, REASONS};
use easemob_gateway::units::Rate;
use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(crate) fn text(name: &str) -> String {
    std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).expect(name)
}

/// The rows of the table under a heading, cell by cell; of the first one if there are several.
pub(crate) fn rows(heading: &str) -> Vec<Vec<String>> {
    let readme = text("README.md");
    let (_, section) = readme.split_once(&format!("\n{heading}\n")).expect(heading);
    let lines =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    lines.skip(2).map(cells).collect()
}

/// The words in backquotes.
pub(crate) fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_table_of_writes_is_the_one_that_is_printed() {
    assert_printed("reach", &table::reach(&easemob::catalogue("org", "app").unwrap()));
}

#[test]
fn the_table_of_reads_is_the_one_that_is_printed() {
    assert_printed("kept", &table::kept(&easemob::catalogue("org", "app").unwrap()));
}

#[track_caller]
fn assert_printed(which: &str, printed: &str) {
    let readme = text("README.md");
    let mark = format!("<!-- generated: endpoints --{which} -->\n");
    let (_, after) = readme.split_once(&mark).expect("a beginning");
    let (written, _) = after.split_once("<!-- end -->").expect("an end");
    assert!(written == printed, "write it anew from `easemob-gateway endpoints --{which}`");
}

#[test]
fn the_table_of_limits_has_every_limit_that_is_not_the_usual() {
    let known = rows("## What is known, and what it costs");
    let told: BTreeMap<String, String> =
        known.iter().map(|row| (row[0].trim_matches('`').to_owned(), row[1].clone())).collect();
    let spent_by = |pool: &Pool| -> Vec<&Endpoint> {
        easemob::endpoints().iter().filter(|row| row.pools().any(|other| other.name == pool.name)).collect()
    };
    let usual = |pool: &Pool| match spent_by(pool)[..] {
        [row] => row.name == pool.name && pool.rate == Rate::per_second(100) && row.pools().count() == 1,
        _ => false,
    };
    let listed = easemob::pools().into_iter().filter(|pool| !usual(pool));
    let is: BTreeMap<String, String> =
        listed.map(|pool| (pool.name.to_owned(), pool.rate.to_string())).collect();
    assert_eq!(told, is);
    for pool in easemob::pools().iter().filter(|pool| pool.weighs.is_some()) {
        let row = known.iter().find(|row| row[0].trim_matches('`') == pool.name).expect(pool.name);
        assert!(row[2].contains(&format!("{} a call", pool.per_call())), "{}", pool.name);
    }
}

/// Every refusal, once. Naming a new one here is what the compiler asks for below.
fn refusals() -> Vec<Refusal> {
    use Refusal::*;
    let time = Duration::from_secs(1);
    vec![
        Full,
        FlightFull,
        Unidentified(self::Unidentified::Missing),
        Unidentified(self::Unidentified::Wrong),
        Unidentified(self::Unidentified::VendorToken),
        Unidentified(self::Unidentified::Origin),
        Unidentified(self::Unidentified::Host),
        Forbidden,
        CallerLimited(Budget { pool: "quota".into(), rate: Rate::per_second(5), again: time }),
        UnknownApp,
        UnknownEndpoint,
        WrongMethod("GET".into()),
        AmbiguousPath(Ambiguous::Escape),
        BadTarget("…"),
        Malformed("…".into()),
        TooLarge(1),
        WrongType,
        BodyCut,
        BadGrant("illegal_argument", "…"),
        BadGrant("invalid_grant", "…"),
        BudgetSpent(Budget { pool: "group.read".into(), rate: Rate::per_second(100), again: time }),
        NotKept,
        TooHeavy("message.users.recipients".into(), 600),
        Uncountable,
        NoToken(time),
        SendAgain,
        TokenRefused,
        Unreachable("…".into()),
        TimedOut,
        Broken,
    ]
}

/// The place of a refusal in the list above: without it a new variant would not compile.
fn is_listed(refusal: &Refusal) -> bool {
    use Refusal::*;
    match refusal {
        Full | FlightFull | Unidentified(_) | Forbidden | CallerLimited(_) | UnknownApp | UnknownEndpoint
        | WrongMethod(_) | AmbiguousPath(_) | BadTarget(_) | Malformed(_) | TooLarge(_) | WrongType
        | BodyCut | BadGrant(..) | BudgetSpent(_) | NotKept | TooHeavy(..) | Uncountable | NoToken(_)
        | SendAgain | TokenRefused | Unreachable(_) | TimedOut | Broken => true,
    }
}

#[test]
fn the_table_of_refusals_has_every_refusal_as_it_is_answered() {
    let mut answered: BTreeMap<&str, (String, BTreeSet<String>)> = BTreeMap::new();
    for refusal in refusals() {
        assert!(is_listed(&refusal));
        let (row, response) = (refusal.row(), refusal.response(Duration::ZERO));
        assert_eq!(response.status(), row.status);
        assert_eq!(response.headers()["gateway-error"], row.reason);
        let entry = answered.entry(row.reason).or_insert((row.status.as_str().to_owned(), BTreeSet::new()));
        entry.1.insert(row.error.to_owned());
    }
    let table = rows("## Refusals");
    for row in &table {
        let [reason, status, error, meaning, remedy] = &row[..] else { panic!("{row:?}") };
        let (is, errors) =
            answered.get(reason.trim_matches('`')).unwrap_or_else(|| panic!("{reason} is no refusal"));
        assert_eq!((status, quoted(error)), (is, errors.clone()), "{reason}");
        assert!(!meaning.is_empty() && !remedy.is_empty(), "{reason}");
    }
    assert_eq!(table.len(), answered.len(), "a refusal is missing, or stands twice");
    assert!(answered.len() < PLACES, "some would not be counted");
}

#[test]
fn what_says_when_to_come_back_says_it() {
    for refusal in refusals() {
        let (row, response) = (refusal.row(), refusal.response(Duration::ZERO));
        let comes_back = matches!(row.status.as_u16(), 429 | 503);
        assert_eq!(response.headers().contains_key("retry-after"), comes_back, "{}", row.reason);
    }
}

/// A world in which everything that is counted has happened.
async fn used() -> World {
    let caller = key::generate().unwrap();
    let callers = format!("[[callers]]\nname = \"orders\"\nkeys = [\"{}\"]\nallow = [\"*\"]\n", caller.1);
    let settings = "[vendor]\norigin = \"http://127.0.0.1:1\"\norg = \"o\"\napp = \"a\"\nclient_id = \"c\"\nclient_secret = \"s\"\n";
    let parsed = config::parse(&format!("{settings}{callers}"), std::iter::empty(), &known()).unwrap();
    let world = World::with(
        |config| {
            config.callers = parsed.config.callers;
            config.limits.patience = Duration::ZERO;
        },
        |_| {},
    );
    let send = |method: Method, path: &str, body: Option<serde_json::Value>| {
        let mut request = crate::support::world::request(method, path, body);
        request.headers_mut().insert("authorization", format!("Bearer {}", caller.0).parse().unwrap());
        world.send(request)
    };
    send(Method::GET, "/chatgroups/66016455491585", None).await;
    send(
        Method::POST,
        "/chatgroups/66016455491585/mute",
        Some(json!({"usernames": ["bob"], "mute_duration": 1})),
    )
    .await;
    // More at once than the limit of 50 lets through after idle.
    let many = (0..60)
        .map(|user| send(Method::GET, Box::leak(format!("/chatgroups/user/u{user}").into_boxed_str()), None));
    join_all(many).await;
    // A safe read is repeated, a hit has an age, and the vendor has enough of us.
    world.vendor.next(Matcher::path("/chatgroups/1"), Fault::status(StatusCode::SERVICE_UNAVAILABLE));
    send(Method::GET, "/chatgroups/1", None).await;
    send(Method::GET, "/chatgroups/66016455491585", None).await;
    world.vendor.next(Matcher::exactly("/chatgroups/2"), Fault::status(StatusCode::TOO_MANY_REQUESTS));
    send(Method::GET, "/chatgroups/2", None).await;
    world.parts.hear.hear(b"{}");
    // Connections are the server's, and there is none here.
    ConnectionEvent::ALL.iter().for_each(|event| world.gateway.connection(*event));
    assert!(world.reload(|_| {}));
    world
}

/// The name of the histogram that a series is a part of, or else its own.
fn histogram<'n>(name: &'n str, page: &str) -> &'n str {
    let parts = ["_bucket", "_sum", "_count"];
    let whole = parts.iter().find_map(|part| name.strip_suffix(part));
    whole.filter(|whole| page.contains(&format!("# TYPE {whole} histogram"))).unwrap_or(name)
}

#[tokio::test(start_paused = true)]
async fn the_table_of_metrics_has_every_metric_with_its_labels() {
    let page = used().await.metrics();
    let mut scraped: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("gateway_")) {
        let (series, _) = line.rsplit_once(' ').expect(line);
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let name = histogram(name, &page);
        let labels = labels
            .trim_end_matches('}')
            .split(',')
            .filter_map(|label| label.split_once('='))
            .filter(|(label, _)| *label != "le");
        scraped.entry(name.to_owned()).or_default().extend(labels.map(|(label, _)| label.to_owned()));
    }
    let documented: BTreeMap<String, BTreeSet<String>> = rows("### Metrics")
        .iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), quoted(&row[1])))
        .collect();
    assert_eq!(documented, scraped);
}

/// Over a page on which every metric shows: the test above says so.
#[tokio::test(start_paused = true)]
async fn promtool_has_nothing_to_say_about_any_metric() {
    let page = used().await.metrics();
    let Some(said) = promtool::with(&["check", "metrics"], &page) else { return };
    assert!(said.ok && said.words.is_empty(), "{}", said.words);
    // It is not silent about everything.
    let wrong = page.replace("gateway_refusals_total", "gateway_refusals");
    assert!(!promtool::with(&["check", "metrics"], &wrong).unwrap().words.is_empty());
}

#[test]
fn the_values_of_labels_are_those_that_can_be_counted() {
    let told = |metric: &str| {
        let row = rows("### Metrics").into_iter().find(|row| row[0] == format!("`{metric}`")).expect(metric);
        quoted(&row[2])
    };
    let words = |words: &mut dyn Iterator<Item = &str>| words.map(str::to_owned).collect::<BTreeSet<_>>();
    let outcomes = words(&mut CallOutcome::all().map(CallOutcome::as_str));
    assert_eq!(told("gateway_vendor_calls_total"), outcomes);
    assert_eq!(
        told("gateway_invalidations_total"),
        words(&mut Cause::ALL.iter().map(|cause| cause.as_str()))
    );
    assert_eq!(
        told("gateway_pool_refused_total"),
        words(&mut SpentKind::ALL.iter().map(|kind| kind.as_str()))
    );
    assert_eq!(
        told("gateway_flights_total"),
        words(&mut FlightEvent::ALL.iter().map(|event| event.as_str()))
    );
    let grants = REASONS.into_iter().chain(OUTCOMES);
    assert_eq!(told("gateway_token_grants_total"), words(&mut { grants }));
    assert_eq!(told("gateway_vendor_refusals_total"), words(&mut dialect::REFUSED_AS.into_iter()));
    assert_eq!(told("gateway_repeats_total"), words(&mut Repeat::ALL.iter().map(|why| why.as_str())));
    assert_eq!(
        told("gateway_connection_events_total"),
        words(&mut ConnectionEvent::ALL.iter().map(|event| event.as_str()))
    );
    assert_eq!(told("gateway_callbacks_total"), words(&mut Heard::ALL.iter().map(|heard| heard.as_str())));
    let cache = words(&mut CacheOutcome::ALL.iter().map(|outcome| outcome.as_str()));
    assert!(told("gateway_requests_total").is_superset(&cache));
}

#[test]
fn the_table_of_settings_has_every_section() {
    let headings = |line: &str| line.trim_start_matches("# ").strip_prefix('[').map(|line| line.to_owned());
    let name = |text: &str| text.trim_matches(['[', ']']).split('.').next().unwrap_or_default().to_owned();
    let sections: BTreeSet<String> =
        text("config/gateway.toml").lines().filter_map(headings).map(|line| name(&line)).collect();
    let documented: BTreeSet<String> =
        rows("## Settings").iter().map(|row| name(row[0].trim_matches('`'))).collect();
    assert_eq!(documented, sections);
    // The names printed there are settings: the base configuration can be overridden by one.
    let variables = [("EASEMOB_GATEWAY_LISTEN_WORKERS".to_owned(), "2".to_owned())];
    let minimal = text("config/minimal.toml").replace("{ env = \"EASEMOB_CLIENT_SECRET\" }", "\"s\"");
    let loaded = config::parse(&minimal, variables.into_iter(), &known()).unwrap();
    assert_eq!((loaded.config.listen.workers, base_config().listen.workers), (2, 1));
}

#[test]
fn settings_that_the_readme_names_exist() {
    let (readme, settings) = (text("README.md"), text("config/gateway.toml"));
    let sections = ["vendor.", "listen.", "admin.", "token.", "cache.", "limits.", "log.", "callbacks."];
    let mut named = 0;
    for word in readme.split('`').filter(|word| !word.contains(char::is_whitespace)) {
        let Some(key) = sections.iter().find_map(|section| word.strip_prefix(section)) else { continue };
        let is = settings.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} =")));
        assert!(is || endpoint_names().contains(&word), "{word}");
        named += 1;
    }
    assert!(named > 10, "{named}");
}

#[test]
fn the_page_of_the_architecture_shows_the_floors_that_are_held() {
    let page = text("ARCHITECTURE.md");
    let (_, after) = page.split_once("## The floors").expect("floors");
    let shown: Vec<&str> = after.split("```").nth(1).expect("a list").lines().skip(1).collect();
    let mut held: Vec<&str> = FLOORS.trim().lines().collect();
    held.reverse();
    assert_eq!(shown, held);
}
