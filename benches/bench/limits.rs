//! The limits, in one place.

use crate::context::Context;
use crate::latency::{Latencies, Scenario};
use crate::report::{Limit, Report, number};
use crate::stats::Sample;
use crate::tools::Side;

type Margin = (Scenario, &'static str, &'static str, Scenario, f64, Option<f64>);

/// How far from the floor a save may be: scenario, our row, the floor's row, its scenario, and what may be
/// added to the median and to the 95th percentile, in milliseconds.
const LATENCY: [Margin; 4] = [
    (Scenario::InPlace, "go-watcher --", "floor", Scenario::InPlace, 1.0, Some(2.5)),
    (Scenario::Atomic, "go-watcher --", "floor", Scenario::Atomic, 1.0, Some(2.5)),
    (Scenario::Nested, "go-watcher --", "floor", Scenario::InPlace, 2.0, None),
    (Scenario::Server, "go-watcher --", "floor", Scenario::Server, 1.5, None),
];

/// The limits on latency.
pub(crate) fn latency(all: &Latencies, context: &Context, report: &mut Report) {
    for (scenario, ours, floor, floor_scenario, median, p95) in LATENCY {
        let get = |scenario, name, share| {
            all.get(&(scenario, name)).and_then(|sample: &Sample| sample.percentile(share))
        };
        let Some(base) = get(floor_scenario, floor, 0.5) else { continue };
        let what = format!("{}: median over the floor's {}", scenario.title(), number(base));
        let above = get(scenario, ours, 0.5).map(|value| value - base);
        report.at_most(&what, above, median, "ms");
        if let (Some(limit), Some(base)) = (p95, get(floor_scenario, floor, 0.95)) {
            let what = format!("{}: p95 over the floor's {}", scenario.title(), number(base));
            let above = get(scenario, ours, 0.95).map(|value| value - base);
            report.at_most(&what, above, limit, "ms");
        }
        ahead(all, context, report, scenario, ours);
    }
}

/// Ahead of every peer, tuned ones too, and nothing missed, nothing run twice.
fn ahead(all: &Latencies, context: &Context, report: &mut Report, at: Scenario, ours: &str) {
    let Some((_, sample)) = all.iter().find(|((s, name), _)| *s == at && *name == ours) else {
        return;
    };
    let peers = context.tools.iter().filter(|tool| matches!(tool.side, Side::Peer | Side::Tuned));
    let best = peers
        .filter_map(|tool| Some((tool.name, all.get(&(at, tool.name))?.median()?)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    if let (Some((name, value)), Some(median)) = (best, sample.median()) {
        report.limit(Limit {
            what: format!("{}: ahead of every peer", at.title()),
            limit: format!("< {} ms ({name})", number(value)),
            measured: format!("{} ms", number(median)),
            met: Some(median < value),
        });
    }
    report.limit(Limit {
        what: format!("{}: misses, extra runs", at.title()),
        limit: "0, 0".into(),
        measured: format!("{}, {}", sample.misses, sample.extra),
        met: Some(sample.misses == 0 && sample.extra == 0),
    });
}
