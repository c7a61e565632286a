//! Each rule against its neighbour in the order of precedence, and the way to what was taken back.

use std::path::Path;
use std::sync::Arc;

use super::support::Project;
use crate::filter::*;
use crate::model::{EntryKind, Origin};

#[test]
fn a_named_file_counts_whatever_the_rules_say() {
    Project::new()
        .ignore(&["*.sock", "sub"])
        .regexps(&["txt"])
        .types(&[".go"])
        .file(".gitignore", "*")
        .named_file("sub/notes.txt")
        .named_file("a.sock")
        .check(&[
            "sub/notes.txt => + sub/notes.txt (-w)",
            "a.sock => + a.sock (-w)",
            "b.sock => - *.sock (-i)",
        ]);
}

#[test]
fn what_is_taken_back_lies_in_the_tree_not_around_it() {
    // The working directory is /w, and is called as what is taken back.
    Project::new().file(".gitignore", "w/\n*.out\n").ignore(&["!w"]).check(&[
        "x.out => - *.out (.gitignore:2)",
        "sub/x.out => - *.out (.gitignore:2)",
        "w/x.out => + !w (-i)",
        "sub/w/x.out => + !w (-i)",
    ]);
}

#[test]
fn a_named_directory_is_watched_and_rules_apply_below_it() {
    Project::new()
        .named(&["dist", "vendor/mine", ".hidden"])
        .excluded(&["vendor", "dist/tmp"])
        .file(".gitignore", "dist/\n*.map\n")
        .above(IgnoreText::in_directory("/w/.gitignore".into(), "dist/\n*.map\n".into()))
        .check(&[
            "dist/ => + dist (-w)",
            "dist/a => +",
            "dist/a.map => - *.map (.gitignore:2)",
            "dist/tmp/a => - dist/tmp (config.yml:2)",
            "vendor/mine/a => +",
            "vendor/mine/node_modules/a => - node_modules (built-in)",
            ".hidden/a => +",
            ".hidden/.hidden/a => - .*/ (built-in)",
        ]);
    // Met on the way from another root.
    Project::new().named(&[".", "vendor/mine"]).excluded(&["vendor"]).check(&[
        "vendor/a => - vendor (config.yml:1)",
        "vendor/mine/a => +",
        "vendor/mine/ => + vendor/mine (-w)",
    ]);
}

#[test]
fn a_named_directory_is_watched_although_a_rule_ignores_all_that_is_in_it() {
    let rules = "*\n!*.*\ndist/*\n!dist/.gitkeep\n/dist/**\n*.map\ndist/*.css\n**/*.min\n";
    let expected = [
        "dist/a.js => +",
        "dist/sub.d/a.js => +",
        "dist/a.map => - *.map (.gitignore:6)",
        "dist/a.css => - dist/*.css (.gitignore:7)",
        "dist/a => - * (.gitignore:1)",
        "dist/a.min => - **/*.min (.gitignore:8)",
    ];
    let above = IgnoreText::in_directory("/w/.gitignore".into(), rules.into());
    Project::new().named(&["dist"]).above(above).check(&expected);
    // Met on the way from another root.
    let project = Project::new().file(".gitignore", rules).named(&["."]);
    project.check(&["dist/a.js => - * (.gitignore:1)"]);
    let mut project = project;
    project.spec.named.push(Named {
        path: "/w/dist".into(),
        shown: "dist".into(),
        origin: Origin::Flag("-w"),
    });
    project.check(&expected);
}

