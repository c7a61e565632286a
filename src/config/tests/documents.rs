//! The template, the schema, what `check` prints and what `init` writes agree with the keys.

use std::collections::BTreeSet;

use super::super::check::describe;
use super::super::keys;
use super::super::{init, schema, template};
use super::{Project, fifo, notices};
use crate::config::InitArgs;

/// The key paths of a YAML text, lists and `envs` as leaves.
fn paths(text: &str) -> BTreeSet<String> {
    fn walk(prefix: &str, value: &serde_yaml::Value, out: &mut BTreeSet<String>) {
        let Some(map) = value.as_mapping() else {
            out.insert(prefix.to_owned());
            return;
        };
        for (name, value) in map {
            let name = name.as_str().expect("a text");
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            walk(&path, value, out);
        }
    }
    let mut out = BTreeSet::new();
    walk("", &serde_yaml::from_str(text).expect("YAML"), &mut out);
    out
}

fn known() -> BTreeSet<String> {
    keys::ALL.iter().map(|key| key.path.to_owned()).collect()
}

#[test]
fn the_template_has_every_key_at_its_default() {
    // Keys whose default is "none" can only be comments.
    let text = template().replacen("# command: go", "command: go", 1).replace("# name:", "name:");
    assert_eq!(paths(&text), known());
    let project = Project::with("watcher.yml", template());
    let (ours, defaults) = (project.good(""), Project::new().good(""));
    assert_eq!(defaults.changes(&ours).as_deref(), Some("+excluded_paths vendor"));
    assert_eq!(notices(&ours), [""; 0]);
    for key in keys::ALL {
        let name = key.path.rsplit('.').next().unwrap_or_default();
        let default: serde_yaml::Value = serde_yaml::from_str(key.default).expect(key.path);
        let line = template()
            .lines()
            .find_map(|line| line.trim_start_matches([' ', '#']).strip_prefix(&format!("{name}: ")))
            .or_else(|| template().contains(&format!("{name}:\n- vendor")).then_some("[]"))
            .unwrap_or_else(|| panic!("{name} is not in the template"));
        if !key.default.is_empty() {
            assert_eq!(
                serde_yaml::from_str::<serde_yaml::Value>(line).ok(),
                Some(default),
                "{name}"
            );
        }
    }
}

#[test]
fn every_commented_line_of_the_template_is_right_too() {
    let text = template()
        .replace(": []\n  # - ", ":\n  - ")
        .replace(": []\n# - ", ":\n- ")
        .replace("\n  # - ", "\n  - ")
        .replace("\n# - ", "\n- ")
        .replacen("# command: [", "command: [", 1)
        .replace("# name:", "name:");
    let config = Project::with("watcher.yml", &text).good("");
    assert_eq!(config.env.len(), 2, "{text}");
    assert_eq!(config.name.as_deref(), Some("server"));
    assert_eq!(config.filter.spec().types.len(), 2);
    assert!(config.command.is_some_and(|command| !command.shell));
}

#[test]
fn the_schema_has_every_key() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).expect("JSON");
    let mut found = BTreeSet::new();
    for (name, property) in schema["properties"].as_object().expect("properties") {
        match property["properties"].as_object() {
            Some(inner) => found.extend(inner.keys().map(|key| format!("{name}.{key}"))),
            None => {
                found.insert(name.clone());
            }
        }
    }
    assert_eq!(found, known());
}

