//! The file server: what is in the folder comes out whole, and nothing else comes out.

use crate::harness::{Folder, Program, curl_is_missing};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::process::Command;

const SECRET: &str = "nobody may read this";

/// A folder `root` with files, beside something that is not to be had.
fn start() -> (Folder, Program, SocketAddr) {
    let folder = Folder::new(&format!("files-{:?}", std::thread::current().id()));
    for name in ["root", "root/with index", "root/list", "root/list/deeper", "root/.git", "outside"] {
        fs::create_dir(folder.path(name)).unwrap();
    }
    for (name, text) in [
        ("root/hello.txt", "hello\n"),
        ("root/empty", ""),
        ("root/with index/index.html", "<p>index\n"),
        ("root/list/<b> & \"quoted\".txt", "marked\n"),
        ("root/list/grüße #1 100%?.txt", "umlaut\n"),
        ("root/list/.hidden", SECRET),
        ("root/.git/config", SECRET),
        ("outside/secret.txt", SECRET),
        ("secret.txt", SECRET),
    ] {
        fs::write(folder.path(name), text).unwrap();
    }
    symlink("../outside/secret.txt", folder.path("root/link.txt")).unwrap();
    symlink("../outside", folder.path("root/way-out")).unwrap();
    symlink("/", folder.path("root/slash")).unwrap();
    let root = folder.path("root");
    let mut server = Program::example("file_server", &[root.to_str().unwrap(), "127.0.0.1:0"]);
    let address = server.address();
    (folder, server, address)
}

struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn status(&self) -> &str {
        self.head.lines().next().unwrap().trim_start_matches("HTTP/1.1 ")
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// What `curl` gets for a target that it leaves as it is.
fn curl(flags: &[&str], server: SocketAddr, target: &str) -> Answer {
    let url = format!("http://{server}{target}");
    let mut command = Command::new("curl");
    let flags = command.args(["-s", "-i", "--path-as-is", "--globoff", "--max-time", "20"]).args(flags);
    let output = flags.arg(url).output().unwrap();
    assert!(output.status.success(), "{target}: {}", output.status);
    let end = output.stdout.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(output.stdout[..end].to_vec()).unwrap();
    Answer { head, body: output.stdout[end + 4..].to_vec() }
}

#[test]
fn files_come_out_as_they_are() {
    if curl_is_missing() {
        return;
    }
    let (folder, mut server, address) = start();
    let hello = curl(&[], address, "/hello.txt?as=it&is");
    assert_eq!((hello.status(), hello.text()), ("200 OK", "hello\n"));
    assert_eq!(hello.field("Content-Type"), Some("text/plain;charset=utf-8"));
    assert_eq!(hello.field("Content-Length"), Some("6"));
    assert_eq!(hello.field("Connection"), Some("close"));
    let empty = curl(&[], address, "/empty");
    assert_eq!((empty.status(), empty.text(), empty.field("Content-Length")), ("200 OK", "", Some("0")));
    assert_eq!(empty.field("Content-Type"), Some("application/octet-stream"));
    assert_eq!(curl(&[], address, "/%68ello%2Etxt").text(), "hello\n");
    assert_eq!(curl(&[], address, "/list/gr%C3%BC%c3%9fe%20%231%20100%25%3F.txt").text(), "umlaut\n");

    // Of every byte, in an order that no buffer's length divides, and more than the kernel's buffers hold.
    let large: Vec<u8> = (0..9_999_991_u32).map(|number| (number % 251) as u8).collect();
    fs::write(folder.path("root/large.bin"), &large).unwrap();
    assert!(curl(&[], address, "/large.bin").body == large);
    let head = curl(&["--head"], address, "/large.bin");
    assert_eq!((head.status(), head.field("Content-Length")), ("200 OK", Some("9999991")));
    assert_eq!(head.body, b"");
    server.stops();
}

#[test]
fn folders_are_shown() {
    if curl_is_missing() {
        return;
    }
    let (_folder, mut server, address) = start();
    let moved = curl(&[], address, "//with%20index");
    assert_eq!(moved.status(), "301 Moved Permanently");
    assert_eq!(moved.field("Location"), Some("/with%20index/"));
    let index = curl(&[], address, "/with%20index/");
    assert_eq!((index.status(), index.text()), ("200 OK", "<p>index\n"));
    assert_eq!(index.field("Content-Type"), Some("text/html;charset=utf-8"));

    let list = curl(&[], address, "/list/");
    assert_eq!(list.field("Content-Type"), Some("text/html; charset=utf-8"));
    let shown: Vec<&str> = list.text().lines().filter(|line| line.starts_with("<li>")).collect();
    assert_eq!(
        shown,
        [
            "<li><a href=\"%3Cb%3E%20%26%20%22quoted%22.txt\">&lt;b> &amp; \"quoted\".txt</a>",
            "<li><a href=\"deeper/\">deeper/</a>",
            "<li><a href=\"gr%C3%BC%C3%9Fe%20%231%20100%25%3F.txt\">grüße #1 100%?.txt</a>",
        ]
    );
    for line in shown {
        let link = line.split('"').nth(1).unwrap();
        assert_eq!(curl(&[], address, &format!("/list/{link}")).status(), "200 OK", "{link}");
    }
    // Neither what is hidden nor what leads out.
    let top = curl(&[], address, "/");
    let shown = top.text().lines().filter(|line| line.starts_with("<li>")).count();
    assert_eq!(shown, 4, "{}", top.text());
    server.stops();
}

#[test]
fn nothing_outside_of_the_folder_comes_out() {
    if curl_is_missing() {
        return;
    }
    let (_folder, mut server, address) = start();
    for (target, status) in [
        ("/../secret.txt", "403 Forbidden"),
        ("/../outside/secret.txt", "403 Forbidden"),
        ("/list/../../secret.txt", "403 Forbidden"),
        ("/..%2fsecret.txt", "403 Forbidden"),
        ("/%2e%2e/secret.txt", "403 Forbidden"),
        ("/%2e%2e%2fsecret.txt", "403 Forbidden"),
        ("/.%2e//secret.txt", "403 Forbidden"),
        ("/list/./../hello.txt", "403 Forbidden"),
        ("/....//secret.txt", "403 Forbidden"),
        ("/..\\secret.txt", "403 Forbidden"),
        ("/%252e%252e/secret.txt", "404 Not Found"),
        ("//etc/passwd", "404 Not Found"),
        ("/%2fetc/passwd", "404 Not Found"),
        ("/link.txt", "403 Forbidden"),
        ("/way-out/secret.txt", "403 Forbidden"),
        ("/way-out/", "403 Forbidden"),
        ("/slash/etc/passwd", "403 Forbidden"),
        ("/.git/config", "403 Forbidden"),
        ("/list/.hidden", "403 Forbidden"),
    ] {
        let answer = curl(&[], address, target);
        // What a link is to others (`ELOOP`, `ENOTDIR`) differs from system to system; that it is not followed does not.
        let is_link_inside = target.starts_with("/way-out/") || target.starts_with("/slash/");
        let is_refused = answer.status() == status || is_link_inside && answer.status() == "404 Not Found";
        assert!(is_refused, "{target}: {}", answer.status());
        assert!(!answer.text().contains(SECRET) && !answer.text().contains("root:"), "{target}");
    }
    server.stops();
}

#[test]
fn what_cannot_be_served_is_told_why() {
    if curl_is_missing() {
        return;
    }
    let (folder, mut server, address) = start();
    let made = rustix::fs::mkfifoat(rustix::fs::CWD, folder.path("root/pipe"), rustix::fs::Mode::RWXU);
    made.unwrap();
    let endless = format!("/{}", "x".repeat(9000));
    for (flags, target, status) in [
        (&[][..], "/nothing", "404 Not Found"),
        (&[], "/hello.txt/deeper", "404 Not Found"),
        (&[], "/%00", "400 Bad Request"),
        (&[], "/hello.txt%00.html", "400 Bad Request"),
        (&[], "/%zz", "400 Bad Request"),
        (&[], "/%4", "400 Bad Request"),
        (&[], &endless, "400 Bad Request"),
        // Nobody writes into it: opening it must not wait.
        (&[], "/pipe", "403 Forbidden"),
        (&["--data", "x"], "/hello.txt", "405 Method Not Allowed"),
        (&["-X", "DELETE"], "/hello.txt", "405 Method Not Allowed"),
    ] {
        let answer = curl(flags, address, target);
        assert_eq!(answer.status(), status, "{target}");
        assert_eq!(answer.text(), format!("{status}\n"), "{target}");
    }
    assert_eq!(curl(&["-X", "DELETE"], address, "/hello.txt").field("Allow"), Some("GET, HEAD"));
    assert_eq!(curl(&[], address, "/hello.txt").text(), "hello\n");
    server.stops();
}
