//! The built-in ignores: what no one edits by hand.

use std::sync::Arc;

use super::{CACHEDIR_TAG, EntryKind, Pattern};
use crate::model::{Origin, Rule, RuleKind};

/// The built-in rules, ready to be named.
#[derive(Debug)]
pub(super) struct BuiltIns {
    /// `None`: lifted.
    rules: Vec<Option<Rule>>,
    /// Names that begin, or end, with another byte pass no test: asked of every entry, so most of them at a glance.
    firsts: [bool; 256],
    lasts: [bool; 256],
}

/// A rule: how it is shown, and the names it holds for.
struct Entry {
    shown: &'static str,
    test: Test,
}

enum Test {
    /// Directories (and links, which may stand for one) of this name.
    Directory(&'static str),
    /// Directories whose name passes.
    DirectoryIf(Edge, fn(&[u8]) -> bool),
    /// Directories of this name beside a project file.
    Beside(&'static str),
    /// Directories with a valid `CACHEDIR.TAG`, and every such tag: tools write it before anything else, in
    /// a directory that is renamed at once (cargo).
    Cache,
    /// Files whose name ends so, and is longer.
    End(&'static str),
    /// Files of this name.
    File(&'static str),
    /// Files whose name begins so, and is longer.
    Begin(&'static str),
    /// Sockets, pipes and devices: a program makes its own anew at each start, and nothing can be compared.
    Other,
    /// Files whose name passes.
    FileIf(Edge, fn(&[u8]) -> bool),
}

/// The bytes of which a name that passes a test has one at its edge.
#[derive(Clone, Copy)]
enum Edge {
    First(&'static [u8]),
    Last(&'static [u8]),
    /// Any byte: a look at the middle tells ([`flymake_copy`]).
    Any,
}

impl Test {
    fn edge(&self) -> Edge {
        match *self {
            Test::Directory(own) | Test::Beside(own) | Test::File(own) | Test::Begin(own) => {
                Edge::First(first(own))
            }
            // Whatever the name is: the kind of the entry tells.
            Test::Other => Edge::Any,
            Test::Cache => Edge::First(first(CACHEDIR_TAG)),
            Test::End(end) => Edge::Last(last(end)),
            Test::DirectoryIf(edge, _) | Test::FileIf(edge, _) => edge,
        }
    }
}

fn first(text: &str) -> &[u8] {
    text.as_bytes().get(..1).unwrap_or_default()
}

fn last(text: &str) -> &[u8] {
    text.as_bytes().last_chunk::<1>().map_or(&[], |last| last)
}

/// All of them, each with who makes it. README lists the same.
const ENTRIES: &[Entry] = &[
    // npm, yarn and pnpm.
    Entry { shown: "node_modules", test: Test::Directory("node_modules") },
    // bower.
    Entry { shown: "bower_components", test: Test::Directory("bower_components") },
    // python.
    Entry { shown: "__pycache__", test: Test::Directory("__pycache__") },
    // git, editors, virtual environments, caches of tools.
    Entry {
        shown: ".*/",
        test: Test::DirectoryIf(Edge::First(b"."), |name| name.starts_with(b".")),
    },
    // cargo, maven and sbt.
    Entry { shown: "target", test: Test::Beside("target") },
    // Any program that marks its cache (https://bford.info/cachedir/).
    Entry { shown: "CACHEDIR.TAG", test: Test::Cache },
    // puma, gunicorn, php-fpm.
    Entry { shown: "sockets, pipes and devices", test: Test::Other },
    // vim, emacs, gedit, nano: backups.
    Entry { shown: "*~", test: Test::End("~") },
    // vim: swap files.
    Entry { shown: ".*.sw?", test: Test::FileIf(Edge::First(b"."), vim_swap) },
    // vim: swap files of names that begin with a dot by themselves, and of nameless texts.
    Entry { shown: "*.swp", test: Test::End(".swp") },
    // vim: tries whether it may write in the directory.
    Entry { shown: "4913", test: Test::FileIf(Edge::First(b"4567"), vim_probe) },
    // emacs: auto-save files.
    Entry { shown: "#*#", test: Test::FileIf(Edge::First(b"#"), |name| between(name, "#", "#")) },
    // emacs: locks.
    Entry { shown: ".#*", test: Test::FileIf(Edge::First(b"."), |name| name.starts_with(b".#")) },
    // kate and kwrite: swap files.
    Entry {
        shown: ".*.kate-swp",
        test: Test::FileIf(Edge::First(b"."), |name| between(name, ".", ".kate-swp")),
    },
    // IntelliJ and its like: new, old and backup of a safe save.
    Entry { shown: "*___jb_tmp___", test: Test::End("___jb_tmp___") },
    Entry { shown: "*___jb_old___", test: Test::End("___jb_old___") },
    Entry { shown: "*___jb_bak___", test: Test::End("___jb_bak___") },
    // Visual Studio Code: an atomic save.
    Entry { shown: "*.vsctmp", test: Test::End(".vsctmp") },
    // sed -i.
    Entry { shown: "sed??????", test: Test::FileIf(Edge::First(b"s"), sed_temporary) },
    // emacs' flycheck: the copy that a linter reads.
    Entry { shown: "flycheck_*", test: Test::Begin("flycheck_") },
    // emacs' flymake: the same.
    Entry { shown: "*_flymake.*", test: Test::FileIf(Edge::Any, flymake_copy) },
    // null-ls and none-ls of Neovim: the same.
    Entry { shown: ".null-ls_*", test: Test::Begin(".null-ls_") },
    // Microsoft Office: who has a document open.
    Entry { shown: "~$*", test: Test::Begin("~$") },
    // LibreOffice: the same.
    Entry {
        shown: ".~lock.*#",
        test: Test::FileIf(Edge::First(b"."), |name| between(name, ".~lock.", "#")),
    },
    // The Finder of macOS: how a folder is shown.
    Entry { shown: ".DS_Store", test: Test::File(".DS_Store") },
    // macOS on file systems of others: what it knows of a file beside it.
    Entry { shown: "._*", test: Test::Begin("._") },
    // The Explorer of Windows: small pictures.
    Entry { shown: "Thumbs.db", test: Test::File("Thumbs.db") },
    // The same: how a folder is shown.
    Entry { shown: "desktop.ini", test: Test::File("desktop.ini") },
    // Dolphin of KDE: the same.
    Entry { shown: ".directory", test: Test::File(".directory") },
    // libfuse: what was removed while somebody has it open.
    Entry { shown: ".fuse_hidden*", test: Test::Begin(".fuse_hidden") },
    // NFS: the same.
    Entry { shown: ".nfs[0-9a-f]*", test: Test::FileIf(Edge::First(b"."), nfs_removed) },
    // Syncthing: a file that is being received.
    Entry {
        shown: ".syncthing.*.tmp",
        test: Test::FileIf(Edge::First(b"."), |name| between(name, ".syncthing.", ".tmp")),
    },
    // Mutagen: the same.
    Entry { shown: ".mutagen-temporary-*", test: Test::Begin(".mutagen-temporary-") },
    // Servers.
    Entry { shown: "*.log", test: Test::End(".log") },
    // python.
    Entry { shown: "*.pyc", test: Test::End(".pyc") },
    // SQLite: the three files beside a database.
    Entry { shown: "*-journal", test: Test::End("-journal") },
    Entry { shown: "*-wal", test: Test::End("-wal") },
    Entry { shown: "*-shm", test: Test::End("-shm") },
];

impl BuiltIns {
    /// A type that is named explicitly lifts the rule against the files that end so: `--ext log`.
    pub(super) fn new(types: &[Pattern]) -> Self {
        let rule = |entry: &Entry| {
            let (kind, origin) = (RuleKind::BuiltIn, Origin::BuiltIn);
            let named = types.iter().any(|pattern| names_ending(&pattern.text, entry));
            (!named).then(|| Rule { kind, text: Arc::from(entry.shown), origin })
        };
        let mut built = Self {
            rules: ENTRIES.iter().map(rule).collect(),
            firsts: [false; 256],
            lasts: [false; 256],
        };
        for entry in ENTRIES {
            let (set, bytes) = match entry.test.edge() {
                Edge::First(bytes) => (&mut built.firsts, bytes),
                Edge::Last(bytes) => (&mut built.lasts, bytes),
                Edge::Any => continue,
            };
            bytes.iter().for_each(|byte| set[usize::from(*byte)] = true);
        }
        built
    }

    /// The rule that ignores an entry by its name. `project` says that it lies beside a project file.
    pub(super) fn ignored(&self, name: &[u8], kind: EntryKind, project: bool) -> Option<&Rule> {
        let (&first, &last) = name.first().zip(name.last())?;
        let edges = self.firsts[usize::from(first)] || self.lasts[usize::from(last)];
        if edges || kind == EntryKind::Other || flymake_copy(name) {
            return self.tested(name, kind, project);
        }
        None
    }

    fn tested(&self, name: &[u8], kind: EntryKind, project: bool) -> Option<&Rule> {
        self.find(|test| match kind {
            EntryKind::Directory => match *test {
                Test::Directory(own) => name == own.as_bytes(),
                Test::DirectoryIf(_, passes) => passes(name),
                Test::Beside(own) => project && name == own.as_bytes(),
                _ => false,
            },
            EntryKind::File | EntryKind::Link | EntryKind::Other => match *test {
                Test::Other => kind == EntryKind::Other,
                Test::End(end) => ends_so(name, end.as_bytes()),
                Test::File(own) => name == own.as_bytes(),
                Test::Begin(begin) => {
                    name.len() > begin.len() && name.starts_with(begin.as_bytes())
                }
                Test::FileIf(_, passes) => passes(name),
                Test::Directory(own) => kind == EntryKind::Link && name == own.as_bytes(),
                Test::Cache => name == CACHEDIR_TAG.as_bytes(),
                _ => false,
            },
        })
    }

    /// The rule that ignores a directory for its `CACHEDIR.TAG`.
    pub(super) fn cache(&self) -> Option<&Rule> {
        self.find(|test| matches!(test, Test::Cache))
    }

    fn find(&self, passes: impl Fn(&Test) -> bool) -> Option<&Rule> {
        let mut rules = ENTRIES.iter().zip(&self.rules);
        rules.find_map(|(entry, rule)| rule.as_ref().filter(|_| passes(&entry.test)))
    }
}

/// Whether a name has this end, and something before it.
fn ends_so(name: &[u8], end: &[u8]) -> bool {
    name.len() > end.len() && name.ends_with(end)
}

/// Whether a type says just what the rule does: `.log`, `log` and `*.log` are `*.log`.
fn names_ending(kind: &str, entry: &Entry) -> bool {
    let Test::End(end) = entry.test else { return false };
    kind == entry.shown || end.strip_prefix('.') == Some(kind.strip_prefix('.').unwrap_or(kind))
}

/// vim's swap files: `.a.go.swp`, then `.swo` down to `.swa`; `.swx` and `.swpx` for a moment, to see
/// what the file system can.
fn vim_swap(name: &[u8]) -> bool {
    name.starts_with(b".")
        && match name {
            [.., b'.', b's', b'w', letter] => matches!(letter, b'a'..=b'p' | b'x'),
            _ => name.ends_with(b".swpx"),
        }
}

/// vim makes a file 4913 to see whether it may write here; when that exists 123 more, and so on.
pub(super) fn vim_probe(name: &[u8]) -> bool {
    let number = || str::from_utf8(name).ok()?.parse::<u32>().ok();
    (4..6).contains(&name.len())
        && name.first().is_some_and(|first| (b'4'..=b'7').contains(first))
        && number().is_some_and(|n| (4913..=4913 + 20 * 123).contains(&n) && n % 123 == 4913 % 123)
}

/// Whether a name begins and ends so, with something between.
fn between(name: &[u8], begin: &str, end: &str) -> bool {
    name.len() > begin.len() + end.len()
        && name.starts_with(begin.as_bytes())
        && name.ends_with(end.as_bytes())
}

/// `.nfs` and the hexadecimal digits of a number.
fn nfs_removed(name: &[u8]) -> bool {
    name.strip_prefix(b".nfs").is_some_and(|rest| {
        rest.first().is_some_and(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// `app_flymake.py`.
fn flymake_copy(name: &[u8]) -> bool {
    let ending = name.iter().rposition(|byte| *byte == b'.');
    ending.is_some_and(|dot| dot > FLYMAKE.len() && name[..dot].ends_with(FLYMAKE))
}

const FLYMAKE: &[u8] = b"_flymake";

/// `sed -i` writes to `sed` and six random letters or digits. With lower case alone it would be a
/// word (`sediments`); then the rename tells.
pub(super) fn sed_temporary(name: &[u8]) -> bool {
    name.strip_prefix(b"sed").is_some_and(|rest| {
        rest.len() == 6
            && rest.iter().all(u8::is_ascii_alphanumeric)
            && !rest.iter().all(u8::is_ascii_lowercase)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_overlooks_nothing() {
        let built_ins = BuiltIns::new(&[]);
        let edges = b".#~4567sCntb_pgclm0+axfTdEeyi-";
        let middles = [
            "",
            "sw",
            "91",
            "a.go",
            "A1b2c",
            "ode_module",
            "arge",
            "___jb_tmp__",
            ".vsctm",
            "-wa",
            "_flymake.p",
            "lycheck_",
            "null-ls_",
            "DS_Stor",
            "_",
            "humbs.d",
            "esktop.in",
            "$",
            "~lock.a",
            "fuse_hidden",
            "nfs0",
            "a.kate-sw",
            "director",
            "syncthing.a.tm",
            "mutagen-temporary-",
            "_flymake.",
        ];
        let mut hits = 0;
        for (first, last) in edges.iter().flat_map(|first| edges.map(|last| (*first, last))) {
            for middle in middles {
                let name = [&[first], middle.as_bytes(), &[last]].concat();
                let kinds =
                    [EntryKind::File, EntryKind::Directory, EntryKind::Link, EntryKind::Other];
                for kind in kinds {
                    let tested = built_ins.tested(&name, kind, true).map(|rule| &rule.text);
                    let seen = built_ins.ignored(&name, kind, true).map(|rule| &rule.text);
                    assert_eq!(seen, tested, "{}", String::from_utf8_lossy(&name));
                    hits += usize::from(seen.is_some());
                }
            }
        }
        assert!(hits > 500, "{hits}");
    }
}
