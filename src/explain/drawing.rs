//! What is watched, by name: as an indented tree on a terminal, else one path a line.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::words::Places;
use crate::control::{Branch, Name, PROTOCOL, Surveyed};
use crate::report::{self, counted, escape_bytes, escape_text, shown};

/// Directories that are drawn in one directory; of more, the largest.
const BREADTH: usize = 24;

/// A tree of at least so many lines is drawn on the smallest terminal.
const LEAST_ROWS: usize = 20;

/// The branches that are asked for: all, or those at and below some paths.
fn branches<'s>(
    surveyed: &'s Surveyed,
    paths: &[Name],
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

/// One path a line, directories with a slash at the end.
pub(super) fn list(surveyed: &Surveyed, paths: &[Name], places: Places<'_>) -> String {
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

/// One object a line for each directory.
pub(super) fn json(surveyed: &Surveyed, paths: &[Name]) -> String {
    #[derive(Serialize)]
    struct Line<'l> {
        v: u32,
        #[serde(flatten)]
        branch: &'l Branch,
    }
    let lines = branches(surveyed, paths).flat_map(|(_, branches)| branches);
    lines.map(|branch| report::json_line(&Line { v: PROTOCOL, branch })).collect()
}

/// An indented tree that fits on a screen of so many rows where that is possible.
pub(super) fn tree(surveyed: &Surveyed, paths: &[Name], rows: usize, places: Places<'_>) -> String {
    let mut text = String::new();
    for (top, branches) in branches(surveyed, paths) {
        let forest = Forest::new(&branches);
        let rows = rows.saturating_sub(2).max(LEAST_ROWS);
        let mut depth = 1;
        while depth < forest.depth() && forest.lines(0, depth + 1) <= rows {
            depth += 1;
        }
        let name = match shown(&top, places.asked_in) {
            name if name.ends_with('/') => name,
            name => format!("{name}/"),
        };
        forest.draw(0, &name, 0, depth, &mut text);
    }
    text
}

/// The directories by number; a directory comes before what is in it.
struct Forest<'b> {
    nodes: Vec<Node<'b>>,
}

struct Node<'b> {
    name: &'b [u8],
    branch: &'b Branch,
    level: usize,
    children: Vec<usize>,
    /// Files and directories in it and below.
    files: usize,
    directories: usize,
}

