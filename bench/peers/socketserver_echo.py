"""A line echo by Python's own means, to be measured beside the crate `socketserver`.

Started with one word: iterative, threading and forking are the servers of Python's `socketserver`, evented is a loop on
`selectors`. Each prints where it listens and serves until it is killed. The settings that matter are those of its
counterpart: as long a queue, as many requests at a time, no delay for small answers.
"""

import resource
import selectors
import socket
import socketserver
import sys

ANY_PORT = ("127.0.0.1", 0)
QUEUE = 1024
REQUESTS_AT_ONCE = 256


class LineEcho(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)


class Iterative(socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = QUEUE


class Threading(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = QUEUE


class Forking(socketserver.ForkingTCPServer):
    allow_reuse_address = True
    request_queue_size = QUEUE
    max_children = REQUESTS_AT_ONCE


def announce(address):
    print("listening on %s:%d" % address, flush=True)


def serve_by(server_class):
    with server_class(ANY_PORT, LineEcho) as server:
        announce(server.server_address)
        server.serve_forever()


def serve_evented():
    listener = socket.create_server(ANY_PORT, backlog=QUEUE)
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    announce(listener.getsockname())
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ)
                continue
            connection = key.fileobj
            received = connection.recv(65536)
            if received:
                # A line always fits; a server for others would keep what was not taken.
                connection.send(received)
            else:
                selector.unregister(connection)
                connection.close()


def main(model):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if model == "evented":
        serve_evented()
    else:
        serve_by({"iterative": Iterative, "threading": Threading, "forking": Forking}[model])


if __name__ == "__main__":
    main(sys.argv[1])
