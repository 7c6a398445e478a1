//! A hash table of keys that it does not hold.
//!
//! A slot is twelve bytes: a part of the hash, the place where the key lies, and a number for whoever uses the table. The
//! key itself is compared on every hit, by whoever knows where it lies: equal hashes prove nothing.

/// One key.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slot {
    tag: u32,
    /// Where the key lies, counted from 1; 0 is an empty slot.
    pub place: u32,
    /// What the user of the table keeps for the key.
    pub kept: u32,
}

/// Keys by their hash; open addressing, at most two thirds full.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    mask: usize,
}

impl Table {
    /// Makes it empty, with room for `n` keys.
    pub(crate) fn clear(&mut self, n: usize) {
        let n_slots = (n + n / 2 + 1).next_power_of_two();
        self.slots.clear();
        self.slots.resize(n_slots, Slot::default());
        self.mask = n_slots - 1;
    }

    /// The slot of a key, or the empty one where it belongs. `is_same` says whether the key at a place is that one.
    #[inline]
    pub(crate) fn slot(&mut self, hash: u64, is_same: impl Fn(u32) -> bool) -> &mut Slot {
        // The upper bits have chosen the part: those in the middle are the tag, the lower ones the slot.
        #[expect(clippy::cast_possible_truncation, reason = "only some bits matter")]
        let (tag, mut at) = ((hash >> 16) as u32, hash as usize & self.mask);
        loop {
            let slot = self.slots[at];
            if slot.place == 0 || slot.tag == tag && is_same(slot.place) {
                let slot = &mut self.slots[at];
                slot.tag = tag;
                return slot;
            }
            at = (at + 1) & self.mask;
        }
    }
}
