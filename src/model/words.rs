//! The words that people choose by, with what they mean. The table of keys, flags, hints, the JSON Schema and the
//! lines of the report take them from here.

/// Makes an enum of words in the order of the help. The first one is the default.
macro_rules! words {
    ($(#[$about:meta])* $name:ident {
        $(#[$first_meaning:meta])* $first:ident = $first_word:literal,
        $($(#[$meaning:meta])* $value:ident = $word:literal,)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            $(#[$first_meaning])* #[default] $first,
            $($(#[$meaning])* $value,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[Self::$first, $(Self::$value),*];

            /// Their words.
            pub const WORDS: &'static [&'static str] = &[$first_word, $($word),*];

            /// The word for it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$value => $word,)*
                }
            }

            /// What a word means.
            #[must_use]
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word = String::deserialize(from)?;
                let unknown = || serde::de::Error::unknown_variant(&word, Self::WORDS);
                Self::of(&word).ok_or_else(unknown)
            }
        }
    };
}

words! {
    /// Where events come from (`watcher.backend`).
    Backend {
        /// `native` on Linux, `portable` elsewhere.
        Auto = "auto",
        /// inotify, one watch for each directory that is kept; `portable` elsewhere than on Linux.
        Native = "native",
        /// The system's recommended watcher, recursive, normalised by `notify-debouncer-full`.
        Portable = "portable",
        /// No events: list and compare on a timer.
        Poll = "poll",
    }
}

words! {
    /// What to do when a change arrives while the command runs.
    OnBusy {
        /// Stop it and start it again.
        Restart = "restart",
        /// Let it end, then run once more.
        Queue = "queue",
        /// Drop the change (and say so).
        Ignore = "ignore",
        /// Send the stop signal of `stop.signal` and keep it running.
        Signal = "signal",
    }
}

words! {
    /// What to do when the command fails by itself.
    OnCrash {
        /// Report it and wait for a change.
        Wait = "wait",
        /// End with the command's status.
        Exit = "exit",
        /// Start it again: 0.25 s doubling to 8 s, at most 8 starts in 30 s.
        Restart = "restart",
    }
}

words! {
    /// When trees are polled (`watcher.poll`), where no interval says it.
    PollWord {
        /// Where the file system sends no events, and where the system's limits are reached.
        Auto = "auto",
        /// Never, not even where nothing else can work.
        Never = "never",
        /// Everything, at an interval that is found by itself.
        Always = "always",
    }
}

words! {
    /// Where a run's standard input comes from.
    Stdin {
        /// `/dev/null`.
        Null = "null",
        /// A pipe that never ends, for programs that quit at its end.
        Open = "open",
        /// The terminal: the run is the foreground process group.
        Terminal = "terminal",
    }
}

words! {
    /// When to use colours (`--color`).
    Color {
        /// On a terminal that is not `dumb`, unless `NO_COLOR` is set to something.
        Auto = "auto",
        /// Whatever standard error is.
        Always = "always",
        /// No colour, also on a terminal.
        Never = "never",
    }
}

words! {
    /// How the program's own lines are written (`log_format`).
    Format {
        /// Lines for people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}
