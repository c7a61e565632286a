//! One table for each rule.

use super::support::Project;
use crate::filter::*;
use crate::model::RuleKind;

#[test]
fn without_rules_everything_counts() {
    Project::new().check(&["a.go => +", "a/b/c => +", "a/ => +", ".env => +", "./ => +"]);
}

#[test]
fn excluded_paths_are_whole_components_below_the_working_directory() {
    let project = Project::new().excluded(&["vendor", "a/b", "./c", "d/", "x//y", "e/../f"]);
    project.check(&[
        "vendor => - vendor (config.yml:1)",
        "vendor/a.go => - vendor (config.yml:1)",
        "vendor2/a.go => +",
        "vendor.go => +",
        "sub/vendor/a.go => +",
        "a/b/c.go => - a/b (config.yml:2)",
        "a/bc/c.go => +",
        "b/c.go => +",
        "c => - ./c (config.yml:3)",
        "d => +",
        "d/ => - d/ (config.yml:4)",
        "d/a.go => - d/ (config.yml:4)",
        "x/y => - x//y (config.yml:5)",
        "f => - e/../f (config.yml:6)",
        "e => +",
    ]);
    let answer = project.ask("vendor/deep/a.go");
    assert_eq!(answer.at, std::path::Path::new("/w/vendor"));
}

#[test]
fn excluded_paths_may_be_globs_absolute_or_outside() {
    Project::new()
        .excluded(&[
            "*.pb.go",
            "**/gen",
            "src/{x,y}/*.tmp",
            "/abs/z",
            "../lib/*.c",
            "/w/inside",
            "q?",
            "[ab]1",
            "\\!k",
            "第?章.md",
            "[一-二]",
        ])
        .named(&[".", "/abs", "/lib"])
        .check(&[
            "m.pb.go => - *.pb.go (config.yml:1)",
            "sub/m.pb.go => +",
            "gen/ => - **/gen (config.yml:2)",
            "a/b/gen/c => - **/gen (config.yml:2)",
            "src/x/a.tmp => - src/{x,y}/*.tmp (config.yml:3)",
            "src/z/a.tmp => +",
            "/abs/z/a => - /abs/z (config.yml:4)",
            "/abs/y/a => +",
            "/lib/a.c => - ../lib/*.c (config.yml:5)",
            "/lib/sub/a.c => +",
            "inside/a => - /w/inside (config.yml:6)",
            "qé => - q? (config.yml:7)",
            "qéé => +",
            "b1 => - [ab]1 (config.yml:8)",
            "!k => - \\!k (config.yml:9)",
            "第二章.md => - 第?章.md (config.yml:10)",
            "第十二章.md => +",
            "二 => - [一-二] (config.yml:11)",
            "龍 => +",
        ]);
}

#[test]
fn ignore_patterns_without_a_slash_match_at_any_depth() {
    Project::new().ignore(&["*.gen", "dist/", "sub/tmp", "name"]).named(&[".", "/else"]).check(&[
        "a.gen => - *.gen (-i)",
        "a/b/c.gen => - *.gen (-i)",
        "/else/a.gen => - *.gen (-i)",
        "a/dist/ => - dist/ (-i)",
        "a/dist/x => - dist/ (-i)",
        "a/dist => +",
        "a/dist@ => +",
        "sub/tmp/x => - sub/tmp (-i)",
        "a/sub/tmp/x => +",
        "a/name => - name (-i)",
        "a/name/x => - name (-i)",
        "a/names => +",
    ]);
}

#[test]
fn the_last_line_that_matches_decides() {
    Project::new()
        .ignore(&["*.go", "!a.go", "gen/", "!gen/keep.go", "sub", "!sub", "sub/x"])
        .check(&[
            "b.go => - *.go (-i)",
            "a.go => + !a.go (-i)",
            "gen/b.go => - gen/ (-i)",
            "gen/keep.go => + !gen/keep.go (-i)",
            "gen/a.go => - gen/ (-i)",
            "sub/y => + !sub (-i)",
            "sub/x => - sub/x (-i)",
            // Taken back by a later line that covers the directory.
            "sub/b.go => + !sub (-i)",
        ]);
    Project::new().ignore(&["!vendor/mine", "vendor"]).check(&["vendor/mine/a => - vendor (-i)"]);
}

