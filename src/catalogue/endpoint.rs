//! How rows are written: constructors and the words that may follow them.
//!
//! Everything is `const`, so a row is data that the compiler has checked. What the fields mean is told where
//! [`Endpoint`] is declared.

use super::{ChangedBy, Effect, Endpoint, Ends, Pool, Read, Spends, Verb, Weighs, Write};
use crate::units::Rate;
use std::time::Duration;

impl Endpoint {
    const fn new(name: &'static str, verb: Verb, path: &'static str, effect: Effect) -> Self {
        let spends = Spends::Own(Rate::per_second(100));
        Self { name, verb, path, also: &[], effect, spends, operations: &[], by_name: false }
    }

    /// A read that carries these tags, of what devices can change unless said otherwise.
    #[must_use]
    pub const fn read(
        name: &'static str,
        verb: Verb,
        path: &'static str,
        tags: &'static [&'static str],
    ) -> Self {
        Self::new(
            name,
            verb,
            path,
            Effect::Read(Read {
                tags,
                fresh: ChangedBy::Devices.fresh(),
                changed_by: ChangedBy::Devices,
                strict: false,
                query: &[],
                by_body: false,
                ends: None,
                flaws: None,
                by_entity: None,
            }),
        )
    }

    /// A write that touches these tags.
    #[must_use]
    pub const fn write(
        name: &'static str,
        verb: Verb,
        path: &'static str,
        touches: &'static [&'static str],
    ) -> Self {
        Self::new(name, verb, path, Effect::Write(Write { touches, otherwise: &[] }))
    }

    /// Passed through.
    #[must_use]
    pub const fn relay(name: &'static str, verb: Verb, path: &'static str) -> Self {
        Self::new(name, verb, path, Effect::Relay)
    }

    /// Another spelling of the same operation.
    #[must_use]
    pub const fn also(mut self, also: &'static [(Verb, &'static str)]) -> Self {
        self.also = also;
        self
    }

    /// How long its answers may be served, where that is not the usual.
    #[must_use]
    pub const fn fresh(mut self, fresh: Duration) -> Self {
        if let Effect::Read(read) = &mut self.effect {
            read.fresh = fresh;
        }
        self
    }

    /// The query parameters a read understands.
    #[must_use]
    pub const fn query(mut self, query: &'static [&'static str]) -> Self {
        if let Effect::Read(read) = &mut self.effect {
            read.query = query;
        }
        self
    }

    /// A read of who may do what: its answers are never served past their time.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        if let Effect::Read(read) = &mut self.effect {
            read.strict = true;
        }
        self
    }

    /// A read whose body decides the answer.
    #[must_use]
    pub const fn by_body(mut self) -> Self {
        if let Effect::Read(read) = &mut self.effect {
            read.by_body = true;
        }
        self
    }

    /// A read whose entries end by themselves.
    #[must_use]
    pub const fn ends(mut self, at: &'static str, clock: &'static str) -> Self {
        if let Effect::Read(read) = &mut self.effect {
            read.ends = Some(Ends { at, clock });
        }
        self
    }

    /// A read of several things, some of which may be missing from its answer.
    #[must_use]
    pub const fn flaws(mut self, at: &'static str) -> Self {
        if let Effect::Read(read) = &mut self.effect {
            read.flaws = Some(at);
        }
        self
    }

    /// A read of at most so many things, each of which may be kept by itself.
    #[must_use]
    pub const fn by_entity(mut self, most: usize) -> Self {
        if let Effect::Read(read) = &mut self.effect {
            read.by_entity = Some(most);
        }
        self
    }

    /// Coarse tags for when a write does not say whom it concerns.
    #[must_use]
    pub const fn otherwise(mut self, otherwise: &'static [&'static str]) -> Self {
        if let Effect::Write(write) = &mut self.effect {
            write.otherwise = otherwise;
        }
        self
    }

    /// A limit of its own that is not the usual hundred per second.
    #[must_use]
    pub const fn limit(mut self, rate: Rate) -> Self {
        self.spends = Spends::Own(rate);
        self
    }

    /// Limits shared with other rows.
    #[must_use]
    pub const fn spends(mut self, pools: &'static [&'static Pool]) -> Self {
        self.spends = Spends::Shared(pools);
        self
    }

    /// The vendor's own names of the operations behind this row.
    #[must_use]
    pub const fn is(mut self, operations: &'static [&'static str]) -> Self {
        self.operations = operations;
        self
    }

    /// Answers carry secrets: only an allow rule that names the row in full reaches it.
    #[must_use]
    pub const fn by_name(mut self) -> Self {
        self.by_name = true;
        self
    }

    /// The first part of the name: `group`.
    #[must_use]
    pub fn family(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    /// The limits it spends from.
    pub fn pools(&self) -> impl Iterator<Item = Pool> {
        let (own, shared) = match self.spends {
            Spends::Own(rate) => (Some(Pool::new(self.name, rate)), &[][..]),
            Spends::Shared(pools) => (None, pools),
        };
        own.into_iter().chain(shared.iter().map(|pool| **pool))
    }
}

impl Pool {
    /// A limit of which each call spends one.
    #[must_use]
    pub const fn new(name: &'static str, rate: Rate) -> Self {
        Self { name, rate, weighs: None }
    }

    /// Each call spends as much as there is at this pointer into its body, and may have no more than `per_call`.
    #[must_use]
    pub const fn weighs(mut self, at: &'static str, per_call: u32) -> Self {
        self.weighs = Some(Weighs { at, per_call });
        self
    }

    /// The most that one call may spend of it.
    #[must_use]
    pub fn per_call(&self) -> u32 {
        self.weighs.map_or(1, |weighs| weighs.per_call)
    }
}
