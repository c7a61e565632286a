//! `check`: the resolved configuration, as a file that would give the same one, with where each value comes from.

use std::path::Path;

use super::diagnostic::{Diagnostic, escape};
use super::kind::Kind;
use super::values::{Entry, Said};
use super::{CheckArgs, Config, Env};
use crate::model::{Notice, Origin};

/// A configuration that is good.
#[derive(Debug)]
pub struct Checked {
    /// What goes to standard output.
    pub text: String,
    /// Warnings, for standard error.
    pub notices: Vec<Notice>,
}

/// Loads a configuration as `run` would, and describes it.
///
/// # Errors
/// What is wrong, with its place; exit status 2.
pub fn check(args: &CheckArgs, directory: &Path, env: Env<'_>) -> Result<Checked, Diagnostic> {
    let mut config = super::load(&args.run, directory, env)?;
    let notices = std::mem::take(&mut config.notices);
    Ok(Checked { text: describe(&config), notices })
}

/// The values in effect as YAML.
pub(super) fn describe(config: &Config) -> String {
    let mut text = format!("# {}: the values in effect\n", config.source());
    let mut section = "";
    for entry in config.values.entries_in_order() {
        let (parent, name) = entry.key.split();
        if parent != section && !parent.is_empty() {
            text.push_str(parent);
            text.push_str(":\n");
        }
        section = parent;
        let indent = if parent.is_empty() { "" } else { "  " };
        write_entry(&mut text, indent, name, entry);
    }
    text
}

fn write_entry(text: &mut String, indent: &str, name: &str, entry: &Entry) {
    let single = entry.items.first();
    match single {
        Some(item) if !entry.list => {
            if item.text.is_empty() {
                text.push_str(&format!("{indent}# {name}:   (none)\n"));
                return;
            }
            let value = match entry.key.kind {
                // A command may hold anything; words and numbers stay bare.
                Kind::Command | Kind::Name => scalar(&item.text),
                _ => item.text.clone(),
            };
            line(text, &format!("{indent}{name}: {value}"), item);
        }
        None => line_without_origin(text, &format!("{indent}{name}: []")),
        Some(_) => {
            line_without_origin(text, &format!("{indent}{name}:"));
            for item in &entry.items {
                line(text, &format!("{indent}- {}", scalar(&item.text)), item);
            }
        }
    }
}

fn line_without_origin(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

fn line(text: &mut String, content: &str, item: &Said) {
    let origin = match &item.origin {
        Origin::BuiltIn => return line_without_origin(text, content),
        Origin::Flag(flag) => (*flag).to_owned(),
        Origin::File { file, line } => format!("{}:{line}", file.display()),
    };
    text.push_str(&format!("{content:<40}  # {origin}\n"));
}

/// A text as YAML: bare when it can only be read as itself, else quoted.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._/+-$^=<>()~\\;".contains(c) || c == ' ';
    let start = |c: char| c.is_alphanumeric() || "./$^(".contains(c);
    let word = !text.is_empty()
        && text.starts_with(start)
        && text.chars().all(plain)
        && !text.ends_with(' ')
        && !matches!(text.to_lowercase().as_str(), "null" | "true" | "false" | "yes" | "no");
    if word {
        text.to_owned()
    } else if text.chars().all(|c| escape(&c.to_string()).chars().eq([c])) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        // A JSON string is one in YAML too. What a terminal must not see is escaped in it.
        let mut quoted = String::from("\"");
        for c in text.chars() {
            match c {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '\n' => quoted.push_str("\\n"),
                '\t' => quoted.push_str("\\t"),
                c if escape(&c.to_string()).chars().eq([c]) => quoted.push(c),
                c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
            }
        }
        quoted.push('"');
        quoted
    }
}
