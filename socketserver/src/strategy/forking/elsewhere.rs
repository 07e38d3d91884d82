//! Forking where no system call tells what has to be known first.

use crate::Error;
use crate::converse::Converse;
use crate::server::{Core, Extent, Served};
use crate::strategy::{Forking, Strategy};
use std::sync::Arc;

impl<H: Converse> Strategy<H> for Forking {
    fn serve(&mut self, _: &Arc<Core>, _: &Arc<H>, _: Extent) -> Result<Served, Error> {
        Err(Error::Unsupported(
            "forking is refused here, because this system does not tell whether the process has several threads; \
             use the threading strategy",
        ))
    }

    fn finish(&mut self, _: &Core) -> Result<(), Error> {
        Ok(())
    }
}
