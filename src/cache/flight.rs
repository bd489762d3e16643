//! One fetch for many readers, and who may share it.
//!
//! A reader may be given a fetch that began after he came, or one that nothing he is shown has overtaken. So he
//! joins a flight that has left only if no tag known from the request was touched since; when it lands, those who
//! came after its beginning check the tags of the *answer* as well, and fly again if one was touched. A flight
//! that may no longer be joined goes on for those inside, while a new one takes its place.
//!
//! A flight is a task of its own (who runs it is `gateway`'s business), so whoever started it may leave. Times
//! are numbers of touches, not moments: a stamp not below the number a reader saw when he came is as good as a
//! fetch that began after him, since nothing was touched in between.

use super::epoch::{Epochs, Slot, Stamp};
use super::key::Key;
use super::sync::{AtomicBool, AtomicU64, AtomicUsize, Mutex, MutexGuard, Notify, OnceLock, Ordering};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

/// Flights under way, by key. `T` is what a flight brings; all its readers share it.
#[derive(Debug)]
pub struct Flights<T> {
    by_key: Mutex<ByKey<T>>,
    flights_max: usize,
    waiters_max: usize,
}

type ByKey<T> = HashMap<Box<[u8]>, Arc<Flight<T>>>;

/// One fetch under way.
#[derive(Debug)]
struct Flight<T> {
    key: Box<[u8]>,
    slots: Box<[Slot]>,
    stamp: AtomicU64,
    waiters: AtomicUsize,
    departed: AtomicBool,
    landed: OnceLock<Option<T>>,
    bell: Notify,
    /// Rung when the last waiter has left.
    empty: Notify,
}

/// A reader's part in a flight.
#[derive(Debug)]
pub enum Seat<T> {
    /// He starts it: someone must run it and land it.
    Lead(Pilot<T>, Ticket<T>),
    /// Somebody else did.
    Join(Ticket<T>),
}

/// The right and the duty to land a flight. Dropped without landing, the flight has failed.
#[derive(Debug)]
pub struct Pilot<T> {
    flight: Arc<Flight<T>>,
    flights: Arc<Flights<T>>,
    cargo: Option<T>,
}

/// A place among those who wait.
#[derive(Debug)]
pub struct Ticket<T>(Arc<Flight<T>>);

/// Why there is no seat.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Full {
    /// Too many fetches are under way.
    Flights,
    /// Too many readers wait for this one.
    Waiters,
}

impl<T> Flights<T> {
    /// No flights; at most so many, with at most so many readers each.
    #[must_use]
    pub fn new(flights_max: usize, waiters_max: usize) -> Arc<Self> {
        Arc::new(Self { by_key: Mutex::default(), flights_max, waiters_max })
    }

    /// A seat in the flight for this key that a reader who came at `came` may share, or in a new one. `slots`
    /// are the places of the tags known from the request. With `anew`, only one that has not left will do: then it
    /// begins after him, whether anything was touched or not.
    ///
    /// # Errors
    /// [`Full`] when a limit is reached; nothing was started then.
    pub fn board(
        self: &Arc<Self>,
        key: &Key,
        slots: &[Slot],
        (came, anew): (Stamp, bool),
        epochs: &Epochs,
    ) -> Result<Seat<T>, Full> {
        let mut by_key = self.lock();
        if let Some(flight) = by_key.get(key.bytes())
            && flight.may_join(came, anew, epochs)
        {
            if flight.waiters.fetch_add(1, Ordering::Relaxed) >= self.waiters_max {
                flight.waiters.fetch_sub(1, Ordering::Relaxed);
                return Err(Full::Waiters);
            }
            return Ok(Seat::Join(Ticket(Arc::clone(flight))));
        }
        if by_key.len() >= self.flights_max {
            return Err(Full::Flights);
        }
        let flight = Arc::new(Flight {
            key: key.bytes().into(),
            slots: slots.into(),
            stamp: AtomicU64::new(epochs.now().0),
            waiters: AtomicUsize::new(1),
            departed: AtomicBool::new(false),
            landed: OnceLock::new(),
            bell: Notify::new(),
            empty: Notify::new(),
        });
        by_key.insert(flight.key.clone(), Arc::clone(&flight));
        let pilot = Pilot { flight: Arc::clone(&flight), flights: Arc::clone(self), cargo: None };
        Ok(Seat::Lead(pilot, Ticket(flight)))
    }

    fn lock(&self) -> MutexGuard<'_, ByKey<T>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fetches under way, whatever they bring.
pub trait UnderWay: std::fmt::Debug + Send + Sync {
    /// How many may be joined now.
    fn count(&self) -> usize;
}

impl<T: std::fmt::Debug + Send + Sync> UnderWay for Flights<T> {
    fn count(&self) -> usize {
        self.lock().len()
    }
}

impl<T> Flight<T> {
    /// Can be boarded no more, if it could.
    fn leave(&self, by_key: &mut HashMap<Box<[u8]>, Arc<Self>>) {
        if by_key.get(&self.key).is_some_and(|there| std::ptr::eq(Arc::as_ptr(there), self)) {
            by_key.remove(&self.key);
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp(self.stamp.load(Ordering::Acquire))
    }

    fn may_join(&self, came: Stamp, anew: bool, epochs: &Epochs) -> bool {
        let stamp = self.stamp();
        // One that has not left will begin after him; if it leaves in this very moment, its stamp tells.
        let overtaken = || stamp < came && !epochs.current(stamp, self.slots.iter().copied());
        !self.departed.load(Ordering::Acquire) || !(anew || overtaken())
    }
}

impl<T> Pilot<T> {
    /// The request is about to leave: from here on counts what it shows. Called once, just before the first
    /// sending; a second sending keeps the first stamp.
    pub fn depart(&self, epochs: &Epochs) {
        self.flight.stamp.store(epochs.now().0, Ordering::Release);
        self.flight.departed.store(true, Ordering::Release);
    }

    /// Resolves when everybody has left before departure: then nobody can board any more, and the flight may be
    /// given up. Never, once it has departed.
    pub async fn deserted(&self) {
        loop {
            self.flight.empty.notified().await;
            // Readers board under this lock, so nobody comes in between.
            let mut by_key = self.flights.lock();
            let empty = self.flight.waiters.load(Ordering::Relaxed) == 0;
            if empty && !self.flight.departed.load(Ordering::Relaxed) {
                self.flight.leave(&mut by_key);
                return;
            }
        }
    }

    /// The number of the last touch when the fetch began.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.flight.stamp()
    }

    /// Everyone inside gets this.
    pub fn land(mut self, cargo: T) {
        self.cargo = Some(cargo);
    }
}

impl<T> Drop for Pilot<T> {
    fn drop(&mut self) {
        // Out of the map first: whoever boards from here on starts anew. Who may not have what it brought would else
        // board it again, and again.
        let mut by_key = self.flights.lock();
        self.flight.leave(&mut by_key);
        drop(by_key);
        let _ = self.flight.landed.set(self.cargo.take());
        self.flight.bell.notify_waiters();
    }
}

impl<T: Clone> Ticket<T> {
    /// What the flight brought, with its stamp; `None` when it ended without landing.
    pub async fn landed(&self) -> Option<(T, Stamp)> {
        loop {
            // Registered before the look, so that a landing between the two still rings.
            let bell = self.0.bell.notified();
            if let Some(cargo) = self.0.landed.get() {
                return cargo.clone().map(|cargo| (cargo, self.0.stamp()));
            }
            bell.await;
        }
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        if self.0.waiters.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.empty.notify_one();
        }
    }
}
