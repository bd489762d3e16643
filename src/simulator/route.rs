//! From method and path to an operation, and to the shape under which calls are counted.
//!
//! Two spellings of one operation share a shape. Fixed words stand before the ids they would otherwise be
//! taken for: `user` before a group id.

use http::Method;

use super::{
    attributes,
    call::{Asked, Call},
    files, groups, listing, lists, members, messages, more_groups, mutes,
    reply::Outcome,
    rooms, route_rooms, threads, users,
    world::World,
};

/// One operation of the vendor.
pub(super) type Operation = fn(&mut World, &Asked<'_>) -> Outcome;

/// Where a call leads.
pub(super) struct Route<'a> {
    /// The path with names in place of ids, as the vendor's limit tables print it.
    pub(super) shape: &'static str,
    pub(super) first: &'a str,
    pub(super) second: &'a str,
    pub(super) found: Found,
}

/// What stands at the end of a path.
pub(super) enum Found {
    Operation(Operation),
    Token,
    /// The path exists, but not with this method.
    WrongMethod,
    Nothing,
}

pub(super) type Methods = &'static [(&'static str, Operation)];
pub(super) type Path<'a> = (&'static str, &'a str, &'a str, Methods);

/// Finds the operation of a call.
pub(super) fn route(call: &Call) -> Route<'_> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    if segments == ["token"] {
        let found = if call.method == Method::POST { Found::Token } else { Found::WrongMethod };
        return Route { shape: "/token", first: "", second: "", found };
    }
    let path = match segments.as_slice() {
        ["chatgroups", rest @ ..] => chatgroups(rest),
        ["chatrooms", rest @ ..] => route_rooms::chatrooms(rest),
        ["metadata", "chatgroup", rest @ ..] | ["sdk", "metadata", "chatgroup", rest @ ..] => metadata(rest),
        ["metadata", "chatroom", rest @ ..] => route_rooms::metadata(rest),
        ["thread" | "threads", ..] => thread(&call.method, &segments),
        ["messages" | "chatmessages", ..] => messages(&segments),
        ["users" | "publicchatgroups", ..] => others(&segments),
        _ => None,
    };
    let Some((shape, first, second, methods)) = path else {
        return Route { shape: "(unlisted)", first: "", second: "", found: Found::Nothing };
    };
    let method = call.method.as_str();
    let found = methods.iter().find(|(name, _)| *name == method);
    let found = found.map_or(Found::WrongMethod, |(_, operation)| Found::Operation(*operation));
    Route { shape, first, second, found }
}

fn chatgroups<'a>(segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        [] => ("/chatgroups", "", "", &[("GET", listing::list), ("POST", groups::create)]),
        ["user" | "users", user] => ("/chatgroups/user/{username}", "", user, &[("GET", listing::joined)]),
        ["count"] => ("/chatgroups/count", "", "", &[("GET", more_groups::count)]),
        [ids] => (
            "/chatgroups/{group_id}",
            ids,
            "",
            &[("GET", listing::details), ("PUT", groups::change), ("DELETE", groups::delete)],
        ),
        [id, "disable"] => ("/chatgroups/{group_id}/disable", id, "", &[("POST", groups::disable)]),
        [id, "enable"] => ("/chatgroups/{group_id}/enable", id, "", &[("POST", groups::enable)]),
        [id, "user", user, "is_joined"] => (
            "/chatgroups/{group_id}/user/{username}/is_joined",
            id,
            user,
            &[("GET", listing::is_joined), ("POST", listing::is_joined)],
        ),
        _ => return chatgroup_contents(segments),
    };
    Some(path)
}

fn chatgroup_contents<'a>(segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        [id, "announcement"] => (
            "/chatgroups/{group_id}/announcement",
            id,
            "",
            &[("GET", groups::announcement), ("POST", groups::announce)],
        ),
        [id, "share_files"] => {
            ("/chatgroups/{group_id}/share_files", id, "", &[("GET", files::list), ("POST", files::upload)])
        }
        [id, "share_files", file] => (
            "/chatgroups/{group_id}/share_files/{file_id}",
            id,
            file,
            &[("GET", files::download), ("DELETE", files::delete)],
        ),
        [id, "users"] => {
            ("/chatgroups/{group_id}/users", id, "", &[("GET", members::list), ("POST", members::add_batch)])
        }
        [id, "users", users] => (
            "/chatgroups/{group_id}/users/{username}",
            id,
            users,
            &[("POST", members::add), ("DELETE", members::remove)],
        ),
        [id, "count"] => ("/chatgroups/{group_id}/count", id, "", &[("GET", more_groups::count_members)]),
        [id, "roles"] => ("/chatgroups/{group_id}/roles", id, "", &[("GET", more_groups::roles)]),
        [id, "shield"] => (
            "/chatgroups/{group_id}/shield",
            id,
            "",
            &[
                ("GET", more_groups::shields),
                ("POST", more_groups::shield),
                ("DELETE", more_groups::unshield),
            ],
        ),
        _ => return chatgroup_lists(segments),
    };
    Some(path)
}

