//! The values in effect, key by key, with where each comes from: what `check` prints and a live change tells.

use super::diagnostic::escape;
use super::keys::{self, Key};
use super::kind::Kind;
use crate::model::Origin;

/// A single value, or one item of a list, with where it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// One key's value in effect.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: &'static Key,
    pub(crate) list: bool,
    pub(crate) items: Vec<Said>,
}

/// All values in effect, in the order of the keys' table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    pub(crate) entries: Vec<Entry>,
}

impl Values {
    pub(crate) fn scalar(&mut self, key: &'static Key, text: String, origin: Origin) {
        self.entries.push(Entry { key, list: false, items: vec![Said { text, origin }] });
    }

    /// Where the value in effect was said.
    pub(crate) fn origin(&self, key: &Key) -> Origin {
        let entry = self.entries.iter().rev().find(|entry| entry.key.path == key.path);
        let first = entry.and_then(|entry| entry.items.first());
        first.map_or(Origin::BuiltIn, |said| said.origin.clone())
    }

    pub(crate) fn list(&mut self, key: &'static Key, items: Vec<Said>) {
        self.entries.push(Entry { key, list: true, items });
    }

    /// The entries in the order of the keys' table, sections together.
    pub(crate) fn entries_in_order(&self) -> Vec<&Entry> {
        let place = |entry: &&Entry| keys::ALL.iter().position(|key| key.path == entry.key.path);
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(place);
        entries
    }

    /// What differs in a newer configuration: `+included_filetypes .html, debounce auto → 50ms`. Where values were
    /// said does not count.
    pub(crate) fn changes(&self, newer: &Self) -> Option<String> {
        let mut parts = Vec::new();
        for new in &newer.entries {
            let Some(old) = self.entries.iter().find(|old| old.key.path == new.key.path) else {
                continue;
            };
            let name = match new.key.split() {
                // The bare names `signal` and `timeout` do not say whose they are.
                ("stop", _) => new.key.path,
                (_, name) => name,
            };
            change(name, old, new, &mut parts);
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

fn change(name: &str, old: &Entry, new: &Entry, parts: &mut Vec<String>) {
    let raw = |entry: &Entry| entry.items.iter().map(|item| item.text.clone()).collect::<Vec<_>>();
    if old.list == new.list && raw(old) == raw(new) {
        return;
    }
    if old.key.kind == Kind::Command && (old.list || new.list) {
        parts.push("command".to_owned());
        return;
    }
    let (old_texts, new_texts) = (texts(old), texts(new));
    if !new.list {
        parts.push(format!("{name} {} → {}", old_texts.join(" "), new_texts.join(" ")));
        return;
    }
    let before = parts.len();
    let added = new_texts.iter().filter(|text| !old_texts.contains(text));
    parts.extend(added.map(|text| format!("+{name} {text}")));
    let removed = old_texts.iter().filter(|text| !new_texts.contains(text));
    parts.extend(removed.map(|text| format!("-{name} {text}")));
    // Environment entries are shown by name: a new value shows nowhere above.
    let hidden = new.items.iter().zip(&new_texts).filter(|(item, text)| {
        let same = |(other, name): &(&Said, &String)| name == text && other.text == item.text;
        old_texts.contains(text) && !old.items.iter().zip(&old_texts).any(|other| same(&other))
    });
    parts.extend(hidden.map(|(_, text)| format!("{name} {text}")));
    if parts.len() == before {
        parts.push(format!("{name} in another order"));
    }
}

/// The texts, fit for a terminal. An environment entry shows its name only, since the value may be a secret.
fn texts(entry: &Entry) -> Vec<String> {
    let secret = entry.key.kind == Kind::Env;
    let shown = |item: &Said| match item.text.split_once('=') {
        _ if item.text.is_empty() => "(none)".to_owned(),
        Some((name, _)) if secret => escape(name),
        _ => escape(&item.text),
    };
    entry.items.iter().map(shown).collect()
}
