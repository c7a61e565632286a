//! The plot: save → new process for each tool, on a log scale. A dot is the median, the line reaches from
//! the best to the 95th percentile.

use std::fmt::Write as _;

use crate::latency::{Latencies, Scenario};
use crate::report::number;
use crate::stats::Sample;
use crate::tools::{Side, Tool};

/// Where the axis begins and how many decades it has.
const FROM_MS: f64 = 0.1;
const DECADES: f64 = 5.0;
const LEFT: f64 = 170.0;
const WIDTH: f64 = 560.0;
const ROW: f64 = 22.0;
const HEAD: f64 = 34.0;

/// Draws the scenarios that matter most, one below the other.
pub(crate) fn draw(all: &Latencies, tools: &[Tool]) -> String {
    let mut body = String::new();
    let mut y = 8.0;
    for scenario in [Scenario::InPlace, Scenario::Server] {
        let rows: Vec<(&Tool, &Sample)> = tools
            .iter()
            .filter_map(|tool| Some((tool, all.get(&(scenario, tool.name))?)))
            .filter(|(_, sample)| sample.len() > 0)
            .collect();
        y = panel(&mut body, y, scenario.title(), rows);
    }
    let width = LEFT + WIDTH + 80.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {y:.0}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

fn x(ms: f64) -> f64 {
    LEFT + ((ms.max(FROM_MS) / FROM_MS).log10() / DECADES).min(1.0) * WIDTH
}

fn panel(out: &mut String, top: f64, title: &str, mut rows: Vec<(&Tool, &Sample)>) -> f64 {
    rows.sort_by(|a, b| f64::total_cmp(&middle(a.1), &middle(b.1)));
    let bottom = top + HEAD + rows.len() as f64 * ROW;
    let _ = writeln!(
        out,
        "<text x=\"{LEFT}\" y=\"{:.0}\" font-weight=\"600\">{title} (ms, log scale)</text>",
        top + 14.0
    );
    for decade in 0..=DECADES as i32 {
        let ms = FROM_MS * 10_f64.powi(decade);
        let at = x(ms);
        let _ = writeln!(
            out,
            "<path d=\"M{at:.1} {:.0}V{bottom:.0}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{:.0}\" fill=\"#777\" text-anchor=\"middle\">{ms}</text>",
            top + HEAD - 10.0,
            bottom + 14.0,
        );
    }
    for (number, (tool, sample)) in rows.into_iter().enumerate() {
        row(out, top + HEAD + (number as f64 + 0.5) * ROW, tool, sample);
    }
    bottom + 32.0
}

fn row(out: &mut String, y: f64, tool: &Tool, sample: &Sample) {
    let colour = match tool.side {
        Side::Floor => "#888",
        Side::Ours => "#c2410c",
        Side::Peer | Side::Tuned => "#2563eb",
    };
    let median = middle(sample);
    let [best, high] = [0.0, 0.95].map(|share| x(sample.percentile(share).unwrap_or(median)));
    let at = x(median);
    let weight = if tool.side == Side::Ours { 600 } else { 400 };
    let _ = writeln!(
        out,
        "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\" font-weight=\"{weight}\">{}</text>\
         <path d=\"M{best:.1} {y:.1}H{high:.1}\" stroke=\"{colour}\" stroke-width=\"2\"/>\
         <circle cx=\"{at:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"{colour}\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#333\">{}</text>",
        LEFT - 10.0,
        y + 4.0,
        tool.name,
        high.max(at) + 9.0,
        y + 4.0,
        number(median),
    );
}

fn middle(sample: &Sample) -> f64 {
    sample.median().unwrap_or(f64::INFINITY)
}
