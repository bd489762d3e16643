//! The rows against the vendor's pages: every operation is found under each of its spellings, does what the pages
//! say, and spends the limit that they print.

use easemob_gateway::catalogue::{Catalogue, Effect, EndpointId, Pool, Verb, audit, table};
use easemob_gateway::easemob;
use easemob_gateway::limit::ROW_POOLS_MAX;
use http::Method;
use std::collections::BTreeSet;

/// effect, calls per second, method, path: row. Every line of the vendor's group management and room mute pages,
/// and both spellings where heading, sample or limit table differ.
const DOCUMENTED: &str = "
write 100 POST   /chatgroups                                : group.create
write 100 POST   /chatgroups/7/disable                      : group.disable
write 100 POST   /chatgroups/7/enable                       : group.enable
write 100 PUT    /chatgroups/7                              : group.update
read  100 GET    /chatgroups                                : group.list
read   50 GET    /chatgroups/user/ann                       : group.list.joined
read   50 GET    /chatgroups/users/ann                      : group.list.joined
read  100 GET    /chatgroups/7/user/ann/is_joined           : group.joined.read
read  100 POST   /chatgroups/7/user/ann/is_joined           : group.joined.read
read  100 GET    /chatgroups/7                              : group.read
read  100 GET    /chatgroups/7,8                            : group.read
read  100 GET    /chatgroups/7%2C8                          : group.read
write 100 DELETE /chatgroups/7                              : group.delete
read  100 GET    /chatgroups/7/announcement                 : group.announcement.read
write 100 POST   /chatgroups/7/announcement                 : group.announcement.set
read  100 GET    /chatgroups/7/share_files                  : group.files.list
write 100 POST   /chatgroups/7/share_files                  : group.files.upload
relay 100 GET    /chatgroups/7/share_files/f1               : group.files.download
write 100 DELETE /chatgroups/7/share_files/f1               : group.files.delete
read  100 GET    /chatgroups/7/users                        : group.members.list
write 100 POST   /chatgroups/7/users/ann                    : group.members.add
write 100 POST   /chatgroups/7/users                        : group.members.add.batch
write 100 DELETE /chatgroups/7/users/ann                    : group.members.remove
write 100 DELETE /chatgroups/7/users/ann,bob                : group.members.remove
write 100 DELETE /chatgroups/7/users/ann%2cbob              : group.members.remove
write 100 PUT    /metadata/chatgroup/7/user/ann             : attributes.set
read  100 GET    /metadata/chatgroup/7/user/ann             : attributes.read
read  100 POST   /metadata/chatgroup/7/get                  : attributes.read.batch
read  100 GET    /chatgroups/7/admin                        : group.admins.list
write 100 POST   /chatgroups/7/admin                        : group.admins.add
write 100 DELETE /chatgroups/7/admin/ann                    : group.admins.remove
write 100 DELETE /chatgroups/7/admin                        : group.admins.remove.bare
read  100 GET    /chatgroups/7/blocks/users                 : group.blocks.list
write 100 POST   /chatgroups/7/blocks/users                 : group.blocks.add.batch
write 100 POST   /chatgroups/7/blocks/users/ann             : group.blocks.add
write 100 DELETE /chatgroups/7/blocks/users/ann             : group.blocks.remove
write 100 DELETE /chatgroups/7/blocks/users/ann,bob         : group.blocks.remove
read  100 GET    /chatgroups/7/white/users                  : group.allowed.list
write 100 POST   /chatgroups/7/white/users                  : group.allowed.add.batch
write 100 POST   /chatgroups/7/white/users/ann              : group.allowed.add
write 100 DELETE /chatgroups/7/white/users/ann,bob          : group.allowed.remove
read  100 GET    /chatgroups/7/mute                         : group.mutes.list
write 100 POST   /chatgroups/7/mute                         : group.mutes.add
write 100 DELETE /chatgroups/7/mute/ann,bob                 : group.mutes.remove
write 100 POST   /chatgroups/7/ban                          : group.ban.set
write 100 DELETE /chatgroups/7/ban                          : group.ban.clear
read  100 GET    /thread                                    : thread.list
read  100 GET    /threads/user/ann                          : thread.list.joined
read  100 GET    /threads/chatgroups/7/user/ann             : thread.list.joined.group
write 100 POST   /thread                                    : thread.create
write 100 PUT    /thread/9                                  : thread.update
write 100 DELETE /thread/9                                  : thread.delete
read  100 GET    /thread/9/users                            : thread.members.list
write 100 POST   /thread/9/users                            : thread.members.add
write 100 DELETE /threads/9/users                           : thread.members.remove
write 100 DELETE /thread/9/users                            : thread.members.remove
read  100 GET    /chatrooms/5/mute                          : room.mutes.list
write 100 POST   /chatrooms/5/mute                          : room.mutes.add
write 100 DELETE /chatrooms/5/mute/ann%2Cbob                : room.mutes.remove
write 100 POST   /chatrooms/5/ban                           : room.ban.set
write 100 DELETE /chatrooms/5/ban                           : room.ban.clear
";

