//! What the log is told about panics: where, and the message only if it is a constant of the program. A message that was
//! put together may hold what people said (slicing a text where there is no character's edge prints the text).
//!
//! Where it stands: the program installs [`log_panics`] when it starts. The engine ends a session's panic where it calls the
//! session; the shard's thread then has it logged here. All others of the server's threads' panics end the process.
//!
//! What this file must never do: keep or print a message that is not a constant.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::Write as _;
use std::panic::PanicHookInfo;

thread_local! {
    /// Whether somebody on this thread ends panics and tells the log of them.
    static IS_TOLD: Cell<bool> = const { Cell::new(false) };
    /// Panics of this thread that the log has not been told of. Each is told of in the turn in which it happens.
    static UNTOLD: RefCell<Vec<Panic>> = const { RefCell::new(Vec::new()) };
}

/// A panic, as the log may know of it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Panic {
    file: String,
    line: u32,
    message: Option<&'static str>,
}

impl fmt::Display for Panic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)?;
        self.message.map_or(Ok(()), |message| write!(formatter, ": {message}"))
    }
}

/// From now on panics of this process are told to the log, without anything that people may have said, instead of being
/// printed. To be called once, by the program.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let panic = panic_of(info);
        let is_told = IS_TOLD.try_with(Cell::get).unwrap_or(false);
        if !is_told {
            tracing::error!(at = %panic, "a thread has panicked");
            return;
        }
        // If it cannot be kept, it is a panic while one is being kept, and the process is ending.
        let _ = UNTOLD.try_with(|untold| untold.try_borrow_mut().map(|mut untold| untold.push(panic)));
    }));
}

fn panic_of(info: &PanicHookInfo<'_>) -> Panic {
    let message = info.payload().downcast_ref::<&'static str>().copied();
    let (file, line) = info.location().map_or(("?", 0), |location| (location.file(), location.line()));
    Panic { file: file.to_owned(), line, message }
}

/// This thread tells the log of its panics itself.
pub(crate) fn keep_on_this_thread() {
    IS_TOLD.set(true);
}

/// Tells the log of those panics of this thread that have ended where a session was called.
pub(crate) fn log_sessions() {
    UNTOLD.with_borrow_mut(|untold| {
        for panic in untold.drain(..) {
            tracing::error!(at = %panic, "a connection's code has panicked; that connection is closed");
        }
    });
}

/// Tells of the panic that ends the process, also on standard error: the log may not be written any more.
pub(crate) fn tell_last() {
    let untold = UNTOLD.take();
    let at = untold.last().map_or_else(|| "?".to_owned(), Panic::to_string);
    tracing::error!(%at, "a thread of the server has panicked; the process ends");
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("?");
    // Nobody may be reading.
    let _ =
        writeln!(std::io::stderr(), "the server's thread '{name}' has panicked at {at}; the process ends");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_messages_are_told_and_those_that_were_put_together_are_not() {
        let usual = std::panic::take_hook();
        log_panics();
        let kept = std::thread::spawn(|| {
            keep_on_this_thread();
            let said = String::from("höre");
            let _ = std::panic::catch_unwind(|| said[..2].len());
            let _ = std::panic::catch_unwind(|| panic!("{said}"));
            let _ = std::panic::catch_unwind(|| panic!("a constant"));
            let kept = UNTOLD.with_borrow(Clone::clone);
            log_sessions();
            assert_eq!(UNTOLD.with_borrow(Vec::len), 0, "each is told once");
            kept
        });
        let kept = kept.join();
        std::panic::set_hook(usual);
        let kept = kept.expect("all of them were caught");
        let [slice, text, constant] = &kept[..] else { panic!("there were three") };
        assert_eq!((slice.message, text.message), (None, None));
        assert!(slice.file.ends_with("panics.rs"), "{slice}");
        assert!(constant.to_string().ends_with(": a constant"), "{constant}");
    }
}
