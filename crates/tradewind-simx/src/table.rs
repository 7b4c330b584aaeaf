//! A hash table that is only ever asked, never walked: where an open order stands, and which has this name.
//!
//! The core bans hash maps because their order differs from start to start and can be observed. This one's hash is a
//! function of the key alone and it has no iterator, so nothing can be observed but what was put in. It is not part of a
//! snapshot: its owner builds it anew from what it points into.

use hashbrown::HashTable;
use tradewind_model::VenueOrderId;

use crate::client_id::ClientId;

/// Something that can be looked up.
pub(crate) trait Key: Copy + Eq {
    /// Well mixed in all bits.
    fn hash(&self) -> u64;
}

/// Keys and values.
#[derive(Clone, Debug)]
pub(crate) struct Table<K, V>(HashTable<(K, V)>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(HashTable::new())
    }
}

/// What it holds follows from what its owner holds beside it.
impl<K, V> PartialEq for Table<K, V> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<K, V> Eq for Table<K, V> {}

impl<K: Key, V: Copy> Table<K, V> {
    /// Puts a value there, in place of the one that was.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        let hash = key.hash();
        match self.0.find_mut(hash, |(found, _)| *found == key) {
            Some((_, place)) => *place = value,
            None => {
                self.0
                    .insert_unique(hash, (key, value), |(key, _)| key.hash());
            }
        }
    }

    /// Takes a value out, if there is one.
    pub(crate) fn remove(&mut self, key: &K) {
        if let Ok(entry) = self.0.find_entry(key.hash(), |(found, _)| found == key) {
            entry.remove();
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let found = self.0.find(key.hash(), |(found, _)| found == key);
        found.map(|(_, value)| *value)
    }
}

impl Key for VenueOrderId {
    fn hash(&self) -> u64 {
        mix(self.0)
    }
}

impl Key for ClientId {
    fn hash(&self) -> u64 {
        let words = self.as_bytes().chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        });
        words.fold(0, |hash, word| mix(hash ^ word))
    }
}

/// The finaliser of `splitmix64`: every bit of the input moves every bit of the output.
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_value_of_a_key_counts() {
        let mut table = Table::default();
        let name = |text: &str| ClientId::new(text).unwrap();
        for count in 0..1_000 {
            table.insert(name(&format!("order-{}", count % 500)), count);
        }
        assert_eq!(table.get(&name("order-7")), Some(507));
        table.remove(&name("order-7"));
        assert_eq!(table.get(&name("order-7")), None);
        assert_eq!(table.get(&name("order-8")), Some(508));
    }
}
