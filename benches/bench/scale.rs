//! Whether the cost of a watched directory is the same in a small tree and in a large one.

use std::fs::remove_dir_all;
use std::io;
use std::time::Duration;

use crate::context::Context;
use crate::proc;
use crate::report::{Limit, Report, Table, number};
use crate::session::Session;
use crate::stamps::Stamps;
use crate::stats::Sample;
use crate::tools::Mode;
use crate::tree::{Plan, Tree};

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];
/// How much more a directory may cost at the large end than between the sizes in the middle.
const FLAT: f64 = 1.5;

/// CPU from the start to the first change noticed, by the number of directories.
pub(crate) fn measure(context: &Context, report: &mut Report) -> io::Result<()> {
    let Some(tool) = context.ours() else { return Ok(()) };
    let quick = context.options.quick;
    let sizes = if quick { &SIZES[..3] } else { &SIZES };
    let stamps = Stamps::listen(&context.directory.join("scale.sock"))?;
    let mut costs: Vec<(usize, f64)> = Vec::new();
    for &size in sizes {
        let root = context.directory.join("scale");
        let tree = Tree::make(root.clone(), Plan { kept: size, ignored: 0, files: 1 })?;
        let mut sample = Sample::default();
        for _ in 0..if quick { 2 } else { 5 } {
            let session = Session::start(&context.programs, tool, Mode::End, &tree.root, &stamps)?;
            session.warm_up(&tree.last_file(), Duration::from_secs(30))?;
            sample.push(proc::cpu(&session.family()) as f64 / 1e3);
            session.stop();
        }
        costs.push((size, sample.median().unwrap_or(f64::NAN)));
        remove_dir_all(&root)?;
    }
    let heading = ["directories", "CPU to be ready ms", "µs for each further directory"];
    let mut table = Table::new("Cost of a watched directory", &heading);
    let mut slopes = Vec::new();
    for (at, &(size, cost)) in costs.iter().enumerate() {
        let slope = at.checked_sub(1).map(|before| {
            let (smaller, less) = costs[before];
            (cost - less) / (size - smaller) as f64
        });
        slopes.extend(slope);
        let slope = slope.map_or("–".into(), number);
        table.row(vec![size.to_string(), number(cost / 1e3), slope]);
    }
    report.table(table);
    if let [.., middle, last] = slopes[..] {
        report.limit(Limit {
            what: "a further directory in the largest tree over one in the middle".into(),
            limit: format!("≤ {FLAT} ×"),
            measured: format!("{} ×", number(last / middle)),
            met: Some(last <= middle * FLAT),
        });
    }
    Ok(())
}
