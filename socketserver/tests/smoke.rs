//! Smoke.
use socketserver::*;
use std::io::{Read, Write};
use std::time::Duration;

struct Echo;
impl Protocol for Echo {
    fn received(&mut self, bytes: &[u8], out: &mut Output<'_>) {
        out.send(bytes);
    }
}

fn endpoints() -> Vec<Endpoint> {
    let d = std::env::temp_dir();
    vec![
        "tcp:127.0.0.1:0".parse().unwrap(),
        "udp:127.0.0.1:0".parse().unwrap(),
        Endpoint::unix_stream(d.join(format!("s1-{:?}", std::thread::current().id()))),
        Endpoint::unix_datagram(d.join(format!("s2-{:?}", std::thread::current().id()))),
        Endpoint::unix_seqpacket(d.join(format!("s3-{:?}", std::thread::current().id()))),
    ]
}

fn echo_once<H: Send + Sync + 'static, S: Strategy<H> + Send + 'static>(
    mut server: Server<H, S>,
    endpoint: &Endpoint,
) {
    let at = Endpoint::new(endpoint.transport(), server.server_address().clone()).unwrap();
    let handle = server.shutdown_handle();
    let t = std::thread::spawn(move || server.serve_forever());
    for _ in 0..3 {
        let mut client = Client::connect(&at, Some(Duration::from_secs(5))).unwrap();
        client.set_timeout(Some(Duration::from_secs(5)));
        client.write_all(b"hello").unwrap();
        let mut b = [0; 100];
        let n = client.read(&mut b).unwrap();
        assert_eq!(&b[..n], b"hello");
        client.end().unwrap();
        if at.transport().has_connections() {
            assert_eq!(client.read(&mut b).unwrap(), 0);
        }
    }
    handle.shutdown();
    t.join().unwrap().unwrap();
}

fn blocking(request: &mut Request) -> std::io::Result<()> {
    std::io::copy(&mut request.reader, &mut request.writer)?;
    Ok(())
}

#[test]
fn iterative() {
    for e in endpoints() {
        echo_once(
            Server::blocking(Listener::open(&e).unwrap(), Iterative, blocking as fn(&mut Request) -> _)
                .unwrap(),
            &e,
        );
        echo_once(Server::sans_io(Listener::open(&e).unwrap(), Iterative, |_: &_| Echo).unwrap(), &e);
    }
}
#[test]
fn threading() {
    for e in endpoints() {
        echo_once(
            Server::blocking(
                Listener::open(&e).unwrap(),
                Threading::up_to(2),
                blocking as fn(&mut Request) -> _,
            )
            .unwrap(),
            &e,
        );
        echo_once(
            Server::sans_io(Listener::open(&e).unwrap(), Threading::up_to(2), |_: &_| Echo).unwrap(),
            &e,
        );
    }
}
#[test]
fn evented() {
    for e in endpoints() {
        for kind in PollerKind::ALL {
            echo_once(
                Server::sans_io(Listener::open(&e).unwrap(), Evented::on(kind), |_: &_| Echo).unwrap(),
                &e,
            );
        }
    }
}
