//! Flags over file over defaults, and what comes out of it.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::{Project, fifo, notices};
use crate::model::{Backend, OnBusy, OnCrash, Signal, Stdin};
use crate::watch::Poll;

/// The file of the original's documentation.
const ORIGINAL: &str = "\
watcher:                   # 监视器配置
  duration: 2000
  included_filetypes:
  - .go
  excluded_regexps:
  - ^.gitignore$
  - '*.yml$'
  - '*.txt$'
additional_paths: []
excluded_paths:
- vendor
- .git
envs:
- GOROOT=/path/to/your/goroot
- GOPATH=/path/to/your/gopath
";

#[test]
fn the_originals_file_works() {
    let project = Project::with("config.yml", ORIGINAL);
    let config = project.good("-e 'go run .'");
    assert_eq!(
        notices(&config),
        [
            "config.yml:7:5: '*.yml$' is not a regular expression; read as the glob *.yml",
            "config.yml:8:5: '*.txt$' is not a regular expression; read as the glob *.txt",
            "config.yml:14:3: envs: GOROOT and GOPATH are placeholders (/path/to/your/…); \
             they are not passed on: write a real value or delete the line",
        ]
    );
    assert_eq!(config.file.as_deref(), Some("config.yml".as_ref()));
    assert_eq!(config.settle.duration, Duration::from_secs(2));
    assert_eq!(config.env, []);
    assert_eq!(config.filter.spec().excluded.len(), 2);
    assert_eq!(config.watch.extra_files, [project.path().join("config.yml")]);
}

#[test]
fn without_a_file_the_defaults_hold() {
    let project = Project::new();
    let config = project.good("-- true");
    assert_eq!(config.source(), "built-in defaults");
    assert_eq!(config.settle.duration, Duration::ZERO);
    assert_eq!(config.settle.debounce, None);
    assert_eq!(config.supervise.stop_signal, Signal(libc::SIGTERM));
    assert_eq!(config.supervise.stop_timeout, Duration::from_secs(5));
    assert_eq!(config.supervise.on_busy, OnBusy::Restart);
    assert!(!config.supervise.postpone && !config.supervise.once && config.keys);
    assert_eq!((config.stdin, config.stop_keep.len()), (Stdin::Null, 7));
    assert_eq!((config.watch.backend, config.watch.poll), (Backend::Auto, Poll::Auto));
    assert!(config.watch.exclude_unchanged && config.watch.extra_files.is_empty());
    assert!(config.filter.spec().gitignore && config.filter.spec().default_ignores);
    assert_eq!(config.roots.len(), 1);
    assert_eq!(config.roots[0].path, project.path());
    assert!(!config.roots[0].named);
    assert_eq!(config.directory, project.path());
}

#[test]
fn an_empty_file_is_the_defaults_too() {
    let defaults = Project::new().good("");
    for text in ["", "\n", "# nothing\n", "---\n", "watcher:\n", "\u{feff}", "\r\n"] {
        let config = Project::with("watcher.yml", text).good("");
        assert_eq!(defaults.changes(&config), None, "{text:?}");
        assert_eq!(config.source(), "watcher.yml");
    }
}

#[test]
fn flags_win_over_the_file() {
    let text = "command: from-file\nwatcher: {duration: 1s, debounce: 2s, gitignore: true, backend: native}\n\
                on_busy: queue\non_crash: restart\nstop: {signal: INT, timeout: 3s}\nstdin: open\nname: file\n";
    let project = Project::with("watcher.yml", text);
    let config = project.good("");
    assert_eq!(config.command.as_ref().map(|c| c.shown.as_str()), Some("from-file"));
    assert_eq!(config.supervise.on_crash, OnCrash::Restart);
    assert_eq!((config.stdin, config.name.as_deref()), (Stdin::Open, Some("file")));
    let config = project.good(
        "-e flag -d 50ms --duration 0 --no-gitignore --backend poll --on-busy ignore --on-crash exit \
         --stop-signal USR1 --stop-timeout 0 --stdin --name flag --no-keys -p --once --clear -q",
    );
    assert_eq!(config.command.as_ref().map(|c| c.shown.as_str()), Some("flag"));
    assert_eq!(config.settle.debounce, Some(Duration::from_millis(50)));
    assert_eq!(config.settle.duration, Duration::ZERO);
    assert!(!config.filter.spec().gitignore);
    assert_eq!(config.watch.backend, Backend::Poll);
    assert_eq!(config.supervise.on_busy, OnBusy::Ignore);
    assert_eq!(config.supervise.on_crash, OnCrash::Exit);
    assert_eq!(config.supervise.stop_signal, Signal(libc::SIGUSR1));
    assert_eq!(config.supervise.stop_timeout, Duration::ZERO);
    assert!(config.supervise.postpone && config.supervise.once && config.output.clear);
    assert_eq!(
        (config.stdin, config.name.as_deref(), config.keys),
        (Stdin::Terminal, Some("flag"), false)
    );
}

