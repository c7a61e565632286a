//! The command that the tests let go-watcher run: it writes down when it began, what it saw and how
//! it ended. A file of its own, compiled once by `harness/command.rs` with the same rustc: small, so
//! that it starts in a millisecond, and free of crates.
//!
//! Each record is one line, appended with one write; fields are separated by tabs, outside bytes are hex.
//! `start PID NS ALONE FIELD…` · `end PID NS` · `bound PID NS` · `inuse PID NS` · `term PID NS`
//!
//! ALONE is 1 if no other process of an earlier run was alive: every process of a run shares one
//! exclusive lock on LOG.lock, which the kernel gives back only when the last of them is gone.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::atomic::{AtomicBool, Ordering};

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

unsafe extern "C" {
    fn fork() -> i32;
    fn setsid() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn signal(number: i32, handler: usize) -> usize;
    fn flock(fd: i32, operation: i32) -> i32;
    fn usleep(microseconds: u32) -> i32;
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
    fn isatty(fd: i32) -> i32;
    fn sigprocmask(how: i32, set: *const [u64; 16], old: *mut [u64; 16]) -> i32;
}

const SIGTERM: i32 = 15;
const SIGINT: i32 = 2;
const SIG_IGN: usize = 1;
const LOCK_EX_NB: i32 = 2 | 4;
#[cfg(target_os = "macos")]
const SIG_SETMASK: i32 = 3;
#[cfg(not(target_os = "macos"))]
const SIG_SETMASK: i32 = 2;
#[cfg(target_os = "macos")]
const CLOCK_MONOTONIC: i32 = 6;
#[cfg(not(target_os = "macos"))]
const CLOCK_MONOTONIC: i32 = 1;

static ASKED_TO_END: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(_: i32) {
    ASKED_TO_END.store(true, Ordering::SeqCst);
}

fn now() -> u64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(CLOCK_MONOTONIC, &mut time) };
    time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
}

fn sleep(milliseconds: u64) {
    let end = now() + milliseconds * 1_000_000;
    while now() < end {
        unsafe { usleep(((end - now().min(end)) / 1000).clamp(1, 5000) as u32) };
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[derive(Default)]
struct Asked {
    fields: Vec<String>,
    takes: u64,
    serves: bool,
    graceful: Option<u64>,
    ignores_term: bool,
    exit: i32,
    listens: Option<u16>,
    worker: Option<u16>,
    worker_ignores_term: bool,
    double_fork: bool,
    orphans: u64,
    writes: Vec<(String, String)>,
}

fn read_arguments(arguments: &[std::ffi::OsString]) -> Asked {
    let mut asked = Asked::default();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let mut value = || rest.next().expect("a value").clone();
        match word.to_str().expect("a flag") {
            "--sum" => asked.fields.push(match fs::read(value()) {
                Ok(bytes) => format!("sum:{}:{}", bytes.len(), checksum(&bytes)),
                Err(_) => "sum:none".into(),
            }),
            "--env" => {
                let name = value();
                let held = env::var_os(&name).map_or("none".into(), |held| hex(held.as_bytes()));
                asked.fields.push(format!("env:{}:{held}", name.to_string_lossy()));
            }
            "--stdin" => asked.fields.push(format!("stdin:{}", standard_input())),
            "--takes" => asked.takes = number(&value()),
            "--serves" => asked.serves = true,
            "--graceful" => asked.graceful = Some(number(&value())),
            "--ignores-term" => asked.ignores_term = true,
            "--exit" => asked.exit = number(&value()) as i32,
            "--listens" => asked.listens = Some(number(&value()) as u16),
            "--worker" => asked.worker = Some(number(&value()) as u16),
            "--worker-ignores-term" => asked.worker_ignores_term = true,
            "--double-fork" => asked.double_fork = true,
            "--orphans" => asked.orphans = number(&value()),
            "--writes" => {
                let (file, text) = (value(), value());
                asked.writes.push((file.into_string().unwrap(), text.into_string().unwrap()));
            }
            other => panic!("stamp: unknown flag {other}"),
        }
    }
    asked
}

fn number(text: &std::ffi::OsStr) -> u64 {
    text.to_str().and_then(|text| text.parse().ok()).expect("a number")
}

/// `tty`, `end` (reading says end of file at once) or `data`; a pipe that never ends is `open`.
fn standard_input() -> &'static str {
    if unsafe { isatty(0) } == 1 {
        return "tty";
    }
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut byte = [0];
        let _ = send.send(std::io::stdin().read(&mut byte));
    });
    match receive.recv_timeout(std::time::Duration::from_millis(300)) {
        Ok(Ok(0)) => "end",
        Ok(Ok(_)) => "data",
        Ok(Err(_)) => "error",
        Err(_) => "open",
    }
}

