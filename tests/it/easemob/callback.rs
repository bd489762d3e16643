//! Reports of changes, in both formats, as tags; every tag must be one that some read carries.

use crate::support::report::{event, legacy};
use easemob_gateway::catalogue::Effect;
use easemob_gateway::easemob;
use easemob_gateway::easemob::callback::{Report, may_report};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PREFIX: &str = "easemob-demo#chat_";
const LEFT: &str = "group:7/admins group:7/allowed group:7/attributes group:7/blocks group:7/members group:7/mutes threads/members user:bob/groups user:bob/threads";
const ROOM_LEFT: &str = "room:7/admins room:7/allowed room:7/attributes room:7/blocks room:7/members room:7/mutes room:7/tags user:bob/rooms";
const WHOLE: &str = "absent group:7 group:7/info group:7/members groups groups/public threads threads/members users/groups users/threads";
const ROOM_WHOLE: &str = "absent room:7 room:7/info room:7/members rooms users/rooms";

fn tags(body: &Value) -> String {
    let bytes = body.to_string();
    assert!(may_report(bytes.as_bytes()), "{bytes}");
    Report::read(bytes.as_bytes()).unwrap().tags(PREFIX).join(" ")
}

/// Every operation of the vendor's event pages, with a member where one is named.
fn table() -> Vec<(Value, &'static str)> {
    let group = |operation, payload| event("GROUP", "7", operation, payload);
    let room = |operation, payload| event("CHATROOM", "7", operation, payload);
    let user = |kind: &str| json!({"type": kind, "member": ["Bob"]});
    let kind = |kind: &str| json!({ "type": kind });
    vec![
        (
            group("CREATE", json!({"role": {"ann": "owner"}, "member": ["bob"], "info": {"owner": "ann"}})),
            "absent group:7 groups groups/public user:ann/groups user:bob/groups",
        ),
        (group("DELETE", Value::Null), WHOLE),
        (group("UPDATE", kind("INFO")), "group:7/info groups/public"),
        (group("UPDATE", kind("ANNOUNCEMENT")), "group:7/announcement"),
        (group("UPDATE", kind("MUTE")), "group:7/info"),
        (
            group("UPDATE", json!({"type": "OWNER", "owner": "ann", "new_owner": "bob"})),
            "group:7/admins group:7/info group:7/members groups/public user:ann/groups user:bob/groups",
        ),
        (group("UPDATE", kind("DISABLE")), "group:7 group:7/info groups/public"),
        (group("JOIN", user("DIRECT")), "group:7/attributes group:7/members user:bob/groups"),
        (group("JOIN", user("INVITE")), "group:7/attributes group:7/members user:bob/groups"),
        (group("JOIN", user("APPLY")), "group:7/attributes group:7/members user:bob/groups"),
        (group("LEAVE", user("QUIT")), LEFT),
        (group("LEAVE", user("KICK")), LEFT),
        (group("LEAVE", user("BLOCK")), LEFT),
        (group("LEAVE", user("DELETE")), LEFT),
        (group("MUTE", user("ADD")), "group:7/mutes"),
        (group("MUTE", user("REMOVE")), "group:7/mutes"),
        (group("WHITE", user("ADD")), "group:7/allowed"),
        (group("BLOCK", user("ADD")), LEFT),
        (group("BLOCK", user("REMOVE")), "group:7/blocks"),
        (group("ADMIN", kind("ADD")), "group:7/admins"),
        (group("SHARE_FILE", kind("ADD")), "group:7/files"),
        (group("SHIELD", kind("ADD")), "group:7/shield"),
        (room("CREATE", user("")), "absent room:7 rooms user:bob/rooms"),
        (room("DELETE", Value::Null), ROOM_WHOLE),
        (room("UPDATE", kind("INFO")), "room:7/info"),
        (room("UPDATE", kind("ANNOUNCEMENT")), "room:7/announcement"),
        (room("UPDATE", kind("MUTE")), "room:7/info"),
        (
            room("UPDATE", json!({"type": "OWNER", "owner": "ann", "new_owner": "bob"})),
            "room:7/admins room:7/info room:7/members user:ann/rooms user:bob/rooms",
        ),
        (room("JOIN", user("DIRECT")), "room:7/attributes room:7/members room:7/tags user:bob/rooms"),
        (room("LEAVE", user("QUIT")), ROOM_LEFT),
        (room("MUTE", user("ADD")), "room:7/mutes"),
        (room("WHITE", user("REMOVE")), "room:7/allowed"),
        (room("BLOCK", user("ADD")), ROOM_LEFT),
        (room("BLOCK", user("REMOVE")), "room:7/blocks"),
        (room("ADMIN", kind("REMOVE")), "room:7/admins"),
        (event("CHATROOM", "", "ROOM_SUPER_ADMIN", kind("ADD")), "rooms/superadmins"),
    ]
}

/// Every operation of the older format.
const LEGACY: &str = "
create: absent group:7 groups groups/public users/groups
destroy: WHOLE
update: group:7/info groups/public
apply apply_accept invite invite_accept invite_decline direct_joined presence: group:7/attributes group:7/members users/groups
leave absence kick ban: LEFT
allow: group:7/blocks
block unblock: group:7/shield
assing_owner: group:7/admins group:7/info group:7/members groups/public users/groups
add_admin remove_admin: group:7/admins
add_mute remove_mute: group:7/mutes
ban_group remove_ban_group: group:7/info
add_user_white_list remove_user_white_list: group:7/allowed
update_announcement delete_announcement: group:7/announcement
upload_file delete_file: group:7/files
group_member_metadata_update: group:7/attributes
something_new: WHOLE
";

