//! The one integration binary: the real program on real files and real processes.
