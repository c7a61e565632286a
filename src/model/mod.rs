//! The words that every room uses: changes, runs, rules, notices. No behaviour but what follows from the data.

mod change;
mod entry;
mod exit;
pub mod json;
mod made;
mod notice;
mod rule;
mod run;
mod words;

pub use change::{Batch, BatchChange, Change, ChangeKind, Facts};
pub use entry::EntryKind;
pub use exit::{ExitStatus, TABLE as EXIT_STATUSES};
pub use made::{Family, Made};
pub use notice::{Learnt, Level, Notice, Proposal, RunEnd, Summary, Watching};
pub use rule::{Origin, Rule, RuleKind};
pub use run::{
    Cause, Ended, LeftOver, ProcessEvent, RunId, Signal, SlotId, SpawnError, SpawnStage,
};
pub use words::{Backend, Color, Format, OnBusy, OnCrash, PollWord, Stdin};
