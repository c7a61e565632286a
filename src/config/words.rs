//! The words that keys and their flags take.

/// `watcher.backend`
pub(crate) const BACKENDS: &[&str] = &["auto", "native", "portable", "poll"];
/// `on_busy`
pub(crate) const ON_BUSY: &[&str] = &["restart", "queue", "ignore", "signal"];
/// `on_crash`
pub(crate) const ON_CRASH: &[&str] = &["wait", "exit", "restart"];
/// `stdin`
pub(crate) const STDIN: &[&str] = &["null", "open", "terminal"];
/// `log_format`
pub(crate) const LOG_FORMATS: &[&str] = &["text", "json"];
