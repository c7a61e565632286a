//! A project in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::filter::*;
use crate::model::{EntryKind, Origin, RuleKind};

/// A configuration and a tree of files under `/w` (or elsewhere, when a path is absolute).
#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) spec: Spec,
    files: BTreeMap<PathBuf, Vec<u8>>,
    roots: Vec<PathBuf>,
    above: Vec<IgnoreText>,
}

impl Project {
    pub(super) fn new() -> Self {
        let spec = Spec {
            working_directory: "/w".into(),
            gitignore: true,
            default_ignores: true,
            ..Spec::default()
        };
        Self { spec, files: BTreeMap::new(), roots: vec!["/w".into()], above: Vec::new() }
    }

    pub(super) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(Path::new("/w").join(path), text.into());
        self
    }

    /// `excluded_paths`, one line each.
    pub(super) fn excluded(mut self, patterns: &[&str]) -> Self {
        self.spec.excluded.extend(lines(patterns, false));
        self
    }

    /// `-i`.
    pub(super) fn ignore(mut self, patterns: &[&str]) -> Self {
        self.spec.excluded.extend(lines(patterns, true));
        self
    }

    pub(super) fn types(mut self, types: &[&str]) -> Self {
        self.spec.types.extend(lines(types, false));
        self
    }

    pub(super) fn regexps(mut self, regexps: &[&str]) -> Self {
        self.spec.regexps.extend(lines(regexps, false));
        self
    }

    /// Roots in place of `/w`; named.
    pub(super) fn named(mut self, roots: &[&str]) -> Self {
        self.roots = roots.iter().map(|root| Path::new("/w").join(root)).collect();
        let named = |(root, path): (&&str, &PathBuf)| named(path, root);
        self.spec.named = roots.iter().zip(&self.roots).map(named).collect();
        self
    }

    pub(super) fn named_file(mut self, path: &str) -> Self {
        self.spec.files.push(named(&Path::new("/w").join(path), path));
        self
    }

    pub(super) fn above(mut self, text: IgnoreText) -> Self {
        self.above.push(text);
        self
    }

    pub(super) fn look(&self, directory: &Path) -> Marks {
        let has = |name: &str| self.files.get(&directory.join(name));
        Marks {
            ignore_files: IGNORE_FILES
                .iter()
                .filter_map(|name| {
                    has(name)
                        .map(|text| IgnoreText::in_directory(directory.join(name), text.clone()))
                })
                .collect(),
            project_file: PROJECT_FILES.iter().any(|name| has(name).is_some()),
            cachedir_tag: has(CACHEDIR_TAG)
                .is_some_and(|text| text.starts_with(CACHEDIR_SIGNATURE)),
        }
    }

    /// What decides about a path; a slash at its end makes it a directory, an `@` a link.
    pub(super) fn ask(&self, path: &str) -> Answer {
        let (path, kind) = match (path.strip_suffix('/'), path.strip_suffix('@')) {
            (Some(path), _) => (path, EntryKind::Directory),
            (_, Some(path)) => (path, EntryKind::Link),
            _ => (path, EntryKind::File),
        };
        let filter = Filter::new(self.spec.clone()).unwrap();
        let around: Vec<Arc<Scope>> =
            self.roots.iter().map(|root| filter.root_scope(root, &self.above)).collect();
        let path = Path::new("/w").join(path);
        let mut asker = Asker::new(&filter, around);
        let answer = asker.ask(&path, kind, |directory| self.look(directory));
        answer.unwrap_or_else(|| panic!("{} is outside", path.display()))
    }

    /// As text: `+` or `-`, the kind's rule text, and its place.
    pub(super) fn says(&self, path: &str) -> String {
        let answer = self.ask(path);
        let sign = if answer.watched { '+' } else { '-' };
        let place = match &answer.rule.origin {
            Origin::BuiltIn if answer.rule.kind == RuleKind::Default => return sign.to_string(),
            Origin::BuiltIn => "built-in".to_owned(),
            Origin::Flag(flag) => (*flag).to_owned(),
            Origin::File { file, line } => format!("{}:{line}", file.display()),
        };
        format!("{sign} {} ({place})", answer.rule.text)
    }

    /// Checks many paths: each is written `path => what it says`.
    pub(super) fn check(&self, table: &[&str]) {
        for row in table {
            let (path, expected) = row.split_once("=>").unwrap();
            assert_eq!(self.says(path.trim()), expected.trim(), "{row}\n{:?}", self.spec);
        }
    }
}

fn named(path: &Path, shown: &str) -> Named {
    Named { path: path.to_path_buf(), shown: shown.to_owned(), origin: Origin::Flag("-w") }
}

/// Patterns as they would come from `config.yml` (from line 1) or the command line.
pub(super) fn lines(patterns: &[&str], flag: bool) -> Vec<Pattern> {
    let file = Arc::new(PathBuf::from("config.yml"));
    let origin = |line| match flag {
        true => Origin::Flag("-i"),
        false => Origin::File { file: Arc::clone(&file), line },
    };
    let pattern = |(line, text): (u32, &&str)| Pattern {
        text: (*text).to_owned(),
        origin: origin(line),
        any_depth: flag,
    };
    (1..).zip(patterns).map(pattern).collect()
}
