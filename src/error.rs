//! The one error of the program: a code for the client, what was being done, and the cause.

use crate::words::Lang;
use std::fmt;

pub use crate::words::Code;

/// Result with Kurir's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A failure, as much for the client as for the operator.
///
/// The client sees the sentence of `code` and, unless the failure is internal, `detail`. The operator's log shows the
/// context and the source.
#[derive(Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    code: Code,
    args: Vec<(&'static str, String)>,
    detail: Option<String>,
    retry_after_s: Option<u64>,
    context: Vec<String>,
    source: Option<Source>,
}

impl Error {
    /// Creates an error whose sentence needs no arguments.
    pub fn new(code: Code) -> Self {
        let inner = Inner {
            code,
            args: Vec::new(),
            detail: None,
            retry_after_s: None,
            context: Vec::new(),
            source: None,
        };
        Self { inner: Box::new(inner) }
    }

    /// Creates an internal error: the client learns nothing but that it happened, the log learns `doing` and `source`.
    pub fn internal(doing: impl Into<String>, source: impl Into<Source>) -> Self {
        let mut error = Self::new(Code::Internal);
        error.inner.context.push(doing.into());
        error.inner.source = Some(source.into());
        error
    }

    /// Creates an internal error without a cause of another library.
    pub fn broken(what: impl Into<String>) -> Self {
        let mut error = Self::new(Code::Internal);
        error.inner.context.push(what.into());
        error
    }

    /// Creates the error for a stored row that does not decode.
    pub fn corrupt(table: &'static str, key: impl fmt::Debug, why: impl fmt::Display) -> Self {
        Self::broken(format!("row `{key:?}` of table `{table}` does not decode: {why}"))
    }

    /// Creates the error for a required field that is missing.
    pub fn required(field: &'static str) -> Self {
        Self::new(Code::FieldRequired).with("field", field)
    }

    /// Creates the error for a field with a value that does not fit.
    pub fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::new(Code::FieldInvalid).with("field", field).detail(why)
    }

    /// Fills the place `name` of the sentence.
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.inner.args.push((name, value.to_string()));
        self
    }

    /// Adds what the client may read beyond the sentence. Never a secret, never an internal path.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.inner.detail = Some(detail.into());
        self
    }

    /// Tells the client after how many seconds a new attempt makes sense.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.inner.retry_after_s = Some(seconds);
        self
    }

    /// Adds what was being done, lower case and without a full stop, for the log.
    pub fn context(mut self, doing: impl Into<String>) -> Self {
        self.inner.context.push(doing.into());
        self
    }

    /// Attaches the cause for the log.
    pub fn because(mut self, source: impl Into<Source>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// Returns the code.
    pub fn code(&self) -> Code {
        self.inner.code
    }

    /// Returns the sentence for the client.
    pub fn text(&self, lang: Lang) -> String {
        self.inner.code.text(lang, &self.inner.args)
    }

    /// Returns the detail for the client.
    pub fn client_detail(&self) -> Option<&str> {
        self.inner.detail.as_deref()
    }

    /// Returns after how many seconds a new attempt makes sense, when that is known.
    pub fn retry_after_s(&self) -> Option<u64> {
        self.inner.retry_after_s
    }

    /// Returns whether the failure is ours and belongs into the log with its cause.
    pub fn is_internal(&self) -> bool {
        self.inner.code.status() >= 500
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for doing in self.inner.context.iter().rev() {
            write!(f, "{doing}: ")?;
        }
        match &self.inner.source {
            Some(source) => write_chain(f, source.as_ref())?,
            None => f.write_str(&self.text(Lang::En))?,
        }
        match &self.inner.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}

fn write_chain(f: &mut fmt::Formatter<'_>, source: &(dyn std::error::Error + 'static)) -> fmt::Result {
    write!(f, "{source}")?;
    let mut next = source.source();
    while let Some(cause) = next {
        write!(f, ": {cause}")?;
        next = cause.source();
    }
    Ok(())
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

/// Adds what was being done to a failing result.
pub trait Context<T> {
    /// Turns a foreign error into an internal one; the client sees nothing of the cause.
    fn context(self, doing: &str) -> Result<T>;
}

impl<T, E: Into<Source>> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: &str) -> Result<T> {
        self.map_err(|source| Error::internal(doing, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_sees_the_cause_and_the_client_does_not() {
        let cause = std::io::Error::other("disk full");
        let error = Error::internal("writing job 42", cause).context("settling");
        assert_eq!(error.to_string(), "settling: writing job 42: disk full");
        assert_eq!(error.text(Lang::En), "Something went wrong on the server");
        assert!(error.is_internal());
    }

    #[test]
    fn a_refusal_names_its_field() {
        let error = Error::invalid("delay", "must be a number");
        assert_eq!(error.text(Lang::Id), "delay tidak valid");
        assert_eq!(error.client_detail(), Some("must be a number"));
        assert!(!error.is_internal());
    }
}
