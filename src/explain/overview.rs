//! The summary of what is watched, in words and as JSON.

use std::path::Path;

use serde::Serialize;

use crate::control::{IgnoredTree, PROTOCOL, Places, Surveyed, SurveyedRoot, Watches};
use crate::report::{self, count, counted, escape_text, shown};

/// The number of ignored trees that are named, and of types.
const NAMED: usize = 12;

/// The summary of all roots.
pub(super) fn text(surveyed: &Surveyed, instance: bool, places: Places<'_>) -> String {
    let mut text = String::new();
    for root in &surveyed.roots {
        text += &root_text(root, surveyed, places);
    }
    for output in &surveyed.outputs {
        let path = shown(output.path.path(), places.asked_in);
        text += &format!("{path}: {}\n", output.words());
    }
    if let Some(watches) = &surveyed.watches {
        text += &watches_text(watches, instance);
    }
    text
}

fn root_text(root: &SurveyedRoot, surveyed: &Surveyed, places: Places<'_>) -> String {
    let name = shown(root.path.path(), places.asked_in);
    let configuration = escape_text(&surveyed.configuration);
    if root.missing {
        return format!("{name}: missing; watched as soon as it is there ({configuration})\n");
    }
    if root.directories == 0 && root.unreadable.is_empty() {
        return format!("{name}: a single file, watched ({configuration})\n");
    }
    let mut lines = vec![format!(
        "{name}: {} and {} watched ({configuration})",
        counted(root.directories, "directory"),
        counted(root.files, "file")
    )];
    lines.extend(types(root));
    for (reason, directories) in &root.polled {
        let directories = counted(*directories, "directory");
        lines.push(format!("  by polling: {directories} ({})", escape_text(reason)));
    }
    lines.extend(root.ignored.iter().take(NAMED).map(|tree| ignored(tree, places)));
    lines.extend(more(root.ignored.get(NAMED..).unwrap_or_default()));
    for place in root.unreadable.iter().take(NAMED) {
        let path = shown(place.at.path(), places.asked_in);
        lines.push(format!("  cannot be read: {path}: {}", escape_text(&place.error)));
    }
    lines.join("\n") + "\n"
}

/// The line of types: `  types: .go 320, .mod 12, 4 without an ending, 3 others`.
fn types(root: &SurveyedRoot) -> Option<String> {
    let word = |(kind, files): &(String, usize)| match kind.as_str() {
        "" => format!("{} without an ending", count(*files as u64)),
        kind => format!("{kind} {}", count(*files as u64)),
    };
    let mut words: Vec<String> = root.types.iter().take(NAMED).map(word).collect();
    let rest: usize = root.types.iter().skip(NAMED).map(|(_, files)| files).sum();
    if rest > 0 {
        words.push(format!("{} of other types", count(rest as u64)));
    }
    (!words.is_empty()).then(|| format!("  types: {}", words.join(", ")))
}

/// The line of an ignored tree: `  ignored: dist by dist/ (.gitignore:3): 40 directories, ≥ 1,203 files`.
fn ignored(tree: &IgnoredTree, places: Places<'_>) -> String {
    let path = tree.path.path();
    let rule = places.placed(&tree.rule);
    let verdict = report::verdict(path, false, &rule, None, places.asked_in);
    let by = verdict.strip_prefix("ignored ").unwrap_or(&verdict);
    format!("  ignored: {} {by}: {}", shown(path, places.asked_in), size(tree))
}

fn more(rest: &[IgnoredTree]) -> Option<String> {
    let directories = rest.iter().map(|tree| tree.directories).sum();
    let files = rest.iter().map(|tree| tree.files).sum();
    let counted = rest.iter().all(|tree| tree.counted);
    let sum = IgnoredTree { directories, files, counted, ..rest.first()?.clone() };
    Some(format!(
        "  ignored: {} more: {} (--json names them)",
        count(rest.len() as u64),
        size(&sum)
    ))
}

/// The size of an ignored tree, as far as it was counted.
fn size(tree: &IgnoredTree) -> String {
    let least = if tree.counted { "" } else { "≥ " };
    let directories = counted(tree.directories, "directory");
    format!("{least}{directories}, {least}{}", counted(tree.files, "file"))
}

