//! Kurir.
