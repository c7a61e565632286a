//! Ignore files, cache directories and other rules that change while we watch.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::Rig;
use crate::filter::{Filter, Pattern, Spec};
use crate::model::Origin;
use crate::watch::{Root, Seen, Timestamp};

fn make(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "x").unwrap();
}

fn told(rig: &mut Rig) -> Vec<String> {
    rig.sync();
    rig.last().into_keys().collect()
}

#[test]
fn ignored_trees_are_neither_watched_nor_told_of() {
    let mut rig = Rig::with(
        |root| {
            for name in ["src/a", "node_modules/p/x", ".git/objects/x", "dist/deep/x"] {
                make(&root.join(name));
            }
            fs::write(root.join(".gitignore"), "dist/\n*.gen\n").unwrap();
        },
        |_| {},
    );
    assert_eq!(rig.watch.directories().0, 2);
    for name in ["node_modules/p/y", ".git/objects/y", "dist/deep/y", "src/x.gen", "src/.a.swp"] {
        make(&rig.path(name));
    }
    assert_eq!(told(&mut rig), Vec::<String>::new());
    let Some(Seen::Ready(watching)) = rig.seen.iter().find(|seen| matches!(seen, Seen::Ready(_)))
    else {
        panic!("not ready");
    };
    assert_eq!((watching.directories, watching.ignored.len(), watching.ignored_more), (2, 2, 1));
}

#[test]
fn an_ignore_file_that_changes_is_applied_and_is_no_change_of_what_it_names() {
    let mut rig = Rig::with(
        |root| {
            make(&root.join("src/a"));
            make(&root.join("out/deep/b"));
        },
        |_| {},
    );
    fs::write(rig.path(".gitignore"), "out/\n").unwrap();
    assert_eq!(told(&mut rig), [".gitignore"]);
    assert!(rig.seen.iter().any(|seen| matches!(seen, Seen::RulesChanged)));
    assert_eq!(rig.watch.directories().0, 2);
    make(&rig.path("out/deep/c"));
    assert_eq!(told(&mut rig), Vec::<String>::new());
    rig.tick();
    fs::remove_file(rig.path(".gitignore")).unwrap();
    assert_eq!(told(&mut rig), [".gitignore"]);
    assert_eq!(rig.watch.directories().0, 4);
    fs::write(rig.path("out/deep/c"), "again").unwrap();
    assert_eq!(told(&mut rig), ["out/deep/c"]);
}

/// Of these saves no event tells: nothing of what was ignored is watched yet.
#[test]
fn a_save_right_after_the_ignore_file_was_changed_counts() {
    let mut rig = Rig::with(
        |root| {
            for name in ["out/deep/b", "out/deep/c", "out/e", "out/gone"] {
                make(&root.join(name));
            }
            fs::write(root.join(".gitignore"), "out/\n").unwrap();
        },
        |_| {},
    );
    rig.tick();
    fs::write(rig.path(".gitignore"), "").unwrap();
    fs::write(rig.path("out/deep/b"), "saved").unwrap();
    fs::write(rig.path("out/new"), "saved").unwrap();
    fs::remove_file(rig.path("out/gone")).unwrap();
    assert_eq!(told(&mut rig), [".gitignore", "out/deep/b", "out/new"]);
}

#[test]
fn an_ignore_file_above_the_root_is_heeded_and_watched() {
    let mut rig = Rig::with(
        |root| {
            fs::create_dir_all(root.join(".git")).unwrap();
            make(&root.join("sub/a"));
            make(&root.join("sub/gen/b"));
            fs::write(root.join(".gitignore"), "gen\n").unwrap();
        },
        |_| {},
    );
    let outer = rig.root.clone();
    let roots = vec![Root { path: outer.join("sub"), shown: "sub".into(), named: false }];
    rig.apply(super::rig::filter_for(&outer), roots);
    rig.sync();
    assert_eq!(rig.watch.directories().0, 1);
    fs::write(outer.join(".gitignore"), "").unwrap();
    rig.sync();
    assert_eq!(rig.watch.directories().0, 2);
    rig.changes();
    fs::write(outer.join("sub/gen/b"), "seen").unwrap();
    assert_eq!(told(&mut rig), ["sub/gen/b"]);
}

