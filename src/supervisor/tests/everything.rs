//! Every sequence of events to depth 7, and long random ones.

use std::collections::HashSet;

use proptest::prelude::*;

use super::world::{STEPS, World, all_settings};
use super::zero;

/// Breadth first; worlds that can't be told apart by what may come are visited once.
#[test]
fn every_sequence_of_seven_events_keeps_every_promise() {
    let mut visited = 0;
    for settings in all_settings() {
        let mut known = HashSet::new();
        let mut worlds = vec![World::new(settings, zero())];
        for _ in 0..7 {
            let mut next = vec![];
            for world in &worlds {
                for step in STEPS {
                    let mut world = world.clone();
                    if world.step(step) && known.insert(world.shape()) {
                        world.ignores_the_past();
                        world.clone().comes_to_rest(false);
                        world.clone().comes_to_rest(true);
                        next.push(world);
                    }
                }
            }
            worlds = next;
        }
        visited += known.len();
    }
    println!("{visited} states that differ");
    assert!(visited > 1_000, "{visited} states: the world does too little");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn long_random_sequences_keep_every_promise(
        settings in prop::sample::select(all_settings()),
        steps in prop::collection::vec(prop::sample::select(&STEPS[..]), 1..60),
        stubborn: bool,
    ) {
        let mut world = World::new(settings, zero());
        for step in steps {
            world.step(step);
        }
        world.ignores_the_past();
        world.comes_to_rest(stubborn);
    }
}
