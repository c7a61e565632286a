//! A link in the tree is a name like any other. What a named one leads to is watched.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::control::ask;
use crate::harness::*;

const BACKENDS: [&str; 3] = ["native", "portable", "poll"];

/// Sources by type, and a link that is named.
const APP_CONF: &str = "watcher:\n  included_filetypes: [.go]\nadditional_paths: [app.conf]\n";

/// Puts a link in the place of whatever is there, as one act.
fn lead(link: &Path, target: impl AsRef<Path>) {
    let beside = link.with_extension("new");
    symlink(target, &beside).unwrap();
    fs::rename(beside, link).unwrap();
}

/// A run that names this path.
#[track_caller]
fn names(watcher: &Watcher, path: &Path, save: impl FnOnce()) {
    let before = watcher.run_count();
    save();
    watcher.wait_for(&format!("a run for {}", path.display()), || {
        let runs = watcher.run_log();
        let named = |run: &Run| run.changed.iter().flatten().any(|changed| changed == path);
        runs[before..].iter().any(named).then_some(())
    });
    pace(QUIET);
}

#[test]
fn links_in_a_loop_and_out_of_the_tree_are_not_followed() {
    let project = Project::new().file("a.go", "0").file("sub/b.go", "0");
    let outside = project.outside("elsewhere");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("c.go"), "0").unwrap();
    for (target, link) in [("..", "sub/loop"), (".", "self"), ("nowhere", "dangling.go")] {
        symlink(target, project.path(link)).unwrap();
    }
    symlink(&outside, project.path("out")).unwrap();
    let watcher = project.start(["--ext", "go"]).ready();
    watcher.says_all(&["] watching ", "2 directories"]);
    watcher.no_run_after(|_| fs::write(outside.join("c.go"), "1").unwrap());
    let run = watcher.run_after(|project| project.save("sub/b.go", "1"));
    assert_eq!(run.changed_below(&watcher.tree()), ["sub/b.go"], "under one name only");
    watcher.exactly(2);
    watcher.run_after(|project| {
        fs::remove_file(project.path("dangling.go")).unwrap();
        symlink("a.go", project.path("dangling.go")).unwrap();
    });
}

#[test]
fn a_directory_that_is_watched_by_two_names_is_told_by_both() {
    BACKENDS.into_iter().for_each(two_names);
}

/// The kernel has one watch for a directory, and tells of it by one name.
fn two_names(backend: &str) {
    let project = Project::new().file("src/a.go", "0").file("src/x.yml", "0").file("b.go", "0");
    symlink("src", project.path("link")).unwrap();
    let settings = "watcher:\n  included_filetypes: [.go]\n";
    let project = project.settings(settings);
    let watcher = project.start(["--backend", backend]).ready();
    // The later name must not take the watch away from the first.
    watcher.save("watcher.yml", format!("{settings}additional_paths: [link/x.yml]\n"));
    watcher.says("+additional_paths link/x.yml");
    assert_eq!(ask(&watcher, "wait").code, Some(0));
    names(&watcher, &watcher.path("link/x.yml"), || watcher.save("src/x.yml", "1"));
    names(&watcher, &watcher.path("link/x.yml"), || watcher.save("link/x.yml", "2"));
    names(&watcher, &watcher.path("src/a.go"), || watcher.save("src/a.go", "1"));
    names(&watcher, &watcher.path("src/new.go"), || watcher.save("src/new.go", "1"));
    let asked = ask(&watcher, "explain src/x.yml link/x.yml link/a.go src/a.go");
    let how = if backend == "poll" { "by polling (watcher.backend: poll; " } else { "(" };
    let by_name = format!("watched {how}named: link/x.yml, watcher.yml:3)");
    let by_type = format!("watched {how}included_filetypes: .go, watcher.yml:2)");
    assert_eq!(
        asked.out,
        format!(
            "src/x.yml: {by_name}\nlink/x.yml: {by_name}\nlink/a.go: {by_type}\nsrc/a.go: {by_type}\n"
        )
    );
    watcher.exactly(5);
    assert!(backend == "poll" || watcher.count_lines("polling") == 0, "{}", watcher.story());
    // Without the one, the other is still watched.
    watcher.save("watcher.yml", settings);
    watcher.says("-additional_paths link/x.yml");
    assert_eq!(ask(&watcher, "wait").code, Some(0));
    names(&watcher, &watcher.path("src/a.go"), || watcher.save("src/a.go", "2"));
    watcher.no_run_after(|watcher| watcher.save("src/x.yml", "3"));
}

#[test]
fn the_file_that_a_named_link_leads_to_is_watched_and_follows_the_link() {
    BACKENDS.into_iter().for_each(a_named_link);
}

