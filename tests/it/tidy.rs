//! House rules that the compiler does not know: floors, heads, lengths, and words that must not appear.
//!
//! It reads `src` line by line, as rustfmt leaves it, and leaves the rest to clippy. A new edge between modules
//! means moving a name in [`FLOORS`]. The last test notices, on made-up files, a rule that no longer bites.

use std::path::{Path, PathBuf};

/// A module may import from the lines above its own: never from its own line, never from a later one.
pub(crate) const FLOORS: &str = "
units clock body tasks file
catalogue
easemob caller limit cache upstream
token exchange
telemetry
gateway
server simulator
config
app
cli
main
";

/// Modules that may import less than their floor allows. The simulator must not share what it checks.
const ONLY: &[(&str, &str)] = &[("simulator", "units body clock tasks"), ("config", "units file")];

/// rule | texts | where (`*`: everywhere) | but not there | what to do. A place is a module or a file. A text that
/// ends in `::` counts before a capital letter; in the simulator, one a file is free; `later` reads comments too.
const BANS: &str = "
clock | std::time::Instant std::time::* | * | - | use crate::clock::Instant, which a test can pause
clock | SystemTime::now | * | clock.rs simulator | read the wall clock through crate::clock
clock | SystemTime::now | simulator | - | read the wall clock in one place only
spawn | tokio::spawn tokio::task::spawn | * | tasks.rs | spawn through crate::tasks, which names and waits for it
panic | .unwrap() .expect( | * | - | return an error, or write the other arm
later | TODO FIXME XXX todo! unimplemented! dbg! | * | - | do it now, or leave it out
words | async std::time::Instant std::time::SystemTime | catalogue easemob | - | leave it to the callers
status | StatusCode:: | * | gateway/refusal.rs server/admin.rs server/callbacks.rs server/operate.rs easemob/dialect.rs simulator | ask gateway::refusal
";

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
const FILE_LINES: usize = 400;
const FN_LINES: usize = 60;

/// What is wrong in a file: in which line, counted from 0, and what to do about it.
type Rule = fn(&Source, &mut Vec<(usize, String)>);

macro_rules! rules {
    ($($name:ident: $rule:expr;)*) => {
        $(#[test] fn $name() { hold($rule); })*
        const RULES: &[(&str, Rule)] = &[$((stringify!($name), $rule)),*];
    };
}
rules! {
    imports_go_down: imports;
    modules_are_known: modules;
    files_have_heads: heads;
    files_and_functions_fit: lengths;
    clocks_have_one_place: |s, out| banned(s, &s.plain, out, "clock");
    spawns_have_one_place: |s, out| banned(s, &s.plain, out, "spawn");
    nothing_panics_by_choice: |s, out| banned(s, &s.plain, out, "panic");
    nothing_is_left_for_later: |s, out| banned(s, &s.raw, out, "later");
    words_know_no_time: |s, out| banned(s, &s.plain, out, "words");
    statuses_have_one_place: |s, out| banned(s, &s.plain, out, "status");
}

/// One file below `src`, at `path` (`cache/key.rs`), of the module `own` (`cache`).
struct Source {
    path: String,
    own: String,
    /// As it is, without comments and literals, and then without `#[cfg(test)]` items: line by line the same.
    raw: Vec<String>,
    code: Vec<String>,
    plain: Vec<String>,
}

fn imports(source: &Source, out: &mut Vec<(usize, String)>) {
    let (own, up) = (&source.own, "super::".repeat(source.path.split('/').count()));
    for (n, line) in source.code.iter().enumerate() {
        let paths = words(line, "crate::").chain(words(line, "easemob_gateway::"));
        for name in paths.map(first) {
            let barred = |(module, only): &(&str, &str)| module == own && !listed(only, name);
            let say = match height(name) {
                _ if name == own || source.path == "lib.rs" => continue,
                None => "not a module of FLOORS: name where it lives",
                floor if floor >= height(own) => "not below this module: have it handed in, or move it",
                _ if ONLY.iter().any(barred) => "below, but not in this module's list ONLY",
                _ => continue,
            };
            out.push((n, format!("`{name}`: {say}")));
        }
        if words(&source.plain[n], &up).next().is_some() {
            out.push((n, format!("`{up}` leaves the module: write `crate::`")));
        }
    }
}

fn modules(source: &Source, out: &mut Vec<(usize, String)>) {
    let home = format!("{}.rs", source.own);
    let known = source.path == "lib.rs" || height(&source.own).is_some();
    if !known || !Path::new(SRC).join(&home).is_file() || source.path.ends_with("mod.rs") {
        out.push((0, format!("give it a place in FLOORS, and {home} in src")));
    }
}

fn heads(source: &Source, out: &mut Vec<(usize, String)>) {
    let head = source.raw.iter().take_while(|line| line.starts_with("//!"));
    let lines = head.filter(|line| line.len() > 4).count() + usize::from(source.path == "main.rs");
    if lines < 2 {
        out.push((0, "say in two lines of `//!` what it is for".to_owned()));
    }
}

fn lengths(source: &Source, out: &mut Vec<(usize, String)>) {
    let length = source.raw.len();
    if length > FILE_LINES {
        out.push((0, format!("file of {length} lines: split it below {FILE_LINES}")));
    }
    for (n, line) in source.code.iter().enumerate() {
        let length = item_end(&source.code, n) - n;
        if length > FN_LINES && words(line, "fn ").next().is_some() {
            out.push((n, format!("fn of {length} lines: split it below {FN_LINES}")));
        }
    }
}

fn banned(source: &Source, lines: &[String], out: &mut Vec<(usize, String)>, rule: &str) {
    let here = |places: &str| listed(places, &source.own) || listed(places, &source.path);
    for ban in BANS.lines().map(|line| line.split(" | ").collect::<Vec<_>>()) {
        if ban[0] != rule || here(ban[3]) || !(ban[2] == "*" || here(ban[2])) {
            continue;
        }
        for text in ban[1].split(' ') {
            let capital = |rest: &str| rest.starts_with(|c: char| c.is_ascii_uppercase());
            let named = |line: &str| words(line, text).any(|rest| !text.ends_with("::") || capital(rest));
            let found = (0..lines.len()).filter(|n| named(&lines[*n]));
            let found = found.skip(usize::from(ban[2] == "simulator"));
            out.extend(found.map(|n| (n, format!("`{text}`: {}", ban[4]))));
        }
    }
}

#[test]
fn every_rule_bites() {
    // rule | file | its text, `/n` for a new line | lines found
    let cases = r##"
imports_go_down | cache.rs | use crate::clock;/nuse crate::{/nunits::{self, A},/nlimit::B as C, body::*};/ncrate::app() | 4 5
imports_go_down | cache/key.rs | fn f() { crate::app::g() }/nuse crate::cache::X; // crate::app | 1
imports_go_down | limit.rs | "\"crate::app"; b'"' '\'' &'a r#"crate::app ""#; /* crate::app */ pub(crate)/nuse crate::No; | 2
imports_go_down | simulator.rs | use crate::body::Body;/nuse crate::catalogue::Endpoint; | 2
imports_go_down | main.rs | use easemob_gateway::cli;/nuse easemob_gateway::Other; | 2
imports_go_down | cache/key.rs | use super::flight;/nuse super::super::app; | 2
imports_go_down | cache.rs | use super::limit;/n#[cfg(test)]/nmod tests {/n use super::*;/n} | 1
modules_are_known | attic/chest.rs | | 1
modules_are_known | main/mod.rs | | 1
files_have_heads | cache.rs | //! One line./n//!/nuse x; | 1
files_and_functions_fit | cache.rs | trait T {/n    fn a();/n    fn b() {LONG/n    }/n} | 1 3
clocks_have_one_place | cache.rs | use std::time::{Duration, Instant};/nlet now = SystemTime::now() | 1 2
spawns_have_one_place | server.rs | tasks.spawn(f);/ntokio::spawn(f); | 2
nothing_panics_by_choice | cache.rs | a.unwrap_or(b);/na.expect("b");/n#[cfg(test)]/nfn f() { a.unwrap() } | 2
nothing_is_left_for_later | cache.rs | // FIXME: x/ntodo!() | 1 2
words_know_no_time | easemob/grant.rs | use std::time::Duration;/nasync fn f() {} | 2
statuses_have_one_place | cache.rs | StatusCode::from_u16(1);/nStatusCode::OK | 2
"##;
    for case in cases.lines().skip(1) {
        let parts: Vec<&str> = case.split(" |").map(str::trim).collect();
        let (_, rule) = RULES.iter().find(|(name, _)| *name == parts[0]).expect(case);
        let (text, mut found) = (parts[2].replace("LONG", &"/n'{';".repeat(400)), Vec::new());
        rule(&source(parts[1], &text.replace("/n", "\n")), &mut found);
        let lines: Vec<String> = found.iter().map(|(n, _)| (n + 1).to_string()).collect();
        assert_eq!(lines.join(" "), parts[3], "{case}\n{found:?}");
    }
}

fn source(path: &str, raw: &str) -> Source {
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let (path, own) = (path.to_owned(), first(path).to_owned());
    let (raw, code) = (lines(raw), lines(&ungroup(&blank(raw))));
    let mut plain = code.clone();
    for n in (0..code.len()).filter(|n| code[*n].contains("#[cfg(test)]")) {
        plain[n..item_end(&code, n)].fill(String::new());
    }
    Source { path, own, raw, code, plain }
}

fn hold(rule: Rule) {
    let mut all = String::new();
    for source in sources() {
        let mut out = Vec::new();
        rule(&source, &mut out);
        for (n, say) in out {
            all += &format!("\nsrc/{}:{}: {say}", source.path, n + 1);
        }
    }
    assert!(all.is_empty(), "{all}\n");
}

fn sources() -> Vec<Source> {
    let (mut out, mut dirs) = (Vec::new(), vec![PathBuf::from(SRC)]);
    while let Some(dir) = dirs.pop() {
        let entries = std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let raw = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
                let below = path.strip_prefix(SRC).unwrap_or(&path);
                out.push(source(&below.to_string_lossy(), &raw));
            }
        }
    }
    out
}

