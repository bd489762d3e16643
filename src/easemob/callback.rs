//! The vendor's reports ("callbacks") of what changed: who is told of what, as tags.
//!
//! Two formats, since nobody knows which apps still get the older one. A report is read for names only: nothing it
//! carries is kept, since its signature does not cover what it says. What is not known under a known id changes
//! everything under that id: the vendor announces that operations will be added. Signatures, ages and repeats are
//! judged in `gateway`.

use crate::catalogue::template::normal_text;
use serde_json::Value;

/// A report as it came.
#[derive(Debug)]
pub struct Report(Value);

/// What says that a report is genuine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seal<'r> {
    /// App key, `_`, and something that is used once.
    pub call_id: &'r str,
    /// The time in milliseconds of the vendor's clock.
    pub timestamp: u64,
    /// The signature, in lower-case hexadecimal digits.
    pub security: &'r str,
}

/// The most users that are touched one by one; of more, everybody's lists are. The vendor adds and removes
/// at most a hundred in one call.
const USERS_MAX: usize = 1_000;

/// One kind of change: its operation, its sub-types (none: whatever it is), and the tags of the reads it makes stale.
/// `{of}` is `group` or `room`, `{id}` which one, `{user}` each user that is named.
struct Change(&'static str, &'static [&'static str], &'static [&'static str]);

/// What a group's departures leave behind is not documented, as in `members`: all of it is touched.
const GROUP_LEFT: &[&str] = &[
    "{of}:{id}/members",
    "{of}:{id}/admins",
    "{of}:{id}/mutes",
    "{of}:{id}/allowed",
    "{of}:{id}/attributes",
    "{of}:{id}/blocks",
    "user:{user}/groups",
    "user:{user}/threads",
    "threads/members",
];
const ROOM_LEFT: &[&str] = &[
    "{of}:{id}/members",
    "{of}:{id}/admins",
    "{of}:{id}/mutes",
    "{of}:{id}/allowed",
    "{of}:{id}/attributes",
    "{of}:{id}/blocks",
    "{of}:{id}/tags",
    "user:{user}/rooms",
];

const GROUP_WHOLE: &[&str] = &[
    "{of}:{id}",
    "{of}:{id}/info",
    "{of}:{id}/members",
    "groups",
    "groups/public",
    "users/groups",
    "threads",
    "users/threads",
    "threads/members",
    "absent",
];
const ROOM_WHOLE: &[&str] =
    &["{of}:{id}", "{of}:{id}/info", "{of}:{id}/members", "rooms", "users/rooms", "absent"];

const ADD_REMOVE: &[&str] = &["ADD", "REMOVE"];

/// What means the same for groups and rooms.
const SHARED: &[Change] = &[
    Change("UPDATE", &["ANNOUNCEMENT"], &["{of}:{id}/announcement"]),
    // The flag is part of the details; the list of mutes stays as it is.
    Change("UPDATE", &["MUTE"], &["{of}:{id}/info"]),
    Change("MUTE", ADD_REMOVE, &["{of}:{id}/mutes"]),
    Change("WHITE", ADD_REMOVE, &["{of}:{id}/allowed"]),
    Change("BLOCK", &["REMOVE"], &["{of}:{id}/blocks"]),
    Change("ADMIN", ADD_REMOVE, &["{of}:{id}/admins"]),
    Change("ATTRIBUTES", &[], &["{of}:{id}/attributes"]),
];

const GROUPS: &[Change] = &[
    Change("CREATE", &[], &["{of}:{id}", "groups", "groups/public", "absent", "user:{user}/groups"]),
    Change("DELETE", &[], GROUP_WHOLE),
    Change("UPDATE", &["INFO"], &["{of}:{id}/info", "groups/public"]),
    Change(
        "UPDATE",
        &["OWNER"],
        &["{of}:{id}/info", "{of}:{id}/members", "{of}:{id}/admins", "groups/public", "user:{user}/groups"],
    ),
    Change("UPDATE", &["DISABLE"], &["{of}:{id}", "{of}:{id}/info", "groups/public"]),
    Change(
        "JOIN",
        &["DIRECT", "INVITE", "APPLY"],
        &["{of}:{id}/members", "{of}:{id}/attributes", "user:{user}/groups"],
    ),
    Change("LEAVE", &["QUIT", "KICK", "BLOCK", "DELETE"], GROUP_LEFT),
    Change("BLOCK", &["ADD"], GROUP_LEFT),
    Change("SHARE_FILE", &["ADD", "REMOVE", "UPDATE"], &["{of}:{id}/files"]),
    // One page gives the deletion of a file another name than its sample.
    Change("UPDATE", &["SHARE_FILE"], &["{of}:{id}/files"]),
    Change("SHIELD", ADD_REMOVE, &["{of}:{id}/shield"]),
];

const ROOMS: &[Change] = &[
    Change("CREATE", &[], &["{of}:{id}", "rooms", "absent", "user:{user}/rooms"]),
    Change("DELETE", &[], ROOM_WHOLE),
    Change("UPDATE", &["INFO"], &["{of}:{id}/info"]),
    Change(
        "UPDATE",
        &["OWNER"],
        &["{of}:{id}/info", "{of}:{id}/members", "{of}:{id}/admins", "user:{user}/rooms"],
    ),
    // Whoever enters may bring back what was hidden of him.
    Change(
        "JOIN",
        &["DIRECT", "APPLY"],
        &["{of}:{id}/members", "{of}:{id}/attributes", "{of}:{id}/tags", "user:{user}/rooms"],
    ),
    Change("LEAVE", &["QUIT", "KICK", "BLOCK", "DELETE"], ROOM_LEFT),
    Change("BLOCK", &["ADD"], ROOM_LEFT),
];

/// Of all rooms at once: without an id.
const SUPER_ADMINS: &[&str] = &["rooms/superadmins"];

/// The older format: its operations, and what they are called in the newer one.
const LEGACY: &[(&str, &str, &str)] = &[
    ("create", "CREATE", ""),
    ("destroy", "DELETE", ""),
    ("update", "UPDATE", "INFO"),
    // Steps on the way in; the vendor does not say which of them is the last.
    ("apply", "JOIN", "APPLY"),
    ("apply_accept", "JOIN", "APPLY"),
    ("invite", "JOIN", "APPLY"),
    ("invite_accept", "JOIN", "APPLY"),
    ("invite_decline", "JOIN", "APPLY"),
    ("direct_joined", "JOIN", "DIRECT"),
    ("presence", "JOIN", "DIRECT"),
    ("leave", "LEAVE", "QUIT"),
    ("absence", "LEAVE", "QUIT"),
    ("kick", "LEAVE", "KICK"),
    ("ban", "BLOCK", "ADD"),
    ("allow", "BLOCK", "REMOVE"),
    ("block", "SHIELD", "ADD"),
    ("unblock", "SHIELD", "REMOVE"),
    // Spelled so.
    ("assing_owner", "UPDATE", "OWNER"),
    ("add_admin", "ADMIN", "ADD"),
    ("remove_admin", "ADMIN", "REMOVE"),
    ("add_mute", "MUTE", "ADD"),
    ("remove_mute", "MUTE", "REMOVE"),
    ("ban_group", "UPDATE", "MUTE"),
    ("remove_ban_group", "UPDATE", "MUTE"),
    ("add_user_white_list", "WHITE", "ADD"),
    ("remove_user_white_list", "WHITE", "REMOVE"),
    ("update_announcement", "UPDATE", "ANNOUNCEMENT"),
    ("delete_announcement", "UPDATE", "ANNOUNCEMENT"),
    ("upload_file", "SHARE_FILE", "ADD"),
    ("delete_file", "SHARE_FILE", "REMOVE"),
    // These two have no event in the newer format.
    ("set_metadata", "ATTRIBUTES", ""),
    ("delete_metadata", "ATTRIBUTES", ""),
    ("group_member_metadata_update", "ATTRIBUTES", ""),
];

/// Whether a body may report a change: a look at its bytes, since messages can be thousands of times as many. A
/// string that is this word alone stands in no other kind of body but by chance, and then it is read in vain.
#[must_use]
pub fn may_report(body: &[u8]) -> bool {
    memchr::memmem::find(body, b"\"group_op_event\"").is_some()
        || memchr::memmem::find(body, b"\"muc\"").is_some()
}

impl Report {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body).map(Self)
    }

    /// Whether it tells of groups or rooms at all.
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.text("event") == "group_op_event" || self.is_legacy()
    }

    /// Whether it is of this app (`org#app`). What does not say so itself says it in its call id.
    #[must_use]
    pub fn is_of(&self, app_key: &str) -> bool {
        match self.text("appkey") {
            "" => {
                let own = self.text("callId").split_at_checked(app_key.len());
                own.is_some_and(|(own, rest)| own.eq_ignore_ascii_case(app_key) && rest.starts_with('_'))
            }
            other => other.eq_ignore_ascii_case(app_key),
        }
    }

    /// What it was signed with; `None` when it was not.
    #[must_use]
    pub fn seal(&self) -> Option<Seal<'_>> {
        let (call_id, security) = (self.text("callId"), self.text("security"));
        let timestamp = match &self.0["timestamp"] {
            Value::String(digits) => digits.parse().ok()?,
            number => number.as_u64()?,
        };
        (!call_id.is_empty() && !security.is_empty()).then_some(Seal { call_id, timestamp, security })
    }

    /// The tags of what has changed; none when nothing has, or when it does not say of what. `prefix` is cut off
    /// the front of names.
    #[must_use]
    pub fn tags(&self, prefix: &str) -> Vec<String> {
        let payload = &self.0["payload"];
        let (operation, kind) = if self.is_legacy() {
            if payload["status"]["error_code"].as_str().is_some_and(|code| code != "ok") {
                return Vec::new();
            }
            let told = payload["operation"].as_str().unwrap_or_default();
            let known = LEGACY.iter().find(|(name, ..)| *name == told);
            known.map_or((told, ""), |(_, operation, kind)| (*operation, *kind))
        } else {
            (self.text("operation"), payload["type"].as_str().unwrap_or_default())
        };
        let id = self.id(prefix);
        if id.is_empty() {
            let all = operation == "ROOM_SUPER_ADMIN";
            return if all { filled(SUPER_ADMINS, "", "", &[]) } else { Vec::new() };
        }
        let users = self.users(prefix);
        let mut tags = Vec::new();
        for (of, own, whole) in [("group", GROUPS, GROUP_WHOLE), ("room", ROOMS, ROOM_WHOLE)] {
            if self.is_about(of) {
                let templates = look_up(own, operation, kind).unwrap_or(whole);
                tags.extend(filled(templates, of, &id, &users));
            }
        }
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    fn is_legacy(&self) -> bool {
        self.text("chat_type") == "muc"
    }

    /// Whether it is about a group, or about a room. Where it does not say, both are meant.
    fn is_about(&self, of: &str) -> bool {
        let is_room = match (self.text("type"), &self.0["payload"]["is_chatroom"]) {
            ("GROUP", _) => Some(false),
            ("CHATROOM", _) => Some(true),
            (_, told) => told.as_bool(),
        };
        is_room.is_none_or(|is_room| is_room == (of == "room"))
    }

    /// Which group or room; empty when it does not say.
    fn id(&self, prefix: &str) -> String {
        let muc = self.0["payload"]["muc_id"].as_str().unwrap_or_default();
        // The app before it and the vendor's host behind it.
        let muc = muc.split('@').next().unwrap_or_default();
        let ids = [name(&self.0["id"]), name(&self.0["group_id"]), Some(muc.to_owned())];
        let id = ids.into_iter().flatten().find(|id| !id.is_empty()).unwrap_or_default();
        normal_text(id.trim(), prefix).into_owned()
    }

    /// Whom it names: members and owners; nobody unless it names all of them. The older format names nobody whose
    /// part is documented.
    fn users(&self, prefix: &str) -> Vec<String> {
        let payload = &self.0["payload"];
        if payload["member"].is_null() && payload["new_owner"].is_null() {
            return Vec::new();
        }
        let mut users = Vec::new();
        for value in [&payload["member"], &payload["owner"], &payload["new_owner"], &payload["info"]["owner"]]
        {
            match value {
                Value::Null => {}
                Value::Array(list) => users.extend(list.iter().map(name)),
                one => users.push(name(one)),
            }
        }
        users.extend(
            payload["role"].as_object().into_iter().flat_map(|roles| roles.keys().cloned().map(Some)),
        );
        // One that cannot be read is somebody too.
        let users: Option<Vec<String>> = users.into_iter().collect();
        let users = users.unwrap_or_default();
        users.iter().map(|user| normal_text(user.trim(), prefix).into_owned()).collect()
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_default()
    }
}

/// An id or a user: a string, or a number where somebody forgot the quotes.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn look_up(own: &[Change], operation: &str, kind: &str) -> Option<&'static [&'static str]> {
    let is =
        |Change(name, kinds, _): &&Change| *name == operation && (kinds.is_empty() || kinds.contains(&kind));
    own.iter().chain(SHARED).find(is).map(|Change(_, _, tags)| *tags)
}

/// Templates with their names in. Where users are meant and none is named, or too many, it is everybody.
fn filled(templates: &[&str], of: &str, id: &str, users: &[String]) -> Vec<String> {
    let mut tags = Vec::with_capacity(templates.len());
    for template in templates {
        match template.strip_prefix("user:{user}/") {
            Some(list) if users.is_empty() || users.len() > USERS_MAX => tags.push(format!("users/{list}")),
            Some(list) => tags.extend(users.iter().map(|user| format!("user:{user}/{list}"))),
            None => tags.push(template.replace("{of}", of).replace("{id}", id)),
        }
    }
    tags
}
