//! The walker by itself.
#![expect(clippy::disallowed_methods, reason = "tests work on real files")]

use std::fs;

use super::*;
use crate::watch::settings::{Poll, Settings};
use crate::watch::tests::filter_for;

/// A looker found nothing there, and before that is heard of it is there again and watched.
#[test]
fn what_has_come_back_keeps_its_watch() {
    let directory = tempfile::tempdir().unwrap();
    let top = directory.path().canonicalize().unwrap();
    let (back, gone) = (top.join("back"), top.join("gone"));
    let settings = Settings { poll: Poll::Never, ..Settings::default() };
    let ground = Ground { roots: vec![top.clone()], ..Ground::new(filter_for(&top), &settings) };
    let (to, mut messages) = tokio::sync::mpsc::unbounded_channel();
    let mut walker = Walker::new(Arc::new(ground), to.clone(), channel().1);
    let mut native = Native::new(1, to).unwrap();
    for path in [&back, &gone] {
        fs::create_dir(path).unwrap();
    }
    native.arm([(&*back, false), (&*gone, false)].into_iter());
    walker.native = Some(native);
    fs::rename(&gone, top.join("away")).unwrap();
    let lost = |path: &PathBuf| Further { disarm: Some(path.clone()), ..Further::default() };
    walker.note(vec![(0, lost(&back)), (0, lost(&gone))]);
    fs::write(back.join("x"), "").unwrap();
    fs::write(top.join("away/x"), "").unwrap();
    walker.native.as_mut().unwrap().catch_up();
    let mut told = Vec::new();
    while let Ok(Message(Inner::Event { event, .. })) = messages.try_recv() {
        told.push(event.path);
    }
    assert!(told.contains(&back.join("x")), "{told:?}");
    assert!(!told.contains(&gone.join("x")), "{told:?}");
}
