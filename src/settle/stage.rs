//! What one event means for one path.

use super::table::{Pending, Slot, Stage};
use crate::watch::change::{Change, ChangeKind};

/// Whether this event ends the noise of a noisy path: its writer has let go.
pub(super) fn ends_noise(slot: &Slot, kind: ChangeKind) -> bool {
    !slot.repeating && !matches!(kind, ChangeKind::Written | ChangeKind::Touched)
}

/// Where a path stands after an event, noise aside.
pub(super) fn next_stage(stage: Stage, pending: Option<Pending>, change: &Change) -> Stage {
    let facts = change.facts;
    match change.kind {
        ChangeKind::Written => Stage::Writing,
        ChangeKind::Closed | ChangeKind::Appeared if facts.emptied => Stage::Emptied,
        ChangeKind::Closed | ChangeKind::Appeared if facts.new && facts.temporary => Stage::Half,
        ChangeKind::Closed | ChangeKind::Appeared => Stage::Complete,
        // A touch says nothing about the content: neither that it is there nor that it is missing.
        ChangeKind::Touched => match stage {
            Stage::Out if facts.emptied => Stage::Emptied,
            Stage::Out | Stage::Noisy => Stage::Complete,
            stage => stage,
        },
        ChangeKind::Removed | ChangeKind::RenamedAway => match pending {
            // Came and went: no run has seen it, and nothing is missing without it.
            Some(pending) if pending.fresh && (pending.temporary || facts.temporary) => Stage::Out,
            Some(pending) if pending.fresh => Stage::Complete,
            _ if facts.temporary => Stage::Complete,
            _ => Stage::Half,
        },
    }
}

/// The kind that a batch tells: the last, except that a touch is kept over writing.
pub(super) fn merge(had: ChangeKind, then: ChangeKind) -> ChangeKind {
    match (had, then) {
        (ChangeKind::Touched, ChangeKind::Written | ChangeKind::Closed) => ChangeKind::Touched,
        _ => then,
    }
}
