//! Every failed start says why, and the next one works.

use std::os::unix::fs::PermissionsExt;

use go_watcher::model::ProcessEvent;
use go_watcher::model::{SpawnError, SpawnStage};

use crate::cases;
use crate::support::Bed;

cases![
    a_failed_start_is_explained,
    a_second_run_beside_a_living_one_is_refused,
    a_lack_of_means_is_said_and_passes
];

async fn failed(bed: &mut Bed) -> SpawnError {
    match bed.next().await {
        ProcessEvent::SpawnFailed { error, .. } => error,
        other => panic!("{other:?}"),
    }
}

async fn a_failed_start_is_explained() {
    let mut bed = Bed::new();
    let file = |name: &str, text: &str, mode: u32| {
        let path = bed.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    file("plain", "x", 0o644);
    file("bad", "#!/bin/nope -x\n", 0o755);
    file("windows", "#!/bin/sh\r\necho\r\n", 0o755);
    file("nothing", "echo\n", 0o755);
    std::fs::create_dir(bed.directory.path().join("folder")).unwrap();
    std::os::unix::fs::symlink("gone", bed.directory.path().join("link")).unwrap();
    let long = "x".repeat(3_000_000);
    for (argv, errno, path, detail) in [
        (vec!["no-such-program"], libc::ENOENT, "no-such-program", Some("not found in PATH")),
        (vec!["./missing"], libc::ENOENT, "./missing", None),
        (vec!["./plain"], libc::EACCES, "./plain", Some("it is not executable (chmod +x)")),
        (vec!["./folder"], libc::EACCES, "./folder", Some("it is a directory")),
        (vec!["./bad"], libc::ENOENT, "./bad", Some("its interpreter /bin/nope does not exist")),
        (
            vec!["./windows"],
            libc::ENOENT,
            "./windows",
            Some("its first line ends with a carriage return: /bin/sh\\r does not exist"),
        ),
        (
            vec!["./link"],
            libc::ENOENT,
            "./link",
            Some("it is a link to gone, which does not exist"),
        ),
        (
            vec!["./nothing"],
            libc::ENOEXEC,
            "./nothing",
            Some("it has no '#!' line and is no program of this system"),
        ),
        (vec!["./plain/x"], libc::ENOTDIR, "./plain/x", None),
        (vec![""], libc::ENOENT, "", Some("the command is empty")),
    ] {
        bed.launch(&argv);
        let error = failed(&mut bed).await;
        assert_eq!((error.stage, error.errno), (SpawnStage::Exec, errno), "{argv:?}");
        assert_eq!(
            (error.path.to_str(), error.detail.as_deref()),
            (Some(path), detail),
            "{argv:?}"
        );
    }
    bed.launch(&["true", &long]);
    let error = failed(&mut bed).await;
    assert_eq!((error.stage, error.errno), (SpawnStage::Exec, libc::E2BIG));
    assert!(error.detail.unwrap().starts_with("its arguments and environment are too long (30"));

    let mut launch = bed.order(&["true"]);
    launch.directory = "/no/such/directory".into();
    bed.host.launch(&launch);
    let error = failed(&mut bed).await;
    assert_eq!((error.stage, error.errno), (SpawnStage::WorkingDirectory, libc::ENOENT));
    assert_eq!(error.path.to_str(), Some("/no/such/directory"));

    bed.sh("true");
    bed.started().await;
    bed.gone().await;
    bed.end().await;
}

async fn a_second_run_beside_a_living_one_is_refused() {
    let mut bed = Bed::new();
    let first = bed.sh("sleep 1000");
    bed.started().await;
    bed.sh("true");
    let error = failed(&mut bed).await;
    assert_eq!((error.stage, error.errno), (SpawnStage::Fork, libc::EBUSY));
    bed.host.kill(first);
    bed.gone().await;
    bed.end().await;
}

/// Lowers a limit of the shim, as if the system were short of it.
fn limit(bed: &Bed, what: &str, value: &str) {
    let shim = bed.host.shim().unwrap().to_string();
    let done = std::process::Command::new("prlimit")
        .args(["--pid", &shim, &format!("--{what}={value}")])
        .status();
    assert!(done.unwrap().success());
}

async fn a_lack_of_means_is_said_and_passes() {
    let mut bed = Bed::new();
    // No descriptor for the standard input. (The shim has to be up for that.)
    bed.sh("true");
    bed.started().await;
    bed.gone().await;
    limit(&bed, "nofile", "3:1024");
    bed.sh("true");
    let error = failed(&mut bed).await;
    assert_eq!((error.stage, error.errno), (SpawnStage::Fork, libc::EMFILE));
    limit(&bed, "nofile", "1024:1024");
    bed.sh("true");
    bed.started().await;
    bed.gone().await;
    bed.end().await;
}
