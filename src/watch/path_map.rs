//! Maps by path. Paths of the tree are told apart by their bytes: to hash and to compare them by components takes
//! longer than all else that is done for a change.

use std::borrow::Borrow;
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;

#[derive(Debug)]
struct PathKey(Arc<Path>);

impl PartialEq for PathKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_os_str() == other.0.as_os_str()
    }
}

impl Eq for PathKey {}

impl Hash for PathKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_os_str().hash(state);
    }
}

impl Borrow<OsStr> for PathKey {
    fn borrow(&self) -> &OsStr {
        self.0.as_os_str()
    }
}

/// A map by path.
#[derive(Debug)]
pub(super) struct PathMap<V>(HashMap<PathKey, V>);

impl<V> Default for PathMap<V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<V> PathMap<V> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn contains(&self, path: &Path) -> bool {
        self.0.contains_key(path.as_os_str())
    }

    pub(super) fn get(&self, path: &Path) -> Option<&V> {
        self.0.get(path.as_os_str())
    }

    pub(super) fn get_mut(&mut self, path: &Path) -> Option<&mut V> {
        self.0.get_mut(path.as_os_str())
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.values_mut()
    }

    /// Puts a value in, in the place of the old one. The path as it is kept: that of the old one, if there was one.
    pub(super) fn put(&mut self, path: &Path, value: V) -> Arc<Path> {
        match self.0.entry_ref(path.as_os_str()) {
            EntryRef::Occupied(mut entry) => {
                entry.insert(value);
                Arc::clone(&entry.key().0)
            }
            EntryRef::Vacant(entry) => {
                let path: Arc<Path> = Arc::from(path);
                entry.insert_with_key(PathKey(Arc::clone(&path)), value);
                path
            }
        }
    }

    /// Puts a value in under a path that is shared.
    pub(super) fn insert(&mut self, path: Arc<Path>, value: V) {
        self.0.insert(PathKey(path), value);
    }

    pub(super) fn remove(&mut self, path: &Path) -> Option<V> {
        // Mostly there is nothing: then the path need not be hashed.
        if self.is_empty() { None } else { self.0.remove(path.as_os_str()) }
    }

    /// Every path with its value, in no order.
    pub(super) fn into_each(self) -> impl Iterator<Item = (Arc<Path>, V)> {
        self.0.into_iter().map(|(key, value)| (key.0, value))
    }
}
