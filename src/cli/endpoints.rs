//! `endpoints`: the catalogue, as a table, as data, or as one of the tables of the documentation.
//!
//! The documentation is made from here, and a test keeps the two the same.

use super::Failure;
use crate::catalogue::table;
use crate::easemob;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Which write touches which tags, and which reads that reaches, as Markdown.
    #[arg(long, conflicts_with = "json")]
    reach: bool,
    /// How long the answers of each read are kept, as Markdown.
    #[arg(long, conflicts_with_all = ["json", "reach"])]
    kept: bool,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let catalogue = easemob::catalogue("org", "app").map_err(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the catalogue has mistakes: {}", mistakes.join("; "))
    })?;
    if options.json {
        println!("{:#}", table::data(&catalogue));
    } else if options.reach {
        print!("{}", table::reach(&catalogue));
    } else if options.kept {
        print!("{}", table::kept(&catalogue));
    } else {
        print!("{}", table::text(&catalogue));
    }
    Ok(())
}
