//! Live configuration: other rules, other roots, other settings, without losing what is known.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::list::Ground;
use super::look::Why;
use super::recovery::Events;
use super::settings::{Root, Settings, Timestamp};
use super::spots::Spots;
use super::walk::Order;
use super::{Seen, Watch};
use crate::filter::Filter;

impl Watch {
    /// Takes over other rules, roots and settings, in force `since` then. What they bring to light or hide is no
    /// change; what was changed meanwhile is.
    pub fn set_filter(
        &mut self,
        filter: Arc<Filter>,
        roots: Vec<Root>,
        settings: Settings,
        since: Timestamp,
        now: Instant,
        out: &mut Vec<Seen>,
    ) {
        self.ground = Arc::new(Ground {
            filter,
            own: settings.own.clone(),
            roots: self.ground.roots.clone(),
            poll: settings.poll,
            tickets: Arc::clone(&self.ground.tickets),
        });
        self.ruled = since;
        self.contents.set_enabled(settings.exclude_unchanged);
        let source =
            settings.backend != self.settings.backend || settings.poll != self.settings.poll;
        let spots = Spots::new(&settings);
        self.spots = spots.with_rules_of(&self.spots);
        self.settings = settings;
        self.drop_roots(&roots);
        self.take_roots(roots);
        self.say_missing(now, out);
        if source || self.recovery.events == Events::Portable {
            self.recovery.generation = self.recovery.generation.wrapping_add(1);
            self.recovery.begin_again(self.settings.backend, self.settings.poll);
            self.pending.clear();
            self.walks.clear();
            self.polling = super::polling::Polling::default();
            let why = if self.ready { Why::Rules } else { Why::Start };
            let walk = self.set_out(why);
            for (_, waits) in &mut self.markers {
                waits.insert(walk);
            }
            return;
        }
        self.spread_ground();
        if self.recovery.events == Events::Native {
            self.order(Order::Spots(self.spots.directories()));
        }
        if self.ready {
            self.walk_roots(Why::Rules);
        } else {
            // The first walk goes on under the old rules; the tickets of this one are the newer ones.
            let walk = self.walk_roots(Why::Start);
            self.recovery.first = Some(walk);
        }
    }

    /// Drops what is no root any more.
    fn drop_roots(&mut self, kept: &[Root]) {
        for path in self.roots.drop_others(kept) {
            let mut watched: Vec<PathBuf> = Vec::new();
            if let Some(id) = self.table.root(&path) {
                self.table.walk_from(id, &path, &mut |path: &Path, _, _| {
                    watched.push(path.to_path_buf())
                });
            }
            self.table.remove_root(&path, &mut |_, _| {});
            if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
                self.table.remove_single(parent, name.as_encoded_bytes());
                watched.push(parent.to_path_buf());
            }
            watched.retain(|path| self.table.find(path).is_none() && !self.is_needed(path));
            self.order(Order::Disarm(watched));
        }
    }
}
