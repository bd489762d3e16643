//! Tables of what is to come of a fault: a line for each fault, a column for each kind of request.
//!
//! A cell says, in this order: what the caller gets (a status, with the gateway's reason if it refused, `~` if the
//! body broke off); how many calls the vendor saw; what became of what is kept (`kept`: the answer was; `-`: it was
//! not; for a write `touched`: what was kept is fetched anew, `doubt`: and what is fetched is not kept); and, if more
//! tokens were asked for than the one at the beginning, how many (`+1g`).

use easemob_gateway::simulator::{Breakage, Fault, Matcher, Unauthorized};
use http::{Method, StatusCode};
use std::time::Duration;

/// What is expected, cell by cell.
pub(crate) struct Table {
    columns: Vec<&'static str>,
    rows: Vec<(&'static str, Vec<&'static str>)>,
}

impl Table {
    /// Reads a table: cells between bars, several faults with commas between them in the first.
    pub(crate) fn read(text: &'static str) -> Self {
        let mut lines =
            text.lines().filter(|line| !line.is_empty()).map(|line| line.split('|').map(str::trim));
        let columns: Vec<_> = lines.next().expect("a line of columns").skip(1).collect();
        let mut rows: Vec<(&str, Vec<&str>)> = Vec::new();
        for mut line in lines {
            let (names, cells): (_, Vec<_>) = (line.next().unwrap_or_default(), line.collect());
            assert_eq!(cells.len(), columns.len(), "{names}");
            rows.extend(names.split(',').map(|name| (name.trim(), cells.clone())));
        }
        Self { columns, rows }
    }

    /// Every cell: the fault, the column, what is expected.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        let cells = |(fault, cells): &(&'static str, Vec<&'static str>)| {
            let fault = *fault;
            let cells = self.columns.iter().copied().zip(cells.iter().copied());
            cells.map(move |(column, expected)| (fault, column, expected)).collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(cells)
    }

    /// Fails unless every breakage that the stand-in knows has a line.
    pub(crate) fn assert_complete(&self) {
        for (name, _) in Breakage::ALL {
            assert!(self.rows.iter().any(|(fault, _)| *fault == name), "{name} has no line");
        }
    }
}

/// What came of the cells, against what was expected.
#[derive(Default)]
pub(crate) struct Score {
    cells: usize,
    wrong: Vec<String>,
}

impl Score {
    pub(crate) fn note(&mut self, (fault, column, expected): (&str, &str, &str), found: &str) {
        self.cells += 1;
        if found != expected {
            self.wrong.push(format!("{fault} | {column}: expected `{expected}`, found `{found}`"));
        }
    }

    #[track_caller]
    pub(crate) fn assert_all(&self, cells: usize) {
        let (wrong, all) = (self.wrong.len(), self.cells);
        assert!(self.wrong.is_empty(), "{wrong} of {all} cells differ:\n{}", self.wrong.join("\n"));
        assert_eq!(all, cells);
    }
}

/// The fault of this name: a kind of breakage, or `status`, `page`, `text` or `401` with more about it. `applied`: the
/// call takes effect. `always`: not once, but every time.
pub(crate) fn scripted(name: &str, matcher: Matcher) -> (Matcher, Fault) {
    let words: Vec<&str> = name.split(' ').collect();
    let status = |at: usize| words[at].parse::<StatusCode>().expect("a status");
    let mut fault = match words[0] {
        "status" => Fault::status(status(1)),
        "page" => Fault::page(status(1)),
        "empty" => Fault::body(status(1), ""),
        "resource_limited" => {
            Fault::body(StatusCode::TOO_MANY_REQUESTS, r#"{"error":"resource_limited","duration":0}"#)
        }
        "401" => Fault::unauthorized(named(&Unauthorized::ALL, words[1])),
        "slow_drip" => Fault::broken(Breakage::Drip(Duration::from_secs(1))),
        // Over a wire every byte is one of its own, without a pause.
        "drip" => Fault::broken(Breakage::Drip(Duration::ZERO)),
        kind => Fault::broken(named(&Breakage::ALL, kind)),
    };
    if words.contains(&"applied") {
        fault = fault.after_effect();
    }
    let times = if words.contains(&"always") { usize::MAX } else { 1 };
    (matcher.times(times), fault)
}

fn named<T: Copy>(all: &[(&str, T)], name: &str) -> T {
    all.iter().find(|(own, _)| *own == name).unwrap_or_else(|| panic!("no fault is called {name}")).1
}

/// The calls of a column, as the vendor sees them.
pub(crate) fn matcher(column: &str) -> Matcher {
    match column {
        "token" => Matcher::exactly("/token"),
        "write" => Matcher::path("/chatgroups").method(Method::POST),
        "relay" => Matcher::path("/chatgroups").method(Method::GET),
        "relayed write" => Matcher::path("/messages"),
        _ => Matcher::path("/chatgroups").method(Method::GET),
    }
}

/// What the caller got.
pub(crate) fn got(status: u16, refusal: &str, whole: bool) -> String {
    let refusal = if refusal.is_empty() { String::new() } else { format!(":{refusal}") };
    format!("{status}{refusal}{}", if whole { "" } else { "~" })
}

/// A cell: what the caller got, the calls, what became of what is kept, and further grants.
pub(crate) fn cell(got: &str, calls: usize, kept: &str, grants: usize) -> String {
    let mut cell = format!("{got} {calls}");
    if !kept.is_empty() {
        cell += &format!(" {kept}");
    }
    if grants > 0 {
        cell += &format!(" +{grants}g");
    }
    cell
}
