//! What the documents show is so: every command line in them is run, every output in them is compared.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::*;

const README: &str = include_str!("../../README.md");
const CHINESE: &str = include_str!("../../README.zh-CN.md");
const CONTRIBUTING: &str = include_str!("../../CONTRIBUTING.md");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A fenced block: its language and its lines without the indent of the list that it stands in.
struct Block {
    language: String,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else { continue };
        let indent = line.len() - line.trim_start().len();
        let inside = lines.by_ref().take_while(|line| line.trim_start() != "```");
        let lines = inside.map(|line| line.get(indent..).unwrap_or_default().to_owned()).collect();
        blocks.push(Block { language: language.to_owned(), lines });
    }
    blocks
}

/// The block of this language with this text in it.
#[track_caller]
fn block(text: &str, language: &str, part: &str) -> Vec<String> {
    let mut all = blocks(text).into_iter().filter(|block| block.language == language);
    let found = all.find(|block| block.lines.iter().any(|line| line.contains(part)));
    found.unwrap_or_else(|| panic!("no {language} block with {part}")).lines
}

/// What stands between backquotes outside of blocks.
fn spans(text: &str) -> Vec<String> {
    let mut outside = true;
    let plain: Vec<&str> = text
        .lines()
        .filter(|line| {
            let fence = line.trim_start().starts_with("```");
            outside ^= fence;
            outside && !fence
        })
        .collect();
    // A span may go over the end of a line.
    let text = plain.join(" ").replace("  ", " ");
    text.split('`').skip(1).step_by(2).map(|span| span.replace("\\|", "|")).collect()
}

/// Every command line of a document that a shell could be given.
fn command_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for block in blocks(text) {
        match block.language.as_str() {
            "sh" => lines.extend(block.lines),
            "console" => {
                let typed = block.lines.iter().filter_map(|line| line.strip_prefix("$ "));
                lines.extend(typed.map(str::to_owned));
            }
            "dockerfile" => {
                for line in &block.lines {
                    let Some(argv) = line.strip_prefix("CMD ") else { continue };
                    let argv: Vec<String> = serde_json::from_str(argv).expect(argv);
                    lines.push(shell_words::join(argv));
                }
            }
            _ => {}
        }
    }
    lines.extend(spans(text).into_iter().filter(|span| span.starts_with("go-watcher ")));
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// A directory of programs that only note how they were called, and `go-watcher`, which runs once.
struct Tools {
    project: Project,
    directory: PathBuf,
}

/// A file under the name that `init` writes to.
const CONFIG: &str = "command: go run .\nexcluded_paths: [vendor]\n";

/// What the recipes call.
const CALLED: [&str; 11] =
    ["go", "cargo", "node", "npm", "python3", "make", "psql", "gofmt", "git", "pytest", "rustfmt"];

