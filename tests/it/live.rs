//! The file in use is edited while everything runs.
