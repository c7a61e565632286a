//! Completions and the manual page, made from the definitions themselves.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use crate::model::EXIT_STATUSES;

/// Writes the completion script for a shell.
///
/// # Errors
/// What writing to `out` gives.
pub fn completions(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    // clap_complete panics on a closed pipe when it writes by itself.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "go-watcher", &mut text);
    if shell == Shell::Bash {
        // clap_complete 4.6 takes the hyphen of the name for the mark between subcommands in the labels that it
        // looks up, and not in those that it sets: no subcommand's flags would ever be offered.
        let script = String::from_utf8_lossy(&text);
        text = script.replace("go__subcmd__watcher", "go__watcher").into_bytes();
    }
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
        match sub.get_name() {
            "check" => writeln!(part, ".PP\nIt takes the flags of run.")?,
            "explain" => {
                // The flags of `explain` itself are those without a heading.
                let own = sub.clone().mut_args(|arg| {
                    let hidden = arg.get_help_heading().is_some() || arg.is_last_set();
                    arg.hide(hidden)
                });
                clap_mangen::Man::new(own).render_options_section(&mut part)?;
                writeln!(part, ".PP\nBesides, it takes the flags of run.")?;
            }
            _ => page.render_options_section(&mut part)?,
        }
        text.extend(subsections(&part));
    }
    writeln!(text, ".SH \"EXIT STATUS\"")?;
    for (code, meaning) in EXIT_STATUSES {
        writeln!(text, ".TP\n\\fB{code}\\fR\n{meaning}")?;
    }
    out.write_all(&text)
}

/// The sections of a subcommand's page as subsections of ours; its description stands by itself.
fn subsections(part: &[u8]) -> Vec<u8> {
    let mut out = String::new();
    for line in String::from_utf8_lossy(part).lines() {
        match line.strip_prefix(".SH ") {
            Some("DESCRIPTION") => {}
            Some(title) => out.push_str(&format!(".SS {title}\n")),
            // The definition of the apostrophe, which the page has already.
            None if line.starts_with(".ie ") || line.starts_with(".el ") => {}
            None => out.push_str(&format!("{line}\n")),
        }
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_flags() -> Vec<String> {
        let command = Cli::command();
        let run = command.find_subcommand("run").expect("run");
        run.get_arguments().filter_map(clap::Arg::get_long).map(str::to_owned).collect()
    }

    #[test]
    fn completions_know_every_flag() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
            let mut text = Vec::new();
            completions(shell, &mut text).expect("memory takes it");
            let text = String::from_utf8(text).expect("a script is text");
            for flag in run_flags() {
                assert!(text.contains(&flag), "{shell}: {flag}");
            }
            assert!(text.contains("queue") || shell == Shell::PowerShell || shell == Shell::Elvish);
        }
    }

    #[test]
    fn the_manual_knows_every_flag_and_status() {
        let mut text = Vec::new();
        man(&mut text).expect("memory takes it");
        let text = String::from_utf8(text).expect("a page is text");
        for flag in run_flags() {
            assert!(text.contains(&flag.replace('-', "\\-")), "{flag}");
        }
        assert!(text.is_ascii(), "old troffs take nothing else");
        for (code, _) in EXIT_STATUSES {
            assert!(text.contains(&format!("\\fB{code}\\fR")), "{code}");
        }
        assert_eq!(text.matches("\\-\\-stop\\-timeout").count(), 1, "once, not again under check");
    }

    #[test]
    fn a_closed_pipe_is_an_error_and_no_panic() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(completions(Shell::Bash, &mut Closed).is_err());
        assert!(man(&mut Closed).is_err());
    }
}