#[test]
fn lists_are_added_to_or_replaced() {
    let text = "watcher: {included_filetypes: [go]}\nexcluded_paths: [vendor]\nadditional_paths: [lib]\nenvs: [A=1]\n";
    let project = Project::with("watcher.yml", text);
    std::fs::create_dir(project.path().join("lib")).expect("lib");
    project.write("one.go", "");
    let braces = project.good("--ext 'go,*.{js,ts},css'");
    let texts: Vec<String> = braces
        .values
        .entries_in_order()
        .iter()
        .find(|entry| entry.key.path == "watcher.included_filetypes")
        .map(|entry| entry.items.iter().map(|item| item.text.clone()).collect())
        .unwrap_or_default();
    assert_eq!(texts, ["go", "*.{js,ts}", "css"]);
    let config = project.good("-i '*.log' -i '!dist' -i a/b --ext html,.css --ext js -E B=2");
    let spec = config.filter.spec();
    let texts = |list: &[crate::filter::Pattern]| -> Vec<(String, bool)> {
        list.iter().map(|pattern| (pattern.text.clone(), pattern.any_depth)).collect()
    };
    let row = |text: &str, any: bool| (text.to_owned(), any);
    assert_eq!(
        texts(&spec.excluded),
        [row("vendor", false), row("*.log", true), row("!dist", true), row("a/b", false)]
    );
    assert_eq!(texts(&spec.types), [row("html", false), row(".css", false), row("js", false)]);
    assert_eq!(
        config.env,
        [("A".into(), "1".into()), ("B".into(), "2".into())] as [(OsString, OsString); 2]
    );
    let shown = |line: &str| -> Vec<(String, bool)> {
        let roots = project.good(line).roots;
        roots.iter().map(|root| (root.shown.to_string_lossy().into_owned(), root.named)).collect()
    };
    assert_eq!(shown(""), [row(".", false), row("lib", true)]);
    assert_eq!(
        shown("-w lib -w ./lib/ -w one.go -w ../x"),
        [row("lib", true), row("one.go", true), row("../x", true)]
    );
    assert_eq!(shown("-w ."), [row(".", true)]);
    let config = project.good("-w one.go");
    assert_eq!(config.filter.spec().files[0].path, project.path().join("one.go"));
    assert!(config.filter.spec().named.is_empty());
    assert_eq!(config.directory, project.path());
}

#[test]
fn the_watched_paths_of_the_file_replace_too() {
    let text = "watcher: {paths: [src]}\nadditional_paths: [lib]\n";
    let config = Project::with("watcher.yml", text).good("");
    assert_eq!(config.roots.len(), 1);
    assert_eq!(config.roots[0].shown, Path::new("src"));
}