#[test]
fn a_directory_that_becomes_a_cache_is_dropped() {
    let mut rig = Rig::with(|root| make(&root.join("a")), |_| {});
    make(&rig.path("cache/deep/x"));
    rig.sync();
    rig.changes();
    assert_eq!(rig.watch.directories().0, 3);
    let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
    fs::write(rig.path("cache/CACHEDIR.TAG"), tag).unwrap();
    rig.sync();
    rig.changes();
    assert_eq!(rig.watch.directories().0, 1);
    make(&rig.path("cache/deep/y"));
    assert_eq!(told(&mut rig), Vec::<String>::new());
}

#[test]
fn other_rules_bring_files_to_light_without_calling_them_changes() {
    let mut rig = Rig::with(
        |root| {
            for name in ["a.go", "b.html", "sub/c.html"] {
                make(&root.join(name));
            }
        },
        |_| {},
    );
    let with_types = |rig: &Rig, types: &[&str]| {
        let pattern = |text: &&str| Pattern {
            text: (*text).to_owned(),
            origin: Origin::Flag("--ext"),
            any_depth: false,
        };
        let spec = Spec {
            working_directory: rig.root.clone(),
            types: types.iter().map(pattern).collect(),
            gitignore: true,
            default_ignores: true,
            ..Spec::default()
        };
        Arc::new(Filter::new(spec).unwrap())
    };
    let apply = |rig: &mut Rig, types: &[&str], since: Timestamp| {
        let roots = vec![Root { path: rig.root.clone(), shown: ".".into(), named: false }];
        rig.apply_since(since, with_types(rig, types), roots);
    };
    for (types, files) in [(&["go"][..], 1), (&["go", "html"], 3), (&["html"], 2), (&[], 3)] {
        let since = rig.tick();
        apply(&mut rig, types, since);
        assert_eq!(told(&mut rig), Vec::<String>::new(), "{types:?}");
        assert_eq!(rig.watch.tree.table.files(), files, "{types:?}");
    }
    fs::write(rig.path("sub/c.html"), "new").unwrap();
    assert_eq!(told(&mut rig), ["sub/c.html"]);
    // Saved while the rules already held, but were not yet applied.
    let since = rig.tick();
    apply(&mut rig, &["go"], since);
    told(&mut rig);
    let since = rig.tick();
    for name in ["a.go", "b.html"] {
        fs::write(rig.path(name), "saved").unwrap();
    }
    assert_eq!(told(&mut rig), ["a.go"]);
    apply(&mut rig, &[], since);
    assert_eq!(told(&mut rig), ["b.html"], "and nothing twice");
}

#[test]
fn the_configuration_is_told_whatever_the_rules_say_and_our_own_files_never() {
    let mut own = None;
    let mut config = None;
    let mut rig = Rig::with(
        |root| make(&root.join("x")),
        |settings| {
            let marks = settings.marker_dir.clone().unwrap();
            let above = marks.parent().unwrap().to_path_buf();
            let file = above.join("config.yml");
            fs::write(&file, "").unwrap();
            settings.extra_files = vec![file.clone()];
            config = Some(file);
            let (directory, log) = (above.join("root/go-watcher-1"), above.join("root/log"));
            fs::create_dir(&directory).unwrap();
            settings.own = vec![directory.clone(), log.clone()];
            own = Some((directory, log));
        },
    );
    let config = config.unwrap();
    fs::write(config.with_extension("tmp"), "a: b").unwrap();
    fs::rename(config.with_extension("tmp"), &config).unwrap();
    let (directory, log) = own.unwrap();
    fs::write(directory.join("1.sock"), "").unwrap();
    fs::write(&log, "").unwrap();
    assert_eq!(told(&mut rig), Vec::<String>::new());
    // Whose names only begin as ours do is somebody else's.
    fs::write(log.with_file_name("login.go"), "").unwrap();
    fs::write(directory.with_file_name("go-watcher-10"), "").unwrap();
    assert_eq!(told(&mut rig).len(), 2);
    let configs = rig.seen.iter().filter(|seen| matches!(seen, Seen::ConfigChanged(_))).count();
    assert_eq!(configs, 1);
}
