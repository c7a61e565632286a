//! Random numbers by which starts are put off.

use std::ops::Range;

/// SplitMix64 (Steele, Lea and Flood, 2014): enough for not falling into step with anything.
#[derive(Clone, Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, but not, 1.
    pub(super) fn part(&mut self) -> f64 {
        const BITS: u32 = 53;
        let shift = u64::BITS - BITS;
        (self.next() >> shift) as f64 / (1_u64 << BITS) as f64
    }

    /// A number in the range, which must not be empty.
    pub(super) fn between(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start).max(1)
    }
}