#[test]
fn every_operation_touches_what_it_makes_stale() {
    for (body, expected) in table() {
        assert_eq!(tags(&body), expected, "{body}");
    }
}

#[test]
fn every_operation_of_the_older_format_touches_the_same() {
    let left = LEFT.replace("user:bob/groups user:bob/threads", "users/groups users/threads");
    for line in LEGACY.lines().skip(1) {
        let (operations, expected) = line.split_once(": ").unwrap();
        let expected = expected.replace("WHOLE", WHOLE).replace("LEFT", &left);
        for operation in operations.split(' ') {
            assert_eq!(tags(&legacy("7", false, operation, "ok")), expected, "{operation}");
            // What failed has changed nothing.
            assert_eq!(tags(&legacy("7", false, operation, "fail")), "", "{operation}");
        }
    }
    assert_eq!(tags(&legacy("7", true, "set_metadata", "ok")), "room:7/attributes");
    assert_eq!(tags(&legacy("7", true, "delete_metadata", "ok")), "room:7/attributes");
}

#[test]
fn every_tag_that_is_touched_is_carried_by_a_read() {
    let form = |tag: &str| -> String {
        let mut parts: Vec<&str> = tag.split('{').collect();
        let first = parts.remove(0).to_owned();
        parts.iter().fold(first, |form, part| form + "*" + part.split_once('}').map_or("", |(_, rest)| rest))
    };
    let carried: BTreeSet<String> = easemob::endpoints()
        .iter()
        .filter_map(|row| if let Effect::Read(read) = &row.effect { Some(read.tags) } else { None })
        .flatten()
        .map(|tag| form(tag))
        .chain([easemob::ABSENT.to_owned()])
        .collect();
    let mut touched: BTreeSet<String> = table().iter().map(|(body, _)| tags(body)).collect();
    for line in LEGACY.lines().skip(1) {
        for operation in line.split_once(": ").unwrap().0.split(' ') {
            touched.extend([false, true].map(|room| tags(&legacy("7", room, operation, "ok"))));
        }
    }
    for tag in touched.iter().flat_map(|tags| tags.split_whitespace()) {
        let form = tag.replace(":7", ":*").replace(":bob", ":*").replace(":ann", ":*");
        // Who shields a group is a matter of groups, and its read is carried by groups alone.
        assert!(carried.contains(&form) || form == "room:*/shield" || form == "room:*/files", "{tag}");
    }
}

#[test]
fn what_is_not_known_changes_everything_under_its_id() {
    let group = |operation, kind: &str| tags(&event("GROUP", "7", operation, json!({ "type": kind })));
    for (operation, kind) in
        [("TELEPORT", "ADD"), ("MUTE", "PAUSE"), ("UPDATE", "COLOUR"), ("LEAVE", ""), ("", "")]
    {
        assert_eq!(group(operation, kind), WHOLE, "{operation} {kind}");
    }
    let both = tags(&event("COMMUNITY", "7", "MUTE", json!({"type": "ADD"})));
    assert_eq!(both, "group:7/mutes room:7/mutes", "of an unknown kind, both are meant");
    assert_eq!(tags(&event("GROUP", "", "DELETE", Value::Null)), "", "of which, it does not say");
}

#[test]
fn names_are_one_spelling_and_all_of_them_are_touched() {
    let many = json!({"type": "DIRECT", "member": ["easemob-demo#chat_Bob", " ann ", 5]});
    let told = tags(&event("GROUP", "easemob-demo#chat_7", "JOIN", many));
    assert_eq!(told, "group:7/attributes group:7/members user:5/groups user:ann/groups user:bob/groups");
    // One that cannot be read is somebody too: then it is everybody. So it is with more than are ever moved at once.
    let crowd: Vec<String> = (0..1_001).map(|user| format!("u{user}")).collect();
    for member in [json!(["bob", {}]), json!([]), Value::Null, json!(crowd)] {
        let told = tags(&event("GROUP", "7", "JOIN", json!({"type": "DIRECT", "member": member})));
        assert_eq!(told, "group:7/attributes group:7/members users/groups");
    }
    // The older format may say it in one place only.
    let mut tail = legacy("7", true, "add_mute", "ok");
    tail.as_object_mut().unwrap().remove("group_id");
    assert_eq!(tags(&tail), "room:7/mutes");
}

#[test]
fn messages_are_told_from_changes_by_a_look() {
    let chat = json!({"chat_type": "groupchat", "eventType": "chat", "payload": {"bodies": [{"msg": "\"muc\" \"group_op_event\""}]}});
    assert!(!may_report(chat.to_string().as_bytes()), "quoted inside a string they are not the word alone");
    let odd = json!({"chat_type": "groupchat", "payload": {"bodies": [{"msg": "muc"}]}});
    let odd = Report::read(odd.to_string().as_bytes()).unwrap();
    assert!(!odd.is_change());
}
