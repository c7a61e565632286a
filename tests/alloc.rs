//! A verdict allocates nothing: an ignored event costs no memory, however many there are.

#![expect(unsafe_code, reason = "an allocator that counts can only be written so")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use go_watcher::filter::*;
use go_watcher::model::{EntryKind, Origin};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is passed on to the system's allocator unchanged; the counter is a plain
// thread-local without a destructor, so that counting never allocates itself.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above, which is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn patterns(texts: impl IntoIterator<Item = String>) -> Vec<Pattern> {
    let pattern = |text| Pattern { text, origin: Origin::Flag("-i"), any_depth: true };
    texts.into_iter().map(pattern).collect()
}

fn spec() -> Spec {
    let excluded = (0..1_000).map(|i| match i % 5 {
        0 => format!("name{i}"),
        1 => format!("src/**/x{i}/*.go"),
        2 => format!("*_gen{i}.go"),
        3 => format!("*inner{i}x*"),
        _ => format!("!src/keep{i}/*.log"),
    });
    Spec {
        working_directory: "/w".into(),
        excluded: patterns(excluded),
        regexps: patterns(["^secret", "_test$", "*.yml$"].map(str::to_owned)),
        types: patterns([".go", "html", "*.{c,h}"].map(str::to_owned)),
        gitignore: true,
        default_ignores: true,
        ..Spec::default()
    }
}

#[test]
fn verdicts_allocate_nothing() {
    let filter = Filter::new(spec()).unwrap();
    let text = (0..100).map(|i| format!("gen{i}*.go\nout{i}/\n")).collect::<String>();
    let ignore_files = vec![IgnoreText::in_directory("/w/.gitignore".into(), text.into_bytes())];
    let around = filter.root_scope(Path::new("/w"), &[]);
    let marks = Marks { ignore_files, ..Marks::default() };
    let Entered::Scope(scope) = filter.enter(&around, Path::new("/w"), &marks) else {
        panic!("the root is ignored");
    };
    let paths: Vec<PathBuf> = [
        "/w/src/a/b/main.go",
        "/w/src/a/x1/a.go",
        "/w/name0",
        "/w/gen7x.go",
        "/w/a.log",
        "/w/a.go~",
        "/w/src/keep4/a.log",
        "/w/secret.go",
        "/w/notes.txt",
        "/w/a.h",
        "/w/node_modules",
        "/w/src/a",
        "/w/config.yml",
        "/w/xinner3xx",
        "/w/out7",
        "/w/\u{e9}.go",
    ]
    .map(PathBuf::from)
    .into();
    let all = || {
        for path in &paths {
            for kind in [EntryKind::File, EntryKind::Directory, EntryKind::Link] {
                std::hint::black_box(filter.verdict(&scope, path, kind));
            }
        }
    };
    // A regular expression fills its cache when it is first used.
    all();
    let before = COUNT.get();
    (0..100).for_each(|_| all());
    assert_eq!(COUNT.get() - before, 0, "allocations in {} verdicts", 100 * paths.len() * 3);
    // A directory with nothing new shares its parent's scope.
    let Entered::Scope(inside) = filter.enter(&scope, Path::new("/w/src"), &Marks::default())
    else {
        panic!("src is ignored");
    };
    assert!(Arc::ptr_eq(&scope, &inside));
    assert_eq!(COUNT.get() - before, 0, "allocations for a directory with nothing new");
}
