//! The shapes in which people write down a server: in each the whole of it is stopped, each graceful handler
//! runs to its end, and the next one gets the port.

use std::time::Duration;

use crate::harness::*;

/// A line of shell with a server in it, or a server with a worker.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// The server's port is held by the server itself.
    Line(&'static str),
    /// Its worker has the port, in a session of its own, and ignores SIGTERM while its leader dies.
    StubbornWorker,
}

const SHAPES: [Shape; 8] = [
    Shape::Line("{}; true"),
    Shape::Line("true | {}"),
    Shape::Line("{} & wait"),
    Shape::Line("({} &) ; sleep 1000"), // forked twice: its parent is gone
    Shape::Line("exec {}"),
    Shape::Line("sh -c '{}; true'; true"),
    Shape::Line("setsid {} & wait"),
    Shape::StubbornWorker,
];

/// Reloads so many times with a handler that takes this long (milliseconds).
fn reloads(shape: Shape, rounds: usize, graceful: u64) {
    let server = Stamp::server().graceful(graceful);
    let project = Project::new().file("a.go", "0");
    let grace = format!("{}ms", graceful + 500);
    let watcher = match shape {
        Shape::Line(line) => {
            project.runs(server.listens(free_port())).start_shell(line, ["--ext", "go"])
        }
        Shape::StubbornWorker => project
            .runs(server.worker(free_port()).worker_ignores_term())
            .start(["--ext", "go", "--stop-timeout", &grace]),
    };
    let watcher = watcher.ready();
    let listening = |count: usize| {
        watcher.wait_for("the listener", || {
            let (bound, in_use) = watcher.ports();
            assert_eq!(in_use, 0, "{shape:?}: address in use\n{}", watcher.story());
            bound.get(count - 1).copied()
        })
    };
    let mut times = Vec::new();
    listening(1);
    for round in 1..=rounds {
        watcher.asked();
        let edited = monotonic();
        watcher.save("a.go", format!("{round}"));
        times.push((listening(1 + round) - edited) / 1_000_000);
    }
    figures(&format!("{shape:?}: from edit to new listener"), &times);
    let runs = watcher.exactly(1 + rounds);
    assert!(runs.iter().all(|run| run.alone), "{shape:?}: two at once\n{}", watcher.story());
    let ended = runs.iter().filter(|run| run.ended.is_some()).count();
    assert_eq!(ended, rounds, "{shape:?}: each handler ran to its end\n{}", watcher.story());
}

#[test]
fn shell_lines_with_servers_in_them() {
    for shape in SHAPES {
        reloads(shape, 3, 150);
    }
}

/// All shapes at once, since nearly all of it is waiting for handlers.
#[test]
#[ignore = "50 reloads with handlers of a second; make torture"]
fn torture_shapes() {
    std::thread::scope(|scope| {
        let threads = SHAPES.map(|shape| scope.spawn(move || reloads(shape, 50, 1000)));
        for thread in threads {
            thread.join().expect("it holds");
        }
    });
}

/// Servers whose leader has ended long before the edit.
#[test]
fn workers_that_nobody_is_the_parent_of() {
    let watcher = Project::new()
        .file("a.go", "0")
        .runs(Stamp::server().graceful(150).listens(free_port()))
        .start_shell("({} &)", ["--ext", "go"])
        .ready();
    for round in 1..=3 {
        watcher.wait_for("the listener", || (watcher.ports().0.len() == round).then_some(()));
        watcher.save("a.go", format!("{round}"));
        watcher.wait_runs(1 + round);
    }
    let runs = watcher.exactly_within(4, Duration::from_millis(200));
    assert_eq!(watcher.ports().1, 0, "address in use");
    assert!(runs.iter().all(|run| run.alone), "two at once\n{}", watcher.story());
    assert!(runs[..3].iter().all(|run| run.ended.is_some()), "a handler was cut short");
}
