//! The trees that tools watch, made once for each run of the bench, all on one file system.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a tree is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Directories under `src`, which count.
    pub(crate) kept: usize,
    /// Directories under `node_modules`, which every tool is told to ignore.
    pub(crate) ignored: usize,
    /// Files in each kept directory. (An ignored one has one.)
    pub(crate) files: usize,
}

/// A tree on disk.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    /// Its root.
    pub(crate) root: PathBuf,
    /// The directories that count, the root excepted, in breadth-first order.
    pub(crate) kept: Vec<PathBuf>,
    /// The ignored ones.
    pub(crate) ignored: Vec<PathBuf>,
    files: usize,
}

/// Subdirectories of each directory: a tree of 20,000 directories is five deep.
const FAN_OUT: usize = 10;

impl Tree {
    /// Makes the tree at `root`.
    pub(crate) fn make(root: PathBuf, plan: Plan) -> io::Result<Self> {
        fs::create_dir_all(root.join(".git"))?;
        fs::write(root.join(".git/HEAD"), "ref: refs/heads/main\n")?;
        fs::write(root.join(".gitignore"), "node_modules/\n")?;
        fs::write(root.join("main.go"), "package main\n")?;
        // What the peers want to find in a project; it is there for all.
        fs::write(root.join("package.json"), "{}\n")?;
        fs::write(root.join("Cargo.toml"), "[package]\nname = \"x\"\nversion = \"0.1.0\"\n")?;
        let kept = grow(&root.join("src"), plan.kept, plan.files)?;
        let ignored = grow(&root.join("node_modules"), plan.ignored, 1)?;
        Ok(Self { root, kept, ignored, files: plan.files })
    }

    /// The file that is saved unless a scenario says otherwise.
    pub(crate) fn main(&self) -> PathBuf {
        self.root.join("main.go")
    }

    /// The files of the directories that count.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.kept.iter().flat_map(move |dir| (0..self.files).map(move |n| file(dir, n)))
    }

    /// A file in the last directory that a walk reaches.
    pub(crate) fn last_file(&self) -> PathBuf {
        self.kept.last().map_or_else(|| self.main(), |dir| file(dir, 0))
    }
}

fn grow(base: &Path, count: usize, files: usize) -> io::Result<Vec<PathBuf>> {
    let mut all: Vec<PathBuf> = Vec::with_capacity(count);
    for number in 0..count {
        let dir = match number.checked_sub(1) {
            None => base.to_path_buf(),
            Some(above) => all[above / FAN_OUT].join(format!("d{}", above % FAN_OUT)),
        };
        fs::create_dir(&dir)?;
        for n in 0..files {
            fs::write(file(&dir, n), "package part\n")?;
        }
        all.push(dir);
    }
    Ok(all)
}

fn file(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("part{number}.go"))
}
