//! `init`, `check` and `run` as they are typed.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use crate::harness::*;
use crate::original::ORIGINAL;

#[test]
fn init_writes_a_file_that_loads_and_is_the_example() {
    let project = Project::new();
    project.go_watcher(["init"]).ended_with(0);
    let written = fs::read_to_string(project.path("config.yml")).unwrap();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/watcher.example.yml");
    assert_eq!(written, fs::read_to_string(example).unwrap());
    for key in [
        "duration:",
        "included_filetypes:",
        "excluded_regexps:",
        "additional_paths:",
        "excluded_paths:",
    ] {
        assert!(written.contains(key), "{key} is missing");
    }
    project.go_watcher(["check"]).ended_with(0);
    let checked = project.go_watcher(["check", "-c", example]).ended_with(0);
    assert!(!checked.stderr.contains("[WARN]"), "{}", checked.stderr);
}

#[test]
fn init_overwrites_only_when_forced() {
    let project = Project::new().config("watcher:\n  duration: 5\n");
    let refused = project.go_watcher(["init"]);
    assert_ne!(refused.code(), Some(0));
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(
        fs::read_to_string(project.path("config.yml")).unwrap(),
        "watcher:\n  duration: 5\n"
    );
    project.go_watcher(["init", "--force"]).ended_with(0);
    assert!(fs::read_to_string(project.path("config.yml")).unwrap().len() > 100);
}

#[test]
fn init_writes_elsewhere_but_makes_no_directories() {
    let project = Project::new();
    project.go_watcher(["init", "-o", "watcher.yml"]).ended_with(0);
    assert!(project.path("watcher.yml").is_file());
    let refused = project.go_watcher(["init", "-o", "no/such/dir/watcher.yml"]);
    assert_ne!(refused.code(), Some(0));
    assert!(refused.stderr.contains("no/such/dir"), "{}", refused.stderr);
    assert!(!project.path("no").exists());
}

#[test]
fn init_over_somebody_elses_config_proposes_another_name_first() {
    let project = Project::new().config("server:\n  port: 80\n");
    let refused = project.go_watcher(["init"]);
    assert_ne!(refused.code(), Some(0));
    let other = refused.stderr.find("-o watcher.yml").expect(&refused.stderr);
    let force = refused.stderr.find("--force").unwrap_or(usize::MAX);
    assert!(other < force, "{}", refused.stderr);
}

#[test]
fn check_prints_what_is_resolved() {
    let project = Project::new().config(ORIGINAL);
    let checked = project.go_watcher(["check"]).ended_with(0);
    for part in ["included_filetypes", ".go", "vendor", "duration", "2s"] {
        assert!(checked.stdout.contains(part), "no {part} in\n{}", checked.stdout);
    }
}

#[test]
fn a_named_configuration_must_exist_and_be_ours() {
    let project = Project::new().file("foreign.yml", "server:\n  port: 80\n");
    for command in ["check", "run"] {
        project.go_watcher([command, "-c", "missing.yml"]).ended_with(2).says(&["missing.yml"]);
        project.go_watcher([command, "-c", "foreign.yml"]).ended_with(2).says(&["foreign.yml"]);
    }
}

#[test]
fn the_order_of_the_configuration_files() {
    let project = Project::new()
        .file("watcher.yml", "command: 'true'\nwatcher: {included_filetypes: [.first]}\n")
        .file("watcher.yaml", "watcher: {included_filetypes: [.second]}\n")
        .config("watcher: {included_filetypes: [.third]}\n");
    for (name, kind) in
        [("watcher.yml", ".first"), ("watcher.yaml", ".second"), ("config.yml", ".third")]
    {
        let checked = project.go_watcher(["check"]).ended_with(0);
        assert!(checked.stdout.contains(kind), "{name}: {}", checked.stdout);
        project.remove(name);
    }
}

#[test]
fn a_config_file_of_a_directory_above_is_not_ours() {
    let project =
        Project::new().config("watcher: {included_filetypes: [.nope]}\n").file("sub/a.go", "0");
    let mut command = project.in_tree(project.program_path());
    command.current_dir(project.path("sub")).arg("run").arg("--").args(project.argv());
    let watcher = project.start_as(command).ready();
    watcher.says_all(&["run 1", "built-in defaults"]);
    watcher.run_after(|project| project.save("sub/a.go", "1"));
}

