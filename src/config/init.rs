//! `init`: the template as a new file.
#![expect(clippy::disallowed_types, reason = "the only writer of a configuration file")]

use std::io::Write;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::diagnostic::Diagnostic;
use super::{discover, source};
use crate::cli::InitArgs;

/// The text that `init` writes; also `watcher.example.yml` of the repository.
#[must_use]
pub fn template() -> &'static str {
    include_str!("../../watcher.example.yml")
}

/// Writes the template; gives the line that says so.
///
/// # Errors
/// The file exists (and `--force` was not said), or it cannot be written.
pub fn init(args: &InitArgs, directory: &Path) -> Result<String, Diagnostic> {
    let shown = source::shown(&args.output);
    let error = |text: String| Diagnostic::file(&shown, text);
    if args.output.as_os_str().is_empty() {
        return Err(Diagnostic::usage("-o: an empty name; write for example -o watcher.yml"));
    }
    let path = directory.join(&args.output);
    let mode = if args.force { OFlags::NONBLOCK } else { OFlags::EXCL };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOCTTY | mode;
    let file =
        rustix::fs::open(&path, flags, Mode::from_raw_mode(0o666)).map_err(
            |errno| match errno {
                Errno::EXIST => error(exists(args, &path)),
                Errno::NOENT => {
                    let parent = args.output.parent().unwrap_or(Path::new("."));
                    let parent = source::shown(parent);
                    error(format!(
                        "there is no directory {parent}; make it first: mkdir -p {parent}"
                    ))
                }
                Errno::ISDIR => error("is a directory; name a file in it".to_owned()),
                errno => error(format!("cannot be written: {}", source::plain(&errno.into()))),
            },
        )?;
    let stat = rustix::fs::fstat(&file).map_err(|errno| error(source::plain(&errno.into())))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(error("is no regular file; name another one with -o".to_owned()));
    }
    rustix::fs::ftruncate(&file, 0)
        .map_err(|errno| error(format!("cannot be emptied: {}", source::plain(&errno.into()))))?;
    std::fs::File::from(file)
        .write_all(template().as_bytes())
        .map_err(|cause| error(format!("cannot be written: {}", source::plain(&cause))))?;
    let found_by_itself = ["config.yml", "./config.yml", "watcher.yml", "./watcher.yml"];
    let run = if found_by_itself.contains(&shown.as_str()) {
        "go-watcher run -e \"go run .\"".to_owned()
    } else {
        format!("go-watcher run -c {shown} -e \"go run .\"")
    };
    Ok(format!("wrote {shown}; next: {run}\n"))
}

fn exists(args: &InitArgs, path: &Path) -> String {
    let name = args.output.file_name().unwrap_or_default();
    if name == "config.yml" && discover::is_foreign(path) {
        return "exists and is another program's; write ours beside it: go-watcher init -o watcher.yml \
                (--force would overwrite it)"
            .to_owned();
    }
    if path.is_dir() {
        return "is a directory; name a file in it".to_owned();
    }
    "exists; --force overwrites it, -o FILE writes another one".to_owned()
}
