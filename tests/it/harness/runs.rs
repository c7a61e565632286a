//! What the stamps wrote: the runs, read from the log as it grows.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// One run of the stamp.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// The process that wrote the line.
    pub(crate) pid: u32,
    /// When it began, in nanoseconds of the monotonic clock.
    pub(crate) began: u64,
    /// Whether every process of all runs before was gone when it began.
    pub(crate) alone: bool,
    /// Size and checksum of each file it was to look at; `None` for a missing one.
    pub(crate) saw: Vec<Option<(usize, u64)>>,
    /// The variables it was to note.
    pub(crate) env: BTreeMap<String, Option<OsString>>,
    /// What its standard input was.
    pub(crate) stdin: Option<String>,
    /// `GO_WATCHER_CHANGED`.
    pub(crate) list: Option<OsString>,
    /// The paths in the file that `GO_WATCHER_CHANGED_FILE` names.
    pub(crate) changed: Option<Vec<PathBuf>>,
    /// Its working directory.
    pub(crate) directory: PathBuf,
    /// When it came to its own end (a killed one never does).
    pub(crate) ended: Option<u64>,
    /// When its handler began.
    pub(crate) asked_to_end: Option<u64>,
}

impl Run {
    /// The changed paths below a directory, relative to it, sorted.
    pub(crate) fn changed_below(&self, root: &Path) -> Vec<String> {
        let mut paths: Vec<String> =
            self.changed.iter().flatten().map(|path| shown(path, root)).collect();
        paths.sort();
        paths
    }

    /// What it saw of its only file.
    pub(crate) fn saw_text(&self, text: impl AsRef<[u8]>) -> bool {
        let text = text.as_ref();
        self.saw == [Some((text.len(), checksum(text)))]
    }
}

/// A path relative to the root when it is below it, as text.
pub(crate) fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

/// The log of one test.
#[derive(Default)]
pub(crate) struct RunLog {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    read_to: u64,
    runs: Vec<Run>,
    bound: Vec<u64>,
    in_use: usize,
}

impl RunLog {
    /// The runs so far, in the order in which they began.
    pub(crate) fn runs(&self, path: &Path) -> Vec<Run> {
        self.with(path, |state| state.runs.clone())
    }

    /// The run that began last.
    pub(crate) fn last(&self, path: &Path) -> Option<Run> {
        self.with(path, |state| state.runs.last().cloned())
    }

    /// How many runs have begun.
    pub(crate) fn count(&self, path: &Path) -> usize {
        self.with(path, |state| state.runs.len())
    }

    /// When workers got their port, and how many did not get it.
    pub(crate) fn ports(&self, path: &Path) -> (Vec<u64>, usize) {
        self.with(path, |state| (state.bound.clone(), state.in_use))
    }

    fn with<T>(&self, path: &Path, look: impl FnOnce(&State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.read_on(path);
        look(&state)
    }
}

impl State {
    fn read_on(&mut self, path: &Path) {
        let Ok(mut file) = fs::File::open(path) else { return };
        let mut fresh = Vec::new();
        if file.seek(SeekFrom::Start(self.read_to)).is_err()
            || file.read_to_end(&mut fresh).is_err()
        {
            return;
        }
        let complete = fresh.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.read_to += complete as u64;
        for line in String::from_utf8_lossy(&fresh[..complete]).lines() {
            self.note(line);
        }
    }

    fn note(&mut self, line: &str) {
        let mut fields = line.split('\t');
        let what = fields.next().expect("split gives one");
        let mut number = || fields.next().and_then(|field| field.parse::<u64>().ok()).expect(line);
        let (pid, time) = (number(), number());
        let last_of = |runs: &mut Vec<Run>| {
            runs.iter_mut().rposition(|run| u64::from(run.pid) == pid).expect("its start line")
        };
        match what {
            "start" => {
                let alone = number() == 1;
                let mut run = Run { pid: pid as u32, began: time, alone, ..Run::default() };
                fields.for_each(|field| run.note(field));
                self.runs.push(run);
            }
            "end" => {
                let run = last_of(&mut self.runs);
                self.runs[run].ended = Some(time);
            }
            "term" => {
                let run = last_of(&mut self.runs);
                self.runs[run].asked_to_end = Some(time);
            }
            "bound" => self.bound.push(time),
            "inuse" => self.in_use += 1,
            other => panic!("the stamp wrote {other}"),
        }
    }
}

impl Run {
    fn note(&mut self, field: &str) {
        let (kind, value) = field.split_once(':').expect("kind:value");
        match kind {
            "sum" => self.saw.push(value.split_once(':').map(|(size, sum)| {
                (size.parse().expect("a size"), sum.parse().expect("a checksum"))
            })),
            "env" => {
                let (name, held) = value.split_once(':').expect("name:value");
                let held = (held != "none").then(|| OsString::from_vec(unhex(held)));
                self.env.insert(name.to_owned(), held);
            }
            "stdin" => self.stdin = Some(value.to_owned()),
            "list" => self.list = Some(OsString::from_vec(unhex(value))),
            "changed" => {
                let bytes = unhex(value);
                let paths = bytes.split(|byte| *byte == 0).filter(|path| !path.is_empty());
                self.changed =
                    Some(paths.map(|path| OsString::from_vec(path.to_vec()).into()).collect());
            }
            "cwd" => self.directory = OsString::from_vec(unhex(value)).into(),
            other => panic!("the stamp wrote {other}: {}", String::from_utf8_lossy(&unhex(value))),
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("hex"), 16).expect("hex"))
        .collect()
}

/// FNV-1a, as in the stamp.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