#[test]
fn somebody_elses_config_yml_is_one_notice_and_built_in_defaults() {
    for text in ["server:\n  port: 80\n", "{{ template }}: [\n", "- a\n- b\n", "just text\n"] {
        let watcher = Project::new().config(text).file("a.go", "0").start([]).ready();
        watcher.says_all(&["run 1", "built-in defaults"]);
        assert_eq!(watcher.count_lines("config.yml"), 1, "{text}\n{}", watcher.story());
        watcher.run_after(|project| project.save("a.go", "1"));
    }
}

#[test]
fn without_a_command_both_ways_to_give_one_are_shown() {
    let project = Project::new();
    project.go_watcher(["run"]).ended_with(2).says(&["-e", "--"]);
}

#[test]
fn two_commands_are_one_too_many() {
    let project = Project::new();
    project.go_watcher(["run", "-e", "true", "--", "true"]).ended_with(2).says(&["-e", "--"]);
}

#[test]
fn a_list_of_types_as_the_command_gets_a_hint() {
    let watcher = Project::new().start_exactly(["run", "-e", "go,html"]);
    watcher.says("--ext");
}

#[test]
fn the_command_of_the_file_as_text_and_as_a_list() {
    let project = Project::new();
    let text = project.shell();
    let watcher = project
        .settings(&format!("command: |-\n  FOO=bar && {text} --env HOME && true\n"))
        .start_exactly(["run"])
        .ready();
    watcher.exactly(1);
    let project = Project::new();
    let list = serde_json::to_string(
        &project.argv().iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>(),
    );
    let watcher =
        project.settings(&format!("command: {}\n", list.unwrap())).start_exactly(["run"]).ready();
    watcher.exactly(1);
}

#[test]
fn a_command_is_a_shell_line_or_split_words_or_an_exact_argv() {
    let project = || Project::new().file("a b.txt", "");
    let line = r#"printf '%s|' "$HOME" 'a b' *.txt > ../out/said"#;
    let watcher = project().start_exactly(["run", "-e", line]);
    watcher.says("run 1: exit 0");
    let said = fs::read_to_string(watcher.outside("said")).unwrap();
    assert_eq!(said, format!("{}|a b|a b.txt|", watcher.root().join("home").display()));
    let watcher = project().start_exactly(["run", "-n", "-e", "printf '%s|' '$HOME' 'a b' *.txt"]);
    watcher.says("run 1: exit 0");
    assert_eq!(watcher.stdout(), "$HOME|a b|*.txt|");
    let watcher =
        project().start_exactly(["run", "--", "printf", "%s|", "$HOME", "a b", "*.txt", "-e"]);
    watcher.says("run 1: exit 0");
    assert_eq!(watcher.stdout(), "$HOME|a b|*.txt|-e|");
}

#[test]
fn environment_from_the_file_and_from_flags_overrides_what_is_inherited() {
    let stamp = Stamp::quick().notes_env("A").notes_env("B").notes_env("C").notes_env("D");
    for envs in ["envs:\n- A=file=1\n- B=file\n", "envs:\n  A: file=1\n  B: file\n"] {
        let watcher = Project::new()
            .settings(envs)
            .env("A", "inherited")
            .env("C", "inherited")
            .runs(stamp.clone())
            .start(["-E", "B=flag", "-E", "D="])
            .ready();
        let run = watcher.wait_runs(1);
        let value = |name: &str| run.env[name].clone().and_then(|value| value.into_string().ok());
        assert_eq!(value("A").as_deref(), Some("file=1"));
        assert_eq!(value("B").as_deref(), Some("flag"));
        assert_eq!(value("C").as_deref(), Some("inherited"));
        assert_eq!(value("D").as_deref(), Some(""));
    }
}

#[test]
fn postponed_there_is_no_first_run() {
    let watcher = Project::new().file("a.go", "0").start(["-p"]).watching();
    watcher.no_run_after(|_| ());
    watcher.run_after(|project| project.save("a.go", "1"));
    watcher.exactly(1);
}