#[test]
fn polling_by_flag_variable_and_key() {
    let table = [
        ("", "", "auto", Backend::Auto, Poll::Auto),
        ("", "", "700", Backend::Auto, Poll::Every(Duration::from_millis(700))),
        ("", "2s", "700", Backend::Auto, Poll::Every(Duration::from_secs(2))),
        ("--poll", "2s", "700", Backend::Poll, Poll::Auto),
        ("--poll=1s", "2s", "700", Backend::Auto, Poll::Every(Duration::from_secs(1))),
        ("--poll=never", "2s", "700", Backend::Auto, Poll::Never),
        ("", "1", "never", Backend::Poll, Poll::Auto),
        ("", "true", "never", Backend::Poll, Poll::Auto),
        ("", "0", "700", Backend::Auto, Poll::Auto),
        ("", "never", "always", Backend::Auto, Poll::Never),
        ("", "", "always", Backend::Poll, Poll::Auto),
    ];
    for (line, variable, key, backend, poll) in table {
        let project = Project::with("watcher.yml", format!("watcher: {{poll: {key}}}\n"));
        let env = |name: &str| (name == "GO_WATCHER_POLL").then(|| variable.into());
        let config = project.load_with(line, &env).expect(line);
        assert_eq!(
            (config.watch.backend, config.watch.poll),
            (backend, poll),
            "{line} {variable} {key}"
        );
    }
    let env = |name: &str| (name == "GO_WATCHER_POLL").then(|| "often".into());
    let error = Project::new().load_with("", &env).expect_err("no duration").to_string();
    assert!(error.starts_with("error: GO_WATCHER_POLL: 'often' is not a duration"), "{error}");
    let env = |name: &str| (name == "GO_WATCHER_POLL").then(|| "2".into());
    let config = Project::new().load_with("", &env).expect("two milliseconds");
    assert_eq!(
        notices(&config),
        ["GO_WATCHER_POLL: 2 is 2 milliseconds; seconds are written 2s"],
        "as of --poll=2"
    );
}

#[test]
fn who_never_polls_and_always_does_is_told_where_he_said_so() {
    let file = "watcher:\n  poll: never\n  backend: poll\n";
    let table = [
        (file, "", "watcher.yml:2:9: watcher.poll: never polls, but watcher.backend is poll"),
        (
            file,
            "--backend poll",
            "watcher.yml:2:9: watcher.poll: never polls, but --backend is poll",
        ),
        (
            "watcher: {poll: 5s}\n",
            "--poll=never --backend poll",
            "error: --poll: never polls, but --backend",
        ),
        (
            "watcher: {backend: poll}\n",
            "--poll=never",
            "error: --poll: never polls, but watcher.backend",
        ),
    ];
    for (text, line, expected) in table {
        let error = Project::with("watcher.yml", text).bad(line);
        assert!(error.contains(expected), "{line}\n  wants {expected}\n  has   {error}");
    }
    let env = |name: &str| (name == "GO_WATCHER_POLL").then(|| "never".into());
    let error = Project::new().load_with("--backend poll", &env).expect_err("both").to_string();
    assert!(error.starts_with("error: GO_WATCHER_POLL: never polls, but --backend"), "{error}");
}

#[test]
fn a_pattern_for_the_top_of_the_file_system_is_doubted_where_nothing_is_watched_there() {
    let says = "is at the top of the file system, where nothing is watched; for the one here write";
    let project = Project::with("watcher.yml", "excluded_paths: [a, /dist, '!/web/*.min.js']\n");
    let here = project.path().to_owned();
    assert_eq!(
        notices(&project.good("-i /tmp_of_mine/")),
        [
            format!("watcher.yml:1:21: '/dist' {says} './dist'"),
            format!("watcher.yml:1:28: '!/web/*.min.js' {says} '!web/*.min.js'"),
            format!("-i: '/tmp_of_mine/' {says} './tmp_of_mine/'"),
        ]
    );
    // What is watched, what leads there, and what is somewhere else.
    let config = project.path().join("watcher.yml");
    std::fs::write(config, "").expect("an empty file");
    for path in [format!("{}/x", here.display()), "/*/x".to_owned(), "/usr".to_owned()] {
        assert_eq!(notices(&project.good(&format!("-i '{path}'"))), [""; 0], "{path}");
    }
}