impl Tools {
    fn new() -> Self {
        let project = Project::new()
            .settings("command: go run .\n")
            .config(CONFIG)
            .file("a.go", "package a\n")
            .file("server.js", "");
        let directory = project.root().join("tools");
        fs::create_dir(&directory).unwrap();
        let tools = Self { project, directory };
        for name in CALLED {
            tools.put(name, "printf '%s ' \"${0##*/}\" \"$@\" >> \"$CALLS\"; echo >> \"$CALLS\"");
        }
        // It builds what it is told to build.
        tools.put(
            "go",
            "printf '%s ' go \"$@\" >> \"$CALLS\"; echo >> \"$CALLS\"\n\
             if [ \"$1\" = build ] && [ \"$2\" = -o ]; then\n\
             mkdir -p \"${3%/*}\"; printf '#!/bin/sh\\necho built >> \"$CALLS\"\\n' > \"$3\"; chmod 755 \"$3\"; fi",
        );
        let program = tools.project.program_path().display().to_string();
        tools.put(
            "go-watcher",
            &format!(
                "[ \"$1\" != run ] || {{ shift; exec {program} run --once \"$@\"; }}\nexec {program} \"$@\""
            ),
        );
        // `cargo run --release -- …` runs the program of the clone.
        tools.put(
            "cargo",
            "printf '%s ' cargo \"$@\" >> \"$CALLS\"; echo >> \"$CALLS\"\n\
             [ \"$1 $2 $3\" != 'run --release --' ] || { shift 3; exec go-watcher \"$@\"; }",
        );
        tools
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.directory.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What was called so far; forgotten then.
    fn calls(&self) -> String {
        let path = self.project.root().join("calls");
        let calls = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        calls
    }

    /// Runs a line in a shell; its status and what it said.
    fn run(&self, line: &str) -> Finished {
        // What a recipe builds, it builds here.
        let own = format!("{}/", self.project.root().join("tmp").display());
        let line = line.replace("/tmp/app", &format!("{own}app"));
        let mut command = self.project.in_tree("/bin/sh");
        command.arg("-c").arg(format!("{line}\nstatus=$?; wait; exit $status"));
        let path = format!("{}:/usr/bin:/bin", self.directory.display());
        command.env("PATH", path).env("CALLS", self.project.root().join("calls"));
        self.project.finish(command)
    }
}

/// A line with something real in the place of each placeholder.
fn filled(line: &str) -> String {
    line.replace("路径…", "a.go")
        .replace("PATH…", "a.go")
        .replace(" SHELL", " bash")
        .replace(" NAME", " web")
        .replace(" FILE", " watcher.yml")
}

/// The status that a line ends with where no instance runs.
fn status_of(line: &str) -> i32 {
    let word = line.split_whitespace().nth(1).unwrap_or_default();
    match word {
        "status" | "wait" | "restart" | "pause" | "resume" | "stop" | "quit" => 3,
        // Some paths of the examples are not watched.
        "explain" => i32::from(line.contains("notes.log")),
        _ => 0,
    }
}

#[test]
fn every_command_of_the_documents_runs() {
    let tools = Tools::new();
    let mut done = 0;
    for (name, text) in
        [("README.md", README), ("README.zh-CN.md", CHINESE), ("CONTRIBUTING.md", CONTRIBUTING)]
    {
        for line in command_lines(text) {
            let line = filled(&line);
            if line.starts_with("make") || line.starts_with("apt-get") {
                continue;
            }
            assert!(!line.contains('…') || line.contains("\"…\""), "{name}: {line}");
            if line.contains("go-watcher init") {
                tools.project.remove("config.yml");
            }
            let finished = tools.run(&line);
            let expected = status_of(&line);
            assert_eq!(
                finished.code(),
                Some(expected),
                "{name}: {line}\n{}{}",
                finished.stdout,
                finished.stderr
            );
            let calls = tools.calls();
            if line.contains("go-watcher run") {
                assert!(!calls.is_empty(), "{name}: {line} called nothing: {}", finished.stderr);
            }
            // What is behind `exec` is what runs in the end.
            assert!(!line.contains("exec ") || calls.ends_with("built\n"), "{line}: {calls}");
            done += 1;
            // Each line finds the project as it was.
            tools.project.save("config.yml", CONFIG);
            let _ = fs::remove_file(tools.project.path("watcher.schema.json"));
        }
    }
    assert!(done > 60, "{done}");
}

#[test]
fn every_make_target_of_the_documents_exists() {
    let mut seen = 0;
    for text in [README, CHINESE, CONTRIBUTING] {
        let typed = command_lines(text).into_iter();
        for line in typed.chain(spans(text)).filter(|line| line.starts_with("make ")) {
            let words = line.split('#').next().unwrap_or_default();
            let words: Vec<String> = shell_words::split(words).expect(words);
            // Those of a recipe are the reader's own.
            if words[1..] == ["db"] || words[1..] == ["site"] || words[1..] == ["test/"] {
                continue;
            }
            let mut make = Command::new("make");
            make.current_dir(ROOT).arg("-n").args(&words[1..]).env_remove("MAKEFLAGS");
            let made = make.output().expect("make");
            assert!(made.status.success(), "{line}: {}", String::from_utf8_lossy(&made.stderr));
            seen += 1;
        }
    }
    assert!(seen > 8, "{seen}");
}

#[test]
fn the_outputs_that_are_shown_are_those_that_come() {
    for text in [README, CHINESE] {
        let shown = block(text, "console", "$ go-watcher explain");
        let project = Project::new()
            .file("Cargo.toml", "")
            .file("src/lib.rs", "")
            .file(".gitignore", "target/\n");
        let args = shell_words::split(shown[0].strip_prefix("$ go-watcher ").unwrap()).unwrap();
        let finished = project.go_watcher(args);
        assert_eq!(finished.stdout.lines().collect::<Vec<_>>(), shown[1..]);

        let shown = block(text, "text", "did you mean included_filetypes?");
        let project = Project::new().config("watcher:\n  include_filetypes: [.go]   # 文件类型\n");
        let finished = project.go_watcher(["check"]).ended_with(2);
        assert_eq!(finished.stderr.lines().collect::<Vec<_>>(), shown);

        let shown = block(text, "text", "ignored api_gen.go");
        let project = Project::new()
            .file(".gitignore", "a\nb\nc\nd\ne\nf\n*_gen.go\n")
            .config("#\n#\nwatcher:\n  included_filetypes: [.go]\n")
            .file("web/b.go", "0");
        let watcher = project.start(["-v"]).ready();
        // With -v there is a line for each directory; this one is said when all are watched.
        watcher.says("for .go: 2 directories");
        watcher.save("api_gen.go", "0");
        watcher.save("web/a.html", "0");
        for line in shown {
            watcher.says(&line);
        }
    }
}

#[test]
fn the_file_of_the_repository_is_the_one_that_init_writes_and_it_loads() {
    let project = Project::new();
    project.go_watcher(["init"]).ended_with(0);
    let written = fs::read_to_string(project.path("config.yml")).unwrap();
    assert_eq!(written, fs::read_to_string(Path::new(ROOT).join("watcher.example.yml")).unwrap());
    for text in [README, CHINESE] {
        let shown = block(text, "yaml", "excluded_paths:").join("\n");
        project.save("watcher.yml", shown);
        let checked = project.go_watcher(["check", "-e", "true"]).ended_with(0);
        assert!(!checked.stderr.contains("[WARN]"), "{}", checked.stderr);
        // The same values as in the file that `init` writes.
        project.remove("watcher.yml");
        let written = project.go_watcher(["check", "-e", "true"]).ended_with(0);
        let values = |text: &str| -> Vec<String> {
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
            lines.map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
        };
        assert_eq!(values(&checked.stdout), values(&written.stdout));
    }
}

/// The names of all fields, those of objects inside too.
fn fields(value: &serde_json::Value, into: &mut BTreeSet<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        into.insert(name.clone());
        fields(value, into);
    }
}

