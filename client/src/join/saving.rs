//! Writing down what has to survive this program, beside the thread that draws: the disk may take its time.
//!
//! Where it stands: between the two loops of `join` and the file of what is remembered.
//!
//! What this file must never do: make anybody wait but at the very end, and then not for long.

use crate::remembered::{State, Store};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

pub(super) struct Saving {
    /// None where nothing is remembered.
    thread: Option<(Sender<State>, JoinHandle<()>)>,
}

impl Saving {
    pub(super) fn start(store: Option<Store>) -> Saving {
        let thread = store.map(|store| {
            let (states, coming) = channel();
            (states, thread::spawn(move || save(store, &coming)))
        });
        Saving { thread }
    }

    /// This is how it is now.
    pub(super) fn save(&self, state: State) {
        if let Some((states, _)) = &self.thread {
            // Whoever cannot save any more has said why.
            let _ = states.send(state);
        }
    }

    /// Waits until the last is written.
    pub(super) fn end(self) {
        if let Some((states, thread)) = self.thread {
            drop(states);
            // A panic in it has been told already.
            let _ = thread.join();
        }
    }
}

fn save(mut store: Store, coming: &Receiver<State>) {
    while let Ok(state) = coming.recv() {
        // Only the newest matters.
        let state = coming.try_iter().last().unwrap_or(state);
        // Nothing better can be done than trying again with the next one: a full disk is no reason to stop talking.
        let _ = store.save(&state);
    }
}