fn watches_text(watches: &Watches, instance: bool) -> String {
    let here = count(watches.here);
    let all =
        format!("{} allowed to this user (fs.inotify.max_user_watches)", count(watches.allowed));
    match instance {
        true => format!("inotify watches: {here} held by this instance; {all}\n"),
        false => format!("inotify watches: {here} needed; {all}\n"),
    }
}

/// The summary as one JSON object on a line.
pub(super) fn json(surveyed: &Surveyed, directory: &Path, instance: Option<u32>) -> String {
    #[derive(Serialize)]
    struct SurveyLine<'l> {
        v: u32,
        directory: report::JsonName,
        #[serde(flatten)]
        surveyed: &'l Surveyed,
        #[serde(skip_serializing_if = "Option::is_none")]
        instance: Option<u32>,
    }
    report::json_line(&SurveyLine { v: PROTOCOL, directory: directory.into(), surveyed, instance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Unreadable;
    use crate::model::{Origin, Rule, RuleKind};
    use crate::report::JsonName;

    fn tree(path: &str, directories: usize, files: usize, counted: bool) -> IgnoredTree {
        let rule =
            Rule { kind: RuleKind::BuiltIn, text: "node_modules".into(), origin: Origin::BuiltIn };
        let path = JsonName(path.as_bytes().to_vec());
        IgnoredTree { path, rule, directories, files, counted }
    }

    fn said(change: impl FnOnce(&mut SurveyedRoot)) -> String {
        let mut root = SurveyedRoot {
            path: JsonName(b"/w".to_vec()),
            missing: false,
            directories: 1_118,
            files: 342,
            types: Vec::new(),
            polled: Vec::new(),
            ignored: Vec::new(),
            unreadable: Vec::new(),
            tree: Vec::new(),
        };
        change(&mut root);
        let watches = Some(Watches { here: 1_118, allowed: 8_192 });
        let configuration = "config.yml".into();
        let surveyed = Surveyed { configuration, roots: vec![root], outputs: Vec::new(), watches };
        let places = Places { asked_in: Path::new("/w"), written_for: Path::new("/w") };
        text(&surveyed, true, places)
    }

    #[test]
    fn everything_there_is_to_say_about_a_root() {
        let said = said(|root| {
            root.types = vec![(".go".into(), 320), (String::new(), 12), (".c".into(), 10)];
            root.polled = vec![("9p".into(), 12)];
            root.ignored =
                vec![tree("/w/node_modules", 1_204, 12_031, true), tree("/w/x", 1, 900, false)];
            let at = JsonName(b"/w/\x1b".to_vec());
            root.unreadable = vec![Unreadable { at, error: "Permission denied".into() }];
        });
        let expected = "\
.: 1,118 directories and 342 files watched (config.yml)
  types: .go 320, 12 without an ending, .c 10
  by polling: 12 directories (9p)
  ignored: node_modules by node_modules (built-in): 1,204 directories, 12,031 files
  ignored: x by node_modules (built-in): ≥ 1 directory, ≥ 900 files
  cannot be read: \\x1b: Permission denied
inotify watches: 1,118 held by this instance; 8,192 allowed to this user \
(fs.inotify.max_user_watches)
";
        assert_eq!(said, expected);
    }

    #[test]
    fn of_many_the_most_and_the_sum_of_the_rest() {
        let said = said(|root| {
            root.types = (0..15).map(|n| (format!(".t{n}"), 20 - n)).collect();
            let trees = (0..14).map(|n| tree(&format!("/w/n{n:02}"), 2, 20 - n, n < 13));
            root.ignored = trees.collect();
        });
        assert!(said.contains(".t11 9, 21 of other types\n"), "{said}");
        let rest = "  ignored: 2 more: ≥ 4 directories, ≥ 15 files (--json names them)\n";
        assert!(said.contains(rest), "{said}");
    }

    #[test]
    fn roots_that_are_no_directories() {
        let missing = said(|root| root.missing = true);
        assert!(missing.starts_with(".: missing; watched as soon as it is there (config.yml)\n"));
        let single = said(|root| root.directories = 0);
        assert!(single.starts_with(".: a single file, watched (config.yml)\n"), "{single}");
    }
}
