//! The two that wait: for two sockets, and for standard input.

use crate::harness::{Folder, Program, nc_is_missing};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{self, File};
use std::io::Write as _;
use std::time::{Duration, Instant};

#[test]
fn both_sockets_answer_between_two_timeouts() {
    if nc_is_missing() {
        return;
    }
    let mut server = Program::example("two_sockets", &["127.0.0.1:0", "0.05"]);
    let addresses = server.addresses();
    server.hears("0.05 seconds elapsed.");
    assert_eq!(Program::nc(&["-d"], addresses[0]).ends_well(), ["You have reached the TCP socket."]);
    server.waits_for("TCP: 127.0.0.1:");
    // `-W 1`: it ends after one datagram.
    let mut client = Program::nc(&["-u", "-W", "1"], addresses[1]);
    client.says("hello");
    assert_eq!(client.ends_well(), ["You have reached the UDP socket."]);
    server.waits_for("UDP: 127.0.0.1:");
    server.waits_for("0.05 seconds elapsed.");
    server.stops();
}

#[test]
fn five_seconds_elapse_unless_told_otherwise() {
    let begun = Instant::now();
    let mut server = Program::example("two_sockets", &["127.0.0.1:0"]);
    server.addresses();
    server.hears("Five seconds elapsed.");
    assert!(begun.elapsed() >= Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(server.stops(), [""; 0]);
}

#[test]
fn pipe_is_waited_for_until_it_ends() {
    let mut program = Program::example("stdin_wait", &["0.05"]);
    program.hears("Nothing for 50ms.");
    program.says("hello");
    program.waits_for("6 bytes: hello\\n");
    program.waits_for("Nothing for 50ms.");
    program.ends_input();
    assert_eq!(program.ends_well().last().unwrap(), "The end.");
}

#[test]
fn file_is_always_ready() {
    let folder = Folder::new("stdin-file");
    fs::write(folder.path("input"), [b'x'; 10_000]).unwrap();
    let file = File::open(folder.path("input")).unwrap();
    // Never has it to wait, though it would not wait long.
    let mut program = Program::example_reading("stdin_wait", &["20"], file);
    let lengths: Vec<String> =
        program.ends_well().iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(lengths, ["4096 bytes", "4096 bytes", "1808 bytes", "The end."]);
}

#[test]
fn empty_device_is_at_its_end_at_once() {
    let nothing = File::open("/dev/null").unwrap();
    assert_eq!(Program::example_reading("stdin_wait", &["20"], nothing).ends_well(), ["The end."]);
}

#[test]
fn terminal_is_waited_for_line_by_line() {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let name = ptsname(&keyboard, Vec::new()).unwrap();
    let mut keyboard = File::from(keyboard);
    let screen = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();

    let mut program = Program::example_reading("stdin_wait", &["0.05"], screen);
    program.hears("Nothing for 50ms.");
    keyboard.write_all(b"typ").unwrap();
    keyboard.write_all(b"ed\n").unwrap();
    program.waits_for("6 bytes: typed\\n");
    // Ctrl-D at the beginning of a line.
    keyboard.write_all(b"\x04").unwrap();
    assert_eq!(program.ends_well().last().unwrap(), "The end.");
}
