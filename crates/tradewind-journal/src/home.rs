//! Where a directory is: which machine, which directory of it. A copy has another place.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Files in which Linux keeps a number of the installation (machine-id(5)); another system has none.
const MACHINE_IDS: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// A directory of a machine. What is not known is equal to everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// Checksum of the machine's id: the id itself should not be shown (machine-id(5)).
    machine: Option<u32>,
    /// Device and inode.
    directory: Option<(u64, u64)>,
}

impl Home {
    /// That of a directory which is there.
    ///
    /// # Errors
    /// The directory cannot be examined.
    pub fn of(dir: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(dir)?;
        let ids = MACHINE_IDS.iter().find_map(|path| fs::read(path).ok());
        let id = ids.filter(|id| !id.trim_ascii().is_empty());
        Ok(Self {
            machine: id.map(|id| crc32fast::hash(id.trim_ascii())),
            directory: Some((metadata.dev(), metadata.ino())),
        })
    }

    /// Made of given numbers, for tests.
    #[must_use]
    pub const fn new(machine: u32, device: u64, inode: u64) -> Self {
        Self {
            machine: Some(machine),
            directory: Some((device, inode)),
        }
    }

    /// Whether both are known and not the same.
    pub(crate) fn differs(self, other: Self) -> bool {
        differ(self.machine, other.machine) || differ(self.directory, other.directory)
    }
}

fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}
