//! The built-in ignores: what no one edits by hand.

use std::sync::Arc;

use super::{CACHEDIR_TAG, EntryKind, Origin, Pattern, Rule, RuleKind};

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
    /// Files whose name passes.
    FileIf(Edge, fn(&[u8]) -> bool),
}

/// The bytes of which a name that passes a test has one at its edge.
#[derive(Clone, Copy)]
enum Edge {
    First(&'static [u8]),
    Last(&'static [u8]),
}

impl Test {
    fn edge(&self) -> Edge {
        match *self {
            Test::Directory(own) | Test::Beside(own) => Edge::First(first(own)),
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

/// All of them. README lists the same.
const ENTRIES: &[Entry] = &[
    Entry { shown: "node_modules", test: Test::Directory("node_modules") },
    Entry { shown: "bower_components", test: Test::Directory("bower_components") },
    Entry { shown: "__pycache__", test: Test::Directory("__pycache__") },
    Entry {
        shown: ".*/",
        test: Test::DirectoryIf(Edge::First(b"."), |name| name.starts_with(b".")),
    },
    Entry { shown: "target", test: Test::Beside("target") },
    Entry { shown: "CACHEDIR.TAG", test: Test::Cache },
    Entry { shown: "*~", test: Test::End("~") },
    Entry { shown: ".*.sw?", test: Test::FileIf(Edge::First(b"."), vim_swap) },
    Entry { shown: "*.swp", test: Test::End(".swp") },
    Entry { shown: "4913", test: Test::FileIf(Edge::First(b"4567"), vim_probe) },
    Entry { shown: "#*#", test: Test::FileIf(Edge::Last(b"#"), emacs_auto_save) },
    Entry { shown: ".#*", test: Test::FileIf(Edge::First(b"."), |name| name.starts_with(b".#")) },
    Entry { shown: "*___jb_tmp___", test: Test::End("___jb_tmp___") },
    Entry { shown: "*___jb_old___", test: Test::End("___jb_old___") },
    Entry { shown: "*___jb_bak___", test: Test::End("___jb_bak___") },
    Entry { shown: "*.vsctmp", test: Test::End(".vsctmp") },
    Entry { shown: "sed??????", test: Test::FileIf(Edge::First(b"s"), sed_temporary) },
    Entry { shown: "*.log", test: Test::End(".log") },
    Entry { shown: "*.pyc", test: Test::End(".pyc") },
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
            };
            bytes.iter().for_each(|byte| set[usize::from(*byte)] = true);
        }
        built
    }

    /// The rule that ignores an entry by its name. `project` says that it lies beside a project file.
    pub(super) fn ignored(&self, name: &[u8], kind: EntryKind, project: bool) -> Option<&Rule> {
        let (&first, &last) = name.first().zip(name.last())?;
        if !self.firsts[usize::from(first)] && !self.lasts[usize::from(last)] {
            return None;
        }
        self.tested(name, kind, project)
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
                Test::End(end) => ends_so(name, end.as_bytes()),
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

/// Emacs' auto-save files `#a.go#`, and the lock files of office programs `.~lock.a.ods#`.
fn emacs_auto_save(name: &[u8]) -> bool {
    name.len() > 2
        && name.ends_with(b"#")
        && (name.starts_with(b"#") || name.starts_with(b".~lock."))
}

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
        let edges = b".#~4567sCntb_pgclm0+ax";
        let middles =
            ["", "sw", "91", "a.go", "A1b2c", "ode_module", "arge", "___jb_tmp__", ".vsctm", "-wa"];
        let mut hits = 0;
        for (first, last) in edges.iter().flat_map(|first| edges.map(|last| (*first, last))) {
            for middle in middles {
                let name = [&[first], middle.as_bytes(), &[last]].concat();
                for kind in [EntryKind::File, EntryKind::Directory, EntryKind::Link] {
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
