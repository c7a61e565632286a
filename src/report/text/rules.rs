//! A rule and its place in words: why a path does not count.

use std::path::Path;

use super::Context;
use crate::model::{Origin, Rule, RuleKind};
use crate::report::escape::{escape, escape_text, shown};

/// The place where a rule was written: `config.yml:4`, `built-in`, `-i`.
pub(in crate::report) fn place(origin: &Origin, directory: &Path) -> String {
    match origin {
        Origin::BuiltIn => "built-in".to_owned(),
        Origin::Flag(flag) => (*flag).to_owned(),
        Origin::File { file, line: 0 } => shown(file, directory),
        Origin::File { file, line } => format!("{}:{line}", shown(file, directory)),
    }
}

/// The line about an ignored path: `ignored api_gen.go: .gitignore:7 "*_gen.go"; to watch it: -i '!api_gen.go'`.
pub(super) fn ignored(path: &Path, rule: &Rule, context: &Context<'_>) -> String {
    let name = context.path(path);
    let text = escape_text(&rule.text);
    let place = place(&rule.origin, context.directory);
    let quoted = |key: &str| match rule.origin {
        Origin::Flag(flag) => format!("{flag} \"{text}\""),
        _ => format!("{key} \"{text}\" ({place})"),
    };
    match rule.kind {
        RuleKind::IgnoreFile | RuleKind::BuiltIn => {
            format!("ignored {name}: {place} \"{text}\"{}", way_back(&name))
        }
        RuleKind::ExcludedPath => format!("ignored {name}: {}", quoted("excluded_paths")),
        RuleKind::ExcludedRegexp => format!("ignored {name}: {}", quoted("excluded_regexps")),
        RuleKind::Filetype => format!("ignored {name}: {}", type_missing(path, rule, &place)),
        RuleKind::Named | RuleKind::Default => format!("ignored {name}"),
    }
}

/// The verdict on a path, as `explain` prints it after the path: `watched (included_filetypes: .go,
/// config.yml:4)`, `ignored by dist/ (.gitignore:12)`. `polled`: why no events tell of it.
pub(crate) fn verdict(
    path: &Path,
    watched: bool,
    rule: &Rule,
    polled: Option<&str>,
    directory: &Path,
) -> String {
    let text = escape_text(&rule.text);
    let place = place(&rule.origin, directory);
    let key = match rule.kind {
        RuleKind::ExcludedPath => Some("excluded_paths"),
        RuleKind::ExcludedRegexp => Some("excluded_regexps"),
        RuleKind::Filetype => Some("included_filetypes"),
        RuleKind::Named => Some("named"),
        RuleKind::IgnoreFile | RuleKind::BuiltIn | RuleKind::Default => None,
    };
    if !watched {
        let by = match (key.filter(|_| !matches!(rule.origin, Origin::Flag(_))), rule.kind) {
            (_, RuleKind::Default | RuleKind::Named) => return "ignored".to_owned(),
            (_, RuleKind::Filetype) => {
                return format!("ignored: {}", type_missing(path, rule, &place));
            }
            (Some(key), _) => format!("{key}, {place}"),
            (None, _) => place,
        };
        return format!("ignored by {text} ({by})");
    }
    let by = match (key, &rule.origin) {
        (None, _) => None,
        (Some(_), Origin::Flag(flag)) => Some(format!("{flag}: {}", type_or(rule, text))),
        (Some(key), _) => Some(format!("{key}: {}, {place}", type_or(rule, text))),
    };
    match (polled.map(escape_text), by) {
        (None, None) => "watched".to_owned(),
        (None, Some(by)) => format!("watched ({by})"),
        (Some(polled), None) => format!("watched by polling ({polled})"),
        (Some(polled), Some(by)) => format!("watched by polling ({polled}; {by})"),
    }
}

/// A file type as it is shown: `.go` also where it was written without the dot, a name such as `Makefile` as it is.
pub(crate) fn type_shown(text: &str) -> String {
    let bare = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric());
    format!("{}{}", if bare { "." } else { "" }, escape_text(text))
}

fn type_or(rule: &Rule, text: String) -> String {
    if rule.kind == RuleKind::Filetype { type_shown(&rule.text) } else { text }
}

/// The reason for want of a type: `.html is not in included_filetypes (config.yml:4)`.
fn type_missing(path: &Path, rule: &Rule, place: &str) -> String {
    let what = match path.extension() {
        Some(extension) => format!(".{}", escape(extension)),
        None => "a name without an extension".to_owned(),
    };
    match rule.origin {
        Origin::Flag(flag) => format!("{what} is not in {flag}"),
        _ => format!("{what} is not in included_filetypes ({place})"),
    }
}

/// The flag that takes the path back, for names that can be pasted into a shell and a pattern as they
/// are shown.
fn way_back(name: &str) -> String {
    literal(name).map_or_else(String::new, |pattern| format!("; to watch it: -i '!{pattern}'"))
}

/// A name as it is shown, as a pattern that means this name alone and can stand between single quotes; `None`
/// where that can't be said in few words.
pub(super) fn literal(name: &str) -> Option<String> {
    if name.contains(['\'', '\\']) || name.starts_with('!') {
        return None;
    }
    let mut pattern = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '*' | '?' | '[' | '{') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    Some(pattern)
}

