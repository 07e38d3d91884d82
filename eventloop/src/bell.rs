//! The [`Bell`]: a descriptor that becomes readable when somebody rings. A [`Waker`](crate::Waker) is made of one.
//!
//! On Linux it is an eventfd, a counter in the kernel; elsewhere a pipe to ourselves. For wakers the back ends watch it, each in
//! its way: `epoll` is told of each ring and reads nothing, the others read it empty when they report it. Ringing must never
//! block, allocate or take a lock: a signal handler may do it.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    sync::Arc,
};

#[cfg(target_os = "linux")]
use counter::Descriptor;
#[cfg(not(target_os = "linux"))]
use pipe::Descriptor;

/// A descriptor that becomes readable when it is rung, and stays so until it is silenced.
///
/// For what many shall hear of, each when it looks: whoever watches the bell finds it ringing, in other threads and in
/// children, too. To end one poll, once, there is the [`Waker`](crate::Waker).
#[derive(Debug)]
pub struct Bell {
    descriptor: Descriptor,
}

impl Bell {
    /// A bell that is silent.
    ///
    /// # Errors
    ///
    /// When the process or the system has no descriptors or no memory left.
    pub fn new() -> io::Result<Bell> {
        Ok(Bell { descriptor: Descriptor::new()? })
    }

    /// Makes it readable. It neither blocks nor fails, and a signal handler may call it: it allocates nothing and takes no
    /// lock.
    pub fn ring(&self) {
        self.descriptor.ring();
    }

    /// Makes it unreadable, if it was rung.
    pub fn silence(&self) {
        self.descriptor.silence();
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The bells that a back end has to read empty, each kept open for as long as it is watched.
#[derive(Debug, Default)]
pub(crate) struct Bells {
    bells: Vec<Arc<Bell>>,
}

impl Bells {
    pub(crate) fn add(&mut self, bell: &Arc<Bell>) {
        self.bells.push(Arc::clone(bell));
    }

    /// Takes out a bell that nobody can ring any more. Its descriptor is closed when it is dropped, so whoever watches it
    /// forgets it first.
    pub(crate) fn take_abandoned(&mut self) -> Option<Arc<Bell>> {
        let abandoned = self.bells.iter().position(|bell| Arc::strong_count(bell) == 1)?;
        Some(self.bells.swap_remove(abandoned))
    }

    /// Reads the bell empty, if this descriptor is one. To be called for what is reported and for nothing else: a ring
    /// that did not fit into the batch has to be found again.
    pub(crate) fn silence(&self, descriptor: RawFd) {
        if let Some(bell) = self.bells.iter().find(|bell| bell.as_fd().as_raw_fd() == descriptor) {
            bell.silence();
        }
    }
}

#[cfg(target_os = "linux")]
mod counter {
    use super::io;
    use rustix::{
        event::{EventfdFlags, eventfd},
        io::{Errno, read, write},
    };
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

    /// An eventfd. The counter is full at 2⁶⁴ − 2; a write that finds it full is refused, because it does not block.
    #[derive(Debug)]
    pub(crate) struct Descriptor {
        counter: OwnedFd,
    }

    impl Descriptor {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Descriptor { counter: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)? })
        }

        pub(crate) fn ring(&self) {
            if self.add(1) == Err(Errno::AGAIN) {
                // Another thread may have found it full too and read it empty before us, or rung in between. It does not
                // matter: every one of us still writes after its read, and the last write is the one that is reported.
                self.silence();
                let _ = self.add(1);
            }
        }

        pub(crate) fn silence(&self) {
            // It is empty afterwards, also if it was before.
            let _ = read(&self.counter, &mut [0; 8]);
        }

        fn add(&self, count: u64) -> Result<(), Errno> {
            write(&self.counter, &count.to_ne_bytes()).map(drop)
        }
    }

    impl AsFd for Descriptor {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.counter.as_fd()
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::{Bell, Events, Poller, PollerKind, Token};
        use std::{sync::Arc, time::Duration};

        #[test]
        fn full_counter_still_wakes() {
            for kind in PollerKind::ALL {
                let poller = Poller::of(kind).unwrap();
                let bell = Arc::new(Bell::new().unwrap());
                let counter = &bell.descriptor;
                poller.register_bell(&bell, Token(3)).unwrap();
                let mut events = Events::with_capacity(4);
                counter.add(1).unwrap();
                poller.poll(&mut events, Some(Duration::ZERO)).unwrap();
                bell.silence();
                counter.add(u64::MAX - 1).unwrap();
                assert_eq!(counter.add(1), Err(Errno::AGAIN), "the counter is full");

                bell.ring();
                poller.poll(&mut events, Some(Duration::ZERO)).unwrap();
                assert_eq!(events.iter().map(|event| event.token).collect::<Vec<_>>(), [Token(3)], "{kind}");
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod pipe {
    use super::io;
    use rustix::io::{ioctl_fionbio, read, write};
    use std::io::{PipeReader, PipeWriter};
    use std::os::fd::{AsFd, BorrowedFd};

    /// A pipe with both ends here. A full one is as readable as one with a byte in it, so a write that is refused is
    /// none that is missed.
    #[derive(Debug)]
    pub(crate) struct Descriptor {
        ear: PipeReader,
        mouth: PipeWriter,
    }

    impl Descriptor {
        pub(crate) fn new() -> io::Result<Self> {
            let (ear, mouth) = io::pipe()?;
            ioctl_fionbio(&ear, true)?;
            ioctl_fionbio(&mouth, true)?;
            Ok(Descriptor { ear, mouth })
        }

        pub(crate) fn ring(&self) {
            let _ = write(&self.mouth, &[1]);
        }

        pub(crate) fn silence(&self) {
            let mut rings = [0; 4096];
            while read(&self.ear, &mut rings).is_ok_and(|count| count == rings.len()) {}
        }
    }

    impl AsFd for Descriptor {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.ear.as_fd()
        }
    }
}
