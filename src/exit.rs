//! The exit statuses of this program.
