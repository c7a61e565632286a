//! The three rules in virtual time: who is learnt, who never, and how late a row gets.

mod people;
mod rules;
mod runs;
mod world;