fn listed(names: &str, name: &str) -> bool {
    names.split(' ').any(|listed| listed == name)
}

fn height(module: &str) -> Option<usize> {
    FLOORS.lines().position(|floor| listed(floor, module))
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn first(text: &str) -> &str {
    text.split(|c| !in_name(c)).next().unwrap_or_default()
}

/// What follows `word` wherever it stands and is not a part of a longer name.
fn words<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    let joined = |left: &str, right: &str| left.ends_with(in_name) && right.starts_with(in_name);
    let alone = move |at: &usize| !joined(&line[..*at], word) && !joined(word, &line[at + word.len()..]);
    let found = line.match_indices(word).map(|(at, _)| at).filter(alone);
    found.map(|at| &line[at + word.len()..])
}

/// The line after the item that begins in line `from`: after its closing brace, or after its semicolon.
fn item_end(lines: &[String], from: usize) -> usize {
    let indent = |n: usize| lines[n].len() - lines[n].trim_start().len();
    let ends = |n: &usize| lines[*n].trim_end().ends_with(['{', '}', ';']);
    let last = (from..lines.len()).find(ends).unwrap_or(from);
    let closes = |n: &usize| indent(*n) == indent(from) && lines[*n].trim_start().starts_with('}');
    let open = lines[last].trim_end().ends_with('{');
    1 + (last..lines.len()).find(|n| !open || closes(n)).unwrap_or(last)
}