#[test]
fn the_types_are_ends_of_names() {
    let project =
        Project::new().types(&[".go", "html", ".d.ts", "Makefile", "go.mod", "*.{c,h}", ".env"]);
    project.check(&[
        "a.go => + .go (config.yml:1)",
        "a/b.html => + html (config.yml:2)",
        "a.d.ts => + .d.ts (config.yml:3)",
        "a.ts => - .go, html, .d.ts, Makefile, go.mod, *.{c,h}, .env (config.yml:1)",
        "Makefile => + Makefile (config.yml:4)",
        "x.Makefile => + Makefile (config.yml:4)",
        "go.mod => + go.mod (config.yml:5)",
        "x.mod => - .go, html, .d.ts, Makefile, go.mod, *.{c,h}, .env (config.yml:1)",
        "x.h => + *.{c,h} (config.yml:6)",
        ".env => + .env (config.yml:7)",
        "prod.env => + .env (config.yml:7)",
        "a.go@ => + .go (config.yml:1)",
        "dir/ => +",
        "html => + html (config.yml:2)",
    ]);
    for ignored in ["A.GO", "a.goo", "ago", "go", "a.go~x", "a.", "xhtml", "d.tsx"] {
        assert!(!project.ask(ignored).watched, "{ignored}");
    }
}