/// What the vendor's other pages and its own clients use: never refused, and a write where it changes something.
/// A dash is a limit that nothing tells.
const ELSEWHERE: &str = "
read   50 GET    /users/ann/joined_chatgroups               : user.groups.list
write   - POST   /users/ann/joined_chatgroups               : user.groups.join
write 100 PUT    /metadata/chatgroup/7/users/batch          : attributes.set.batch
write   - DELETE /metadata/chatgroup/7/users/ann            : attributes.other
relay 100 GET    /presence/online/7/type/0                  : presence.group.count
read    - POST   /sdk/metadata/chatgroup/7/get              : attributes.read.sdk
read    - GET    /chatgroups/count                          : group.count
read    - GET    /chatgroups/7/count                        : group.members.count
read    - GET    /publicchatgroups                          : group.list.public
relay   - GET    /chatgroups/7/roles                        : group.members.roles
write   - POST   /chatgroups/7/apply                        : group.join.apply
write   - POST   /chatgroups/7/apply_verify                 : group.join.apply.verify
write   - POST   /chatgroups/7/invite                       : group.join.invite
write   - POST   /chatgroups/7/invite_verify                : group.join.invite.verify
write   - DELETE /chatgroups/7/quit                         : group.quit
write   - DELETE /chatgroups/7/mute                         : group.mutes.remove.role
read    - GET    /chatgroups/7/shield                       : group.shield.list
write   - POST   /chatgroups/7/shield                       : group.shield.set
write   - DELETE /chatgroups/7/shield                       : group.shield.clear
relay   - GET    /chatgroups/7/acks/m1                      : group.acks.list
write   - PUT    /chatgroups/7/novelty                      : group.other
read   50 GET    /chatrooms                                 : room.list
read   50 GET    /users/ann/joined_chatrooms                : room.list.joined
write  50 POST   /chatrooms                                 : room.create
read  100 GET    /chatrooms/5                               : room.read
read  100 GET    /chatrooms/5,6                             : room.read
write 100 PUT    /chatrooms/5                               : room.update
write 100 DELETE /chatrooms/5                               : room.delete
read  100 GET    /chatrooms/5/announcement                  : room.announcement.read
write 100 POST   /chatrooms/5/announcement                  : room.announcement.set
read  100 POST   /metadata/chatroom/5                       : room.attributes.read
write 100 PUT    /metadata/chatroom/5/user/ann              : room.attributes.set
write 100 PUT    /metadata/chatroom/5/user/ann/forced       : room.attributes.set.forced
write 100 DELETE /metadata/chatroom/5/user/ann              : room.attributes.remove
write 100 DELETE /metadata/chatroom/5/user/ann/forced       : room.attributes.remove.forced
write   - POST   /metadata/chatroom/5/novelty               : room.attributes.other
read  100 GET    /chatrooms/5/users                         : room.members.list
write 100 POST   /chatrooms/5/users/ann                     : room.members.add
write 100 POST   /chatrooms/5/users                         : room.members.add.batch
write 100 DELETE /chatrooms/5/users/ann                     : room.members.remove
write 100 DELETE /chatrooms/5/users/ann,bob                 : room.members.remove
read  100 GET    /chatrooms/5/admin                         : room.admins.list
write 100 POST   /chatrooms/5/admin                         : room.admins.add
write 100 DELETE /chatrooms/5/admin/ann                     : room.admins.remove
read  100 GET    /chatrooms/5/blocks/users                  : room.blocks.list
write 100 POST   /chatrooms/5/blocks/users                  : room.blocks.add.batch
write 100 POST   /chatrooms/5/blocks/users/ann              : room.blocks.add
write 100 DELETE /chatrooms/5/blocks/users/ann,bob          : room.blocks.remove
read  100 GET    /chatrooms/5/white/users                   : room.allowed.list
write 100 POST   /chatrooms/5/white/users                   : room.allowed.add.batch
write 100 POST   /chatrooms/5/white/users/ann               : room.allowed.add
write 100 DELETE /chatrooms/5/white/users/ann,bob           : room.allowed.remove
write 100 PUT    /chatrooms/5/tag/mute                      : room.tags.mute
read  100 GET    /chatrooms/5/users/ann/tag                 : room.tags.read
write 100 PUT    /chatrooms/5/users/ann/tag                 : room.tags.set
read  100 GET    /chatrooms/super_admin                     : room.superadmins.list
write 100 POST   /chatrooms/super_admin                     : room.superadmins.add
write 100 DELETE /chatrooms/super_admin/ann                 : room.superadmins.remove
write   - POST   /chatrooms/5/shield                        : room.other
relay 100 GET    /users                                     : user.list
write 100 POST   /users                                     : user.create
write 30+100 DELETE /users                                  : user.delete.batch
relay 100 GET    /users/ann                                 : user.self
write 100 PUT    /users/ann                                 : user.self
write 100 DELETE /users/ann                                 : user.delete
write 100 POST   /users/ann/deactivate                      : user.deactivate
write 100 POST   /users/ann/activate                        : user.activate
write 100 POST   /users/ann/password                        : user.other
relay 100 GET    /users/ann/status                          : user.other
relay 100 POST   /users/batch/status                        : user.status.batch
relay 100 GET    /users/ann/offline_msg_count               : user.other
write 100 GET    /users/ann/disconnect                      : user.disconnect
write 100 POST   /users/ann/disconnect                      : user.disconnect
write 100 DELETE /users/ann/disconnect/phone                : user.other
write 100 PUT    /users/ann/push/binding                    : user.other
relay 100 POST   /metadata/user/get                         : profile.other
relay 100 GET    /metadata/user/capacity                    : profile.other
relay 100 PUT    /metadata/user/ann                         : profile.other
relay  50 POST   /users/ann/presence                        : presence.self
relay  50 POST   /users/ann/presence/web/1                  : presence.other
relay 100 POST   /contacts/check                            : contact.check
relay 100 POST   /blocks/check                              : contact.blocks.check
relay  50 GET    /users/ann/blocks/users                    : contact.blocks
relay  50 DELETE /users/ann/blocks/users/bob                : contact.blocks.one
relay 100 POST   /users/ann/contacts/users/bob              : contact.other
relay 100 GET    /user/ann/contacts                         : contact.list
relay 100 PUT    /users/ann/notification/chatgroup/7        : push.settings
relay  10 POST   /notification/template                     : push.template.create
relay  10 GET    /notification/template/t                   : push.template.one
relay 100 POST   /mutes                                     : mute.list
relay 100+6000/min*600 POST /messages/users                 : message.users
relay 20+20*3 POST /messages/chatgroups                     : message.groups
relay 100+100*10 POST /messages/chatrooms                   : message.rooms
relay 100 POST   /messages/chatgroups/users                 : message.groups.members
relay   - POST   /messages/chatrooms/users                  : message.rooms.members
relay 1/30m+3/day POST /messages/broadcast                  : message.broadcast
relay 1/min+50/day POST /messages/users/broadcast           : message.users.broadcast
relay 1+10/min+100/day POST /messages/chatrooms/broadcast   : message.rooms.broadcast
relay   - POST   /messages                                  : message.send
relay 100 POST   /stream_message/user                       : message.stream.user
relay 100 POST   /messages/recall                           : message.recall
relay 100 POST   /messages/msg_recall                       : message.recall
relay 100 POST   /messages/batch_recall                     : message.recall.batch
relay 100 PUT    /messages/rewrite/m1                       : message.rewrite
relay 100 POST   /messages/users/import                     : message.import.users
relay 10/min GET /chatmessages/2026010100                   : message.history
relay 100 POST   /chatfiles                                 : message.file.upload
relay 100 GET    /chatfiles/f1                              : message.file.download
relay   - POST   /users/ann/chatfiles/lifetime              : message.file.lifetime
relay 100 DELETE /users/ann/user_channel                    : message.channel.delete
relay 100 POST   /reaction/user/ann                         : message.reactions
relay 100 GET    /reaction/user/ann/detail                  : message.reactions
relay 100 POST   /translate                                 : message.translate
relay 100 POST   /rest/message/roaming/user/ann/delete/all  : message.roaming
relay 100 GET    /callbacks/storage/info                    : callback.storage.info
relay 100 POST   /callbacks/storage/retry                   : callback.storage.retry
relay   - GET    /callbacks                                 : callback.rules
relay   - POST   /msghooks                                  : callback.hooks
relay   - GET    /something/else                            : other
relay 300 POST   /token                                     : token.user
";

