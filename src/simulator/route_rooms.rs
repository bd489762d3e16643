//! The paths of chat rooms, as `route` has them of everything else.
//!
//! Under `/chatrooms` and `/metadata/chatroom`; the rooms of a user are among the paths of users.

use super::{mutes, occupants, room_attributes, rooms, route::Path};

pub(super) fn chatrooms<'a>(segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        [] => ("/chatrooms", "", "", &[("GET", rooms::list), ("POST", rooms::create)]),
        // A word stands where an id would.
        ["super_admin"] => (
            "/chatrooms/super_admin",
            "",
            "",
            &[("GET", occupants::super_admins), ("POST", occupants::add_super_admin)],
        ),
        ["super_admin", user] => {
            ("/chatrooms/super_admin/{superAdmin}", "", user, &[("DELETE", occupants::remove_super_admin)])
        }
        [ids] => (
            "/chatrooms/{chatroom_id}",
            ids,
            "",
            &[("GET", rooms::details), ("PUT", rooms::change), ("DELETE", rooms::delete)],
        ),
        [id, "announcement"] => (
            "/chatrooms/{chatroom_id}/announcement",
            id,
            "",
            &[("GET", rooms::announcement), ("POST", rooms::announce)],
        ),
        _ => return occupants(segments),
    };
    Some(path)
}

fn occupants<'a>(segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        [id, "users"] => (
            "/chatrooms/{chatroom_id}/users",
            id,
            "",
            &[("GET", occupants::list), ("POST", occupants::add_batch)],
        ),
        [id, "users", users] => (
            "/chatrooms/{chatroom_id}/users/{username}",
            id,
            users,
            &[("POST", occupants::add), ("DELETE", occupants::remove)],
        ),
        [id, "users", user, "tag"] => (
            "/chatrooms/{chatroom_id}/users/{username}/tag",
            id,
            user,
            &[("GET", occupants::tag), ("PUT", occupants::set_tag)],
        ),
        [id, "tag", "mute"] => ("/chatrooms/{chatroom_id}/tag/mute", id, "", &[("PUT", occupants::mute_tag)]),
        _ => return lists(segments),
    };
    Some(path)
}

fn lists<'a>(segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        [id, "admin"] => (
            "/chatrooms/{chatroom_id}/admin",
            id,
            "",
            &[("GET", occupants::admins), ("POST", occupants::add_admin)],
        ),
        [id, "admin", user] => {
            ("/chatrooms/{chatroom_id}/admin/{username}", id, user, &[("DELETE", occupants::remove_admin)])
        }
        [id, "blocks", "users"] => (
            "/chatrooms/{chatroom_id}/blocks/users",
            id,
            "",
            &[("GET", occupants::blocked), ("POST", occupants::block_batch)],
        ),
        [id, "blocks", "users", users] => (
            "/chatrooms/{chatroom_id}/blocks/users/{username}",
            id,
            users,
            &[("POST", occupants::block), ("DELETE", occupants::unblock)],
        ),
        [id, "white", "users"] => (
            "/chatrooms/{chatroom_id}/white/users",
            id,
            "",
            &[("GET", occupants::allowed), ("POST", occupants::allow_batch)],
        ),
        [id, "white", "users", users] => (
            "/chatrooms/{chatroom_id}/white/users/{username}",
            id,
            users,
            &[("POST", occupants::allow), ("DELETE", occupants::disallow)],
        ),
        _ => return mutes(segments),
    };
    Some(path)
}

fn mutes<'a>(segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        [id, "mute"] => (
            "/chatrooms/{chatroom_id}/mute",
            id,
            "",
            &[("GET", mutes::room_list), ("POST", mutes::room_mute)],
        ),
        [id, "mute", users] => {
            ("/chatrooms/{chatroom_id}/mute/{username}", id, users, &[("DELETE", mutes::room_unmute)])
        }
        [id, "ban"] => (
            "/chatrooms/{chatroom_id}/ban",
            id,
            "",
            &[("POST", mutes::room_ban), ("DELETE", mutes::room_unban)],
        ),
        _ => return None,
    };
    Some(path)
}

/// `/metadata/chatroom/…`
pub(super) fn metadata<'a>(segments: &[&'a str]) -> Option<Path<'a>> {
    let path: Path<'a> = match *segments {
        [id] => ("/metadata/chatroom/{chatroom_id}", id, "", &[("POST", room_attributes::get)]),
        [id, "user", user] => (
            "/metadata/chatroom/{chatroom_id}/user/{username}",
            id,
            user,
            &[("PUT", room_attributes::set), ("DELETE", room_attributes::remove)],
        ),
        [id, "user", user, "forced"] => (
            "/metadata/chatroom/{chatroom_id}/user/{username}/forced",
            id,
            user,
            &[("PUT", room_attributes::set_forced), ("DELETE", room_attributes::remove_forced)],
        ),
        _ => return None,
    };
    Some(path)
}