#[test]
fn what_check_prints_loads_to_the_same() {
    let text = "command: \"go run . # 'x' \\\"y\\\" \\u001b \\u202e\"\nwatcher:\n  duration: 2000\n  \
                debounce: 1.5s\n  included_filetypes: [go, .html]\n  excluded_regexps: ['a#b', '^x: y$', \"t\\tx\"]\n  \
                poll: 700\nadditional_paths: [/tmp, '- x', 'null', '1']\nexcluded_paths: ['!dist', '*.x', '中文']\n\
                envs: {A: '1', B: 'x y: #', C: ''}\non_busy: queue\nstop: {signal: int, timeout: 1m30s, keep: []}\n\
                stdin: open\nkeys: false\nname: web\nlog_format: json\n";
    let project = Project::with("watcher.yml", text);
    let config = project.good("-i 'a b' -E D=4 --clear --on-crash=exit");
    let printed = describe(&config);
    assert!(!printed.contains(['\u{1b}', '\u{202e}']), "{printed}");
    assert_eq!(paths(&printed), known(), "{printed}");
    let again = Project::with("watcher.yml", &printed).good("");
    assert_eq!(config.changes(&again), None, "{printed}");
    assert_eq!(again.command, config.command);
    assert_eq!(again.env, config.env);
    for expected in [
        "# watcher.yml:3",
        "# -i",
        "# -E",
        "# --clear",
        "# --on-crash",
        "debounce: 1.5s",
        "signal: SIGINT",
    ] {
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
}

#[test]
fn check_of_nothing_shows_the_defaults() {
    let printed = describe(&Project::new().good(""));
    assert!(printed.starts_with("# built-in defaults: the values in effect\n# command:   (none)\nwatcher:\n  duration: 0\n"), "{printed}");
}

#[test]
fn init_names_a_schema_to_editors_only_where_there_is_one() {
    const LINE: &str = "\n# yaml-language-server: $schema=./watcher.schema.json\n";
    let init = |project: &Project, output: &str, schema: bool, force: bool| {
        init(&InitArgs { output: output.into(), force, schema }, project.path())
            .map_err(|error| error.to_string())
    };
    let read = |project: &Project, name: &str| {
        std::fs::read_to_string(project.path().join(name)).expect(name)
    };
    let project = Project::new();
    let said = init(&project, "watcher.yml", true, false).expect("new files");
    assert_eq!(
        said,
        "wrote watcher.yml and watcher.schema.json; next: go-watcher run -e \"go run .\"\n"
    );
    assert_eq!(read(&project, "watcher.schema.json"), schema());
    assert!(read(&project, "watcher.yml").contains(LINE));
    assert_eq!(notices(&project.good("")), [""; 0]);
    // One that is there is used, and written anew only by force.
    project.write("watcher.schema.json", "{}");
    for (output, schema, force, text) in
        [("a.yml", false, false, "{}"), ("b.yml", true, false, "{}"), ("b.yml", false, true, "{}")]
    {
        init(&project, output, schema, force).expect(output);
        assert!(read(&project, output).contains(LINE), "{output}");
        assert_eq!(read(&project, "watcher.schema.json"), text);
    }
    init(&project, "b.yml", true, true).expect("forced");
    assert_eq!(read(&project, "watcher.schema.json"), schema());
    let said = init(&project, "./my file.yml", false, false).expect("a new file");
    let expected = "wrote ./my file.yml; next: go-watcher run -c './my file.yml' -e \"go run .\"   \
                    (without -c: watcher.yml)\n";
    assert_eq!(said, expected, "watcher.yml comes first");
    // Elsewhere there is none.
    std::fs::create_dir(project.path().join("d")).expect("a directory");
    init(&project, "d/c.yml", false, false).expect("a new file");
    assert_eq!(read(&project, "d/c.yml"), template());
    assert!(!template().contains(LINE));
}

#[test]
fn init_never_takes_what_is_there() {
    let project = Project::new();
    let init = |output: &str, force: bool| {
        init(&InitArgs { output: output.into(), force, schema: false }, project.path())
            .map_err(|error| error.to_string())
    };
    let said = init("./config.yml", false).expect("a new file");
    assert_eq!(said, "wrote ./config.yml; next: go-watcher run -e \"go run .\"\n");
    let read = |name: &str| std::fs::read_to_string(project.path().join(name)).expect(name);
    assert_eq!(read("config.yml"), template());
    project.write("config.yml", "watcher: {duration: 5}");
    let error = init("./config.yml", false).expect_err("ours");
    assert_eq!(error, "./config.yml: exists; --force overwrites it, -o FILE writes another one");
    assert_eq!(read("config.yml"), "watcher: {duration: 5}");
    project.write("config.yml", "port: 80");
    let error = init("./config.yml", false).expect_err("foreign");
    let (first, second) = (error.find("-o watcher.yml"), error.find("--force"));
    assert!(first.is_some() && first < second, "{error}");
    assert_eq!(read("config.yml"), "port: 80");
    init("config.yml", true).expect("forced");
    assert_eq!(read("config.yml"), template());
    let error = init("new/dir/x.yml", false).expect_err("no directory");
    assert_eq!(
        error,
        "new/dir/x.yml: there is no directory new/dir; make it first: mkdir -p new/dir"
    );
    assert!(!project.path().join("new").exists());
    std::fs::create_dir(project.path().join("d")).expect("a directory");
    for force in [false, true] {
        assert!(init("d", force).expect_err("a directory").contains("is a directory"));
    }
    std::os::unix::fs::symlink("nowhere", project.path().join("link.yml")).expect("a link");
    assert!(init("link.yml", false).expect_err("a link").contains("exists"));
    fifo(&project.path().join("fifo"));
    assert!(init("fifo", true).is_err());
}
