//! The cache's slots, `now` and flights in every order in which threads may run and see each other's writes.
//!
//! The files are the gateway's own. What stands around them in `gateway` is told in a few lines here: a fetch takes
//! its stamp, asks, and keeps (`keep`); a reader who joined looks at the stamp and at the tags of the answer
//! (`may_have`). Not in here: moka, which is one lock in these models; doubts, which are one lock in truth; the
//! counting of references; and that a vendor's answer comes after its request, which no memory model knows: here even
//! the vendor is a number without any order of its own, so all order must come from the slots.

#[path = "."]
pub mod cache {
    //! As in `src/cache.rs`.

    #[path = "../../src/cache/epoch.rs"]
    pub mod epoch;
    #[path = "../../src/cache/flight.rs"]
    pub mod flight;
    mod sync;

    pub mod key {
        //! Names without a catalogue, and a hash that can be read.

        #[derive(Clone, Debug)]
        pub struct Secret;

        impl Secret {
            #[must_use]
            pub fn hash(&self, bytes: &[u8]) -> u128 {
                bytes.iter().map(|byte| u128::from(*byte)).sum()
            }
        }

        #[derive(Debug)]
        pub struct Key(pub &'static [u8]);

        impl Key {
            #[must_use]
            pub fn bytes(&self) -> &[u8] {
                self.0
            }
        }
    }
}

#[cfg(test)]
mod flights;
#[cfg(test)]
mod slots;
#[cfg(test)]
mod world;
