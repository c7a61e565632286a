//! Tests that keep the documents and the program from drifting apart.

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::config;
use crate::model::EXIT_STATUSES;

const README: &str = include_str!("../README.md");
const CHINESE: &str = include_str!("../README.zh-CN.md");
const CHANGELOG: &str = include_str!("../CHANGELOG.md");

/// The lines between this heading and the next of its level.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(heading).expect(heading);
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

/// Every fenced block of this language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("\n```{language}\n");
    text.split(opening.as_str())
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```"))
        .map(|b| b.0)
        .collect()
}

#[test]
fn the_file_in_readme_is_the_one_that_init_writes() {
    // The template begins with comments about the file itself.
    let (_, body) = config::template().split_once("\n\n").expect("a head, then the keys");
    for readme in [README, CHINESE] {
        let shown =
            blocks(readme, "yaml").into_iter().find(|block| block.contains("excluded_paths:"));
        let keys = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("# "));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(keys(shown.expect("the whole file")), keys(body.trim_end()));
    }
    let english =
        blocks(README, "yaml").into_iter().find(|block| block.contains("excluded_paths:"));
    assert_eq!(english, Some(body.trim_end()));
}

#[test]
fn readme_names_every_flag_of_run_and_every_subcommand() {
    let command = Cli::command();
    let run = command.find_subcommand("run").expect("run");
    for readme in [README, CHINESE] {
        for argument in run.get_arguments().filter(|argument| !argument.is_positional()) {
            let long = argument.get_long().expect("a long name");
            let short = argument.get_short().map(|short| format!("`-{short}`"));
            let named = readme.contains(&format!("--{long}"))
                || short.is_some_and(|short| readme.contains(&short));
            assert!(named || long == "help", "--{long}");
        }
        for subcommand in command.get_subcommands() {
            assert!(readme.contains(subcommand.get_name()), "{}", subcommand.get_name());
        }
    }
}

/// The rows of the table of flags: the flags of the first cell, with their values, and the keys of the second.
fn flag_rows(readme: &str, heading: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let quoted = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let table = section(readme, heading).replace("\\|", "¦");
    let rows = table.lines().filter(|line| line.starts_with("| `-"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        (quoted(cells[1]), quoted(cells[2]))
    })
    .collect()
}

#[test]
fn the_table_of_flags_is_that_of_the_program() {
    let command = Cli::command();
    let run = command.find_subcommand("run").expect("run");
    let mut expected = Vec::new();
    for argument in run.get_arguments().filter(|argument| !argument.is_positional()) {
        let Some(long) = argument.get_long().filter(|long| *long != "help") else { continue };
        let short = argument.get_short().map(|short| format!("-{short}"));
        let key = config::key_of_flag(&format!("--{long}")).map(|key| key.path.to_owned());
        expected.push((short, format!("--{long}"), key));
    }
    for (readme, heading) in [(README, "## Flags"), (CHINESE, "## 命令行选项")] {
        let rows = flag_rows(readme, heading);
        for (short, long, key) in &expected {
            let word = |flag: &String| flag.split([' ', '=', '[']).next().map(str::to_owned);
            let is_this = |(flags, _): &&(Vec<String>, Vec<String>)| {
                let words: Vec<String> = flags.iter().filter_map(word).collect();
                // -q and -v share a row.
                words.contains(long)
                    || (words.len() == 2
                        && words == ["-q", "-v"]
                        && short.as_ref().is_some_and(|short| words.contains(short)))
            };
            let row: Vec<_> = rows.iter().filter(is_this).collect();
            assert_eq!(row.len(), 1, "{long}");
            let (flags, keys) = row[0];
            if let Some(short) = short {
                assert!(flags.iter().any(|flag| flag.starts_with(short.as_str())), "{short}");
            }
            assert_eq!(
                keys.first().map(|key| key.split(':').next().unwrap_or_default()),
                key.as_deref(),
                "{long}"
            );
        }
        // No row is for a flag that does not exist. `-- ARGV…` has one, -q and -v share one.
        assert_eq!(rows.len(), expected.len(), "{heading}");
    }
}

#[test]
fn readme_names_every_exit_status() {
    for (readme, heading) in [(README, "## Exit statuses"), (CHINESE, "## 退出状态")] {
        let table = section(readme, heading).replace("128 + n", "128+n");
        for (status, _) in EXIT_STATUSES {
            let mentioned = table.contains(status) || (*status == "any" && table.contains("任意"));
            assert!(mentioned, "{status}");
        }
    }
}

#[test]
fn the_first_screen_has_exactly_two_commands() {
    for readme in [README, CHINESE] {
        let first = readme.split("\n## ").next().expect("a first screen");
        assert_eq!(
            blocks(first, "sh"),
            ["cargo run --release -- run -e \"cargo build\"", "make test"]
        );
    }
}

#[test]
fn the_changelog_knows_this_version() {
    assert!(CHANGELOG.contains(concat!("\n## ", env!("CARGO_PKG_VERSION"))));
}
