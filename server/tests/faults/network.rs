//! Two machines that a cable connects: two network namespaces and a pair of virtual interfaces, made with `ip` of Debian's
//! iproute2. They are gone at the end of the test, whatever its end.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use crate::client::GUARD;

pub(crate) const NEAR: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 99, 0, 1));
const FAR: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 99, 0, 2));

/// One of the two machines.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Near,
    Far,
}

pub(crate) struct Network {
    near: String,
    far: String,
}

impl Network {
    /// Makes one, or says why this test is skipped.
    ///
    /// # Panics
    /// If it cannot be made by root, and tests must not be skipped.
    pub(crate) fn new() -> Option<Network> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let own = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let network = Network { near: format!("roomful-near-{own}"), far: format!("roomful-far-{own}") };
        let Err(problem) = network.make() else { return Some(network) };
        let is_required =
            rustix::process::geteuid().is_root() && std::env::var_os("ROOMFUL_REQUIRE_TOOLS").is_some();
        assert!(!is_required, "no network namespaces, and ROOMFUL_REQUIRE_TOOLS is set: {problem}");
        println!("skipped: there can be no network namespaces here: {problem}");
        None
    }

    fn make(&self) -> Result<(), String> {
        let Network { near, far } = self;
        ip(&["netns", "add", near])?;
        ip(&["netns", "add", far])?;
        ip(&["-n", near, "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", far])?;
        for (name, interface, address) in [(near, "near", NEAR), (far, "far", FAR)] {
            ip(&["-n", name, "address", "add", &format!("{address}/30"), "dev", interface])?;
            ip(&["-n", name, "link", "set", interface, "up"])?;
            ip(&["-n", name, "link", "set", "lo", "up"])?;
        }
        Ok(())
    }

    /// Pulls the cable out of the far machine.
    pub(crate) fn disconnect(&self) {
        ip(&["-n", &self.far, "link", "set", "far", "down"]).expect("the link goes down");
    }

    /// Puts it back.
    pub(crate) fn reconnect(&self) {
        ip(&["-n", &self.far, "link", "set", "far", "up"]).expect("the link comes up");
    }

    /// Waits until a connection of the near machine has something for the far one, which has no room for it: the kernel
    /// then runs the timer that probes for room. Nothing tells of that, so the kernel is asked again and again.
    pub(crate) fn waits_for_no_room(&self) {
        let far = FAR.to_string();
        let begun = Instant::now();
        let is_probing = || {
            let connections = run("ip", &["netns", "exec", &self.near, "ss", "-tnoH", "dst", &far]);
            connections.expect("ss comes with ip").contains("persist")
        };
        while !is_probing() {
            assert!(begun.elapsed() < GUARD, "the far machine always had room");
        }
    }

    /// Runs something on a thread in one of the two: the sockets that it opens, and the threads that it starts, stay there.
    pub(crate) fn on<T: Send>(&self, side: Side, run: impl FnOnce() -> T + Send) -> T {
        let name = match side {
            Side::Near => &self.near,
            Side::Far => &self.far,
        };
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let namespace = File::open(format!("/run/netns/{name}")).expect("it was made");
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                    .expect("root may enter it");
                run()
            });
            inside.join().expect("it runs to its end")
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The pair of interfaces goes with them. One that could not be made cannot be removed.
        for name in [&self.near, &self.far] {
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

fn ip(arguments: &[&str]) -> Result<String, String> {
    run("ip", arguments)
}

/// Runs a program and returns what it printed.
fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}
