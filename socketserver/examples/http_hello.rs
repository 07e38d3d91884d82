//! Says hello in HTTP, to `curl` and to a browser.
//!
//! What one learns: how little of HTTP/1.1 (RFC 9112) is enough to be understood, and what must not be left out for all that:
//! a bound on what a client may send before it is answered, an end of the patience with it, the length of the answer, and
//! an answer that says what was wrong.
//!
//! ```text
//! cargo run -p socketserver --example http_hello                # or: -- ADDRESS:PORT SECONDS
//! curl -i http://127.0.0.1:8000/                                # in another terminal, or in a browser
//! ```

use socketserver::{Endpoint, Listener, Request, Server, Threading};
use std::io::{self, BufRead, Read as _, Write as _};
use std::time::{Duration, Instant};

const HEAD_BYTES_MAX: usize = 8 * 1024;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let seconds = arguments.next().map_or(Ok(10.0), |word| word.parse())?;
    let patience = Duration::try_from_secs_f64(seconds)?;

    let listener = Listener::open(&Endpoint::tcp(&address)?)?;
    let handler = move |request: &mut Request| answer(request, patience);
    let mut server = Server::blocking(listener, Threading::up_to(64), handler)?
        .request_timeout(patience)
        .grace(Duration::from_secs(1));

    server.shutdown_handle().shutdown_on_termination()?;
    println!("listening at http://{}/", server.server_address());
    server.serve_forever()?;
    Ok(())
}

fn answer(request: &mut Request, patience: Duration) -> io::Result<()> {
    let head = read_head(&mut request.reader, patience)?;
    let method = method(&head);
    let (status, text) = match method {
        _ if head.is_empty() => return Ok(()), // browsers connect ahead, and may have nothing to ask
        _ if head.len() == HEAD_BYTES_MAX => ("431 Request Header Fields Too Large", "That is too much."),
        None => ("400 Bad Request", "That is no request."),
        Some("GET" | "HEAD") => ("200 OK", "Hello, world!"),
        Some(_) => ("405 Method Not Allowed", "There is only GET and HEAD here."),
    };
    let page = format!("<!doctype html>\n<html lang=\"en\"><title>Hello</title><h1>{text}</h1></html>\n");
    let writer = &mut request.writer;
    write!(writer, "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n")?;
    write!(writer, "Content-Length: {}\r\nAllow: GET, HEAD\r\nConnection: close\r\n\r\n", page.len())?;
    if method != Some("HEAD") {
        writer.write_all(page.as_bytes())?;
    }
    Ok(())
}

/// Reads to the empty line behind the header fields, to the bound, or to the end, whichever comes first.
fn read_head(reader: &mut impl BufRead, patience: Duration) -> io::Result<String> {
    let begun = Instant::now();
    let mut head = Vec::new();
    for byte in reader.take(HEAD_BYTES_MAX as u64).bytes() {
        head.push(byte?);
        if head.ends_with(b"\r\n\r\n") || head.ends_with(b"\n\n") {
            break;
        }
        // Each wait has an end of its own, but a byte now and then would make many of them.
        if begun.elapsed() > patience {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the client took too long"));
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The method, if this is a whole request, with the `Host` that HTTP/1.1 asks for.
fn method(head: &str) -> Option<&str> {
    let (line, fields) = head.split_once('\n')?;
    let [method, target, version] = line.trim_end().split(' ').collect::<Vec<_>>().try_into().ok()?;
    let hosts = fields.lines().filter_map(|field| field.split_once(':'));
    let hosts = hosts.filter(|(name, _)| name.eq_ignore_ascii_case("host")).count();
    let is_whole = fields.lines().last() == Some("");
    let is_known = version == "HTTP/1.0" || version == "HTTP/1.1" && hosts == 1;
    let is_word = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_graphic());
    (is_whole && is_known && is_word && !target.is_empty()).then_some(method)
}