#[test]
fn flags_that_are_wrong_say_so() {
    let table = [
        ("-d soon", "error: --debounce: 'soon' is not a duration; write auto, 500ms"),
        ("-d -5", "error: --debounce: '-5' is less than nothing"),
        ("--stop-signal KIL", "error: --stop-signal: 'KIL' is no signal; did you mean SIGKILL?"),
        ("--ext go,,html", "error: --ext: 'go,,html' has an empty type"),
        ("-i ''", "error: -i: an empty pattern"),
        ("-E FOO", "error: -E: 'FOO' has no ="),
        ("-e a -- b", "error: two commands"),
        ("-e ''", "error: -e is empty"),
        ("--poll=0", "error: --poll: '0' is no interval"),
        ("--name 'a b'", "error: --name: 'a b' is no name"),
        ("-i '[a'", "error: -i: '[a'"),
        ("--name 12", "error: --name: '12' is the number of an instance; write up to 64 letters"),
        ("--ext 'a/b'", "error: --ext: 'a/b'"),
        ("--ext 'go html'", "error: --ext: 'go html': holds a blank; types stand apart: go,html"),
        ("--ext '*.{js,ts'", "error: --ext: '*.{js,ts'"),
    ];
    for (line, expected) in table {
        let error = Project::new().bad(line);
        assert!(error.starts_with(expected), "{line}\n  wants {expected}\n  has   {error}");
    }
}

#[test]
fn no_command_anywhere_shows_both_ways() {
    let config = Project::new().good("");
    let error = config.required_command().expect_err("none").to_string();
    for part in
        ["go-watcher run -e \"go run .\"", "go-watcher run -- go run .", "command: go run ."]
    {
        assert!(error.contains(part), "{error}");
    }
    let config = Project::with("config.yml", "watcher: {}\n").good("");
    assert!(config.required_command().expect_err("none").to_string().contains("into config.yml"));
}

#[test]
fn a_command_of_the_file() {
    let command =
        |text: &str, line: &str| Project::with("watcher.yml", text).good(line).command.expect(text);
    let line = command("command: go run '.'\n", "");
    assert_eq!(
        (line.argv, line.shell),
        (vec!["sh".into(), "-c".into(), "go run '.'".into()], true)
    );
    let line = command("command: go run '.'\n", "-n");
    assert_eq!((line.argv, line.shell), (vec!["go".into(), "run".into(), ".".into()], false));
    let line = command("command: [go, run, 1.50]\n", "");
    assert_eq!(
        (line.argv, line.shown.as_str()),
        (vec!["go".into(), "run".into(), "1.50".into()], "go run 1.50")
    );
    let error = Project::with("watcher.yml", "command: go 'run\n").bad("-n");
    assert!(
        error.starts_with(
            "watcher.yml:1:10: command: 'go 'run' has a quote that is not closed; close it\n"
        ),
        "{error}"
    );
}

#[test]
fn a_bare_small_number_is_doubted() {
    let table = [
        ("-d 2", "", "--debounce: 2 is 2 milliseconds; seconds are written 2s"),
        ("--stop-timeout 10", "", "--stop-timeout: 10 is 10 milliseconds; seconds are written 10s"),
        (
            "",
            "stop: {timeout: 5}",
            "watcher.yml:1:17: stop.timeout: 5 is 5 milliseconds; seconds are written 5s",
        ),
    ];
    for (line, text, expected) in table {
        assert_eq!(notices(&Project::with("watcher.yml", text).good(line)), [expected]);
    }
    for line in ["-d 0", "-d 50", "-d 2ms", "-d auto"] {
        assert_eq!(notices(&Project::new().good(line)), [""; 0], "{line}");
    }
}

