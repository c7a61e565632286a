//! Watched directories and files by name: as an indented tree on a terminal, else one path a line.

use std::path::PathBuf;

use serde::Serialize;

use crate::control::{Branch, PROTOCOL, Places, Surveyed};
use crate::report::{self, JsonName, counted, escape, escape_text, shown};

/// The branches that are asked for: all, or those at and below some paths.
fn branches<'s>(
    surveyed: &'s Surveyed,
    paths: &[JsonName],
) -> impl Iterator<Item = (PathBuf, Vec<&'s Branch>)> {
    let mut tops: Vec<PathBuf> =
        paths.iter().map(|path| path.path().components().collect()).collect();
    if tops.is_empty() {
        tops = surveyed.roots.iter().map(|root| root.path.path().to_path_buf()).collect();
    }
    let all = surveyed.roots.iter().flat_map(|root| &root.tree);
    tops.into_iter().filter_map(move |top| {
        let below: Vec<&Branch> = all.clone().filter(|b| b.path.path().starts_with(&top)).collect();
        (!below.is_empty()).then_some((top, below))
    })
}

/// The list: one path a line, directories with a slash at the end.
pub(super) fn list(surveyed: &Surveyed, paths: &[JsonName], places: Places<'_>) -> String {
    let mut text = String::new();
    for (_, branches) in branches(surveyed, paths) {
        for branch in branches {
            let directory = branch.path.path();
            text += &format!("{}/\n", shown(directory, places.asked_in));
            for file in &branch.files {
                let file = directory.join(file.path());
                text += &format!("{}\n", shown(&file, places.asked_in));
            }
        }
    }
    text
}

/// The list as JSON: one object a line for each directory.
pub(super) fn json(surveyed: &Surveyed, paths: &[JsonName]) -> String {
    #[derive(Serialize)]
    struct BranchLine<'l> {
        v: u32,
        #[serde(flatten)]
        branch: &'l Branch,
    }
    let lines = branches(surveyed, paths).flat_map(|(_, branches)| branches);
    lines.map(|branch| report::json_line(&BranchLine { v: PROTOCOL, branch })).collect()
}

/// The tree: one directory a line, indented by its depth.
pub(super) fn tree(surveyed: &Surveyed, paths: &[JsonName], places: Places<'_>) -> String {
    let mut text = String::new();
    for (top, branches) in branches(surveyed, paths) {
        let above = top.components().count();
        for branch in branches {
            let path = branch.path.path();
            let depth = path.components().count().saturating_sub(above);
            let name = match path.file_name().filter(|_| depth > 0) {
                Some(name) => escape(name),
                None => shown(path, places.asked_in).trim_end_matches('/').to_owned(),
            };
            text += &format!("{:1$}{name}/", "", 2 * depth);
            if !branch.files.is_empty() {
                text += &format!("  {}", counted(branch.files.len(), "file"));
            }
            if let Some(reason) = &branch.polled {
                text += &format!("  (polled: {})", escape_text(reason));
            }
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::control::SurveyedRoot;

    fn surveyed(paths: &[(&str, usize)]) -> Surveyed {
        let branch = |(path, files): &(&str, usize)| Branch {
            path: JsonName(path.as_bytes().to_vec()),
            files: (0..*files).map(|n| JsonName(format!("{n}.go").into_bytes())).collect(),
            polled: None,
        };
        let root = SurveyedRoot {
            path: JsonName(b"/w".to_vec()),
            missing: false,
            directories: paths.len(),
            files: 0,
            types: Vec::new(),
            polled: Vec::new(),
            ignored: Vec::new(),
            unreadable: Vec::new(),
            tree: paths.iter().map(branch).collect(),
        };
        Surveyed {
            configuration: String::new(),
            roots: vec![root],
            outputs: Vec::new(),
            watches: None,
        }
    }

    fn drawn(paths: &[(&str, usize)]) -> Vec<String> {
        let places = Places { asked_in: Path::new("/w"), written_for: Path::new("/w") };
        let text = tree(&surveyed(paths), &[], places);
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_tree_is_indented() {
        let paths = [("/w", 2), ("/w/cmd", 1), ("/w/cmd/a", 0), ("/w/cmd/a/b\n", 3), ("/w/web", 1)];
        let expected =
            ["./  2 files", "  cmd/  1 file", "    a/", "      b\\n/  3 files", "  web/  1 file"];
        assert_eq!(drawn(&paths), expected);
    }

    #[test]
    fn only_what_is_asked_for() {
        let places = Places { asked_in: Path::new("/w"), written_for: Path::new("/w") };
        let surveyed = surveyed(&[("/w", 1), ("/w/a", 2), ("/w/ab", 1)]);
        let paths = [JsonName(b"/w/a/".to_vec())];
        assert_eq!(list(&surveyed, &paths, places), "a/\na/0.go\na/1.go\n");
        assert_eq!(list(&surveyed, &[JsonName(b"/w/no".to_vec())], places), "");
        let line = json(&surveyed, &paths);
        assert_eq!(line, "{\"v\":1,\"path\":\"/w/a\",\"files\":[\"0.go\",\"1.go\"]}\n");
    }
}
