//! Real pipes and a real pseudo-terminal that nobody reads.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{QUEUE_BYTES, Target, Writer};
use crate::model::Level;

const LONG: Duration = Duration::from_secs(10);

fn pipe() -> (std::io::PipeReader, OwnedFd) {
    let (reader, writer) = std::io::pipe().unwrap();
    (reader, writer.into())
}

fn line(n: usize) -> Vec<u8> {
    format!("{n:06} {}\n", "x".repeat(92)).into_bytes()
}

#[expect(clippy::disallowed_methods, reason = "measures that a write does not wait")]
fn now() -> Instant {
    Instant::now()
}

/// Every way of writing that a pipe can be written in.
fn ways(fd: OwnedFd) -> [Writer; 2] {
    let again = fd.try_clone().unwrap();
    [Writer::to(Target::of(fd.into())), Writer::to(Target { output: again.into(), asked: true })]
}

#[test]
fn a_line_goes_out_at_once_and_without_a_thread() {
    let (mut reader, fd) = pipe();
    for mut writer in ways(fd) {
        writer.write(b"one\n".to_vec(), Level::Info);
        writer.write(Vec::new(), Level::Info);
        let mut seen = [0; 4];
        reader.read_exact(&mut seen).unwrap();
        assert_eq!(&seen, b"one\n");
        assert!(!writer.thread);
        assert!(writer.flush(Duration::ZERO));
    }
}

#[test]
fn a_pipe_that_nobody_reads_never_blocks_and_then_gets_everything_in_order() {
    for way in 0..2 {
        let (mut reader, fd) = pipe();
        let mut ways = ways(fd).into_iter();
        let mut writer = ways.nth(way).unwrap();
        drop(ways);
        let begun = now();
        // 64 KiB fit into the pipe, 256 KiB into the queue: all of it.
        let lines = 3_000;
        for n in 0..lines {
            writer.write(line(n), Level::Info);
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert!(!writer.flush(Duration::from_millis(20)));
        let mut seen = vec![0; lines * line(0).len()];
        reader.read_exact(&mut seen).unwrap();
        for (n, chunk) in seen.chunks(line(0).len()).enumerate() {
            assert_eq!(chunk, line(n), "line {n}");
        }
        assert!(writer.flush(LONG));
    }
}

#[test]
fn memory_is_bounded_and_details_go_first() {
    let (mut reader, fd) = pipe();
    let mut writer = Writer::to(Target::of(fd.into()));
    writer.when_dropped(Box::new(|n| format!("dropped {n}\n").into_bytes()));
    for n in 0..20_000 {
        let level = if n % 10 == 0 { Level::Error } else { Level::Detail };
        writer.write(line(n), level);
    }
    assert!(writer.shared.lock().bytes <= QUEUE_BYTES);
    let errors =
        writer.shared.lock().queue.iter().filter(|l| l.level == Some(Level::Error)).count();
    assert!(errors > 1_500, "{errors} errors are kept");
    drop_reader_after(&mut reader, &writer);
}

/// Reads until the writer has nothing left, and looks at what came.
fn drop_reader_after(reader: &mut std::io::PipeReader, writer: &Writer) {
    let mut seen = Vec::new();
    let mut buffer = [0; 65_536];
    while !writer.flush(Duration::ZERO) {
        // The thread may be done writing but not yet say so: never wait for bytes that don't come.
        let timeout = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
        if rustix::event::poll(&mut [PollFd::new(reader, PollFlags::IN)], Some(&timeout)) != Ok(1) {
            continue;
        }
        let n = reader.read(&mut buffer).unwrap();
        seen.extend_from_slice(&buffer[..n]);
    }
    let seen = String::from_utf8(seen).unwrap();
    let counts = seen.lines().filter_map(|l| l.strip_prefix("dropped "));
    let dropped: usize = counts.map(|n| n.parse::<usize>().unwrap()).sum();
    let rest = 20_000 - dropped;
    let came = seen.lines().filter(|l| !l.starts_with("dropped")).count();
    // The last pipe full was still in the pipe when the writer had become idle.
    assert!(came <= rest && came + 700 >= rest, "{came} of {rest} came");
}

#[test]
fn a_reader_that_went_away_ends_the_writer_quietly() {
    for way in 0..2 {
        let (reader, fd) = pipe();
        let mut writer = ways(fd).into_iter().nth(way).unwrap();
        drop(reader);
        for n in 0..100 {
            writer.write(line(n), Level::Error);
        }
        assert!(writer.flush(LONG));
        assert!(writer.shared.lock().closed);
    }
}

#[test]
fn a_reader_that_goes_away_while_lines_wait_ends_the_thread() {
    let (reader, fd) = pipe();
    let mut writer = Writer::to(Target::of(fd.into()));
    for n in 0..2_000 {
        writer.write(line(n), Level::Info);
    }
    drop(reader);
    assert!(writer.flush(LONG));
    assert!(writer.shared.lock().closed);
}

#[test]
fn a_terminal_that_nobody_reads_never_blocks() {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
    let slave = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
    let mut writer = Writer::to(Target::of(slave.into()));
    let begun = now();
    for n in 0..5_000 {
        writer.write(line(n), Level::Info);
    }
    // A write that blocked would block for ever.
    assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
    assert!(writer.shared.lock().bytes <= QUEUE_BYTES);
    drop(master);
    assert!(writer.flush(LONG), "a closed terminal ends the waiting");
}

#[test]
fn a_full_disk_costs_a_line_and_no_more() {
    let flags = rustix::fs::OFlags::WRONLY;
    let Ok(full) = rustix::fs::open("/dev/full", flags, rustix::fs::Mode::empty()) else { return };
    let mut writer = Writer::to(Target::of(full.into()));
    writer.write(line(1), Level::Info);
    assert!(writer.flush(Duration::ZERO));
    assert!(!writer.shared.lock().closed);
}