struct Log(File);

impl Log {
    fn line(&mut self, what: &str, fields: &str) {
        let line = format!("{what}\t{}\t{}{fields}\n", std::process::id(), now());
        // A fatal signal ends a long write between two pages: half a line would be in the log.
        let (all, mut old) = ([u64::MAX; 16], [0; 16]);
        unsafe { sigprocmask(SIG_SETMASK, &all, &mut old) };
        self.0.write_all(line.as_bytes()).expect("log");
        unsafe { sigprocmask(SIG_SETMASK, &old, std::ptr::null_mut()) };
    }
}

fn changed_fields() -> String {
    let mut fields = String::new();
    if let Some(list) = env::var_os("GO_WATCHER_CHANGED") {
        fields += &format!("\tlist:{}", hex(list.as_bytes()));
    }
    if let Some(file) = env::var_os("GO_WATCHER_CHANGED_FILE") {
        match fs::read(&file) {
            Ok(bytes) => fields += &format!("\tchanged:{}", hex(&bytes)),
            Err(error) => fields += &format!("\tlistfile:{}", hex(error.to_string().as_bytes())),
        }
    }
    if let Ok(directory) = env::current_dir() {
        fields += &format!("\tcwd:{}", hex(&directory.into_os_string().into_vec()));
    }
    fields
}

/// Ends this process once it was asked to (or, ignoring that, never).
fn serve(log: &mut Log, graceful: Option<u64>) {
    loop {
        sleep(2);
        if ASKED_TO_END.load(Ordering::SeqCst) {
            log.line("term", "");
            sleep(graceful.unwrap_or(0));
            log.line("end", "");
            return;
        }
    }
}

fn worker(log: &mut Log, port: u16, double_fork: bool, ignores_term: bool) {
    unsafe {
        setsid();
        if double_fork && fork() != 0 {
            std::process::exit(0);
        }
        signal(SIGTERM, if ignores_term { SIG_IGN } else { 0 });
    }
    let _listener = listen(log, port);
    loop {
        sleep(1000);
    }
}

fn listen(log: &mut Log, port: u16) -> TcpListener {
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(listener) => {
            log.line("bound", "");
            listener
        }
        Err(_) => {
            log.line("inuse", "");
            std::process::exit(98);
        }
    }
}

fn main() {
    let arguments: Vec<_> = env::args_os().collect();
    let path = arguments[1].clone();
    let asked = read_arguments(&arguments[2..]);
    if asked.ignores_term {
        unsafe { signal(SIGTERM, SIG_IGN) };
    }
    if asked.graceful.is_some() {
        unsafe { signal(SIGTERM, on_signal as *const () as usize) };
        unsafe { signal(SIGINT, on_signal as *const () as usize) };
    }
    let mut lock_path = path.clone();
    lock_path.push(".lock");
    let lock = OpenOptions::new().create(true).append(true).open(lock_path).expect("lock");
    let alone = unsafe { flock(lock.as_raw_fd(), LOCK_EX_NB) } == 0;
    let mut log = Log(OpenOptions::new().create(true).append(true).open(path).expect("log"));
    let fields: String = asked.fields.iter().map(|field| format!("\t{field}")).collect();
    log.line("start", &format!("\t{}{fields}{}", u8::from(alone), changed_fields()));
    for (file, text) in &asked.writes {
        fs::write(file, text).expect("writes");
    }
    for _ in 0..asked.orphans {
        let middle = unsafe { fork() };
        if middle == 0 {
            if unsafe { fork() } == 0 {
                sleep(50);
            }
            std::process::exit(0);
        }
        unsafe { waitpid(middle, std::ptr::null_mut(), 0) };
    }
    let _listener = asked.listens.map(|port| listen(&mut log, port));
    if let Some(port) = asked.worker {
        if unsafe { fork() } == 0 {
            worker(&mut log, port, asked.double_fork, asked.worker_ignores_term);
        }
    }
    if asked.serves {
        serve(&mut log, asked.graceful);
    } else {
        sleep(asked.takes);
        log.line("end", "");
    }
    std::process::exit(asked.exit);
}