/// An ignored tree in the start line: `node_modules (built-in)`, `dist/ (.gitignore:3)`.
pub(super) fn tree(path: &Path, rule: &Rule, context: &Context<'_>) -> String {
    let slash = if rule.text.ends_with('/') { "/" } else { "" };
    format!("{}{slash} ({})", context.path(path), place(&rule.origin, context.directory))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;

    /// The place as it is shown: nothing, a flag, or `file:line`.
    fn rule(kind: RuleKind, text: &str, place: &str) -> Rule {
        let origin = match place.split_once(':') {
            Some((file, line)) => {
                let file = Arc::new(PathBuf::from(file));
                Origin::File { file, line: line.parse().unwrap() }
            }
            None if place.is_empty() => Origin::BuiltIn,
            None => Origin::Flag(["-i", "-w", "--ext"].into_iter().find(|f| *f == place).unwrap()),
        };
        Rule { kind, text: text.into(), origin }
    }

    #[test]
    fn a_literal_pattern_means_the_name_and_nothing_else() {
        use crate::filter::{Filter, Pattern, Spec};
        use crate::model::EntryKind;
        for (name, others) in [
            ("gen.txt", &["gen_txt", "gen.txt2"][..]),
            ("routes/[id].ts", &["routes/i.ts", "routes/d.ts"]),
            ("a*b", &["axb", "ab"]),
            ("q?", &["qq"]),
            ("{x,y}.go", &["x.go", "y.go"]),
            ("[[a]{b}*?]", &["a"]),
        ] {
            let text = literal(name).unwrap();
            let excluded = vec![Pattern { text, origin: Origin::Flag("-i"), any_depth: false }];
            let working_directory = PathBuf::from("/w");
            let filter = Filter::new(Spec { working_directory, excluded, ..Spec::default() });
            let filter = filter.unwrap();
            let scope = filter.root_scope(Path::new("/w"), &[]);
            let ignored = |name: &str| {
                let path = Path::new("/w").join(name);
                matches!(
                    filter.verdict(&scope, &path, EntryKind::File),
                    crate::filter::Verdict::Ignore(_)
                )
            };
            assert!(ignored(name), "{name}");
            assert!(!others.iter().any(|other| ignored(other)), "{name}");
        }
        for name in ["it's", "a\\nb", "!a"] {
            assert_eq!(literal(name), None);
        }
    }

    fn said(path: &str, watched: bool, rule: &Rule, polled: Option<&str>) -> String {
        verdict(Path::new(path), watched, rule, polled, Path::new("/w"))
    }

    #[test]
    fn what_is_watched_names_the_rule_by_which_it_is() {
        use RuleKind::*;
        for (kind, text, place, expected) in [
            (Default, "", "", "watched"),
            (Filetype, ".go", "c.yml:4", "watched (included_filetypes: .go, c.yml:4)"),
            (Filetype, "go", "--ext", "watched (--ext: .go)"),
            (Filetype, "Makefile", "--ext", "watched (--ext: Makefile)"),
            (ExcludedPath, "!dist", "c.yml:9", "watched (excluded_paths: !dist, c.yml:9)"),
            (ExcludedPath, "!dist", "-i", "watched (-i: !dist)"),
            (Named, "web", "-w", "watched (-w: web)"),
            (Named, "web", "c.yml:3", "watched (named: web, c.yml:3)"),
        ] {
            assert_eq!(said("a.go", true, &rule(kind, text, place), None), expected);
        }
    }

    #[test]
    fn what_is_ignored_names_the_rule_and_its_place() {
        use RuleKind::*;
        for (path, kind, text, place, expected) in [
            ("dist/x", IgnoreFile, "dist/", ".gitignore:12", "ignored by dist/ (.gitignore:12)"),
            ("x", IgnoreFile, "x", "/home/i:1", "ignored by x (/home/i:1)"),
            ("a.log", BuiltIn, "*.log", "", "ignored by *.log (built-in)"),
            ("v", ExcludedPath, "v", "c.yml:2", "ignored by v (excluded_paths, c.yml:2)"),
            ("v", ExcludedPath, "v", "-i", "ignored by v (-i)"),
            (
                "v",
                ExcludedRegexp,
                "^\\w\x1b",
                "c.yml:2",
                "ignored by ^\\w\\x1b (excluded_regexps, c.yml:2)",
            ),
            (
                "n.txt",
                Filetype,
                ".go",
                "c.yml:4",
                "ignored: .txt is not in included_filetypes (c.yml:4)",
            ),
            ("n.txt", Filetype, ".go", "--ext", "ignored: .txt is not in --ext"),
        ] {
            assert_eq!(said(path, false, &rule(kind, text, place), None), expected);
        }
    }

    #[test]
    fn what_is_polled_says_why() {
        let default = rule(RuleKind::Default, "", "");
        assert_eq!(said("a.go", true, &default, Some("9p")), "watched by polling (9p)");
        let filetype = rule(RuleKind::Filetype, ".go", "c.yml:4");
        assert_eq!(
            said("a.go", true, &filetype, Some("9p")),
            "watched by polling (9p; included_filetypes: .go, c.yml:4)"
        );
    }
}
