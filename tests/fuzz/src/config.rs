//! Configurations: one that loads prints as one that loads the same; one that does not is explained within its text, and no
//! secret is shown. Input: a configuration.

use easemob_gateway::app::known;
use easemob_gateway::config::{Config, Mistakes, parse};

/// What stands behind the name of the environment; no file says it.
const SECRET: &str = "hunter2-from-outside";
const NAME: &str = "EASEMOB_CLIENT_SECRET";

/// Whatever it says, what is told of it can be relied on.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // A secret may stand in any file that is named; what a fuzzer would find on this machine proves nothing.
    if text.contains("file") || text.contains("tls") || text.contains("unix") {
        return;
    }
    match load(&text) {
        Ok(config) => printed(&config),
        Err(mistakes) => explained(&text, &mistakes),
    }
}

fn load(text: &str) -> Result<Config, Mistakes> {
    let environment = [(NAME.to_owned(), SECRET.to_owned())].into_iter();
    parse(text, environment, &known()).map(|loaded| loaded.config)
}

fn printed(config: &Config) {
    let printed = config.print();
    assert!(!printed.contains(SECRET) && !format!("{config:?}").contains(SECRET));
    let again = load(&shown(&printed)).unwrap_or_else(|mistakes| panic!("{mistakes}\n{printed}"));
    let hidden = |text: &str| shown(text).replace(' ', "");
    assert_eq!(hidden(&again.print()), hidden(&printed));
}

/// With a secret of the environment wherever one was hidden.
fn shown(printed: &str) -> String {
    let mut out = String::new();
    let mut rest = printed;
    while let Some((before, after)) = rest.split_once("\"<hidden: ") {
        out += before;
        out += &format!("{{ env = \"{NAME}\" }}");
        rest = after.split_once(">\"").map_or("", |(_, rest)| rest);
    }
    out + rest
}

fn explained(text: &str, mistakes: &Mistakes) {
    let told = mistakes.to_string();
    assert!(mistakes.count() > 0 && !told.contains(SECRET), "{told}");
    for line in told.lines().filter_map(|line| line.strip_prefix("(text):")) {
        let mut numbers = line.splitn(3, ':').map(|number| number.parse::<usize>().ok());
        let (Some(Some(number)), Some(Some(column))) = (numbers.next(), numbers.next()) else { continue };
        let lines: Vec<&str> = text.split('\n').collect();
        assert!((1..=lines.len()).contains(&number), "line {number}:\n{told}");
        let letters = lines[number - 1].chars().count();
        assert!((1..=letters + 1).contains(&column), "column {column}:\n{told}");
    }
}
