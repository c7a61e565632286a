//! The instance's end of the socket: it listens, checks who asks, and hands each question to the loop.
#![expect(clippy::disallowed_methods, reason = "shell: makes and removes the socket")]

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::{Ask, Reply, SocketDirectory, SocketDirectoryError};
use crate::sys::local::{self, Answering, Asking, Listener};

/// The longest question in bytes: 50,000 paths of 4,000 bytes fit.
const LONGEST_QUESTION: u64 = 1 << 30;

/// The number of bytes above which a question is read on a thread of its own.
const LARGE: usize = 64 * 1024;

/// The time after which a connection that could not be taken is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// The number of instances with the same process id, each in a container of its own, that may share a directory.
const MOST_NAMESAKES: u32 = 100;

/// One question, and the way back for its answer. Dropping it closes the connection.
#[derive(Debug)]
pub struct Call {
    /// The question.
    pub ask: Ask,
    /// The way back to the connection.
    pub answer: oneshot::Sender<Reply>,
}

/// The listening socket. Dropping it removes the socket.
#[derive(Debug)]
pub struct Server {
    calls: UnboundedReceiver<Call>,
    socket: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Listens on a new socket in the directory `sockets`. Must be called inside the tokio runtime.
    ///
    /// # Errors
    /// When the directory is not ours alone or the socket can't be made.
    pub fn start(sockets: &SocketDirectory) -> Result<Self, SocketDirectoryError> {
        sockets.prepare()?;
        let (listener, socket) = listen(sockets)?;
        let (sender, calls) = unbounded_channel();
        let task = tokio::spawn(accept(listener, sender));
        Ok(Self { calls, socket, task })
    }

    /// The next question. Cancel-safe.
    pub async fn next(&mut self) -> Call {
        match self.calls.recv().await {
            Some(call) => call,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Takes the name of this process id, or a name beside it where another process listens there already: in another
/// container a process may have the same id.
fn listen(sockets: &SocketDirectory) -> Result<(Listener, PathBuf), SocketDirectoryError> {
    let id = std::process::id();
    let mut names = std::iter::once(format!("{id}.sock"))
        .chain((2..=MOST_NAMESAKES).map(|n| format!("{id}-{n}.sock")));
    loop {
        let Some(name) = names.next() else {
            let error = io::Error::from(io::ErrorKind::AddrInUse);
            return Err(SocketDirectoryError::Io(sockets.path().to_path_buf(), error));
        };
        let socket = sockets.path().join(name);
        if let Err(error) = Asking::connect(&socket)
            && error.kind() == io::ErrorKind::ConnectionRefused
        {
            // The socket was left behind.
            let _ = std::fs::remove_file(&socket);
        }
        match bind(&socket) {
            Ok(listener) => return Ok((listener, socket)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(SocketDirectoryError::Io(socket, error)),
        }
    }
}

/// Listens under another name first. Between the making of a socket and the listening at it there is a moment, and a
/// process that meets such a socket takes it for a stale one and removes it.
fn bind(socket: &Path) -> io::Result<Listener> {
    let directory = socket.parent().unwrap_or(Path::new("."));
    let beside =
        tempfile::Builder::new().suffix(".new").make_in(directory, |path| Listener::bind(path))?;
    local::make_private(beside.path())?;
    match std::fs::hard_link(beside.path(), socket) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        // Not every file system has links.
        Err(_) => std::fs::rename(beside.path(), socket)?,
        Ok(()) => {}
    }
    Ok(beside.into_parts().0)
}

async fn accept(listener: Listener, calls: UnboundedSender<Call>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if local::is_own(&stream) => {
                tokio::spawn(serve(stream, calls.clone()));
            }
            Ok(_) => {}
            // Most likely no descriptor is left. The connection stays in the queue, so that trying at once would be a
            // loop that spins.
            Err(_) => tokio::time::sleep(TRY_AGAIN).await,
        }
    }
}

async fn serve(stream: Answering, calls: UnboundedSender<Call>) {
    let (read, mut write) = stream.into_split();
    let mut line = Vec::new();
    let mut reader = BufReader::new(read.take(LONGEST_QUESTION));
    if reader.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
        return;
    }
    let large = line.len() > LARGE;
    let parse = move || serde_json::from_slice(&line).map_err(|error| error.to_string());
    let reply = match if large { aside(parse).await } else { parse() } {
        Err(why) => Reply::Refused { why },
        Ok(ask) => {
            let (answer, answered) = oneshot::channel();
            let _ = calls.send(Call { ask, answer });
            tokio::select! {
                reply = answered => match reply {
                    Ok(reply) => reply,
                    Err(_) => return,
                },
                // The client is gone.
                _ = gone(&mut reader) => return,
            }
        }
    };
    let large = matches!(reply, Reply::Explained { .. } | Reply::Surveyed(_));
    let text = move || serde_json::to_vec(&reply).map_err(|error| error.to_string());
    if let Ok(mut bytes) = if large { aside(text).await } else { text() } {
        bytes.push(b'\n');
        let _ = write.write_all(&bytes).await;
    }
}

/// Does work on another thread: 50,000 paths are megabytes, and this is the loop's thread.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let (done, result) = oneshot::channel();
    let work = move || {
        // The client may be gone.
        let _ = done.send(work());
    };
    let thread = std::thread::Builder::new().name("gw-answer".into()).spawn(work);
    thread.map_err(|error| error.to_string())?;
    result.await.unwrap_or_else(|error| Err(error.to_string()))
}

async fn gone(reader: &mut (impl tokio::io::AsyncBufRead + Unpin)) {
    let mut rest = Vec::new();
    let _ = reader.read_until(0, &mut rest).await;
}
