//! What the bench was asked for.

use std::path::PathBuf;

/// The parts of the bench.
pub(crate) const PARTS: [&str; 7] =
    ["latency", "start", "memory", "idle", "storm", "ignored", "scale"];

/// A virtual processor is three times as fast in one moment as in the next: ours is measured so often where time has
/// a limit.
pub(crate) const ROUNDS: usize = 15;

/// Everything else, so often.
pub(crate) const PEER_ROUNDS: usize = 5;

/// How to call it.
pub(crate) const USAGE: &str = "\
cargo bench --bench bench -- [--quick] [--rounds N] [--only PART[,PART]] [--tools TEXT[,TEXT]]
                             [--dir DIRECTORY] [--markdown FILE] [--svg FILE]
cargo bench --bench bench -- --instructions [FILE]
  --quick         under two minutes: fewer rounds, two trees instead of four
  --only          of latency, start, memory, idle, storm, ignored, scale
  --tools         only tools whose name contains one of these texts (the floor is always measured)
  --dir           where the trees are made (default: the temporary directory)
  --instructions  count a reload's own instructions under callgrind; with FILE: compare, within 10 %";

/// The parsed command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Under two minutes.
    pub(crate) quick: bool,
    /// Rounds of latency and start measurements, when given.
    pub(crate) rounds: Option<usize>,
    only: Vec<String>,
    tools: Vec<String>,
    /// Where trees are made.
    pub(crate) dir: Option<PathBuf>,
    /// Where the Markdown goes besides standard output.
    pub(crate) markdown: Option<PathBuf>,
    /// Where the plot goes.
    pub(crate) svg: Option<PathBuf>,
    /// Count instructions; compare with the figure in this file.
    pub(crate) instructions: Option<Option<PathBuf>>,
}

impl Options {
    /// How often to measure what is measured so often when nothing else is asked for.
    pub(crate) fn rounds_of(&self, many: usize) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { many })
    }

    /// Reads the arguments; the message of an error is for people.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument}: a value is missing"));
            match argument.as_str() {
                // What cargo adds by itself.
                "--bench" => {}
                "--quick" => options.quick = true,
                "--rounds" => {
                    options.rounds = Some(value()?.parse().map_err(|_| "--rounds: not a number")?);
                }
                "--only" => options.only = words(&value()?),
                "--tools" => options.tools = words(&value()?),
                "--dir" => options.dir = Some(value()?.into()),
                "--markdown" => options.markdown = Some(value()?.into()),
                "--svg" => options.svg = Some(value()?.into()),
                "--instructions" => {
                    let file = arguments.next_if(|next| !next.starts_with("--"));
                    options.instructions = Some(file.map(PathBuf::from));
                }
                other => return Err(format!("{other}: unknown\n{USAGE}")),
            }
        }
        match options.only.iter().find(|part| !PARTS.contains(&part.as_str())) {
            Some(part) => Err(format!("--only {part}: unknown\n{USAGE}")),
            None => Ok(options),
        }
    }

    /// Whether this part is to be measured.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }

    /// Whether this tool is to be measured.
    pub(crate) fn wants_tool(&self, name: &str) -> bool {
        self.tools.is_empty() || self.tools.iter().any(|text| name.contains(text.as_str()))
    }
}

fn words(list: &str) -> Vec<String> {
    list.split(',').map(str::to_owned).collect()
}
