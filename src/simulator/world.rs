//! What the vendor knows: users, groups, rooms, threads, and who joined what.
//!
//! The operations live beside this; here are the parts that several of them share, above all the ones that
//! keep the joined lists and the threads true when somebody comes or goes. Leaving drops neither a mute nor
//! an admin nor an allow-list entry, because nothing documents that it would.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::BatchForm;
use super::reply::{Failure, absent};
use super::rooms::Room;

/// The whole state, except tokens and limits.
pub(super) struct World {
    /// The vendor's clock at the call that is being evaluated, in milliseconds.
    pub(super) now: i64,
    pub(super) batch: BatchForm,
    pub(super) groups: HashMap<String, Group>,
    /// Group ids by age.
    pub(super) ages: BTreeMap<u64, String>,
    pub(super) rooms: HashMap<String, Room>,
    /// Of all rooms, in the order of their making.
    pub(super) super_admins: Vec<String>,
    /// Threads by id; ids grow, so this is the order of age too.
    pub(super) threads: BTreeMap<u64, Thread>,
    /// Group ids of each user, in the order of joining.
    pub(super) joined: HashMap<String, Vec<String>>,
    open_users: bool,
    users: HashMap<String, i64>,
    deleted: HashSet<String>,
    serial: u64,
}

/// What groups and rooms have in common.
#[derive(Default)]
pub(super) struct Place {
    pub(super) id: String,
    pub(super) owner: String,
    /// Everyone but the owner, in the order of joining.
    pub(super) members: Vec<String>,
    pub(super) admins: Vec<String>,
    pub(super) blocked: Vec<String>,
    pub(super) allowed: Vec<String>,
    /// Ends of mutes in milliseconds; -1 is for ever.
    pub(super) mutes: BTreeMap<String, i64>,
    pub(super) mute_all: bool,
}

/// A chat group.
#[derive(Default)]
pub(super) struct Group {
    pub(super) place: Place,
    pub(super) age: u64,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) custom: String,
    pub(super) avatar: String,
    pub(super) public: bool,
    pub(super) members_only: bool,
    pub(super) allow_invites: bool,
    pub(super) invite_need_confirm: bool,
    pub(super) max_users: u64,
    pub(super) created: i64,
    pub(super) last_modified: i64,
    pub(super) disabled: bool,
    pub(super) announcement: String,
    /// Newest last.
    pub(super) files: Vec<File>,
    pub(super) attributes: HashMap<String, Map<String, Value>>,
    /// Users who do not want to hear of it.
    pub(super) shields: Vec<String>,
}

/// A shared file of a group.
pub(super) struct File {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: String,
    pub(super) content_type: String,
    pub(super) bytes: Bytes,
    pub(super) created: i64,
}

/// A thread of a group.
pub(super) struct Thread {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) owner: String,
    pub(super) message: String,
    pub(super) created: i64,
    /// Members, each with the number of his joining.
    pub(super) members: Vec<(String, u64)>,
}

impl World {
    pub(super) fn new(open_users: bool, batch: BatchForm, now: i64) -> Self {
        Self {
            now,
            batch,
            groups: HashMap::new(),
            ages: BTreeMap::new(),
            rooms: HashMap::new(),
            super_admins: Vec::new(),
            threads: BTreeMap::new(),
            joined: HashMap::new(),
            open_users,
            users: HashMap::new(),
            deleted: HashSet::new(),
            serial: 0,
        }
    }

    /// A number that was never given out.
    pub(super) fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(super) fn group(&self, id: &str) -> Result<&Group, Failure> {
        self.groups.get(id).ok_or_else(|| Failure::no_group(id))
    }

    /// A group for a management write: refused while the group is disabled.
    pub(super) fn managed(&mut self, id: &str) -> Result<&mut Group, Failure> {
        let group = self.groups.get_mut(id).ok_or_else(|| Failure::no_group(id))?;
        if group.disabled {
            return Err(Failure::forbidden(format!("group: {id} is disabled!")));
        }
        Ok(group)
    }

    pub(super) fn check_user(&self, user: &str) -> Result<(), Failure> {
        let known =
            if self.open_users { !self.deleted.contains(user) } else { self.users.contains_key(user) };
        if known { Ok(()) } else { Err(Failure::no_user(user)) }
    }