#[test]
fn the_fields_of_the_answers_are_documented() {
    // What there is to say about every kind of path, and before and after a run has ended.
    let watcher = Project::new()
        .settings("watcher: {included_filetypes: [.go]}\n")
        .file("a.go", "0")
        .directory("link")
        .start(["--name", "web", "--poll=1s"])
        .watching();
    watcher.says("run 1: exit 0");
    std::os::unix::fs::symlink(".", watcher.path("away")).unwrap();
    let words: [&[&str]; 3] = [
        &["wait", "--json"],
        &["status", "--json"],
        &["explain", "--json", "a.go", "b.txt", "away/a.go", "/etc/hosts"],
    ];
    for (text, named) in [(README, "| `wait` |"), (CHINESE, "| `wait` |")] {
        let rows = text.lines().skip_while(|line| !line.starts_with(named)).take(3);
        for (row, args) in rows.zip(words) {
            let names: BTreeSet<String> = spans(row).into_iter().skip(1).collect();
            let output = crate::explain::ask(&watcher, args);
            let mut found = BTreeSet::new();
            for line in crate::explain::out(&output).lines() {
                let answer: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!(answer["v"], 1, "{line}");
                fields(&answer, &mut found);
            }
            found.remove("v");
            let missing: Vec<&String> = found.difference(&names).collect();
            assert!(missing.is_empty() && found.len() > 5, "{args:?}: {missing:?}");
            // Words that are values, and fields that only other states have.
            if args[0] == "wait" {
                let values = names.len() - found.len();
                assert_eq!(values, 7, "{names:?} {found:?}");
            }
        }
    }
}