#[test]
fn once_runs_once_and_ends_with_the_commands_status() {
    let project = Project::new();
    for status in [0, 1, 3, 255] {
        let line = format!("exit {status}");
        project.go_watcher(["run", "--once", "-e", &line]).ended_with(status);
    }
    let killed = project.go_watcher(["run", "--once", "--", "sh", "-c", "kill -KILL $$"]);
    assert!(killed.code() == Some(137) || killed.status.signal() == Some(9), "{:?}", killed.status);
    let missing = project.go_watcher(["run", "--once", "--", "./no-such-program"]);
    assert!(missing.stderr.contains("no-such-program"), "{}", missing.stderr);
    assert_ne!(missing.code(), Some(0));
}

#[test]
fn a_run_that_is_the_only_one_watches_nothing() {
    let project = Project::new().file("sub/a.go", "0");
    let said = project.go_watcher(["run", "--once", "-e", "sleep 0.3"]).ended_with(0);
    assert!(!said.stderr.contains("watching"), "{}", said.stderr);
    // With the first run put off, a change is waited for.
    let project = Project::new().file("a.go", "0");
    let mut watcher = project.start(["--once", "--postpone"]).watching();
    watcher.run_after(|project| project.save("a.go", "1"));
    watcher.exactly(1);
    let ended = until(DEADLINE, || watcher.has_ended());
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
}

#[test]
fn r_is_accepted_and_does_nothing() {
    let watcher = Project::new().file("a.go", "0").start(["-r"]).ready();
    watcher.run_after(|project| project.save("a.go", "1"));
    watcher.exactly(2);
}

#[test]
fn on_busy_queue_lets_it_end_and_runs_once_more() {
    for (config, flags) in [("", vec!["--on-busy", "queue"]), ("on_busy: queue\n", vec![])] {
        let project = Project::new().file("a.go", "0").runs(Stamp::takes(700)).settings(config);
        let watcher = project.start(flags).ready();
        for round in 0..4 {
            watcher.save("a.go", format!("{round}"));
            pace_ms(90);
        }
        let runs = watcher.exactly_within(2, std::time::Duration::from_millis(1200));
        assert!(runs[0].ended.unwrap() < runs[1].began, "{}", watcher.story());
        assert!(runs[1].alone);
    }
}

#[test]
fn on_busy_ignore_drops_the_change_and_says_so() {
    let project = Project::new().file("a.go", "0").runs(Stamp::takes(800));
    let watcher = project.start(["--on-busy", "ignore"]).ready();
    watcher.save("a.go", "1");
    watcher.says_all(&["a.go", "ignore"]);
    watcher.says("run 1: exit 0");
    watcher.exactly(1);
    watcher.run_after(|project| project.save("a.go", "2"));
}

#[test]
fn on_busy_signal_sends_it_and_keeps_it_running() {
    let line =
        "trap 'echo got >> ../out/got' HUP; echo start >> ../out/got; while :; do sleep 0.05; done";
    let watcher = Project::new().file("a.go", "0").start_exactly([
        "run",
        "--on-busy",
        "signal",
        "--stop-signal",
        "HUP",
        "--stop-timeout",
        "200ms",
        "-e",
        line,
    ]);
    let got = || fs::read_to_string(watcher.outside("got")).unwrap_or_default();
    watcher.wait_for("its start", || got().contains("start").then_some(()));
    watcher.says("] watching ");
    for round in 1..=3 {
        watcher.save("a.go", format!("{round}"));
        watcher.wait_for("the signal", || (got().lines().count() == 1 + round).then_some(()));
    }
    pace(QUIET);
    assert_eq!(got(), "start\ngot\ngot\ngot\n");
}

#[test]
fn wrong_words_are_status_2() {
    let project = Project::new();
    for args in
        [&["rnu"][..], &["run", "--no-such-flag"], &["run", "--on-busy", "sometimes", "-e", "true"]]
    {
        project.go_watcher(args).ended_with(2);
    }
    for args in [&["--help"][..], &["--version"], &["run", "--help"]] {
        let helped = project.go_watcher(args).ended_with(0);
        assert!(helped.stdout.contains("go-watcher") && helped.stderr.is_empty());
    }
}
