//! Random rules and paths: what must hold for all of them.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::support::{Project, lines};
use crate::filter::glob::{Glob, On, Units};
use crate::filter::lines::{RuleLine, RuleLines};
use crate::filter::*;
use crate::model::{EntryKind, Origin, Rule, RuleKind};

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("node_modules".to_owned()),
        Just("dist".to_owned()),
        Just(".hidden".to_owned()),
        "[ab]{1,2}",
        "[ab]\\.(go|log)",
    ]
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..5).prop_map(|parts| parts.join("/"))
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        name(),
        Just("*".to_owned()),
        Just("**".to_owned()),
        "[ab*?]{1,4}",
        Just("[!a]*".to_owned())
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let body = prop::collection::vec(piece(), 1..4).prop_map(|parts| parts.join("/"));
    ("!?", body, "/?").prop_map(|(bang, body, slash)| bang + &body + &slash)
}

fn texts(patterns: &[String]) -> Vec<&str> {
    patterns.iter().map(String::as_str).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The index leaves out no line that matches.
    #[test]
    fn many_lines_decide_as_they_would_one_by_one(
        patterns in prop::collection::vec(pattern(), 6..60),
        paths in prop::collection::vec(path(), 1..20),
    ) {
        let line = |(order, text): (u32, &String)| {
            let body = text.trim_start_matches('!').trim_end_matches('/');
            let on = if body.contains('/') { On::Path } else { On::Name };
            let glob = Glob::new(on, body.as_bytes(), Units::Bytes).ok()?;
            let (kind, origin) = (RuleKind::IgnoreFile, Origin::BuiltIn);
            let rule = Rule { kind, text: text.as_str().into(), origin };
            let (directories_only, negated) = (text.ends_with('/'), text.starts_with('!'));
            Some(RuleLine { order, glob, directories_only, negated, rule })
        };
        let all: Vec<RuleLine> = (0..).zip(&patterns).filter_map(line).collect();
        let one_by_one: Vec<RuleLines> = all.iter().map(|line| RuleLines::new(vec![line.clone()])).collect();
        let together = RuleLines::new(all);
        for path in &paths {
            for directory in [false, true] {
                let last = one_by_one.iter().rev().find_map(|one| one.last_match(path.as_bytes(), directory));
                let found = together.last_match(path.as_bytes(), directory);
                prop_assert_eq!(found.map(|line| line.order), last.map(|line| line.order), "{}", path);
            }
        }
    }

    /// `globset` and our own matcher mean the same by a star.
    #[test]
    fn globset_and_wildmatch_agree(pattern in pattern(), path in path()) {
        let pattern = pattern.trim_matches(['!', '/']).replace(['?', '['], "x");
        let matches = |units| Glob::new(On::Path, pattern.as_bytes(), units).unwrap().matches(path.as_bytes());
        prop_assert_eq!(matches(Units::Characters), matches(Units::Bytes), "{} {}", pattern, path);
    }

    /// A path that the last line takes back is reached, whatever is above it and however it is ignored.
    #[test]
    fn what_the_last_line_takes_back_counts(
        excluded in prop::collection::vec(pattern(), 0..6),
        ignored in prop::collection::vec(pattern(), 0..6),
        path in path(),
    ) {
        let project = Project::new()
            .excluded(&texts(&excluded))
            .file(".gitignore", &ignored.join("\n"))
            .file("a/.gitignore", "*\n")
            .excluded(&[&format!("!{path}")]);
        prop_assert!(project.ask(&path).watched, "{:?}", project.ask(&path));
        prop_assert!(project.ask(&format!("{path}/")).watched, "{:?}", project.ask(&path));
    }

    /// `enter` and `verdict` agree on every directory; what is ignored stays so below.
    #[test]
    fn a_directory_is_entered_exactly_when_it_is_watched(
        excluded in prop::collection::vec(pattern(), 0..6),
        any_depth in prop::collection::vec(name(), 0..3),
        ignored in prop::collection::vec(pattern(), 0..6),
        path in path(),
    ) {
        let project = Project::new()
            .excluded(&texts(&excluded))
            .ignore(&texts(&any_depth))
            .file(".gitignore", &ignored.join("\n"));
        let filter = Filter::new(project.spec.clone()).unwrap();
        let mut scope = filter.root_scope(Path::new("/w"), &[]);
        let mut directory = PathBuf::from("/w");
        let mut ignored_at = None;
        for part in std::iter::once("").chain(path.split('/')) {
            if !part.is_empty() {
                directory.push(part);
            }
            let watched = matches!(filter.verdict(&scope, &directory, EntryKind::Directory), Verdict::Watch(_));
            let found = project.look(&directory);
            let inside = match filter.enter(&scope, &directory, &found) {
                Entered::Scope(inside) => Some(inside),
                Entered::Ignored(_) => None,
            };
            prop_assert_eq!(watched, inside.is_some());
            match inside {
                Some(inside) => scope = inside,
                None => {
                    ignored_at = Some(directory.clone());
                    break;
                }
            }
        }
        if let Some(at) = ignored_at {
            let answer = project.ask(&format!("{path}/x.go"));
            prop_assert!(!answer.watched);
            prop_assert_eq!(answer.at, at);
        }
    }

    /// No text makes a pattern panic, and nothing that is read from outside does.
    #[test]
    fn nothing_panics(text in "\\PC{0,20}", pattern in "[]\\[\\\\!*?{},/.a^:~-]{0,16}", path in "[^\\x00]{0,20}") {
        for text in [&text, &pattern] {
            for flag in [true, false] {
                let mut spec = Project::new().spec;
                spec.excluded = lines(&[text], flag);
                spec.types = lines(&["go", text], flag);
                let _ = Filter::new(spec.clone());
                spec.types.clear();
                spec.regexps = lines(&[text], flag);
                let _ = Filter::new(spec.clone());
                spec.regexps.clear();
                let Ok(filter) = Filter::new(spec) else { continue };
                let around = filter.root_scope(Path::new("/w"), &[]);
                let mut asker = Asker::new(&filter, vec![around]);
                let found = Marks {
                    ignore_files: vec![IgnoreText::in_directory("/w/.gitignore".into(), text.clone().into_bytes())],
                    ..Marks::default()
                };
                let path = Path::new("/w").join(path.trim_start_matches('/'));
                asker.ask(&path, EntryKind::File, |_| found.clone());
            }
        }
        let _ = temporary_among(text.as_ref(), |_| false);
        let _ = temporary_among(path.as_ref(), |_| true);
    }
}