    pub(super) fn user_entity(&self, user: &str) -> Result<Value, Failure> {
        self.check_user(user)?;
        let created = self.users.get(user).copied().unwrap_or_default();
        Ok(json!({
            "uuid": format!("00000000-0000-4000-8000-{:012x}", crc32fast::hash(user.as_bytes())),
            "type": "user", "created": created, "modified": created, "username": user, "activated": true,
        }))
    }

    pub(super) fn add_user(&mut self, user: &str) {
        let user = user.to_lowercase();
        self.deleted.remove(&user);
        self.users.entry(user).or_insert(self.now);
    }

    /// Removes a user everywhere; what he owned goes with him.
    pub(super) fn delete_user(&mut self, user: &str) {
        for id in self.joined.remove(user).unwrap_or_default() {
            if self.groups.get(&id).is_some_and(|group| group.place.owner == user) {
                self.delete_group(&id);
            } else {
                self.leave(&id, user);
            }
        }
        self.leave_rooms(user);
        self.users.remove(user);
        self.deleted.insert(user.to_owned());
    }

    /// Makes a group and returns it for its details to be filled in.
    pub(super) fn add_group(&mut self, id: &str, owner: &str, members: &[&str]) -> &mut Group {
        self.delete_group(id);
        let age = self.next();
        let owner = owner.to_lowercase();
        self.ages.insert(age, id.to_owned());
        self.joined.entry(owner.clone()).or_default().push(id.to_owned());
        let place = Place { id: id.to_owned(), owner: owner.clone(), ..Place::default() };
        let (created, last_modified) = (self.now, self.now);
        let group =
            Group { place, age, created, last_modified, max_users: 200, public: true, ..Group::default() };
        self.groups.insert(id.to_owned(), group);
        self.add_user(&owner);
        for member in members {
            self.add_user(member);
            self.join(id, &member.to_lowercase());
        }
        self.groups.entry(id.to_owned()).or_default()
    }

    /// Lets a user into a group; true if he was not in it.
    pub(super) fn join(&mut self, id: &str, user: &str) -> bool {
        let Some(group) = self.groups.get_mut(id) else {
            return false;
        };
        if group.place.has(user) {
            return false;
        }
        group.place.members.push(user.to_owned());
        self.joined.entry(user.to_owned()).or_default().push(id.to_owned());
        true
    }

    /// Takes a member out of a group, and out of its threads.
    pub(super) fn leave(&mut self, id: &str, user: &str) {
        if let Some(group) = self.groups.get_mut(id) {
            group.place.members.retain(|member| member != user);
        }
        self.forget_joined(id, user);
        for thread in self.threads.values_mut().filter(|thread| thread.group == id) {
            thread.members.retain(|(member, _)| member != user);
        }
    }

    /// Deletes a group with its threads; true if there was one.
    pub(super) fn delete_group(&mut self, id: &str) -> bool {
        let Some(group) = self.groups.remove(id) else {
            return false;
        };
        self.ages.remove(&group.age);
        self.threads.retain(|_, thread| thread.group != id);
        for user in group.place.everyone() {
            self.forget_joined(id, user);
        }
        true
    }

    fn forget_joined(&mut self, id: &str, user: &str) {
        if let Some(ids) = self.joined.get_mut(user) {
            ids.retain(|joined| joined != id);
        }
    }
}

impl Place {
    pub(super) fn has(&self, user: &str) -> bool {
        self.owner == user || self.members.iter().any(|member| member == user)
    }

    pub(super) fn count(&self) -> usize {
        self.members.len() + 1
    }

    pub(super) fn everyone(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(String::as_str).chain(std::iter::once(self.owner.as_str()))
    }

    /// Members and owner, as details and member lists show them.
    pub(super) fn affiliations(&self, skip: usize, take: usize) -> Vec<Value> {
        let members = self.members.iter().map(|member| json!({ "member": member }));
        members.chain(std::iter::once(json!({ "owner": self.owner }))).skip(skip).take(take).collect()
    }

    /// Refuses strangers, and the owner too: most lists are for members who do not own the place.
    pub(super) fn check_member(&self, user: &str) -> Result<(), Failure> {
        if self.owner == user {
            return Err(Failure::forbidden("forbidden operation on group owner!"));
        }
        if !self.has(user) {
            return Err(Failure::not_found(absent(user, &self.id)));
        }
        Ok(())
    }
}
