//! Paths that a person named: they count whatever the rules say.

use std::sync::Arc;

use super::Named;
use super::excluded::normal;
use crate::model::{Rule, RuleKind};

/// The named paths, sorted for a search by halves.
#[derive(Debug)]
pub(super) struct NamedPaths {
    paths: Vec<(Box<[u8]>, Rule)>,
}

impl NamedPaths {
    pub(super) fn new<'n>(named: impl Iterator<Item = &'n Named>) -> Self {
        let entry = |named: &Named| {
            let path = normal(&named.path).into_os_string().into_encoded_bytes();
            let text = Arc::from(named.shown.as_str());
            (path.into(), Rule { kind: RuleKind::Named, text, origin: named.origin.clone() })
        };
        let mut paths: Vec<(Box<[u8]>, Rule)> = named.map(entry).collect();
        paths.sort_by(|a, b| a.0.cmp(&b.0));
        Self { paths }
    }

    /// The rule for a path that was named itself.
    pub(super) fn rule(&self, path: &[u8]) -> Option<&Rule> {
        let found = self.paths.binary_search_by(|(named, _)| (**named).cmp(path)).ok()?;
        self.paths.get(found).map(|(_, rule)| rule)
    }
}