#[test]
fn a_live_change_is_told_key_by_key() {
    let config = |text: &str| {
        Project::with("config.yml", format!("watcher:\n  duration: 0\n{text}")).good("")
    };
    let table = [
        ("", "", None),
        ("  debounce: 50\n", "  debounce: 0.05s\n", None),
        ("", "  debounce: 50\n", Some("debounce auto → 50ms")),
        (
            "",
            "  included_filetypes: [.html]\n  debounce: 50ms\n",
            Some("debounce auto → 50ms, +included_filetypes .html"),
        ),
        (
            "  included_filetypes: [.a, .b]\n",
            "  included_filetypes: [.b]\n",
            Some("-included_filetypes .a"),
        ),
        ("", "envs: [TOKEN=secret]\n", Some("+envs TOKEN")),
        ("envs: [TOKEN=a]\n", "envs: [TOKEN=b]\n", Some("envs TOKEN")),
        ("", "stop: {timeout: 1s}\n", Some("stop.timeout 5s → 1s")),
        ("", "command: x\n", Some("command (none) → x")),
        ("command: x\n", "command: [x]\n", Some("command")),
        (
            "excluded_paths: [a, b]\n",
            "excluded_paths: [b, a]\n",
            Some("excluded_paths in another order"),
        ),
    ];
    for (old, new, expected) in table {
        assert_eq!(config(old).changes(&config(new)).as_deref(), expected, "{old:?} → {new:?}");
    }
}

#[test]
fn what_a_live_change_needs() {
    let config = |text: &str| {
        let project = Project::with("watcher.yml", text);
        (project.good(""), project)
    };
    let (base, project) = config("command: x\n");
    let change = |text: &str| {
        project.write("watcher.yml", text);
        let new = project.good("");
        (base.needs_restart(&new), base.needs_walk(&new))
    };
    assert_eq!(change("command: x\n"), (false, false));
    assert_eq!(change("# moved\ncommand: x\n"), (false, false));
    assert_eq!(change("command: y\n"), (true, false));
    assert_eq!(change("command: x\nenvs: [A=1]\n"), (true, false));
    assert_eq!(change("command: x\nstop: {timeout: 1s}\n"), (false, false));
    assert_eq!(change("command: x\nexcluded_paths: [a]\n"), (false, true));
    assert_eq!(change("command: x\nadditional_paths: [a]\n"), (false, true));
}

#[test]
fn the_first_name_that_is_there_counts() {
    let project = Project::new();
    let found = || {
        let config = project.good("");
        (config.source(), notices(&config))
    };
    let defaults = |notice: &str| ("built-in defaults".to_owned(), vec![notice.to_owned()]);
    let file = |name: &str| (name.to_owned(), Vec::<String>::new());
    assert_eq!(found(), file("built-in defaults"));
    let foreign = "config.yml is another program's (no watcher, excluded_paths, additional_paths at its top): \
                   built-in defaults; ours can be watcher.yml";
    for text in ["port: 80", "", "{{ template }}\nport: [\n", "- a"] {
        project.write("config.yml", text);
        assert_eq!(found(), defaults(foreign), "{text}");
    }
    project.write("config.yml", b"\xff\xfew\0");
    let why = "config.yml is not ours (is UTF-16): built-in defaults; ours can be watcher.yml";
    assert_eq!(found(), defaults(why));
    project.write("config.yml", "watcher: {duration: 100}");
    assert_eq!(found(), file("config.yml"));
    project.write("config.yml", "watcher: {duration: [}");
    assert!(project.bad("").starts_with("config.yml:1:22: "));
    project.write("watcher.yaml", "");
    assert_eq!(found(), file("watcher.yaml"));
    project.write("watcher.yml", "command: x");
    assert_eq!(found(), file("watcher.yml"));
    assert_eq!(
        project.good("-c ./watcher.yaml").watch.extra_files,
        [project.path().join("watcher.yaml")]
    );
    project.write("watcher.yml", "comand: x");
    assert!(
        project.bad("").starts_with("watcher.yml:1:1: comand: unknown key; did you mean command?")
    );
}

#[test]
fn a_found_name_that_is_no_file_does_not_block() {
    let project = Project::new();
    let path = project.path().join("config.yml");
    fifo(&path);
    let config = project.good("");
    assert!(notices(&config)[0].starts_with("config.yml is not ours (is a FIFO, not a file)"));
    std::fs::remove_file(&path).expect("the FIFO");
    std::fs::create_dir(&path).expect("a directory");
    assert!(notices(&project.good(""))[0].contains("is a directory"));
    std::fs::create_dir(project.path().join("watcher.yml")).expect("a directory");
    assert!(project.bad("").starts_with("watcher.yml: is a directory, not a file"));
}
