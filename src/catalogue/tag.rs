//! Tags as people write them: found among those that rows have, and made one spelling.
//!
//! A tag that no row has would touch nothing, and whoever wrote it would think that it did. So it is none. A tag is
//! its parts between slashes: words (`users/groups`), or a kind and a name (`group:7/members`). `*` as the last part
//! stands for the tag before it and all below: `group:7/*` is everything about one group. The name of a read is a
//! tag too (`group.read`): that of all its answers.

use super::template::normal_text;
use super::{Effect, Endpoint};

/// The forms of all tags.
#[derive(Debug, Default)]
pub(super) struct Forms(Vec<Vec<Part>>);

/// What stands between two slashes.
#[derive(Debug, Eq, PartialEq)]
enum Part {
    Word(&'static str),
    /// A name behind this.
    Name(&'static str),
}

impl Forms {
    pub(super) fn of(rows: &'static [Endpoint]) -> Self {
        let mut forms = Vec::new();
        for row in rows {
            let (tags, more): (&[&str], &[&str]) = match &row.effect {
                Effect::Read(read) => (read.tags, &[row.name]),
                Effect::Write(write) => (write.touches, write.otherwise),
                Effect::Relay => (&[], &[]),
            };
            for tag in tags.iter().chain(more) {
                let form = form(tag);
                if !forms.contains(&form) {
                    forms.push(form);
                }
            }
        }
        Self(forms)
    }

    /// The tags that are meant, in the spelling that answers carry; none if there is no such tag. `prefix` is cut
    /// off the front of names.
    pub(super) fn read(&self, text: &str, prefix: &str) -> Vec<String> {
        let (text, below) = match text.strip_suffix("/*") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let said: Vec<&str> = text.split('/').collect();
        let fits =
            |form: &&Vec<Part>| if below { form.len() >= said.len() } else { form.len() == said.len() };
        let tags = self.0.iter().filter(fits).filter_map(|form| filled(form, &said, prefix));
        let mut tags: Vec<String> = tags.collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }
}

/// The parts of a template: what stands in braces may have slashes of its own.
fn form(mut tag: &'static str) -> Vec<Part> {
    let mut parts = Vec::new();
    loop {
        let slash = tag.find('/').unwrap_or(tag.len());
        let end = match tag[..slash].find('{') {
            Some(brace) => {
                parts.push(Part::Name(&tag[..brace]));
                tag.find('}').map_or(tag.len(), |close| close + 1)
            }
            None => {
                parts.push(Part::Word(&tag[..slash]));
                slash
            }
        };
        match tag[end..].strip_prefix('/') {
            Some(rest) => tag = rest,
            None => return parts,
        }
    }
}

/// The form with what was said in it. What is below has only words: a tag for one name has a coarser one above it.
fn filled(form: &[Part], said: &[&str], prefix: &str) -> Option<String> {
    let mut tag = String::new();
    for (at, part) in form.iter().enumerate() {
        if at > 0 {
            tag.push('/');
        }
        match (part, said.get(at)) {
            (Part::Word(word), None) => tag.push_str(word),
            (Part::Word(word), Some(said)) if said.eq_ignore_ascii_case(word) => tag.push_str(word),
            (Part::Name(kind), Some(said)) => {
                let name = said.split_at_checked(kind.len()).filter(|(said, _)| said == kind)?.1.trim();
                tag.push_str(kind);
                tag.push_str(&normal_text(Some(name).filter(|name| is_name(name))?, prefix));
            }
            _ => return None,
        }
    }
    Some(tag)
}

/// One name. Lists are taken apart before they become tags, and a brace is somebody's template.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains([',', '{', '}', '*'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_in_braces_divide_nothing() {
        let parts = form("user:{body:/usernames/*}/groups");
        assert_eq!(parts, [Part::Name("user:"), Part::Word("groups")]);
        assert_eq!(form("room:{room}/tags/{user}").len(), 3);
        assert_eq!(form("users"), [Part::Word("users")]);
    }

    #[test]
    fn a_tag_is_read_in_one_spelling_or_not_at_all() {
        let tags =
            ["group:{group}", "group:{group}/members", "group:{group}/attributes/{user}", "users/groups"];
        let forms = Forms(tags.into_iter().map(form).collect());
        let read = |text: &str| forms.read(text, "org#app_");
        assert_eq!(read("group:7"), ["group:7"]);
        assert_eq!(read("group:ORG#app_7/members"), ["group:7/members"]);
        assert_eq!(read("group:7/attributes/Alice"), ["group:7/attributes/alice"]);
        assert_eq!(read("group:7/*"), ["group:7", "group:7/members"]);
        assert_eq!(read("users/groups"), ["users/groups"]);
        for none in
            ["", "*", "/*", "group", "group:", "group:1,2", "group:{group}", "group:7/", "group:7/mebmers"]
        {
            assert_eq!(read(none), [""; 0], "{none}");
        }
    }
}
