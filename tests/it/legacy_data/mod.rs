//! The family `legacy-data`.

mod allowed_numbers;