#[test]
fn a_line_takes_back_from_ignore_files_and_built_ins_only() {
    Project::new()
        .ignore(&["!dist", "!*.log", "!.env.d/", "!x.txt"])
        .file(".gitignore", "dist/\ndist/*\n*.log\n")
        .file("dist/.gitignore", "*\n")
        .regexps(&["secret"])
        .types(&[".js", ".log"])
        .check(&[
            "dist/ => + !dist (-i)",
            "dist/a.js => + .js (config.yml:1)",
            "dist/deep/a.js => + .js (config.yml:1)",
            "dist/secret.js => - secret (config.yml:1)",
            "dist/a.txt => - .js, .log (config.yml:1)",
            "x.txt => - .js, .log (config.yml:1)",
            "a.log => + .log (config.yml:2)",
            ".env.d/a.js => + .js (config.yml:1)",
            // Built-in ignores hold again below.
            "dist/node_modules/a.js => - node_modules (built-in)",
            "dist/a.js~ => - *~ (built-in)",
        ]);
}

#[test]
fn a_line_in_an_ignore_file_does_not_lift_a_built_in() {
    Project::new()
        .file(".gitignore", "!node_modules/\n!.hidden/\n!*.log\n")
        .check(&["node_modules/a => - node_modules (built-in)", "a.log => - *.log (built-in)"]);
}

#[test]
fn excluded_paths_come_before_ignore_files_before_built_ins_before_regexps_before_types() {
    let all = |path: &str| {
        Project::new()
            .ignore(&["x.log"])
            .file(".gitignore", "*.log\n")
            .regexps(&["log"])
            .types(&[".go"])
            .says(path)
    };
    assert_eq!(all("x.log"), "- x.log (-i)");
    assert_eq!(all("y.log"), "- *.log (.gitignore:1)");
    let project = Project::new().regexps(&["log"]).types(&[".go"]);
    project.check(&[
        "y.log => - *.log (built-in)",
        "log.go => - log (config.yml:1)",
        "b.txt => - .go (config.yml:1)",
        "b.go => + .go (config.yml:1)",
    ]);
}

#[test]
fn the_walk_passes_through_to_what_was_taken_back() {
    let project = Project::new()
        .ignore(&["!node_modules/mine", "!build/*/keep/a.c", "!deep/**/x.c", "!anywhere.c"])
        .excluded(&["out", "!out/in/x"])
        .file(".gitignore", "build/\ndeep/\n")
        .file("node_modules/.gitignore", "mine\n");
    project.check(&[
        "node_modules/ => - node_modules (built-in)",
        "node_modules/a.js => - node_modules (built-in)",
        "node_modules/other/a.js => - node_modules (built-in)",
        "node_modules/mine/ => + !node_modules/mine (-i)",
        "node_modules/mine/a.js => + !node_modules/mine (-i)",
        "node_modules/mine/node_modules/a.js => - node_modules (built-in)",
        "build/p/keep/a.c => + !build/*/keep/a.c (-i)",
        "build/p/keep/b.c => - build/ (.gitignore:1)",
        "build/p/a.c => - build/ (.gitignore:1)",
        "deep/p/q/x.c => + !deep/**/x.c (-i)",
        "deep/p/q/y.c => - deep/ (.gitignore:2)",
        "out/in/x/a => + !out/in/x (config.yml:2)",
        "out/in/y => - out (config.yml:1)",
        // A name at any depth does not open what is ignored.
        "a/anywhere.c => + !anywhere.c (-i)",
        "build/anywhere.c => + !anywhere.c (-i)",
        ".git/anywhere.c => - .*/ (built-in)",
    ]);
    let filter = Filter::new(project.spec).unwrap();
    let around = filter.root_scope(Path::new("/w"), &[]);
    let inside = entered(filter.enter(&around, Path::new("/w"), &Marks::default()));
    let path = Path::new("/w/node_modules");
    let verdict = filter.verdict(&inside, path, EntryKind::Directory);
    assert!(
        matches!(verdict, Verdict::Watch(rule) if &*rule.text == "!node_modules/mine"),
        "{verdict:?}"
    );
    let passing = entered(filter.enter(&inside, path, &Marks::default()));
    assert_eq!(passing.passing().map(|rule| &*rule.text), Some("node_modules"));
    let mine = path.join("mine");
    let mine = entered(filter.enter(&passing, &mine, &Marks::default()));
    assert_eq!(mine.passing(), None);
}

