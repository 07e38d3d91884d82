//! One measurement of one server: what its requests cost, what its idle connections take, what they cost the active one.
//!
//! Every measurement starts a server of its own and ends it, so that none inherits another's heap. It never judges.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use eventloop::PollerKind;

use super::{
    family::{FamilyMemory, await_rest},
    generator::{Generator, LOOK, Load},
    way::{Contender, Model, Way},
};
use crate::{
    peer::Peer,
    placement::{Placement, Places},
    usage::{CpuReading, CpuSpent},
};

/// How many clients there are at a time, where the model serves several.
pub const CLIENTS: usize = 16;

/// How many requests are made on a connection that is kept.
pub const REQUESTS_PER_KEPT: u64 = 1_000;

/// How clients use their connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A connection for each request.
    ConnectionEach,
    /// A thousand requests on each connection.
    Kept,
}

/// The programs that serve.
#[derive(Clone, Debug)]
pub struct Programs {
    /// This program, or for tests the one that was built beside them.
    pub bench: PathBuf,
    /// Python 3, if it is here.
    pub python: Option<PathBuf>,
}

impl Programs {
    /// Finds Python beside the given program.
    ///
    /// # Errors
    ///
    /// If it is missing and `ROOMFUL_REQUIRE_TOOLS` says that nothing may be.
    pub fn beside(bench: PathBuf) -> Result<Self> {
        // The path of the interpreter itself: what is called `python3` may be a script that looks for it each time.
        let asked =
            Command::new("python3").args(["-I", "-c", "import sys; print(sys.executable)"]).output().ok();
        let path = asked.filter(|output| output.status.success()).map(|output| {
            PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
        });
        let python = path.filter(|path| path.is_file());
        let is_required = std::env::var_os("ROOMFUL_REQUIRE_TOOLS").is_some();
        ensure!(
            python.is_some() || !is_required,
            "python3 is not there, and ROOMFUL_REQUIRE_TOOLS is set\nhint: apt-get install python3"
        );
        Ok(Self { bench, python })
    }

    /// The version of that Python, as it says it itself.
    pub fn python_version(&self) -> Option<String> {
        let output = Command::new(self.python.as_ref()?).arg("--version").output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// Where servers run, and out of which programs.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The programs.
    pub programs: Programs,
    many_clients: Places,
    /// A server and its only client take turns, so they share a processor: on two, most of what is measured would be the
    /// price of waking the other one, which in a virtual machine is several times that of the request.
    one_client: Places,
}

impl Bench {
    /// Shares out the processors that this thread may use.
    ///
    /// # Errors
    ///
    /// If the kernel does not tell which they are.
    pub fn with(programs: Programs, placement: Placement) -> Result<Self> {
        Ok(Bench {
            programs,
            many_clients: Places::share_out(placement)?,
            one_client: Places::share_out(Placement::Together)?,
        })
    }

    /// What one request cost the server, after a tenth of the window to warm it.
    ///
    /// # Errors
    ///
    /// If the server cannot be started, answers wrongly or does not come to rest.
    pub fn cpu_per_request(
        &self,
        contender: Contender,
        shape: Shape,
        window: Duration,
    ) -> Result<PerRequest> {
        let (clients, places) = match contender.model() {
            Model::Iterative => (1, &self.one_client),
            Model::Threading | Model::Forking | Model::Evented => (CLIENTS, &self.many_clients),
        };
        let server = self.start(contender, places)?;
        let load = Load {
            clients,
            requests_per_connection: Some(match shape {
                Shape::ConnectionEach => 1,
                Shape::Kept => REQUESTS_PER_KEPT,
            }),
            window,
        };
        let mut generator = clients_of(&server, places)?;
        told(&server, play(&server, &mut generator, &load))
    }

    /// What one message of the only active connection cost the server, amid so many idle ones.
    ///
    /// # Errors
    ///
    /// As [`Bench::cpu_per_request`], and if the server cannot hold so many.
    pub fn cpu_amid_idle(&self, poller: PollerKind, idle: usize, window: Duration) -> Result<PerRequest> {
        let server = self.start(Contender::Ours(Way::Evented(poller)), &self.one_client)?;
        let mut generator = clients_of(&server, &self.one_client)?;
        let load = Load { clients: 1, requests_per_connection: None, window };
        let held = generator.hold(idle);
        told(&server, held.and_then(|()| play(&server, &mut generator, &load)))
    }

