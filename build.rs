//! Links the program at a fixed address where it is a Linux program of the usual kind. Otherwise each process
//! moves 10,000 pointers when it starts, and a page that was written is no longer shared: of 8.2 MB at 4,002
//! watches that is half a MB (docs/measured.md). Go's programs are linked like this, too.
#![allow(clippy::print_stdout, reason = "how a build script speaks to Cargo")]

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name, value| var(name).is_ok_and(|found| found == value);
    let usual = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    let static_already = var("CARGO_CFG_TARGET_FEATURE")
        .is_ok_and(|found| found.split(',').any(|feature| feature == "crt-static"));
    if usual && !static_already {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
