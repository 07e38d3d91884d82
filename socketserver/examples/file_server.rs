//! Serves the files of a folder to `curl` and to a browser.
//!
//! What one learns: how not to be led out of the folder. Nobody compares paths here: from the open folder one step after
//! the other is taken, each by a plain name that does not begin with a dot, and no link is followed. So no `..`, however
//! it is encoded, and nobody who changes links meanwhile leads anywhere else. Large files go through a small buffer.
//!
//! ```text
//! cargo run -p socketserver --example file_server -- docs       # or: -- FOLDER ADDRESS:PORT
//! curl -i http://127.0.0.1:8000/                                # in another terminal, or in a browser
//! ```

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use socketserver::{Endpoint, Listener, Request, Server, Threading};
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

const HEAD_BYTES_MAX: u64 = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);
const TYPES: &str = "html=text/html;charset=utf-8 htm=text/html;charset=utf-8 css=text/css;charset=utf-8 \
    js=text/javascript;charset=utf-8 mjs=text/javascript;charset=utf-8 txt=text/plain;charset=utf-8 \
    md=text/plain;charset=utf-8 json=application/json xml=application/xml pdf=application/pdf wasm=application/wasm \
    svg=image/svg+xml png=image/png jpg=image/jpeg jpeg=image/jpeg gif=image/gif webp=image/webp ico=image/x-icon";
const STEP: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// A status with its header fields, the length of what follows, and that itself.
type Answer = (String, u64, Box<dyn Read>);

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let folder = openat(CWD, folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;

    let listener = Listener::open(&Endpoint::tcp(&address)?)?;
    let mut server =
        Server::blocking(listener, Threading::up_to(64), move |request: &mut _| serve(&folder, request))?
            .request_timeout(PATIENCE)
            .grace(Duration::from_secs(1));
    server.shutdown_handle().shutdown_on_termination()?;
    println!("listening at http://{}/", server.server_address());
    server.serve_forever()?;
    Ok(())
}

fn serve(folder: &OwnedFd, request: &mut Request) -> io::Result<()> {
    // To the empty line behind the header fields, or not that far: each wait for a byte has an end, and all together, too.
    let ends_at = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    for byte in (&mut request.reader).take(HEAD_BYTES_MAX).bytes().take_while(|_| Instant::now() < ends_at) {
        head.push(byte?);
        if head.ends_with(b"\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8_lossy(&head);
    if head.is_empty() {
        return Ok(()); // browsers connect ahead, and may have nothing to ask
    }
    let words: Vec<&str> = head.lines().next().unwrap_or_default().split(' ').collect();
    let is_whole = head.ends_with("\n\r\n");
    let answer = match words[..] {
        ["GET" | "HEAD", target, "HTTP/1.0" | "HTTP/1.1"] if is_whole => find(folder, target),
        [_, _, "HTTP/1.0" | "HTTP/1.1"] if is_whole => Ok(bare("405 Method Not Allowed")),
        _ => Err(Errno::INVAL),
    };
    let (head, length, body) = answer.unwrap_or_else(|errno| bare(status(errno)));
    let writer = &mut request.writer;
    write!(writer, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nAllow: GET, HEAD\r\n")?;
    write!(writer, "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n")?;
    if words[0] != "HEAD" {
        io::copy(&mut body.take(length), writer)?; // not more than announced, should the file grow meanwhile
    }
    Ok(())
}

/// What is at the target of a request, or why it is not served.
fn find(folder: &OwnedFd, target: &str) -> Result<Answer, Errno> {
    let path = decoded(target.split('?').next().unwrap_or_default()).ok_or(Errno::INVAL)?;
    let mut file = openat(folder, ".", STEP, Mode::empty())?;
    let mut location = "/".to_owned();
    let mut name = &b""[..];
    for step in path.split(|byte| *byte == b'/').filter(|step| !step.is_empty()) {
        if step.starts_with(b".") {
            return Err(Errno::ACCESS); // neither `.` and `..` nor what is meant to be hidden
        }
        file = openat(&file, step, STEP, Mode::empty())?;
        location += &(encoded(step) + "/");
        name = step;
    }
    if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::Directory {
        return contents(file, name);
    }
    if !path.ends_with(b"/") {
        // Else the links in its `index.html` would lead beside it.
        return Ok(bare(&format!("301 Moved Permanently\r\nLocation: {location}")));
    }
    match openat(&file, "index.html", STEP, Mode::empty()) {
        Ok(index) => contents(index, b"index.html"),
        Err(_) => listing(file),
    }
}

fn contents(file: OwnedFd, name: &[u8]) -> Result<Answer, Errno> {
    let found = fstat(&file)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(Errno::ACCESS); // a device, a pipe
    }
    let head = format!("200 OK\r\nContent-Type: {}", content_type(name));
    Ok((head, found.st_size as u64, Box::new(File::from(file))))
}

fn listing(folder: OwnedFd) -> Result<Answer, Errno> {
    let mut links = Vec::new();
    for entry in Dir::new(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        let slash = if entry.file_type() == FileType::Directory { "/" } else { "" };
        if !name.starts_with(b".") && entry.file_type() != FileType::Symlink {
            let shown = String::from_utf8_lossy(name).replace('&', "&amp;").replace('<', "&lt;");
            links.push(format!("<li><a href=\"{}{slash}\">{shown}{slash}</a>\n", encoded(name)));
        }
    }
    links.sort();
    let links = links.concat();
    Ok(text("200 OK", "html", format!("<!doctype html><title>Files</title>\n<ul>\n{links}</ul>\n")))
}

fn text(status: &str, kind: &str, text: String) -> Answer {
    let head = format!("{status}\r\nContent-Type: text/{kind}; charset=utf-8");
    (head, text.len() as u64, Box::new(io::Cursor::new(text)))
}

/// An answer that has nothing to show but its status.
fn bare(status: &str) -> Answer {
    text(status, "plain", format!("{}\n", status.lines().next().unwrap_or_default()))
}

fn status(errno: Errno) -> &'static str {
    match errno {
        Errno::INVAL => "400 Bad Request",
        Errno::ACCESS | Errno::PERM | Errno::LOOP | Errno::MLINK | Errno::NXIO => "403 Forbidden",
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG => "404 Not Found",
        _ => "500 Internal Server Error",
    }
}

fn content_type(name: &[u8]) -> &'static str {
    let extension = String::from_utf8_lossy(name.rsplit(|byte| *byte == b'.').next().unwrap_or_default());
    let mut types = TYPES.split_whitespace().filter_map(|entry| entry.split_once('='));
    types.find(|(known, _)| *known == extension).map_or("application/octet-stream", |(_, kind)| kind)
}

/// The bytes that `%2F` and the like stand for.
fn decoded(path: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(if byte == b'%' { (digit()? * 16 + digit()?) as u8 } else { byte });
    }
    Some(bytes)
}

fn encoded(name: &[u8]) -> String {
    let encode = |byte: &u8| match char::from(*byte) {
        plain if plain.is_ascii_alphanumeric() || "-._~".contains(plain) => plain.to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.iter().map(encode).collect()
}