impl<'b> Forest<'b> {
    fn new(branches: &[&'b Branch]) -> Self {
        let mut nodes: Vec<Node<'b>> = Vec::new();
        let mut above: Vec<usize> = Vec::new();
        for (number, branch) in branches.iter().enumerate() {
            let path = branch.path.path();
            let is_above = |node: &usize| {
                let node: &Node<'_> = &nodes[*node];
                path.starts_with(node.branch.path.path())
            };
            while above.last().is_some_and(|last| !is_above(last)) {
                above.pop();
            }
            let over = above.last().and_then(|last| nodes.get(*last));
            let base = over.map_or(Path::new("/"), |node| node.branch.path.path());
            // A directory in between may be ignored but for what is below it.
            let name = path.as_os_str().as_bytes().get(base.as_os_str().len()..);
            let name = name.unwrap_or_default();
            for node in &above {
                nodes[*node].files += branch.files.len();
                nodes[*node].directories += 1;
            }
            if let Some(last) = above.last() {
                nodes[*last].children.push(number);
            }
            nodes.push(Node {
                name: name.strip_prefix(b"/").unwrap_or(name),
                branch,
                level: above.len(),
                children: Vec::new(),
                files: branch.files.len(),
                directories: 1,
            });
            above.push(number);
        }
        Self { nodes }
    }

    fn depth(&self) -> usize {
        self.nodes.iter().map(|node| node.level).max().unwrap_or(0)
    }

    /// The lines that a directory takes when `depth` levels below it are drawn.
    fn lines(&self, node: usize, depth: usize) -> usize {
        if depth == 0 {
            return 1;
        }
        let (drawn, rest) = self.drawn(node);
        let below: usize = drawn.iter().map(|child| self.lines(*child, depth - 1)).sum();
        1 + below + usize::from(!rest.is_empty())
    }

    /// The children that are drawn, in order, and the others.
    fn drawn(&self, node: usize) -> (Vec<usize>, Vec<usize>) {
        let mut children = self.nodes[node].children.clone();
        if children.len() <= BREADTH {
            return (children, Vec::new());
        }
        children.sort_by_key(|child| std::cmp::Reverse(self.nodes[*child].files));
        let rest = children.split_off(BREADTH);
        children.sort_unstable();
        (children, rest)
    }

    fn draw(&self, node: usize, name: &str, indent: usize, depth: usize, text: &mut String) {
        let this = &self.nodes[node];
        let cut = depth == 0 && !this.children.is_empty();
        let mut line = format!("{:indent$}{name}", "");
        if cut {
            let below = counted(this.directories - 1, "directory");
            line += &format!("  {} in it and {below} below", counted(this.files, "file"));
        } else if !this.branch.files.is_empty() {
            line += &format!("  {}", counted(this.branch.files.len(), "file"));
        }
        if let Some(reason) = &this.branch.polled {
            line += &format!("  (polled: {})", escape_text(reason));
        }
        *text += &(line + "\n");
        if cut || this.children.is_empty() {
            return;
        }
        let (drawn, rest) = self.drawn(node);
        for child in drawn {
            let name = format!("{}/", escape_bytes(self.nodes[child].name));
            self.draw(child, &name, indent + 2, depth - 1, text);
        }
        if !rest.is_empty() {
            let sum = |of: fn(&Node<'_>) -> usize| rest.iter().map(|n| of(&self.nodes[*n])).sum();
            let directories = counted(sum(|node| node.directories), "directory");
            let files = counted(sum(|node| node.files), "file");
            *text += &format!("{:1$}… {directories} more, {files}\n", "", indent + 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::SurveyedRoot;

    fn surveyed(paths: &[(&str, usize)]) -> Surveyed {
        let branch = |(path, files): &(&str, usize)| Branch {
            path: Name(path.as_bytes().to_vec()),
            files: (0..*files).map(|n| Name(format!("{n}.go").into_bytes())).collect(),
            polled: None,
        };
        let root = SurveyedRoot {
            path: Name(b"/w".to_vec()),
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

    fn drawn(paths: &[(&str, usize)], rows: usize) -> Vec<String> {
        let places = Places { asked_in: Path::new("/w"), written_for: Path::new("/w") };
        let text = tree(&surveyed(paths), &[], rows, places);
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_small_tree_is_drawn_whole() {
        let paths = [("/w", 2), ("/w/cmd", 1), ("/w/cmd/a", 0), ("/w/cmd/a/b\n", 3), ("/w/web", 1)];
        let expected =
            ["./  2 files", "  cmd/  1 file", "    a/", "      b\\n/  3 files", "  web/  1 file"];
        assert_eq!(drawn(&paths, 24), expected);
    }

    #[test]
    fn a_deep_tree_is_cut_where_the_screen_ends() {
        let names: Vec<String> = (0..10)
            .flat_map(|n| [format!("/w/d{n}"), format!("/w/d{n}/x"), format!("/w/d{n}/x/y")])
            .collect();
        let mut paths = vec![("/w", 1)];
        paths.extend(names.iter().map(|name| (name.as_str(), 2)));
        let lines = drawn(&paths, 24);
        assert_eq!(lines.len(), 21, "{lines:#?}");
        assert_eq!(lines[1..3], ["  d0/  2 files", "    x/  4 files in it and 1 directory below"]);
        assert_eq!(drawn(&paths, 100).len(), 31);
    }

    #[test]
    fn of_a_broad_directory_the_largest_are_drawn() {
        let names: Vec<String> = (0..40).map(|n| format!("/w/d{n:02}")).collect();
        let mut paths = vec![("/w", 0)];
        paths.extend(names.iter().enumerate().map(|(n, name)| (name.as_str(), n)));
        let lines = drawn(&paths, 100);
        assert_eq!(lines.len(), 1 + BREADTH + 1);
        assert_eq!(lines[1], "  d16/  16 files");
        assert_eq!(lines[25], "  … 16 directories more, 120 files");
    }

    #[test]
    fn only_what_is_asked_for() {
        let places = Places { asked_in: Path::new("/w"), written_for: Path::new("/w") };
        let surveyed = surveyed(&[("/w", 1), ("/w/a", 2), ("/w/ab", 1)]);
        let paths = [Name(b"/w/a/".to_vec())];
        assert_eq!(list(&surveyed, &paths, places), "a/\na/0.go\na/1.go\n");
        assert_eq!(list(&surveyed, &[Name(b"/w/no".to_vec())], places), "");
        let line = json(&surveyed, &paths);
        assert_eq!(line, "{\"v\":1,\"path\":\"/w/a\",\"files\":[\"0.go\",\"1.go\"]}\n");
    }
}