/// Each row of the comparison is what the script does; a tool's version is said.
#[test]
fn the_comparison_has_the_rows_of_its_script() {
    let script = include_str!("../../benches/compare.sh");
    let rows = script.lines().filter_map(|line| line.strip_prefix("row '")?.split('\'').next());
    let rows: Vec<&str> = rows.collect();
    let (_, compared) = README.split_once("\n## Compared\n").expect("the comparison");
    let table: Vec<&str> = compared.lines().filter(|line| line.starts_with('|')).collect();
    let shown: Vec<&str> = table[2..]
        .iter()
        .take(rows.len())
        .filter_map(|row| Some(row.split('|').nth(1)?.trim()))
        .collect();
    assert_eq!(shown, rows);
    for tool in table[0].split('|').map(str::trim).filter(|tool| !tool.is_empty()) {
        let (name, version) = tool.split_once(' ').expect(tool);
        assert!(
            script.contains(&format!(" {name} ")) || script.contains(&format!("({name} ")),
            "{name}"
        );
        assert!(version.contains('.'), "{tool}");
    }
}

/// The headings with their levels.
fn headings(text: &str) -> Vec<(usize, String)> {
    let mut outside = true;
    let lines = text.lines().filter(|line| {
        outside ^= line.trim_start().starts_with("```");
        outside && line.starts_with('#')
    });
    let parts = lines.map(|line| line.split_once(' ').expect("a heading"));
    parts.map(|(level, title)| (level.len(), title.to_owned())).collect()
}

/// How many columns the rows of each table have.
fn tables(text: &str) -> Vec<Vec<usize>> {
    let rows: Vec<usize> = text
        .lines()
        .map(|line| {
            let line = line.trim();
            if line.starts_with('|') { line.replace("\\|", "").matches('|').count() - 1 } else { 0 }
        })
        .collect();
    rows.split(|columns| *columns == 0).filter(|t| !t.is_empty()).map(<[_]>::to_vec).collect()
}

#[test]
fn the_chinese_readme_is_a_complete_twin() {
    let levels = |text| headings(text).into_iter().map(|(level, _)| level).collect::<Vec<_>>();
    assert_eq!(levels(README), levels(CHINESE));
    assert_eq!(tables(README), tables(CHINESE));
    let (english, chinese) = (blocks(README), blocks(CHINESE));
    let languages = |blocks: &[Block]| -> Vec<String> {
        blocks.iter().map(|block| block.language.clone()).collect()
    };
    assert_eq!(languages(&english), languages(&chinese));
    for (ours, theirs) in english.iter().zip(&chinese) {
        // What can be typed and what comes of it is the same; comments are translated.
        let plain = |block: &Block| -> Vec<String> {
            let comments = ["sh", "yaml", "dockerfile"].contains(&block.language.as_str());
            let cut = |line: &String| match line.find('#').filter(|_| comments) {
                Some(at) => line[..at].trim_end().to_owned(),
                None => line.clone(),
            };
            block.lines.iter().map(cut).filter(|line| !line.is_empty()).collect()
        };
        assert_eq!(plain(ours), plain(theirs));
    }
    // Every flag, key, event and status that one names, the other names too.
    let named = |text: &str| -> Vec<String> {
        let mut names = spans(text);
        names.retain(|name| name.is_ascii() && !name.contains("PATH…"));
        names.sort();
        names.dedup();
        names
    };
    let (ours, theirs) = (named(README), named(CHINESE));
    let only = |some: &[String], others: &[String]| -> Vec<String> {
        some.iter().filter(|name| !others.contains(name)).cloned().collect()
    };
    assert_eq!((only(&ours, &theirs), only(&theirs, &ours)), (Vec::new(), Vec::new()));
}

#[test]
fn links_lead_somewhere() {
    let documents =
        ["README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/measured.md"];
    let anchor = |title: &str| -> String {
        let kept = title.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == ' ');
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    let mut seen = 0;
    for name in documents {
        let text = fs::read_to_string(Path::new(ROOT).join(name)).unwrap();
        let anchors: Vec<String> =
            headings(&text).into_iter().map(|(_, title)| anchor(&title)).collect();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            seen += 1;
            match link.strip_prefix('#') {
                Some(place) => assert!(anchors.iter().any(|a| a == place), "{name}: {link}"),
                None => assert!(Path::new(ROOT).join(link).exists(), "{name}: {link}"),
            }
        }
    }
    assert!(seen > 20, "{seen}");
}
