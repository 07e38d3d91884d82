//! What the user of a server is asked and told between requests: may this client come, what went wrong, nobody came.
//!
//! The names are those of Python's `socketserver`. A hook that panics must not take the server with it.

use crate::endpoint::Address;
use crate::error::RequestError;
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

type Verify = dyn Fn(&Address) -> bool + Send + Sync;
type HandleError = dyn Fn(&RequestError, Option<&Address>) + Send + Sync;
type HandleTimeout = dyn Fn() + Send + Sync;

/// The hooks of one server.
#[derive(Clone)]
pub(crate) struct Hooks {
    pub(crate) verify_request: Arc<Verify>,
    pub(crate) handle_error: Arc<HandleError>,
    pub(crate) handle_timeout: Arc<HandleTimeout>,
}

impl Default for Hooks {
    /// Everybody may come, errors are a line on standard error, and nobody is told that nobody came.
    fn default() -> Self {
        Hooks {
            verify_request: Arc::new(|_| true),
            handle_error: Arc::new(|error, client| match client {
                Some(client) => eprintln!("request of {client}: {error}"),
                None => eprintln!("{error}"),
            }),
            handle_timeout: Arc::new(|| {}),
        }
    }
}

impl Hooks {
    pub(crate) fn admits(&self, client: &Address) -> bool {
        caught(|| (self.verify_request)(client)).unwrap_or_else(|panic| {
            self.report(panic, Some(client));
            false
        })
    }

    /// Takes the error, because one of the handler's own may panic when it is dropped.
    pub(crate) fn report(&self, error: RequestError, client: Option<&Address>) {
        // The panic itself has already been told of by the process's own panic hook, and there is nobody else to tell.
        let _ = caught(move || (self.handle_error)(&error, client));
    }

    pub(crate) fn nobody_came(&self) {
        if let Err(panic) = caught(|| (self.handle_timeout)()) {
            self.report(panic, None);
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hooks")
    }
}

/// Calls what belongs to the user. A panic ends here and becomes an error.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, RequestError> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let error = panicked(&*panic);
        // What was thrown may be of any type, and its destructor may throw in its turn. That is then left alone.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            std::mem::forget(panic);
        }
        error
    })
}

/// The error for a caught panic.
fn panicked(panic: &(dyn Any + Send)) -> RequestError {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    RequestError::Panicked(text.unwrap_or_else(|| "(not a text)".to_owned()))
}
