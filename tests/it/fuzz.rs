//! A bounded run of every fuzz target: its corpus, and what a seeded hand makes of it. Needs no nightly compiler.
//!
//! The targets are those of `tests/fuzz`, which a fuzzer can run for longer. `FUZZ_ROUNDS` says how many inputs are
//! made of each corpus. An input that fails is printed; put it into the corpus, and mend the code.

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "the programs of the fuzz package reach it")]
mod targets;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use targets::{TARGETS, Target};

/// Enough to find what is easily found, in a few seconds of an unoptimised build.
const ROUNDS: usize = 10_000;

fn folder(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(of)
}

/// The names of what is in a folder, without their endings.
fn names(of: &str) -> BTreeSet<String> {
    let listed = std::fs::read_dir(folder(of)).expect(of);
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    listed.map(|entry| stem(entry.unwrap().path())).collect()
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let listed = std::fs::read_dir(folder("corpus").join(name)).expect(name);
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    // A fuzzer leaves others there.
    paths.retain(|path| path.extension().is_some_and(|end| end == "txt"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Something else made of one input, with pieces of another.
fn changed(input: &[u8], other: &[u8], chance: &mut fastrand::Rng) -> Vec<u8> {
    const WORDS: &[&str] = &[
        "",
        "\0",
        "\n",
        "\"",
        "\\",
        "%2e",
        "%2C",
        "%2f",
        "/",
        "//",
        "..",
        ",",
        ";",
        "{",
        "}",
        "[]",
        "null",
        "-1",
        "0",
        "1e400",
        "9223372036854775808",
        "é",
        "\u{feff}",
        "\"error\":\"x\",",
        "\"data\":",
        "\"id\":",
        "= ",
        "'''",
        "#",
    ];
    let mut out = input.to_vec();
    for _ in 0..chance.usize(1..4) {
        let (at, end) = (chance.usize(..=out.len()), chance.usize(..=out.len()));
        let (from, to) = (at.min(end), at.max(end).min(at.min(end) + 24));
        match chance.u8(..7) {
            0 if from < out.len() => out[from] ^= 1 << chance.u8(..8),
            1 if from < out.len() => out[from] = chance.u8(..),
            2 => drop(out.drain(from..to)),
            3 => {
                let piece = out[from..to].to_vec();
                out.splice(at..at, piece);
            }
            4 => {
                let from = chance.usize(..=other.len());
                let to = (from + chance.usize(..64)).min(other.len());
                out.splice(at..at, other[from..to].iter().copied());
            }
            5 => {
                let cut = chance.usize(..=other.len());
                out.truncate(at);
                out.extend_from_slice(&other[cut..]);
            }
            _ => drop(out.splice(from..to, chance.choice(WORDS).unwrap().bytes())),
        }
    }
    out
}

/// Runs a target over its corpus and this many inputs more. What fails, if anything does.
fn run((name, check): &Target, rounds: usize) -> Result<(), String> {
    let corpus = corpus(name);
    assert!(corpus.len() >= 10, "{name}: a corpus of {}", corpus.len());
    let mut chance = fastrand::Rng::with_seed(7);
    for round in 0..corpus.len() + rounds {
        let input = corpus.get(round).cloned().unwrap_or_else(|| {
            let (one, other) = (chance.choice(&corpus).unwrap(), chance.choice(&corpus).unwrap());
            changed(one, other, &mut chance)
        });
        if catch_unwind(AssertUnwindSafe(|| check(&input))).is_err() {
            return Err(format!("{name}, round {round}: {:?}", String::from_utf8_lossy(&input)));
        }
    }
    Ok(())
}

fn hold(name: &str) {
    let rounds = std::env::var("FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let target = TARGETS.iter().find(|(own, _)| *own == name).expect(name);
    run(target, rounds).unwrap_or_else(|failed| panic!("{failed}"));
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test] fn $name() { hold(stringify!($name)); })*
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}
targets!(batch callback config dialect mute path template token);

#[test]
fn every_target_has_a_program_a_corpus_and_a_run_here() {
    let held: BTreeSet<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    let all: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!((&held, &held), (&all, &names("fuzz_targets")));
    assert_eq!(held, names("corpus"));
    let manifest = std::fs::read_to_string(folder("Cargo.toml")).unwrap();
    assert!(
        held.iter()
            .all(|name| manifest.contains(&format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"")))
    );
}

#[test]
fn what_does_not_hold_is_noticed() {
    let wrong: Target =
        ("path", |data| assert!(!data.windows(3).any(|three| three == b"%2C"), "said on purpose"));
    assert!(run(&wrong, 0).is_err());
    let rare: Target = ("path", |data| assert!(data.first() != Some(&0xff), "said on purpose"));
    assert!(run(&rare, 0).is_ok() && run(&rare, 20_000).is_err());
}
