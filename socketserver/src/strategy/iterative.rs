//! One request after the other, in the thread of the server.

use crate::Error;
use crate::conversation::Conversation;
use crate::converse::Converse;
use crate::driver::Farewell;
use crate::server::{Core, Extent, Served};
use crate::strategy::Strategy;
use crate::strategy::front::{self, Crew, Handed};
use eventloop::{Poller, Token};
use std::io;
use std::sync::Arc;

/// One request after the other: nothing is shared, nothing runs at the same time, and who comes meanwhile waits in the
/// backlog.
///
/// For requests that take no time, and for a single client: a daytime server, a sink for datagrams, a debugger's back
/// door. One client that does nothing keeps everybody waiting, unless
/// [`request_timeout`](crate::Server::request_timeout) is set. And nobody is waited for at the end: a client that goes on sending
/// after it was answered may lose the end of the answer, which the other strategies give it a second to take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Iterative;

impl<H: Converse> Strategy<H> for Iterative {
    fn serve(&mut self, core: &Arc<Core>, handler: &Arc<H>, extent: Extent) -> Result<Served, Error> {
        front::serve(core, &mut OneByOne { core, handler: &**handler }, extent)
    }

    fn finish(&mut self, _: &Core) -> Result<(), Error> {
        Ok(())
    }
}

struct OneByOne<'a, H> {
    core: &'a Core,
    handler: &'a H,
}

impl<H: Converse> Crew for OneByOne<'_, H> {
    fn has_room(&mut self, _: &Poller) -> io::Result<bool> {
        Ok(true)
    }

    fn take(&mut self, conversation: Conversation) -> Result<Handed, Error> {
        self.handler.converse(self.core, conversation, Farewell::AtOnce);
        Ok(Handed::Over)
    }

    fn heard(&mut self, _: &Poller, _: Token) {}
}
