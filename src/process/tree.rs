//! What belongs to a run, and signalling all of it.

use std::ffi::OsString;
use std::io;

use super::keep::Keep;
use super::wire::Named;
use crate::sys::bytes::os_string;
use crate::sys::process::{self, Process, own_pid};
use crate::sys::{processes, this};

/// How far a shim reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The shim is the subreaper of everything that a run forks: all of that belongs to the run, and `waitpid` proves
    /// when nothing is left.
    Subreaper,
    /// A run is its process group: what leaves the group is out of reach, and who its members are is not known.
    Group,
}

impl Shape {
    /// The farthest that this system can do: on Linux with `/proc` a subreaper, else a group.
    #[must_use]
    pub fn of_this_system() -> Shape {
        if processes::are_listed() { Shape::Subreaper } else { Shape::Group }
    }

    /// Lets orphans fall to this process. A group gets along without, but where that works what has ended in it is
    /// waited for at once.
    pub(super) fn take_orphans(self) -> io::Result<()> {
        match (this::become_subreaper(), self) {
            (Err(error), Shape::Subreaper) => Err(error),
            _ => Ok(()),
        }
    }

    /// As an argument of the shim.
    pub(super) fn word(self) -> &'static str {
        match self {
            Shape::Subreaper => "subreaper",
            Shape::Group => "group",
        }
    }

    /// The way back from [`Shape::word`].
    pub(super) fn of_word(word: &str) -> Option<Shape> {
        [Shape::Subreaper, Shape::Group].into_iter().find(|shape| shape.word() == word)
    }
}

/// The process group of a run.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Its number, which is its leader's.
    pub(super) id: i32,
    /// The leader has ended and was waited for: its number may be another's by now, unless somebody is left in the
    /// group.
    pub(super) leaderless: bool,
    /// The name of the leader's program, under which a group goes whose members are not known.
    pub(super) name: OsString,
}

impl Group {
    /// The group of a program's process.
    pub(super) fn new(id: i32, program: &OsString) -> Group {
        let name = std::path::Path::new(program).file_name().unwrap_or_default().to_owned();
        Group { id, leaderless: false, name }
    }

    /// The whole group as if it were one process.
    fn as_process(&self) -> Process {
        let name = self.name.as_encoded_bytes().to_vec();
        let (parent, session) = (0, 0);
        Process {
            pid: self.id,
            parent,
            group: self.id,
            session,
            state: b'S',
            threads: 1,
            start: 0,
            name,
        }
    }
}

/// Finds what belongs to a run.
#[derive(Debug)]
pub(super) struct Tree {
    shape: Shape,
    pub(super) keep: Keep,
    /// Names of daemons that were said.
    told: Vec<Vec<u8>>,
}

impl Tree {
    pub(super) fn new(shape: Shape) -> Tree {
        Tree { shape, keep: Keep::new(Vec::new()), told: Vec::new() }
    }

    pub(super) fn is_group(&self) -> bool {
        self.shape == Shape::Group
    }

    /// Everything that belongs to the run, parents first; below a subreaper `root`.
    pub(super) fn living(&self, root: i32, group: &Group) -> Vec<Process> {
        match self.shape {
            Shape::Subreaper => self.keep.split(root, processes::descendants(root)).0,
            Shape::Group => {
                process::group_lives(group.id).then(|| group.as_process()).into_iter().collect()
            }
        }
    }

    /// Looks until a look finds nothing new: one can miss a process whose parent ends meanwhile.
    pub(super) fn living_for_sure(&self, group: &Group) -> Vec<Process> {
        let mut living = self.living(own_pid(), group);
        for _ in 0..4 {
            let mut new = self.living(own_pid(), group);
            new.retain(|one| !living.iter().any(|known| known.pid == one.pid));
            if new.is_empty() {
                break;
            }
            living.append(&mut new);
        }
        living
    }

    /// Whether nothing of a run without a leader is left. `waitpid` proves that (`childless`), unless daemons are
    /// kept: then all that can be found must be kept, and something must be found, twice.
    pub(super) fn is_empty(&self, group: &Group, childless: bool) -> bool {
        let only_kept = || {
            let (run, kept) = self.keep.split(own_pid(), processes::descendants(own_pid()));
            run.is_empty() && !kept.is_empty()
        };
        match self.shape {
            Shape::Subreaper => childless || (only_kept() && only_kept()),
            Shape::Group => !process::group_lives(group.id),
        }
    }

    /// Sends a signal to the group at one stroke, and to every process outside it.
    pub(super) fn send(&self, group: &Group, living: &[Process], signal: i32) {
        let at_one_stroke = self.is_group() || !group.leaderless;
        if at_one_stroke {
            process::kill_group(group.id, signal);
        }
        for one in living.iter().filter(|one| !at_one_stroke || one.group != group.id) {
            processes::send(one, signal);
        }
    }

    /// Sends a signal to what has left the group between the look and the stroke at the group (`setsid`), or was
    /// forked outside of it meanwhile: it would miss the signal and live for the whole grace time. Its parent may be
    /// ending of the signal just now, so one look is not enough.
    pub(super) fn send_to_runaways(&self, group: &Group, known: &[Process], signal: i32) {
        if self.is_group() || group.leaderless {
            return;
        }
        let outside = |one: &Process| one.group != group.id && one.state != b'Z';
        let told = |one: &Process| known.iter().any(|known| known.pid == one.pid && outside(known));
        let living = self.living_for_sure(group);
        for one in living.iter().filter(|one| outside(one) && !told(one)) {
            processes::send(one, signal);
        }
    }

    /// Daemons (own session, parent gone) among what lives, each name once.
    pub(super) fn new_daemons(&mut self, living: &[Process]) -> Vec<Named> {
        let mut daemons = living.to_vec();
        daemons.retain(|one| one.parent == own_pid() && self.keep.is_in_other_session(one));
        daemons.retain(|one| !self.told.contains(&one.name));
        self.told.extend(daemons.iter().map(|one| one.name.clone()));
        names(&daemons)
    }

    /// Which process of a stopped group wants the terminal: all of the group is stopped. The one that has opened the
    /// terminal beyond its output, else the innermost.
    pub(super) fn reader(&self, stopped: i32, of: &Group) -> Named {
        let living = self.living(own_pid(), of);
        let group = processes::process(stopped).map_or(of.id, |one| one.group);
        let members = || living.iter().rev().filter(|one| one.group == group && one.state != b'Z');
        let reader = members().find(|one| processes::has_opened_terminal(one.pid));
        let unknown = || Named { pid: stopped.cast_unsigned(), name: "?".into() };
        reader.or_else(|| members().next()).map_or_else(unknown, named)
    }
}

/// For messages.
pub(super) fn named(process: &Process) -> Named {
    Named { pid: process.pid.cast_unsigned(), name: os_string(process.name.clone()) }
}

/// For messages; what has ended and was not yet waited for is not worth a name.
pub(super) fn names(living: &[Process]) -> Vec<Named> {
    living.iter().filter(|process| process.state != b'Z').map(named).collect()
}
