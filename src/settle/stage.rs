//! What one event means for one path.

use std::time::Instant;

use super::table::{Slot, Stage};
use crate::model::{Change, ChangeKind, Facts};

/// Whether this event ends the noise of a noisy path: its writer has let go.
pub(super) fn ends_noise(slot: &Slot, kind: ChangeKind) -> bool {
    !slot.repeating && !matches!(kind, ChangeKind::Written | ChangeKind::Touched)
}

/// Where a path stands after an event, noise aside.
pub(super) fn next_stage(slot: &Slot, now: Instant, change: &Change) -> Stage {
    let (facts, pending) = (change.facts, slot.pending);
    match change.kind {
        ChangeKind::Written if is_draft(slot, facts) => Stage::Draft,
        ChangeKind::Written => Stage::Writing,
        ChangeKind::Closed | ChangeKind::Appeared if facts.emptied => Stage::Emptied,
        ChangeKind::Closed | ChangeKind::Appeared if is_draft(slot, facts) => Stage::Beside,
        ChangeKind::Closed | ChangeKind::Appeared => Stage::Complete,
        // A touch says nothing about the content: neither that it is there nor that it is missing.
        ChangeKind::Touched => match slot.standing(now) {
            Stage::Out if facts.emptied => Stage::Emptied,
            Stage::Out | Stage::Noisy => Stage::Complete,
            stage => stage,
        },
        ChangeKind::Removed | ChangeKind::RenamedAway => match pending {
            // The name came and went: no run was told of it.
            Some(pending) if pending.fresh => Stage::Out,
            _ if facts.temporary => Stage::Complete,
            _ => Stage::Half,
        },
    }
}

/// Whether a name is that of a new temporary, also when a run that was not told of it has begun meanwhile.
fn is_draft(slot: &Slot, facts: Facts) -> bool {
    match slot.pending {
        Some(pending) => pending.fresh && (pending.temporary || facts.temporary),
        None => facts.new && facts.temporary && !slot.handed,
    }
}

/// The kind that a batch tells: the last, except that a touch is kept over writing.
pub(super) fn merge(had: ChangeKind, then: ChangeKind) -> ChangeKind {
    match (had, then) {
        (ChangeKind::Touched, ChangeKind::Written | ChangeKind::Closed) => ChangeKind::Touched,
        _ => then,
    }
}