fn a_named_link(backend: &str) {
    let project = Project::new().file("a.go", "0");
    let outside = project.outside("shared");
    fs::create_dir(&outside).unwrap();
    let (one, two) = (outside.join("one.conf"), outside.join("two.conf"));
    fs::write(&one, "1").unwrap();
    fs::write(&two, "2").unwrap();
    symlink(&one, project.path("app.conf")).unwrap();
    let project = project.settings(APP_CONF);
    let watcher = project.start(["--backend", backend]).ready();
    names(&watcher, &one, || fs::write(&one, "11").unwrap());
    let link = watcher.path("app.conf");
    names(&watcher, &link, || lead(&link, &two));
    names(&watcher, &two, || fs::write(&two, "22").unwrap());
    watcher.no_run_after(|_| fs::write(&one, "111").unwrap());
    let asked = ask(&watcher, &format!("explain {} {}", two.display(), one.display()));
    assert!(asked.out.contains("named: app.conf, watcher.yml:3)\n"), "{asked:?}");
    assert!(asked.out.ends_with("one.conf: ignored: outside of what is watched\n"), "{asked:?}");
    // A plain file in its place.
    names(&watcher, &link, || watcher.save_atomically("app.conf", "plain"));
    watcher.no_run_after(|_| fs::write(&two, "222").unwrap());
    assert_eq!(watcher.count_lines("watcher.yml: "), 0, "{}", watcher.story());
}

#[test]
fn every_link_on_the_way_counts_and_a_target_that_comes_later() {
    let project = Project::new().file("a.go", "0").file("one.go", "1").file("two.go", "2");
    symlink("mid.conf", project.path("app.conf")).unwrap();
    symlink("one.go", project.path("mid.conf")).unwrap();
    let project = project.settings(APP_CONF);
    let watcher = project.start([]).ready();
    names(&watcher, &watcher.path("one.go"), || watcher.save("one.go", "11"));
    // What was saved as a named file is not news to the tree later.
    names(&watcher, &watcher.path("mid.conf"), || lead(&watcher.path("mid.conf"), "two.go"));
    watcher.exactly(3);
    let late = watcher.path("late.conf");
    names(&watcher, &watcher.path("mid.conf"), || lead(&watcher.path("mid.conf"), "late.conf"));
    names(&watcher, &late, || fs::write(&late, "now").unwrap());
    names(&watcher, &late, || fs::write(&late, "again").unwrap());
    // A plain file in the place of a link, in place.
    let link = watcher.path("app.conf");
    names(&watcher, &link, || {
        fs::remove_file(&link).unwrap();
        fs::write(&link, "plain").unwrap();
    });
    assert_eq!(ask(&watcher, "wait").code, Some(0));
    watcher.no_run_after(|_| fs::write(&late, "of no use").unwrap());
}

#[test]
fn a_directory_in_the_place_of_a_link_is_watched() {
    let settings = "watcher:\n  included_filetypes: [.go]\nadditional_paths: [conf/x.yml]\n";
    let project = Project::new().file("cfg/x.yml", "0").file("a.go", "0").settings(settings);
    symlink("cfg", project.path("conf")).unwrap();
    let watcher = project.start([]).ready();
    names(&watcher, &watcher.path("conf/x.yml"), || watcher.save("cfg/x.yml", "1"));
    watcher.save("watcher.yml", settings.replace("additional_paths: [conf/x.yml]\n", ""));
    watcher.says("-additional_paths conf/x.yml");
    fs::remove_file(watcher.path("conf")).unwrap();
    fs::create_dir(watcher.path("conf")).unwrap();
    assert_eq!(ask(&watcher, "wait").code, Some(0));
    names(&watcher, &watcher.path("conf/b.go"), || watcher.save("conf/b.go", "1"));
    names(&watcher, &watcher.path("conf/b.go"), || watcher.save("conf/b.go", "2"));
}

#[test]
fn a_command_that_turns_a_named_link_releases_no_output() {
    let project = Project::new().file("a.go", "0").file("gen.txt", "0");
    for name in ["one.conf", "two.conf"] {
        fs::write(project.outside(name), "0").unwrap();
    }
    symlink(project.outside("one.conf"), project.path("app.conf")).unwrap();
    let out = project.outside("");
    let turn = format!(
        "date +%s.%N > gen.txt; ln -s {}/$(readlink app.conf | grep -q one && echo two || echo one).conf l; \
         mv -T l app.conf",
        out.display()
    );
    let watcher = project.start_exactly(["run", "-w", "app.conf", "-w", "gen.txt", "-e", &turn]);
    watcher.says_all(&["gen.txt", "made by the command itself"]);
    pace(std::time::Duration::from_secs(4));
    assert_eq!(watcher.count_lines("reloads again"), 0, "{}", watcher.story());
}

#[test]
fn a_configuration_that_is_a_link_is_read_again_when_what_it_leads_to_is_saved() {
    let project = Project::new().file("a.go", "0");
    let shared = project.outside("shared.yml");
    let delays = |ms: u32| format!("watcher:\n  debounce: {ms}ms\n");
    let project = project.settings(&delays(1));
    let text = fs::read_to_string(project.path("watcher.yml")).unwrap();
    let with = |ms: u32| text.replace("debounce: 1ms", &format!("debounce: {ms}ms"));
    fs::write(&shared, &text).unwrap();
    lead(&project.path("watcher.yml"), &shared);
    let watcher = project.start([]).ready();
    watcher.says("] watching ");
    fs::write(&shared, with(2)).unwrap();
    watcher.says("debounce 1ms → 2ms");
    let other = watcher.outside("other.yml");
    fs::write(&other, with(3)).unwrap();
    lead(&watcher.path("watcher.yml"), &other);
    watcher.says("debounce 2ms → 3ms");
    fs::write(&other, with(4)).unwrap();
    watcher.says("debounce 3ms → 4ms");
    watcher.exactly(1);
}