    /// What one idle connection takes of the memory, in bytes, out of so many.
    ///
    /// # Errors
    ///
    /// If the server cannot be started or cannot hold so many.
    pub fn memory_per_connection(&self, contender: Contender, connections: usize) -> Result<PerConnection> {
        let server = self.start(contender, &self.many_clients)?;
        let mut generator = clients_of(&server, &self.many_clients)?;
        told(&server, hold(&server, &mut generator, connections))
    }

    fn start(&self, contender: Contender, places: &Places) -> Result<Peer> {
        let mut command = Command::new(&self.programs.bench);
        match contender {
            Contender::Ours(way) => command.args(["echo", &way.to_string()]),
            Contender::Python(model) => {
                let python = self.programs.python.as_deref().context("there is no python3")?;
                let way = Way::ALL.into_iter().find(|way| way.model() == model);
                let way = way.context("no way is of this model")?;
                command.args(["echo", &way.to_string(), "--python"]).arg::<&Path>(python)
            }
        };
        // What is started inherits the place of who starts it.
        places.place_server()?;
        let peer = Peer::launch(command);
        places.place_generator()?;
        peer
    }
}

fn clients_of(server: &Peer, places: &Places) -> Result<Generator> {
    let look = if places.are_apart() { LOOK } else { Duration::ZERO };
    Generator::aimed_at(server.address(), look)
}

/// What one request costs the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerRequest {
    /// CPU time in user mode, in µs.
    pub user_us: f64,
    /// CPU time in the kernel, in µs.
    pub system_us: f64,
}

impl PerRequest {
    fn of(spent: CpuSpent, requests: u64) -> Self {
        let each = |ns: u64| ns as f64 / 1e3 / requests as f64;
        PerRequest { user_us: each(spent.user_ns), system_us: each(spent.system_ns) }
    }

    /// User and system time together, in µs.
    pub fn total_us(self) -> f64 {
        self.user_us + self.system_us
    }

    /// How many of them a processor does in a second.
    pub fn per_cpu_second(self) -> f64 {
        1e6 / self.total_us()
    }
}

/// What one idle connection takes of the memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerConnection {
    /// Resident in the processes.
    pub resident: f64,
    /// Resident, with shared pages counted by their share.
    pub proportional: f64,
    /// Page tables.
    pub page_tables: f64,
    /// Kernel stacks.
    pub kernel_stacks: f64,
}

fn play(server: &Peer, generator: &mut Generator, load: &Load) -> Result<PerRequest> {
    let beginning = CpuReading::take(server.process())?;
    generator.play(&Load { window: load.window / 10, ..*load })?;
    let before = await_rest(server.process(), &beginning)?;
    let requests = generator.play(load)?;
    Ok(PerRequest::of(await_rest(server.process(), &beginning)?.since(&before), requests))
}

fn hold(server: &Peer, generator: &mut Generator, connections: usize) -> Result<PerConnection> {
    let beginning = CpuReading::take(server.process())?;
    // What a server needs once is not counted for its connections: one comes and goes before.
    generator.play(&Load { clients: 1, requests_per_connection: Some(1), window: Duration::ZERO })?;
    await_rest(server.process(), &beginning)?;
    let before = FamilyMemory::read(server.process())?;
    generator.hold(connections)?;
    let after = FamilyMemory::read(server.process())?;
    let each = |after: u64, before: u64| (after as f64 - before as f64) / connections as f64;
    Ok(PerConnection {
        resident: each(after.resident, before.resident),
        proportional: each(after.proportional, before.proportional),
        page_tables: each(after.page_tables, before.page_tables),
        kernel_stacks: each(after.kernel_stacks, before.kernel_stacks),
    })
}

/// With what the server said last, if something went wrong.
fn told<T>(server: &Peer, outcome: Result<T>) -> Result<T> {
    outcome.map_err(|error| match server.last_words() {
        words if words.is_empty() => error,
        words => error.context(words),
    })
}
