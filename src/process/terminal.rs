//! The terminal: modes, the foreground group, its hand-over.
