//! Pages of lists: always bounded, always in a stable order.

/// Which page of a list, and how long a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    number: u32,
    size: u32,
}

/// The numbers name no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPage {
    /// Pages count from one.
    #[error("must be 1 to {}", Page::MAX_NUMBER)]
    Number,
    /// A page is never empty and never long.
    #[error("must be 1 to {}", Page::MAX_SIZE)]
    Size,
}

impl Page {
    /// Longest page.
    pub const MAX_SIZE: u32 = 100;
    /// Length of a page unless asked otherwise.
    pub const DEFAULT_SIZE: u32 = 20;
    /// Last page that can be asked for, so that an offset never overflows.
    pub const MAX_NUMBER: u32 = 10_000_000;

    /// Page `number`, counted from 1, of `size` entries.
    ///
    /// # Errors
    /// [`InvalidPage`] naming the number that is out of range.
    pub const fn new(number: u32, size: u32) -> Result<Self, InvalidPage> {
        if number == 0 || number > Self::MAX_NUMBER {
            return Err(InvalidPage::Number);
        }
        if size == 0 || size > Self::MAX_SIZE {
            return Err(InvalidPage::Size);
        }
        Ok(Self { number, size })
    }

    /// Counted from 1.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }

    /// Most entries on it.
    #[must_use]
    pub const fn size(self) -> u32 {
        self.size
    }

    /// Entries before it.
    #[must_use]
    pub const fn offset(self) -> u64 {
        (self.number as u64 - 1) * self.size as u64
    }

    /// This page of a list that is already at hand.
    #[must_use]
    pub fn of<T>(self, all: Vec<T>) -> Paged<T> {
        let total = all.len() as u64;
        let offset = usize::try_from(self.offset()).unwrap_or(usize::MAX);
        let items = all.into_iter().skip(offset).take(self.size as usize).collect();
        Paged { items, total, page: self }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self { number: 1, size: Self::DEFAULT_SIZE }
    }
}

/// One page of a list and how long the whole list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The entries of this page; empty past the end.
    pub items: Vec<T>,
    /// Entries of all pages.
    pub total: u64,
    /// Which page this is.
    pub page: Page,
}

impl<T> Paged<T> {
    /// Number of pages.
    #[must_use]
    pub const fn pages(&self) -> u64 {
        self.total.div_ceil(self.page.size as u64)
    }

    /// The same page of something else.
    #[must_use]
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Paged<U> {
        Paged { items: self.items.into_iter().map(each).collect(), total: self.total, page: self.page }
    }
}

/// A key of an order and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<K> {
    /// What is compared.
    pub key: K,
    /// Greatest first.
    pub descending: bool,
}
