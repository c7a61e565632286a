//! `init`: the template as a new file.
#![expect(clippy::disallowed_types, reason = "the only writer of a configuration file")]

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::diagnostic::Diagnostic;
use super::{InitArgs, discover, schema, source};
use crate::sys::open;

/// The text that `init` writes: `watcher.example.yml` of the repository.
#[must_use]
pub fn template() -> &'static str {
    include_str!("../../watcher.example.yml")
}

/// The name of the schema beside the file.
const SCHEMA: &str = "watcher.schema.json";

/// The template's lines about a schema that is not there.
const WITHOUT: &str = "# For completion in your editor: go-watcher init --schema, or go-watcher schema > \
                       watcher.schema.json and one # less here:\n## yaml-language-server:";
/// The lines about a schema that is there, the second of which editors read.
const WITH: &str = "# For editors; go-watcher schema > watcher.schema.json writes it anew:\n\
                    # yaml-language-server:";

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
    let file = open::writer(&path, args.force).map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => error(exists(args, &path)),
        ErrorKind::NotFound => {
            let parent = args.output.parent().unwrap_or(Path::new("."));
            let parent = source::shown(parent);
            error(format!("there is no directory {parent}; make it first: mkdir -p {parent}"))
        }
        ErrorKind::IsADirectory => error("is a directory; name a file in it".to_owned()),
        _ => error(format!("cannot be written: {}", source::plain(&cause))),
    })?;
    let beside = path.with_file_name(SCHEMA);
    let mut wrote = format!("wrote {shown}");
    if args.schema && write_schema(&beside, args.force)? {
        wrote += &format!(" and {}", source::shown(&args.output.with_file_name(SCHEMA)));
    }
    // The line that editors read never names a file that is not there.
    let text = match beside.is_file() {
        true => template().replacen(WITHOUT, WITH, 1),
        false => template().to_owned(),
    };
    fill(file, &text).map_err(error)?;
    let named = || format!(" -c {}", shell_words::quote(&shown));
    let (file, otherwise) = match discover::looked_for(directory) {
        Some(found) if path == directory.join(found) => (String::new(), String::new()),
        Some(found) => (named(), format!("   (without -c: {found})")),
        None => (named(), String::new()),
    };
    Ok(format!("{wrote}; next: go-watcher run{file} -e \"go run .\"{otherwise}\n"))
}

/// Puts the text into a regular file.
fn fill(mut file: File, text: &str) -> Result<(), String> {
    if !file.metadata().map_err(|cause| source::plain(&cause))?.is_file() {
        return Err("is no regular file; name another one with -o".to_owned());
    }
    file.set_len(0).map_err(|cause| format!("cannot be emptied: {}", source::plain(&cause)))?;
    file.write_all(text.as_bytes())
        .map_err(|cause| format!("cannot be written: {}", source::plain(&cause)))
}

/// Writes the schema; false when there is one already.
fn write_schema(path: &Path, force: bool) -> Result<bool, Diagnostic> {
    let error = |text: String| Diagnostic::file(SCHEMA, text);
    match open::writer(path, force) {
        Ok(file) => fill(file, &schema()).map(|()| true).map_err(error),
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(cause) => Err(error(format!("cannot be written: {}", source::plain(&cause)))),
    }
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
