//! What is wrong with a configuration, and where: shown with its line and a caret.
//!
//! Finding mistakes is left to the readers; here they are put in order and printed.
//!
//! What may surprise: a line is cut short with `…` where a secret could follow, since these
//! messages end up in logs and tickets. That is done by what the line says, not by what was parsed:
//! a file that cannot be parsed can hold a secret, too.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use super::nearest::nearest;

/// Everything that is wrong with a configuration, ready to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    file: String,
    shown: Vec<String>,
}

/// One mistake, before it is shown.
#[derive(Clone, Debug)]
pub(super) struct Mistake {
    pub(super) place: Place,
    /// What was read, and why it will not do.
    pub(super) what: String,
    /// What to write instead: the last line of the message.
    pub(super) expected: String,
    pub(super) show: Show,
}

/// How much of the line may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    Line,
    /// The place is a key whose value may be a secret: not what follows its `=`.
    Key,
    /// The place is, or is before, what may be a secret: nothing from there on.
    UpToPlace,
}

/// Where a value came from. In this order mistakes are shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// These bytes of the file.
    At { start: usize, end: usize },
    /// An environment variable.
    Variable(String),
    /// The file as a whole.
    File,
}

// === impl Mistakes ===

impl Mistakes {
    /// How many there are; never zero.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shown.len()
    }

    pub(super) fn new(path: &Path, text: &str, mut found: Vec<Mistake>) -> Self {
        found.sort_by(|a, b| a.place.cmp(&b.place));
        let file = path.display().to_string();
        let shown = found.iter().map(|mistake| hidden(&mistake.show(&file, text))).collect();
        Self { file, shown }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.shown {
            writeln!(out, "{mistake}\n")?;
        }
        let plural = if self.count() == 1 { "mistake" } else { "mistakes" };
        write!(out, "{} {plural} in the configuration {}", self.count(), self.file)
    }
}

impl std::error::Error for Mistakes {}

// === impl Place ===

impl From<Range<usize>> for Place {
    fn from(span: Range<usize>) -> Self {
        Self::At { start: span.start, end: span.end }
    }
}

// === impl Mistake ===

impl Mistake {
    fn show(&self, file: &str, text: &str) -> String {
        let Self { place, what, expected, show } = self;
        match place {
            Place::File => format!("{file}: {what}\n{expected}"),
            Place::Variable(name) => format!("environment variable {name}: {what}\n{expected}"),
            Place::At { start, end } => {
                let spot = Spot::find(text, *start, *end);
                let picture = spot.draw(*show);
                format!("{file}:{}:{}: {what}\n{picture}\n{expected}", spot.line, spot.column)
            }
        }
    }
}

/// A place in the text as people count: lines and columns from 1, columns in letters.
struct Spot<'t> {
    line: usize,
    column: usize,
    content: &'t str,
    /// The bytes meant, within `content`.
    within: Range<usize>,
    /// The line may continue a secret that began before it.
    inside_secret: bool,
}

impl<'t> Spot<'t> {
    fn find(text: &'t str, start: usize, end: usize) -> Self {
        let start = letter_start(text, start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let content = text[line_start..].lines().next().unwrap_or("");
        let from = letter_start(content, start - line_start);
        let to = letter_start(content, end.saturating_sub(line_start));
        Self {
            line: before.matches('\n').count() + 1,
            column: content[..from].chars().count() + 1,
            content,
            within: from..to.max(from),
            inside_secret: goes_on_into(&text[..line_start], content),
        }
    }

    fn draw(&self, show: Show) -> String {
        let cut = match show {
            _ if self.inside_secret => Some(0),
            Show::Line => None,
            Show::Key => after_equals(self.content, self.within.end),
            Show::UpToPlace => Some(self.within.start),
        };
        let cut = [cut, secret_begins(self.content)].into_iter().flatten().min();
        let visible = match cut {
            Some(cut) if cut < self.content.len() => format!("{} …", self.content[..cut].trim_end()),
            _ => self.content.to_owned(),
        };
        let from = self.within.start.min(cut.unwrap_or(self.content.len()));
        let to = self.within.end.min(cut.unwrap_or(self.content.len()));
        // A tab stays a tab, so that the caret stands below its letter however wide tabs are.
        let tab_or_space = |c| if c == '\t' { '\t' } else { ' ' };
        let lead: String = self.content[..from].chars().map(tab_or_space).collect();
        let carets = "^".repeat(self.content[from..to.max(from)].chars().count().max(1));
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        format!("{gutter} |\n{number} | {visible}\n{gutter} | {lead}{carets}")
    }
}

/// Where on a line something secret may begin, going by its words, mistyped ones among them.
fn secret_begins(line: &str) -> Option<usize> {
    let named = line.find("secret").map(|at| after_equals(line, at).unwrap_or(at));
    let key = line.split('=').next().unwrap_or("");
    let key: String = key.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mistyped = nearest(&key, ["client_secret"]).and_then(|_| after_equals(line, 0));
    [named, mistyped, line.find("egk_")].into_iter().flatten().min()
}

/// Just behind the `=` that follows a key.
fn after_equals(line: &str, at: usize) -> Option<usize> {
    line[at..].find('=').map(|equals| at + equals + 1)
}

/// Whether a secret that was begun before goes on in this line: in triple quotes that are still
/// open, or as a value that slipped below its key.
fn goes_on_into(before: &str, line: &str) -> bool {
    let Some(named) = before.rfind("secret") else {
        return false;
    };
    let since = &before[named..];
    let quotes = |quote| since.matches(quote).count();
    let slipped = since.trim_end().lines().count() == 1 && !line.contains('=') && !line.starts_with('[');
    slipped || quotes("\"\"\"") % 2 == 1 || quotes("'''") % 2 == 1
}

/// The text with what looks like a secret put out of sight wherever it stands, letter by letter, so that carets stay where
/// they point: keys end up in lists of rights, and secrets in the setting beside their own.
fn hidden(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) =
        SECRETS_BEGIN.iter().filter_map(|begins| Some(rest.find(begins)? + begins.len())).min()
    {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let in_secret = |letter: char| letter.is_ascii_alphanumeric() || "_-+/=".contains(letter);
        let length = rest.find(|letter| !in_secret(letter)).unwrap_or(rest.len());
        // What is shorter is the beginning of something else.
        if length >= SECRET_LENGTH_MIN {
            shown.extend(std::iter::repeat_n('*', length));
            rest = &rest[length..];
        }
    }
    shown + rest
}

/// What keys of callers, and ids, secrets and tokens of the vendor's begin with.
const SECRETS_BEGIN: [&str; 3] = ["egk_", "YXA6", "YWMt"];
/// Each of them is longer behind that.
const SECRET_LENGTH_MIN: usize = 12;

/// The place itself, or the start of the letter or of the end that it lies in.
fn letter_start(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
