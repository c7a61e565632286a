//! How names, times and lists look in JSON, wherever the program writes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::{Ended, Learnt, Made, Rule, RunId};

/// The number of paths that one list names; `more` counts the rest.
const LISTED: usize = 1_000;

/// A name, byte for byte: a string, or `{"bytes": "2f61ff"}` in hexadecimal where it is no UTF-8.
pub fn name<S: Serializer>(name: &(impl AsRef<Path> + ?Sized), to: S) -> Result<S::Ok, S::Error> {
    let bytes = name.as_ref().as_os_str().as_encoded_bytes();
    match str::from_utf8(bytes) {
        Ok(name) => to.serialize_str(name),
        Err(_) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let mut map = to.serialize_map(Some(1))?;
            map.serialize_entry("bytes", &hex)?;
            map.end()
        }
    }
}

/// A path as a value of its own.
#[derive(Serialize)]
struct Named<'a>(#[serde(serialize_with = "name")] &'a Path);

/// Several names.
pub(super) fn names<P: AsRef<Path>, S: Serializer>(names: &[P], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(names.iter().map(|name| Named(name.as_ref())))
}

/// The fields `paths` and `more`.
pub(super) fn listed<S: Serializer>(paths: &[Arc<Path>], to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Listed<'a> {
        #[serde(serialize_with = "names")]
        paths: &'a [Arc<Path>],
        more: usize,
    }
    let listed = paths.len().min(LISTED);
    Listed { paths: &paths[..listed], more: paths.len() - listed }.serialize(to)
}

/// Milliseconds, with a fraction where the time is short.
pub(super) fn millis<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    let micros = time.as_micros() as u64;
    if micros >= 10_000 {
        to.serialize_u64((micros + 500) / 1_000)
    } else {
        to.serialize_f64(micros as f64 / 1_000.0)
    }
}

/// Whole milliseconds.
pub(super) fn whole_millis<S: Serializer>(
    time: &Option<Duration>,
    to: S,
) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_millis() as u64).serialize(to)
}

/// Ignored trees: `[{"path": "/src/app/dist", "rule": {…}}]`.
pub(super) fn trees<S: Serializer>(trees: &[(PathBuf, Rule)], to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Tree<'a> {
        #[serde(serialize_with = "name")]
        path: &'a Path,
        rule: &'a Rule,
    }
    to.collect_seq(trees.iter().map(|(path, rule)| Tree { path, rule }))
}

/// What the runs make: `[{"path": "/src/app/gen.go", "after_ms": 105, "runs": [4, 6, 7]}]`.
pub(super) fn outputs<S: Serializer>(outputs: &[Learnt], to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Output<'a> {
        path: &'a Made,
        after_ms: u64,
        runs: &'a [RunId],
    }
    to.collect_seq(outputs.iter().map(|(proposal, after, runs)| Output {
        path: &proposal.made,
        after_ms: after.as_millis() as u64,
        runs,
    }))
}

/// The fields `largest` and `largest_directories`.
pub(super) fn largest<S: Serializer>(
    largest: &Option<(PathBuf, usize)>,
    to: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Largest<'a> {
        #[serde(serialize_with = "name")]
        largest: &'a Path,
        largest_directories: usize,
    }
    let largest = largest.as_ref();
    largest.map(|(path, n)| Largest { largest: path, largest_directories: *n }).serialize(to)
}

/// The fields `last_failed`, and `exit` or `signal`.
pub(super) fn last_failed<S: Serializer>(
    last: &Option<(RunId, Ended, String)>,
    to: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct LastFailed {
        last_failed: RunId,
        #[serde(flatten)]
        ended: Ended,
    }
    let last = last.as_ref();
    last.map(|(run, ended, _)| LastFailed { last_failed: *run, ended: *ended }).serialize(to)
}