#[test]
fn regexps_are_tried_on_name_relative_and_absolute_path() {
    Project::new().regexps(&["^.gitignore$", "^sub/x", "^/w/abs/", "_gen", "é$"]).check(&[
        ".gitignore => - ^.gitignore$ (config.yml:1)",
        "a/.gitignore => - ^.gitignore$ (config.yml:1)",
        "sub/xy => - ^sub/x (config.yml:2)",
        "a/sub/xy => +",
        "abs/a => - ^/w/abs/ (config.yml:3)",
        "a_gen.go => - _gen (config.yml:4)",
        "dir_gen/a.go => - _gen (config.yml:4)",
        "dir_gen/ => +",
        "é => - é$ (config.yml:5)",
    ]);
    let many: Vec<String> = (0..50).map(|i| format!("^x{i}$")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    Project::new().regexps(&many).check(&["a/x7 => - ^x7$ (config.yml:8)", "x50 => +"]);
}

#[test]
fn an_entry_that_is_no_regexp_is_read_as_the_glob_that_was_meant() {
    let project = Project::new().regexps(&["*.yml$", "*.{txt,md}", "**/gen/*.go"]);
    project.check(&[
        "a.yml => - *.yml$ (config.yml:1)",
        "a/b.yml => - *.yml$ (config.yml:1)",
        "a.yml2 => +",
        "b.md => - *.{txt,md} (config.yml:2)",
        "a/gen/b.go => - **/gen/*.go (config.yml:3)",
    ]);
    let filter = Filter::new(project.spec).unwrap();
    let read: Vec<_> =
        filter.warnings().iter().map(|entry| (entry.index, entry.read_as.as_str())).collect();
    assert_eq!(read, [(0, "*.yml"), (1, "*.{txt,md}"), (2, "**/gen/*.go")]);
}

/// A project with every kind of build and cache directory.
fn built() -> Project {
    Project::new()
        .file("rust/Cargo.toml", "")
        .file("java/pom.xml", "")
        .file("scala/build.sbt", "")
        .file("cache/CACHEDIR.TAG", str::from_utf8(CACHEDIR_SIGNATURE).unwrap())
        .file("fake/CACHEDIR.TAG", "Signature: no")
}

#[test]
fn the_built_in_directories() {
    built().check(&[
        "node_modules/ => - node_modules (built-in)",
        "a/node_modules/b.js => - node_modules (built-in)",
        "node_modules@ => - node_modules (built-in)",
        "node_modules => +",
        "bower_components/x => - bower_components (built-in)",
        "a/__pycache__/x => - __pycache__ (built-in)",
        ".git/ => - .*/ (built-in)",
        ".hidden/a.go => - .*/ (built-in)",
        ".env => +",
        ".link@ => +",
        "target/x => +",
        "rust/target/x => - target (built-in)",
        "rust/target => +",
        "rust/src/target/x => +",
        "java/target/ => - target (built-in)",
        "scala/target/ => - target (built-in)",
        "cache/ => - CACHEDIR.TAG (built-in)",
        "cache/x => - CACHEDIR.TAG (built-in)",
        "fake/x => +",
        "fake/CACHEDIR.TAG => - CACHEDIR.TAG (built-in)",
    ]);
    let mut without = built();
    without.spec.default_ignores = false;
    without.check(&[
        "node_modules/x => +",
        ".git/x => +",
        "rust/target/x => +",
        "cache/x => +",
        "a~ => +",
    ]);
}

#[test]
fn the_built_in_files() {
    let ignored = "a.go~ .a.go.swp .a.go.swo .a.go.swx .a.go.swpx .swp a.swp 4913 5036 #a.go# .#a.go \
        .~lock.a.ods# a.go___jb_tmp___ a.go___jb_old___ a.go.vsctmp sedAb1xYz x.log x.pyc db-journal \
        db.sqlite-wal db-shm flycheck_app.py flycheck_ab12.el app_flymake.py app.test_flymake.ts \
        .null-ls_123_app.py .DS_Store ._a.go Thumbs.db desktop.ini ~$a.docx .fuse_hidden0000001 \
        .nfs000000000123 .nfsfe .a.go.kate-swp .directory .syncthing.a.go.tmp \
        .mutagen-temporary-a";
    for name in ignored.split_whitespace() {
        let answer = built().ask(name);
        assert_eq!((answer.watched, answer.rule.kind), (false, RuleKind::BuiltIn), "{name}");
        // A directory of that name is none of an editor's files.
        assert_eq!(built().ask(&format!("{name}/")).watched, !name.starts_with('.'), "{name}/");
    }
    for (kind, name) in [
        ("log", "x.log"),
        (".log", "x.log"),
        ("*.log", "x.log"),
        ("*-wal", "a-wal"),
        ("swp", "a.swp"),
    ] {
        assert!(built().types(&["go", kind]).ask(name).watched, "{name} with the type {kind}");
        assert!(!built().types(&["go", "*"]).ask(name).watched, "{name} with all types");
        assert!(!built().types(&[kind]).ask("b.pyc").watched, "only the type that is named");
        // vim's swap files are no type.
        assert!(!built().types(&[kind]).ask(".a.go.swp").watched);
        assert!(!built().types(&[kind]).file(".gitignore", "*").ask(name).watched);
    }
    let counts = "~ sediments sedabc 4914 49130 .swift a.svg .logo.svg log .log catalog # ## -wal \
        flycheck.py flycheck_ my_flycheck_a.py flymake.py _flymake.py a_flymake .null-ls. a.DS_Store \
        DS_Store ._ Thumbs.db.go desktop.ini.go a~$b ~a .~lock. .nfs .nfsx .nfs_a kate-swp .kate-swp \
        a.kate-swp directory .directory.go .syncthing.tmp syncthing.a.tmp .syncthing.a .fuse \
        .mutagen a.mutagen-temporary-b .a.go.Xy12Ab vendor/x dist/x build/x out/x bin/x tmp/x a.tmp";
    for name in counts.split_whitespace() {
        assert!(built().ask(name).watched, "{name}");
    }
}

#[test]
fn ignore_files_of_nearer_directories_and_ignore_over_gitignore() {
    Project::new()
        .file(".gitignore", "*.a\n*.b\n# no\n\ndist/\n/top\n")
        .file(".ignore", "!one.a\n*.c\n")
        .file("sub/.gitignore", "!*.b\n!one.c\n*.d\n")
        .check(&[
            "x.a => - *.a (.gitignore:1)",
            "one.a => +",
            "sub/x.a => - *.a (.gitignore:1)",
            "x.b => - *.b (.gitignore:2)",
            "sub/x.b => +",
            "sub/deep/x.b => +",
            "dist/x => - dist/ (.gitignore:5)",
            "a/dist/x => - dist/ (.gitignore:5)",
            "dist => +",
            "top => - /top (.gitignore:6)",
            "a/top => +",
            "x.c => - *.c (.ignore:2)",
            "sub/one.c => +",
            "sub/x.d => - *.d (sub/.gitignore:3)",
            "x.d => +",
        ]);
    let mut project = Project::new().file(".gitignore", "*").file(".ignore", "*");
    project.spec.gitignore = false;
    project.check(&["x => +"]);
}

#[test]
fn ignore_files_above_the_root() {
    let text = |path: &str, text: &str| IgnoreText::in_directory(path.into(), text.into());
    let top = || "/".into();
    Project::new()
        .above(IgnoreText::global("/home/me/ignore".into(), "*.g\n*.e\n*.t\nw/abs".into(), top()))
        .above(text("/.gitignore", "*.t\n!x.e\n/w/in\n"))
        .above(IgnoreText::exclude("/.git/info/exclude".into(), "*.e\n!x.g\n".into(), top()))
        .check(&[
            "a.g => - *.g (/home/me/ignore:1)",
            "x.g => +",
            "a.e => - *.e (/.git/info/exclude:1)",
            "x.e => +",
            "a.t => - *.t (/.gitignore:1)",
            "in => - /w/in (/.gitignore:3)",
            "abs => - w/abs (/home/me/ignore:4)",
        ]);
}

#[test]
fn the_original_file_means_what_it_says() {
    Project::new()
        .types(&[".go"])
        .regexps(&["^.gitignore$", "*.yml$", "*.txt$"])
        .excluded(&["vendor", ".git"])
        .check(&[
            "main.go => + .go (config.yml:1)",
            "config.yml => - *.yml$ (config.yml:2)",
            "notes.txt => - *.txt$ (config.yml:3)",
            ".gitignore => - ^.gitignore$ (config.yml:1)",
            "vendor/a.go => - vendor (config.yml:1)",
            "vendor2/a.go => + .go (config.yml:1)",
            ".git/x.go => - .git (config.yml:2)",
        ]);
}

#[test]
fn bad_patterns_name_list_index_and_reason() {
    let excluded = |text: &str| Filter::new(Project::new().excluded(&["ok", text]).spec);
    for (text, word) in [
        ("", "empty"),
        ("!", "empty"),
        ("/", "empty"),
        (".", "everything"),
        ("..", "everything"),
        ("/w", "everything"),
        ("a/..", "everything"),
        ("a[", "["),
        ("{a", "{"),
        ("a*/../b", ".."),
        ("*\\", "\\"),
        ("a\0b", "NUL"),
        ("[[:no:]]*", "class"),
    ] {
        let error = excluded(text).unwrap_err();
        assert_eq!((error.list, error.index), (List::Excluded, 1), "{text}");
        assert_eq!(error.pattern, text);
        assert!(error.message.contains(word), "{text}: {}", error.message);
    }
    for text in ["/abs", "../x", "a/b", "a b", "é", "a\\b", "**", "!x", "!!x", "#a"] {
        assert!(excluded(text).is_ok(), "{text}");
    }
    let regexp = |text: &str| Filter::new(Project::new().regexps(&[text]).spec);
    for text in ["(a", "a)", "[a", "(*.go", "+", "a{2,1}", "*("] {
        let error = regexp(text).unwrap_err();
        assert_eq!((error.list, error.index), (List::Regexps, 0));
        assert!(error.message.starts_with("no regular expression: "), "{}", error.message);
        assert!(!error.message.contains('\n'));
    }
    let error = regexp("[a-z]*(.{100}){100}").unwrap_err();
    assert!(error.message.starts_with("too large"), "{}", error.message);
    assert!(regexp("^.{1000}$").is_ok());
    for text in ["", ".", "a/b", "[a"] {
        let error = Filter::new(Project::new().types(&[".go", text]).spec).unwrap_err();
        assert_eq!((error.list, error.index), (List::Types, 1), "{text}");
    }
}