fn chatgroup_lists<'a>(segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        [id, "admin"] => {
            ("/chatgroups/{group_id}/admin", id, "", &[("GET", lists::admins), ("POST", lists::add_admin)])
        }
        [id, "admin", user] => {
            ("/chatgroups/{group_id}/admin/{username}", id, user, &[("DELETE", lists::remove_admin)])
        }
        [id, "blocks", "users"] => (
            "/chatgroups/{group_id}/blocks/users",
            id,
            "",
            &[("GET", lists::blocked), ("POST", lists::block_batch)],
        ),
        [id, "blocks", "users", users] => (
            "/chatgroups/{group_id}/blocks/users/{username}",
            id,
            users,
            &[("POST", lists::block), ("DELETE", lists::unblock)],
        ),
        [id, "white", "users"] => (
            "/chatgroups/{group_id}/white/users",
            id,
            "",
            &[("GET", lists::allowed), ("POST", lists::allow_batch)],
        ),
        [id, "white", "users", users] => (
            "/chatgroups/{group_id}/white/users/{username}",
            id,
            users,
            &[("POST", lists::allow), ("DELETE", lists::disallow)],
        ),
        [id, "mute"] => (
            "/chatgroups/{group_id}/mute",
            id,
            "",
            &[("GET", mutes::group_list), ("POST", mutes::group_mute)],
        ),
        [id, "mute", users] => {
            ("/chatgroups/{group_id}/mute/{username}", id, users, &[("DELETE", mutes::group_unmute)])
        }
        [id, "ban"] => (
            "/chatgroups/{group_id}/ban",
            id,
            "",
            &[("POST", mutes::group_ban), ("DELETE", mutes::group_unban)],
        ),
        _ => return None,
    };
    Some(path)
}

fn metadata<'a>(segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        [id, "user", user] => (
            "/metadata/chatgroup/{group_id}/user/{username}",
            id,
            user,
            &[("PUT", attributes::set), ("GET", attributes::get)],
        ),
        [id, "get"] => ("/metadata/chatgroup/{group_id}/get", id, "", &[("POST", attributes::get_batch)]),
        _ => return None,
    };
    Some(path)
}

fn thread<'a>(method: &Method, segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        ["thread"] => ("/thread", "", "", &[("GET", threads::list), ("POST", threads::create)]),
        ["thread", id] => {
            ("/thread/{thread_id}", id, "", &[("PUT", threads::rename), ("DELETE", threads::delete)])
        }
        // Both spellings of the removal are one operation, and spend one limit.
        ["thread" | "threads", id, "users"] if *method == Method::DELETE => {
            ("/threads/{thread_id}/users", id, "", &[("DELETE", threads::kick)])
        }
        ["thread", id, "users"] => {
            ("/thread/{thread_id}/users", id, "", &[("GET", threads::members), ("POST", threads::join)])
        }
        ["threads", _, "users"] => ("/threads/{thread_id}/users", "", "", &[]),
        ["threads", "user", user] => ("/threads/user/{username}", "", user, &[("GET", threads::of_user)]),
        ["threads", "chatgroups", id, "user", user] => {
            ("/threads/chatgroups/{group_id}/user/{username}", id, user, &[("GET", threads::of_user)])
        }
        _ => return None,
    };
    Some(path)
}

fn others<'a>(segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        ["users", user] => ("/users/{username}", "", user, &[("GET", users::get), ("DELETE", users::delete)]),
        ["users", user, "joined_chatgroups"] => {
            ("/users/{username}/joined_chatgroups", "", user, &[("GET", listing::joined_alias)])
        }
        ["users", user, "joined_chatrooms"] => {
            ("/users/{username}/joined_chatrooms", "", user, &[("GET", rooms::joined)])
        }
        ["publicchatgroups"] => ("/publicchatgroups", "", "", &[("GET", more_groups::public)]),
        _ => return None,
    };
    Some(path)
}

fn messages<'a>(segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        ["messages", "users"] => ("/messages/users", "", "", &[("POST", messages::to_users)]),
        ["messages", "chatgroups"] => ("/messages/chatgroups", "", "", &[("POST", messages::to_groups)]),
        ["messages", "chatrooms"] => ("/messages/chatrooms", "", "", &[("POST", messages::to_rooms)]),
        ["messages", "broadcast"] => ("/messages/broadcast", "", "", &[("POST", messages::broadcast)]),
        ["messages", "users", "broadcast"] => {
            ("/messages/users/broadcast", "", "", &[("POST", messages::broadcast)])
        }
        ["messages", "chatrooms", "broadcast"] => {
            ("/messages/chatrooms/broadcast", "", "", &[("POST", messages::broadcast)])
        }
        ["chatmessages", time] => ("/chatmessages/{time}", time, "", &[("GET", messages::history)]),
        _ => return None,
    };
    Some(path)
}
