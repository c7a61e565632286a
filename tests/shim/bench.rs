//! Figures, not verdicts.

use std::time::Instant;

use crate::cases;
use crate::support::{Bed, TERM, figures};

cases![how_long_it_takes];

async fn how_long_it_takes() {
    let mut bed = Bed::new();
    let (mut start, mut stop, mut end, mut plain) = (vec![], vec![], vec![], vec![]);
    for _ in 0..100 {
        let launch = bed.order(&["/bin/sleep", "1000"]);
        let then = Instant::now();
        bed.host.launch(&launch);
        bed.started().await;
        start.push(then.elapsed());
        let then = Instant::now();
        bed.host.stop(launch.run, TERM);
        bed.gone().await;
        stop.push(then.elapsed());
        let launch = bed.order(&["/bin/true"]);
        let then = Instant::now();
        bed.host.launch(&launch);
        bed.gone().await;
        end.push(then.elapsed());
        let then = Instant::now();
        std::process::Command::new("/bin/true").status().unwrap();
        plain.push(then.elapsed());
    }
    figures("launch to Started", start);
    figures("stop to Gone (sleep)", stop);
    figures("launch to Gone (true)", end);
    figures("the same by std's posix_spawn and wait", plain);
    bed.end().await;
}
