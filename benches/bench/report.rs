//! What comes out: tables in Markdown, and a line for each limit, met or not.

use std::fmt::Write as _;

use crate::stats::Sample;

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// One limit and what was measured against it.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    /// What is limited.
    pub(crate) what: String,
    /// The limit as people read it.
    pub(crate) limit: String,
    /// What was measured.
    pub(crate) measured: String,
    /// Whether it holds; `None` when it could not be measured.
    pub(crate) met: Option<bool>,
}

/// Everything that is to be told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    tables: Vec<Table>,
    limits: Vec<Limit>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { title: title.into(), columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl Report {
    /// Adds a table and prints it on the way.
    pub(crate) fn table(&mut self, table: Table) {
        println!("{}", markdown_table(&table));
        self.tables.push(table);
    }

    /// Adds a limit: `measured ≤ limit`, in `unit`.
    pub(crate) fn at_most(&mut self, what: &str, measured: Option<f64>, limit: f64, unit: &str) {
        self.limits.push(Limit {
            what: what.to_owned(),
            limit: format!("≤ {} {unit}", number(limit)),
            measured: measured.map_or("–".into(), |value| format!("{} {unit}", number(value))),
            met: measured.map(|value| value <= limit),
        });
    }

    /// Adds a limit that is not one number.
    pub(crate) fn limit(&mut self, limit: Limit) {
        self.limits.push(limit);
    }

    /// How many limits are not met.
    pub(crate) fn unmet(&self) -> usize {
        self.limits.iter().filter(|limit| limit.met == Some(false)).count()
    }

    /// The limits as a table.
    pub(crate) fn verdict(&self) -> String {
        let mut table = Table::new("Limits", &["", "limit", "measured", "verdict"]);
        for limit in &self.limits {
            let verdict = match limit.met {
                Some(true) => "met",
                Some(false) => "**not met**",
                None => "not measured",
            };
            let cells = [&limit.what, &limit.limit, &limit.measured];
            table.row(cells.into_iter().cloned().chain([verdict.to_owned()]).collect());
        }
        markdown_table(&table)
    }

    /// Everything as Markdown.
    pub(crate) fn markdown(&self, preface: &str) -> String {
        let tables: Vec<String> = self.tables.iter().map(markdown_table).collect();
        format!("{preface}\n{}\n{}", tables.join("\n"), self.verdict())
    }
}

fn markdown_table(table: &Table) -> String {
    let mut text = format!("### {}\n\n| {} |\n|", table.title, table.columns.join(" | "));
    for column in 0..table.columns.len() {
        text.push_str(if column == 0 { " --- |" } else { " ---: |" });
    }
    text.push('\n');
    for row in &table.rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// A number with as many digits as mean something.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        0.0 => "0".into(),
        _ => format!("{value:.2}"),
    }
}

/// A value that may be missing.
pub(crate) fn cell(value: Option<f64>) -> String {
    value.map_or("–".into(), number)
}

/// Median, p95, answers, misses and extra runs of a sample, as cells.
pub(crate) fn cells(sample: &Sample) -> Vec<String> {
    let median =
        if sample.len() == 0 && sample.misses > 0 { "never".into() } else { cell(sample.median()) };
    let counts = [sample.len() + sample.misses, sample.misses, sample.extra].map(|n| n.to_string());
    [median, cell(sample.percentile(0.95))].into_iter().chain(counts).collect()
}
