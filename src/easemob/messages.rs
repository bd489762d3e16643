//! Messages: sent, recalled, fetched as files. Nothing of them is kept, and nothing that is kept shows them.
//!
//! They are here for their limits. Of some the vendor counts recipients and not calls, some have a minute, half an
//! hour or a day beside the second; the vendor's day ends at midnight UTC, ours slides, which is stricter. A limit
//! of five a minute *for each user* stands beside `message.channel.delete`; it is left to the vendor's own answer.

use super::DEFAULT;
use crate::catalogue::{
    Endpoint, Pool,
    Verb::{Any, Delete, Get, Post, Put},
};
use crate::units::Rate;

/// One hundred calls; and six thousand recipients a minute, six hundred in a call.
const USERS: &[&Pool] = &[
    &Pool::new("message.users", Rate::per_second(100)),
    &Pool::new("message.users.recipients", Rate::per_minute(6_000)).weighs("/to/*", 600),
];
const GROUPS: &[&Pool] = &[
    &Pool::new("message.groups", Rate::per_second(20)),
    &Pool::new("message.groups.recipients", Rate::per_second(20)).weighs("/to/*", 3),
];
const ROOMS: &[&Pool] = &[
    &Pool::new("message.rooms", Rate::per_second(100)),
    &Pool::new("message.rooms.recipients", Rate::per_second(100)).weighs("/to/*", 10),
];
/// To everybody of the app.
const BROADCAST: &[&Pool] = &[
    &Pool::new("message.broadcast", Rate::one_in_minutes(30)),
    &Pool::new("message.broadcast.day", Rate::per_day(3)),
];
/// To everybody who is online.
const USERS_BROADCAST: &[&Pool] = &[
    &Pool::new("message.users.broadcast", Rate::per_minute(1)),
    &Pool::new("message.users.broadcast.day", Rate::per_day(50)),
];
const ROOMS_BROADCAST: &[&Pool] = &[
    &Pool::new("message.rooms.broadcast", Rate::per_second(1)),
    &Pool::new("message.rooms.broadcast.minute", Rate::per_minute(10)),
    &Pool::new("message.rooms.broadcast.day", Rate::per_day(100)),
];
/// Each operation has its hundred, together they have one here; so have those of reactions and roaming messages.
const TRANSLATION: &[&Pool] = &[&Pool::new("message.translation", Rate::per_second(100))];

pub(super) const ROWS: &[Endpoint] = &[
    Endpoint::relay("message.users", Post, "/messages/users").spends(USERS),
    Endpoint::relay("message.groups", Post, "/messages/chatgroups").spends(GROUPS),
    Endpoint::relay("message.rooms", Post, "/messages/chatrooms").spends(ROOMS),
    // To some members of one group or room.
    Endpoint::relay("message.groups.members", Post, "/messages/chatgroups/users"),
    Endpoint::relay("message.rooms.members", Post, "/messages/chatrooms/users"),
    Endpoint::relay("message.broadcast", Post, "/messages/broadcast").spends(BROADCAST),
    Endpoint::relay("message.users.broadcast", Post, "/messages/users/broadcast").spends(USERS_BROADCAST),
    Endpoint::relay("message.rooms.broadcast", Post, "/messages/chatrooms/broadcast").spends(ROOMS_BROADCAST),
    // An older form: the body says to what kind of target.
    Endpoint::relay("message.send", Post, "/messages"),
    Endpoint::relay("message.stream.user", Post, "/stream_message/user"),
    Endpoint::relay("message.stream.group", Post, "/stream_message/chatgroup"),
    Endpoint::relay("message.recall", Post, "/messages/recall").also(&[(Post, "/messages/msg_recall")]),
    Endpoint::relay("message.recall.batch", Post, "/messages/batch_recall"),
    Endpoint::relay("message.rewrite", Put, "/messages/rewrite/{message}"),
    Endpoint::relay("message.import.users", Post, "/messages/users/import"),
    Endpoint::relay("message.import.groups", Post, "/messages/chatgroups/import"),
    Endpoint::relay("message.other", Any, "/messages/{*rest}").spends(DEFAULT),
    Endpoint::relay("message.history", Get, "/chatmessages/{time}").limit(Rate::per_minute(10)),
    Endpoint::relay("message.file.upload", Post, "/chatfiles"),
    Endpoint::relay("message.file.download", Get, "/chatfiles/{file}"),
    Endpoint::relay("message.file.lifetime", Post, "/users/{user}/chatfiles/lifetime"),
    Endpoint::relay("message.channel.delete", Delete, "/users/{user}/user_channel"),
    Endpoint::relay("message.channel.list", Get, "/user/{user}/user_channels"),
    Endpoint::relay("message.reactions", Any, "/reaction/user/{*rest}"),
    Endpoint::relay("message.translate", Post, "/translate").spends(TRANSLATION),
    Endpoint::relay("message.translate.other", Any, "/translate/{*rest}").spends(TRANSLATION),
    Endpoint::relay("message.roaming", Any, "/rest/message/roaming/{*rest}"),
];
