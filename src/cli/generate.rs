//! Completions and the manual page, made from the definitions themselves.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use crate::exit;

/// Writes the completion script for a shell.
///
/// # Errors
/// What writing to `out` gives.
pub fn completions(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    // clap_complete panics on a closed pipe when it writes by itself.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "go-watcher", &mut text);
    out.write_all(&text)
}

/// Writes the manual page: one page for the program with every subcommand's flags in it.
///
/// # Errors
/// What writing to `out` gives.
pub fn man(out: &mut dyn Write) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        writeln!(text, ".SH \"{}\"", sub.get_name().to_uppercase())?;
        let page = clap_mangen::Man::new(sub.clone());
        let mut part = Vec::new();
        page.render_description_section(&mut part)?;
        page.render_options_section(&mut part)?;
        for line in String::from_utf8_lossy(&part).lines() {
            // The sections of a subcommand are subsections of this page.
            match line.strip_prefix(".SH ") {
                Some(title) => writeln!(text, ".SS {title}")?,
                None if line.starts_with(".ie ") || line.starts_with(".el ") => {}
                None => writeln!(text, "{line}")?,
            }
        }
    }
    writeln!(text, ".SH \"EXIT STATUS\"")?;
    for (code, meaning) in exit::TABLE {
        writeln!(text, ".TP\n\\fB{code}\\fR\n{meaning}")?;
    }
    out.write_all(&text)
}
