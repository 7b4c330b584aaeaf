//! The append-only journal, the kill latch and the storage seam beneath them.
