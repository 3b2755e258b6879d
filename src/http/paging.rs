//! Pages by number: reading `page` and `limit`, and saying where a page stands.

use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::Serialize;
use std::ops::RangeInclusive;

/// The part of a list that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    page: usize,
    limit: usize,
}

/// Where a page stands in its list.
#[derive(Debug, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    page: usize,
    limit: usize,
    total: usize,
    total_pages: usize,
}

impl Paging {
    /// Reads what was asked: pages count from 1, `limit` lies in `range`.
    pub fn new(
        page: Option<usize>,
        limit: Option<usize>,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> Result<Self> {
        let (page, limit) = (page.unwrap_or(1), limit.unwrap_or(default));
        if page == 0 {
            return Err(Error::invalid("page", "from 1"));
        }
        if !range.contains(&limit) {
            return Err(Error::invalid("limit", format!("{} to {}", range.start(), range.end())));
        }
        Ok(Self { page, limit })
    }

    /// Returns the number of rows before the page.
    pub fn skip(self) -> usize {
        (self.page - 1).saturating_mul(self.limit)
    }

    /// Returns the largest number of rows of the page.
    pub fn limit(self) -> usize {
        self.limit
    }

    /// Returns where the page stands in a list of `total` rows.
    pub fn of(self, total: usize) -> Pagination {
        let total_pages = total.div_ceil(self.limit);
        Pagination { page: self.page, limit: self.limit, total, total_pages }
    }

    /// Cuts the page out of the whole list.
    pub fn cut<T>(self, all: Vec<T>) -> (Vec<T>, Pagination) {
        let total = all.len();
        (all.into_iter().skip(self.skip()).take(self.limit).collect(), self.of(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_into_pages() {
        let cut = |page, limit| {
            Paging::new(Some(page), Some(limit), 50, 1..=100).expect("a page").cut((0..7).collect::<Vec<_>>())
        };
        let (rows, place) = cut(3, 3);
        assert_eq!(rows, [6]);
        assert_eq!(place, Pagination { page: 3, limit: 3, total: 7, total_pages: 3 });
        assert!(cut(4, 3).0.is_empty());
        assert!(cut(usize::MAX, 100).0.is_empty());
        assert!(Paging::new(Some(0), None, 50, 1..=100).is_err());
        assert!(Paging::new(None, Some(101), 50, 1..=100).is_err());
    }
}
