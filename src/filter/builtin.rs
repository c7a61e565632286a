//! The built-in ignores: what no one edits by hand.

use std::sync::Arc;

use super::{CACHEDIR_TAG, Pattern};
use crate::model::{EntryKind, Origin, Rule, RuleKind};

/// The built-in rules, ready to be named.
#[derive(Debug)]
pub(super) struct BuiltIns {
    /// One for each entry of the tables; `None`: a type lifts it.
    rules: Vec<Option<Rule>>,
    /// The bytes with which names begin, or end, that can pass a test. Every entry is asked, so most of them are told
    /// at a glance.
    firsts: [bool; 256],
    lasts: [bool; 256],
}

/// A rule: how it is shown, and the names it holds for.
struct BuiltIn {
    shown: &'static str,
    test: Test,
}

enum Test {
    /// Directories (and links, which may stand for one) of this name.
    Directory(&'static str),
    /// Directories whose name begins with a dot.
    Hidden,
    /// Directories of this name beside a project file.
    Beside(&'static str),
    /// Directories with a valid `CACHEDIR.TAG`, and every such tag: tools write it before anything else, in
    /// a directory that is renamed at once (cargo).
    Cache,
    /// Sockets, pipes and devices: a program makes its own anew at each start, and nothing can be compared.
    Other,
    /// Files of this name.
    File(&'static str),
    /// Files whose name ends so, and is longer.
    End(&'static str),
    /// Files whose name begins so, and is longer.
    Begin(&'static str),
    /// Files whose name begins and ends so, with something between.
    Between(&'static str, &'static str),
    /// Files whose name passes.
    Shape(Edge, fn(&[u8]) -> bool),
}

/// The bytes of which a name that passes a test has one at its edge.
#[derive(Clone, Copy)]
enum Edge {
    First(&'static [u8]),
    Last(&'static [u8]),
    /// Any byte: the kind of the entry tells, or a look at the middle ([`flymake_copy`]).
    Any,
}

impl Test {
    fn edge(&self) -> Edge {
        match *self {
            Self::Directory(begin) | Self::Beside(begin) | Self::File(begin) => {
                Edge::First(first(begin))
            }
            Self::Begin(begin) | Self::Between(begin, _) => Edge::First(first(begin)),
            Self::Hidden => Edge::First(b"."),
            Self::Cache => Edge::First(first(CACHEDIR_TAG)),
            Self::End(end) => Edge::Last(last(end)),
            Self::Other => Edge::Any,
            Self::Shape(edge, _) => edge,
        }
    }

    /// Whether a file of this name passes.
    fn file(&self, name: &[u8]) -> bool {
        let begins = |begin: &str| name.starts_with(begin.as_bytes());
        let ends = |end: &str| name.ends_with(end.as_bytes());
        match *self {
            Self::Directory(_) | Self::Hidden | Self::Beside(_) | Self::Other => false,
            Self::Cache => name == CACHEDIR_TAG.as_bytes(),
            Self::File(own) => name == own.as_bytes(),
            Self::End(end) => name.len() > end.len() && ends(end),
            Self::Begin(begin) => name.len() > begin.len() && begins(begin),
            Self::Between(begin, end) => {
                name.len() > begin.len() + end.len() && begins(begin) && ends(end)
            }
            Self::Shape(_, passes) => passes(name),
        }
    }
}

fn first(text: &str) -> &[u8] {
    text.as_bytes().get(..1).unwrap_or_default()
}

fn last(text: &str) -> &[u8] {
    text.as_bytes().last_chunk::<1>().map_or(&[], |last| last)
}

/// Temporaries: what programs save through, and what is left of a file for a while. Each row says who makes it; README
/// lists the rows of both tables.
const TEMPORARY: &[BuiltIn] = &[
    // vim, emacs, gedit, nano: backups.
    BuiltIn { shown: "*~", test: Test::End("~") },
    // vim: swap files.
    BuiltIn { shown: ".*.sw?", test: Test::Shape(Edge::First(b"."), vim_swap) },
    // vim: swap files of names that begin with a dot by themselves, and of nameless texts.
    BuiltIn { shown: "*.swp", test: Test::End(".swp") },
    // vim: tries whether it may write in the directory.
    BuiltIn { shown: "4913", test: Test::Shape(Edge::First(b"4567"), vim_probe) },
    // emacs: auto-save files.
    BuiltIn { shown: "#*#", test: Test::Between("#", "#") },
    // emacs: locks.
    BuiltIn { shown: ".#*", test: Test::Shape(Edge::First(b"."), emacs_lock) },
    // kate and kwrite: swap files.
    BuiltIn { shown: ".*.kate-swp", test: Test::Between(".", ".kate-swp") },
    // IntelliJ and its like: new, old and backup of a safe save.
    BuiltIn { shown: "*___jb_tmp___", test: Test::End("___jb_tmp___") },
    BuiltIn { shown: "*___jb_old___", test: Test::End("___jb_old___") },
    BuiltIn { shown: "*___jb_bak___", test: Test::End("___jb_bak___") },
    // Visual Studio Code: an atomic save.
    BuiltIn { shown: "*.vsctmp", test: Test::End(".vsctmp") },
    // sed -i.
    BuiltIn { shown: "sed??????", test: Test::Shape(Edge::First(b"s"), sed_temporary) },
    // libfuse: what was removed while somebody has it open.
    BuiltIn { shown: ".fuse_hidden*", test: Test::Begin(".fuse_hidden") },
    // NFS: the same.
    BuiltIn { shown: ".nfs[0-9a-f]*", test: Test::Shape(Edge::First(b"."), nfs_removed) },
    // Syncthing: a file that is being received.
    BuiltIn { shown: ".syncthing.*.tmp", test: Test::Between(".syncthing.", ".tmp") },
    // Mutagen: the same.
    BuiltIn { shown: ".mutagen-temporary-*", test: Test::Begin(".mutagen-temporary-") },
];

/// Everything else.
const OTHERS: &[BuiltIn] = &[
    // npm, yarn and pnpm.
    BuiltIn { shown: "node_modules", test: Test::Directory("node_modules") },
    // bower.
    BuiltIn { shown: "bower_components", test: Test::Directory("bower_components") },
    // python.
    BuiltIn { shown: "__pycache__", test: Test::Directory("__pycache__") },
    // git, editors, virtual environments, caches of tools.
    BuiltIn { shown: ".*/", test: Test::Hidden },
    // cargo, maven and sbt.
    BuiltIn { shown: "target", test: Test::Beside("target") },
    // Any program that marks its cache (https://bford.info/cachedir/).
    BuiltIn { shown: "CACHEDIR.TAG", test: Test::Cache },
    // puma, gunicorn, php-fpm.
    BuiltIn { shown: "sockets, pipes and devices", test: Test::Other },
    // emacs' flycheck: the copy that a linter reads.
    BuiltIn { shown: "flycheck_*", test: Test::Begin("flycheck_") },
    // emacs' flymake: the same.
    BuiltIn { shown: "*_flymake.*", test: Test::Shape(Edge::Any, flymake_copy) },
    // null-ls and none-ls of Neovim: the same.
    BuiltIn { shown: ".null-ls_*", test: Test::Begin(".null-ls_") },
    // git: the file by which a linked work tree and a submodule name their git directory.
    BuiltIn { shown: ".git", test: Test::File(".git") },
    // Microsoft Office: who has a document open.
    BuiltIn { shown: "~$*", test: Test::Begin("~$") },
    // LibreOffice: the same.
    BuiltIn { shown: ".~lock.*#", test: Test::Between(".~lock.", "#") },
    // The Finder of macOS: how a folder is shown.
    BuiltIn { shown: ".DS_Store", test: Test::File(".DS_Store") },
    // macOS on file systems of others: what it knows of a file beside it.
    BuiltIn { shown: "._*", test: Test::Begin("._") },
    // The Explorer of Windows: small pictures.
    BuiltIn { shown: "Thumbs.db", test: Test::File("Thumbs.db") },
    // The same: how a folder is shown.
    BuiltIn { shown: "desktop.ini", test: Test::File("desktop.ini") },
    // Dolphin of KDE: the same.
    BuiltIn { shown: ".directory", test: Test::File(".directory") },
    // Servers.
    BuiltIn { shown: "*.log", test: Test::End(".log") },
    // python.
    BuiltIn { shown: "*.pyc", test: Test::End(".pyc") },
    // SQLite: the three files beside a database.
    BuiltIn { shown: "*-journal", test: Test::End("-journal") },
    BuiltIn { shown: "*-wal", test: Test::End("-wal") },
    BuiltIn { shown: "*-shm", test: Test::End("-shm") },
];

fn all() -> impl Iterator<Item = &'static BuiltIn> {
    TEMPORARY.iter().chain(OTHERS)
}

/// Whether a built-in rule takes a file of this name for a temporary.
pub(super) fn is_temporary(name: &[u8]) -> bool {
    TEMPORARY.iter().any(|entry| entry.test.file(name))
}

impl BuiltIns {
    /// A type that is named explicitly lifts the rule against the files that end so: `--ext log`.
    pub(super) fn new(types: &[Pattern]) -> Self {
        let rule = |entry: &BuiltIn| {
            let (kind, origin) = (RuleKind::BuiltIn, Origin::BuiltIn);
            let named = types.iter().any(|pattern| names_ending(&pattern.text, entry));
            (!named).then(|| Rule { kind, text: Arc::from(entry.shown), origin })
        };
        let mut built =
            Self { rules: all().map(rule).collect(), firsts: [false; 256], lasts: [false; 256] };
        for entry in all() {
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
        self.find(|test| match (kind, test) {
            (EntryKind::Directory | EntryKind::Link, Test::Directory(own)) => {
                name == own.as_bytes()
            }
            (EntryKind::Directory, Test::Hidden) => name.starts_with(b"."),
            (EntryKind::Directory, Test::Beside(own)) => project && name == own.as_bytes(),
            (EntryKind::Directory, _) => false,
            (EntryKind::Other, test) => matches!(test, Test::Other),
            (EntryKind::File | EntryKind::Link, test) => test.file(name),
        })
    }

    /// The rule that ignores a directory for its `CACHEDIR.TAG`.
    pub(super) fn cache(&self) -> Option<&Rule> {
        self.find(|test| matches!(test, Test::Cache))
    }

    fn find(&self, passes: impl Fn(&Test) -> bool) -> Option<&Rule> {
        let mut rules = all().zip(&self.rules);
        rules.find_map(|(entry, rule)| rule.as_ref().filter(|_| passes(&entry.test)))
    }
}

/// Whether a type says what the rule says: `.log`, `log` and `*.log` are `*.log`.
fn names_ending(kind: &str, entry: &BuiltIn) -> bool {
    let Test::End(end) = entry.test else { return false };
    kind == entry.shown || end.strip_prefix('.') == Some(kind.strip_prefix('.').unwrap_or(kind))
}

/// vim's swap files: `.a.go.swp`, then `.swo` down to `.swa`. `.swx` and `.swpx` are there for a moment: they try what
/// the file system can.
fn vim_swap(name: &[u8]) -> bool {
    name.starts_with(b".")
        && match name {
            [.., b'.', b's', b'w', letter] => matches!(letter, b'a'..=b'p' | b'x'),
            _ => name.ends_with(b".swpx"),
        }
}

/// emacs' locks: `.#a.go`.
fn emacs_lock(name: &[u8]) -> bool {
    name.starts_with(b".#")
}

/// The file 4913, by which vim sees whether it may write here. When it exists, vim takes 123 more, and so on.
fn vim_probe(name: &[u8]) -> bool {
    let number = || str::from_utf8(name).ok()?.parse::<u32>().ok();
    (4..6).contains(&name.len())
        && name.first().is_some_and(|first| (b'4'..=b'7').contains(first))
        && number().is_some_and(|n| (4913..=4913 + 20 * 123).contains(&n) && n % 123 == 4913 % 123)
}

/// NFS's `.nfs` and the hexadecimal digits of a number.
fn nfs_removed(name: &[u8]) -> bool {
    name.strip_prefix(b".nfs").is_some_and(|rest| {
        rest.first().is_some_and(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// flymake's copies: `app_flymake.py`.
fn flymake_copy(name: &[u8]) -> bool {
    let ending = name.iter().rposition(|byte| *byte == b'.');
    ending.is_some_and(|dot| dot > FLYMAKE.len() && name[..dot].ends_with(FLYMAKE))
}

const FLYMAKE: &[u8] = b"_flymake";

/// `sed -i` writes to `sed` and six random letters or digits. A name of lower-case letters alone is a word
/// (`sediments`); then the rename tells.
fn sed_temporary(name: &[u8]) -> bool {
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
