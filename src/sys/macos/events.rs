//! The limits of events, of which there are none that could be told.

/// Events come for whole trees.
pub const BY_DIRECTORY: bool = false;

/// There is no such limit here.
#[must_use]
pub fn watch_limit() -> Option<u64> {
    None
}

/// There is no such limit here.
#[must_use]
pub fn instance_limit() -> Option<u64> {
    None
}

/// The length of the event queue is not known here.
#[must_use]
pub fn queue_length() -> Option<u64> {
    None
}

/// There are no such watches here.
#[must_use]
pub fn watches_held() -> Option<u64> {
    None
}