fn catalogue() -> Catalogue {
    easemob::catalogue("org", "app").unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

/// What becomes of a call: a row for any method reads by GET.
fn effect(catalogue: &Catalogue, id: EndpointId, method: &Method) -> &'static str {
    let endpoint = catalogue[id].endpoint;
    if endpoint.verb == Verb::Any && *method == Method::GET { "relay" } else { endpoint.effect.as_str() }
}

/// A row's limits, the shortest window first: `100`, `1/min+50/day`, `100+6000/min*600` where recipients are counted
/// and six hundred are the most.
fn limit(catalogue: &Catalogue, id: EndpointId) -> String {
    let mut pools: Vec<&Pool> =
        catalogue[id].pools.iter().map(|pool| &catalogue.pools()[usize::from(*pool)]).collect();
    pools.sort_by_key(|pool| (pool.rate.per(), pool.weighs.map(|weighs| weighs.per_call), pool.rate.count()));
    let show = |pool: &&Pool| {
        let rate = pool.rate.to_string().replace("/s", "");
        pool.weighs.map_or(rate.clone(), |weighs| format!("{rate}*{}", weighs.per_call))
    };
    pools.iter().map(show).collect::<Vec<_>>().join("+")
}

fn compare(lines: &str) -> BTreeSet<EndpointId> {
    let catalogue = catalogue();
    let mut wrong = String::new();
    let mut rows = BTreeSet::new();
    for line in lines.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [does, calls, method, path, ":", name] = words[..] else { panic!("{line}") };
        let method: Method = method.parse().unwrap();
        let Ok(found) = catalogue.look_up(&method, path) else {
            wrong += &format!("{line}\n   is refused\n");
            continue;
        };
        let id = found.endpoint;
        rows.insert(id);
        let limit = limit(&catalogue, id);
        let is = (catalogue[id].endpoint.name, effect(&catalogue, id, &method));
        if is != (name, does) || (calls != "-" && calls != limit) {
            wrong += &format!("{line}\n   is {is:?}, {limit}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    rows
}

#[test]
fn the_documented_operations_are_fifty_five_and_each_is_the_row_it_should_be() {
    let catalogue = catalogue();
    let documented: Vec<&str> =
        compare(DOCUMENTED).iter().flat_map(|id| catalogue[*id].endpoint.operations).copied().collect();
    assert_eq!(documented.len(), 55);
    assert_eq!(BTreeSet::from_iter(&documented).len(), 55, "a name stands twice: {documented:?}");
    let all: usize = easemob::endpoints().iter().map(|row| row.operations.len()).sum();
    assert_eq!(all, 55, "a row that is not in the vendor's pages claims one of their operations");
}

#[test]
fn what_lies_outside_those_pages_is_passed_on_and_changes_what_it_changes() {
    compare(ELSEWHERE);
}

#[test]
fn two_spellings_with_rows_of_their_own_spend_one_limit() {
    let catalogue = catalogue();
    let pools = |method: Method, path: &str| {
        catalogue[catalogue.look_up(&method, path).unwrap().endpoint].pools.clone()
    };
    assert_eq!(
        pools(Method::GET, "/chatgroups/user/ann"),
        pools(Method::GET, "/users/ann/joined_chatgroups")
    );
    assert_eq!(
        pools(Method::DELETE, "/chatgroups/7/admin"),
        pools(Method::DELETE, "/chatgroups/7/admin/ann")
    );
}

#[test]
fn user_management_shares_one_limit_and_a_batch_of_deletions_has_another_beside_it() {
    let catalogue = catalogue();
    let names = |method: Method, path: &str| -> Vec<&str> {
        let id = catalogue.look_up(&method, path).unwrap().endpoint;
        catalogue[id].pools.iter().map(|pool| catalogue.pools()[usize::from(*pool)].name).collect()
    };
    assert_eq!(names(Method::POST, "/users"), ["users"]);
    assert_eq!(names(Method::DELETE, "/users/ann"), ["users"]);
    assert_eq!(names(Method::DELETE, "/users"), ["users", "users.delete.batch"]);
}

#[test]
fn a_row_spends_no_more_limits_than_can_be_asked_for_together() {
    assert_eq!(audit::POOLS_MAX, ROW_POOLS_MAX);
}

#[test]
fn only_lists_that_say_when_their_entries_end_are_cut_short_by_them() {
    let ends = easemob::endpoints().iter().filter_map(|row| match &row.effect {
        Effect::Read(read) => read.ends.map(|ends| (row.name, ends.at, ends.clock)),
        _ => None,
    });
    let mutes = |name| (name, "/data/*/expire", "/timestamp");
    assert!(ends.eq([mutes("group.mutes.list"), mutes("room.mutes.list")]));
}

#[test]
fn what_answers_with_secrets_is_reached_by_name_only() {
    let by_name: Vec<&str> =
        easemob::endpoints().iter().filter(|row| row.by_name).map(|row| row.name).collect();
    let callbacks = ["callback.rules", "callback.rule", "callback.hooks", "callback.hook"];
    assert!(by_name.iter().eq(callbacks.iter().chain(&["token.user"])), "{by_name:?}");
    let catalogue = catalogue();
    for path in ["/callbacks", "/callbacks/rules/7", "/msghooks", "/msghooks/7"] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let row = catalogue[catalogue.look_up(&method, path).unwrap().endpoint].endpoint;
            assert!(row.by_name && matches!(row.effect, Effect::Relay), "{method} {path}");
        }
    }
}

#[test]
fn a_path_that_is_known_refuses_methods_that_nobody_documents() {
    let catalogue = catalogue();
    for (method, path) in [
        (Method::PUT, "/chatgroups"),
        (Method::PATCH, "/chatgroups/7"),
        (Method::POST, "/chatgroups/7"),
        (Method::PUT, "/chatgroups/7/mute"),
        (Method::GET, "/chatgroups/7/mute/ann"),
        (Method::GET, "/chatgroups/7/ban"),
    ] {
        assert!(catalogue.look_up(&method, path).is_err(), "{method} {path}");
    }
}

#[test]
fn the_table_of_endpoints_is_as_reviewed() {
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("endpoints", table::text(&catalogue()));
        insta::assert_snapshot!("reach", table::reach(&catalogue()));
    });
}
