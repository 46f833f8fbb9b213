#!/usr/bin/env python3
"""A guest book over HTTP: GET / lists the entries, POST / adds one.

The entries are lines under one key of a memcached server, so that every replica
shows the same. memcached's append is atomic: two visitors can't overwrite each
other.
"""
import configparser
import http.server
import socket
import sys

CONF = configparser.ConfigParser()
CONF.read(sys.argv[1])


class Cache:
    """One connection to memcached, in its text protocol."""

    def __enter__(self):
        host, port = CONF["cache"]["server"].rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=5)
        self.stream = self.socket.makefile("rwb")
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def store(self, command, data):
        key = CONF["cache"]["key"]
        self.stream.write(b"%s %s 0 0 %d\r\n%s\r\n" % (command, key.encode(), len(data), data))
        self.stream.flush()
        return self.stream.readline().strip()

    def add_line(self, line):
        for command in (b"append", b"add", b"append"):
            if self.store(command, line + b"\n") == b"STORED":
                return
        raise OSError("the cache did not store the entry")

    def read(self):
        self.stream.write(b"get %s\r\n" % CONF["cache"]["key"].encode())
        self.stream.flush()
        head = self.stream.readline().split()
        if head[:1] != [b"VALUE"]:
            return b""
        return self.stream.read(int(head[3]))


class Handler(http.server.BaseHTTPRequestHandler):
    timeout = 10

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200, b"ok\n")
        try:
            with Cache() as cache:
                self.answer(200, cache.read())
        except OSError as err:
            self.log_error("read: %s", err)
            self.answer(503, b"the entries can't be read now\n")

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            return self.answer(411, b"an entry needs a length\n")
        if int(length) > CONF["api"].getint("max_entry_bytes"):
            return self.answer(413, b"the entry is too long\n")
        line = b" ".join(self.rfile.read(int(length)).split())
        if not line:
            return self.answer(400, b"the entry is empty\n")
        try:
            with Cache() as cache:
                cache.add_line(line)
        except OSError as err:
            self.log_error("write: %s", err)
            return self.answer(503, b"the entry can't be kept now\n")
        self.answer(201)


if __name__ == "__main__":
    address = (CONF["api"]["listen"], CONF["api"].getint("port"))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