#[test]
fn a_line_that_leads_outside_of_the_working_directory() {
    Project::new()
        .named(&["/a"])
        .excluded(&["!/a/dist/x", "!../a/out/y"])
        .above(IgnoreText::in_directory("/a/.gitignore".into(), "dist\nout\n".into()))
        .check(&[
            "/a/dist/x/f => + !/a/dist/x (config.yml:1)",
            "/a/dist/f => - dist (/a/.gitignore:1)",
            "/a/out/y => + !../a/out/y (config.yml:2)",
            "/a/out/z => - out (/a/.gitignore:2)",
        ]);
}

#[test]
fn a_root_is_never_ignored() {
    for root in ["dist", ".hidden", "node_modules", "vendor"] {
        let mut project = Project::new()
            .excluded(&["vendor", "/w/dist"])
            .above(IgnoreText::in_directory("/w/.gitignore".into(), "dist/\n".into()))
            .named(&[root]);
        // Not even the working directory, which nobody named.
        project.spec.named.clear();
        project.check(&[&format!("{root}/ => +"), &format!("{root}/a => +")]);
    }
}

#[test]
fn directories_with_nothing_new_share_a_scope() {
    let filter = Filter::new(Project::new().spec).unwrap();
    let around = filter.root_scope(Path::new("/w"), &[]);
    let root = entered(filter.enter(&around, Path::new("/w"), &Marks::default()));
    assert!(!Arc::ptr_eq(&around, &root));
    let sub = entered(filter.enter(&root, Path::new("/w/sub"), &Marks::default()));
    assert!(Arc::ptr_eq(&root, &sub));
    let empty = [IgnoreText::in_directory("/w/sub/.gitignore".into(), b"# nothing\n".to_vec())];
    let listing = Marks { ignore_files: empty.into(), ..Marks::default() };
    assert!(Arc::ptr_eq(&root, &entered(filter.enter(&root, Path::new("/w/sub"), &listing))));
    let project = Marks { project_file: true, ..Marks::default() };
    let project = entered(filter.enter(&root, Path::new("/w/sub"), &project));
    assert!(!Arc::ptr_eq(&root, &project));
    let below = entered(filter.enter(&project, Path::new("/w/sub/src"), &Marks::default()));
    let deeper = entered(filter.enter(&below, Path::new("/w/sub/src/x"), &Marks::default()));
    assert!(Arc::ptr_eq(&below, &deeper));
}

#[test]
fn the_included_type_of_a_hidden_file_is_known() {
    let filter = Filter::new(Project::new().types(&["go"]).spec).unwrap();
    assert_eq!(filter.included_type("a.go".as_ref()).map(|rule| &*rule.text), Some("go"));
    assert_eq!(filter.included_type("a.rs".as_ref()), None);
}

#[test]
fn each_directory_is_looked_into_once_and_ignored_ones_never() {
    let project = Project::new();
    let filter = Filter::new(project.spec.clone()).unwrap();
    let mut asker = Asker::new(&filter, vec![filter.root_scope(Path::new("/w"), &[])]);
    let mut looked = Vec::new();
    for path in
        ["/w/a/b/c", "/w/a/b/d", "/w/a/x", "/w/node_modules/m/x", "/w/.git/x", "/w/a", "/w/new/a"]
    {
        asker.ask(Path::new(path), EntryKind::File, |directory| {
            looked.push(directory.to_path_buf());
            project.look(directory)
        });
    }
    let expected = ["/w", "/w/a", "/w/a/b", "/w/new"].map(std::path::PathBuf::from);
    assert_eq!(looked, expected);
    assert_eq!(asker.ask(Path::new("/elsewhere"), EntryKind::File, |_| Marks::default()), None);
}

fn entered(entered: Entered<'_>) -> Arc<Scope> {
    match entered {
        Entered::Scope(scope) => scope,
        Entered::Ignored(rule) => panic!("ignored by {rule:?}"),
    }
}
