//! What every part of the bench is handed.

use std::path::PathBuf;

use crate::options::Options;
use crate::programs::Programs;
use crate::tools::{ALL, Side, Tool};

/// The set-up of one run of the bench.
pub(crate) struct Context {
    /// What was asked for.
    pub(crate) options: Options,
    /// Where trees, sockets and programs are; removed at the end.
    pub(crate) directory: PathBuf,
    /// The compiled programs.
    pub(crate) programs: Programs,
    /// The tools that are here.
    pub(crate) tools: Vec<Tool>,
}

impl Context {
    /// The tools to be measured: the floor, ours, and every peer on PATH.
    pub(crate) fn present(options: &Options) -> Vec<Tool> {
        let wanted = |tool: &Tool| tool.side == Side::Floor || options.wants_tool(tool.name);
        ALL.into_iter().filter(|tool| tool.present() && wanted(tool)).collect()
    }

    /// The tools that watch trees: all but the floor, tuned ones only when asked.
    pub(crate) fn watchers(&self, tuned: bool) -> impl Iterator<Item = &Tool> {
        // How the command is given makes no difference here: one way of calling ours is enough.
        let ours = self.ours();
        self.tools.iter().filter(move |tool| match tool.side {
            Side::Floor => false,
            Side::Ours => Some(tool.name) == ours.map(|ours| ours.name),
            Side::Peer => true,
            Side::Tuned => tuned,
        })
    }

    /// Ours, called without a shell (or however it is here).
    pub(crate) fn ours(&self) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.side == Side::Ours)
    }

    /// Says something on the way, beside the tables.
    pub(crate) fn note(&self, text: &str) {
        eprintln!("{text}");
    }
}