/// `code` with the groups in its paths written out: `a::{b, c::d}` becomes `a::b a::c::d`.
fn ungroup(code: &str) -> String {
    let (mut out, mut groups, mut begins) = (String::new(), Vec::new(), false);
    for c in code.chars() {
        if c == '{' && out.ends_with("::") {
            let path = out.rfind(|c| !in_name(c) && c != ':').map_or(0, |at| at + 1);
            groups.push(out.split_off(path));
        } else if c == '}' && !groups.is_empty() {
            groups.pop();
        } else if c != ',' || groups.is_empty() {
            let path = groups.last().filter(|_| begins && !c.is_whitespace());
            out += path.map_or("", String::as_str);
            out.push(c);
        }
        begins = !groups.is_empty() && ("{,}".contains(c) || (begins && c.is_whitespace()));
    }
    out
}

/// `raw` without comments and literals, but with all its lines.
fn blank(raw: &str) -> String {
    // Once no quote is escaped or a character by itself, a literal ends at the next one.
    let raw = raw.replace(r"\\", "x").replace("\\\"", "x").replace("'\"'", "x");
    let (mut out, mut rest) = (String::new(), raw.as_str());
    while let Some(c) = rest.chars().next() {
        let literal = literal_length(rest);
        let (now, later) = rest.split_at(literal.max(c.len_utf8()));
        out.extend(now.chars().filter(|c| literal == 0 || *c == '\n'));
        rest = later;
    }
    out
}

/// How long the comment or the literal is that `text` begins with.
fn literal_length(text: &str) -> usize {
    let left = |from: usize, end: &str| text[from..].split_once(end).map_or(0, |(_, left)| left.len());
    let until = |from: usize, end: &str| text.len() - left(from, end);
    let hashes = text.bytes().skip(1).take_while(|b| *b == b'#').count();
    let close = format!("\"{}", "#".repeat(hashes));
    match text.as_bytes() {
        [b'/', b'/', ..] => until(0, "\n"),
        [b'/', b'*', ..] => until(2, "*/"),
        [b'r', ..] if text[1 + hashes..].starts_with('"') => until(2 + hashes, &close),
        [b'"', ..] => until(1, "\""),
        _ => 0,
    }
}
