//! Closed words: enums of which each value has one word, said the same in the API, in the database and in exports.

/// Declares an enum with one stable word for each value, and what leads from one to the other: `ALL`, `name` and `named`.
///
/// ```
/// rollcall_domain::words! {
///     /// Which way a door turns.
///     #[derive(Debug, Clone, Copy, PartialEq, Eq)]
///     pub enum Turn {
///         /// Towards whoever stands in front of it.
///         Inwards = "inwards",
///         /// Away from them.
///         Outwards = "outwards",
///     }
/// }
///
/// assert_eq!(Turn::Inwards.name(), "inwards");
/// assert_eq!(Turn::named("outwards"), Some(Turn::Outwards));
/// assert_eq!(Turn::named("Outwards"), None);
/// assert_eq!(Turn::ALL.len(), 2);
/// ```
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$doc:meta])* $value:ident = $word:literal,)*
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $($(#[$doc])* $value,)*
        }

        impl $name {
            /// Every value there is, in the order of their declaration.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$value),*];

            /// The stable word for it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)*
                }
            }

            /// The value of a word, spelled exactly; `None` for any other text.
            #[must_use]
            pub fn named(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|value| value.name() == word)
            }
        }
    };
}
