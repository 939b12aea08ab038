#!/usr/bin/env python3
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""bench/serve_slow.py [--spiga PROGRAM] [--slow N] [--seconds S]: answers a second of eight clients that send
samples/astronaut.jpg, alone and beside N connections that send one byte of a body a second, in turns on one
`spiga serve`, three rounds. Slow connections that the server ends are opened again. They come from addresses of their
own, 127.0.1.1 and up, 500 each. Python's part takes processor time, too: the rates are those of what is left."""
import argparse, http.client, pathlib, re, resource, socket, statistics, subprocess, sys, threading, time

arguments = argparse.ArgumentParser()
arguments.add_argument("--spiga", default="build/release/bin/spiga")
arguments.add_argument("--slow", type=int, default=2000)
arguments.add_argument("--seconds", type=float, default=10)
arguments.add_argument("--options", default="", help="more options of spiga serve")
given = arguments.parse_args()
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
picture = pathlib.Path("samples/astronaut.jpg").read_bytes()
server = subprocess.Popen([given.spiga, "serve", "--port", "0", *given.options.split()], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
while not (found := re.search(r"http://(.*):(\d+)", server.stderr.readline())):
    assert server.poll() is None
place = found[1], int(found[2])


def rate(clients=8):
    answers, end = [0] * clients, time.monotonic() + given.seconds

    def ask(i):
        connection = http.client.HTTPConnection(*place, timeout=60)
        while time.monotonic() < end:
            connection.request("POST", "/v1/analyze", picture)
            response = connection.getresponse()
            response.read()
            assert response.status == 200, response.status
            answers[i] += 1

    begin = time.monotonic()
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answers) / (time.monotonic() - begin)


class Slow:
    def __init__(self, count):
        self.clients, self.done, self.opened = [None] * count, False, 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        part = max(1, len(self.clients) // 20)
        while not self.done:
            for begin in range(0, len(self.clients), part):
                for i in range(begin, min(begin + part, len(self.clients))):
                    self.step(i)
                time.sleep(0.05)

    def step(self, i):
        try:
            if self.clients[i] is None:
                client = socket.create_connection(place, source_address=(f"127.0.1.{1 + i // 500}", 0))
                client.send(b"POST /v1/analyze HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx")
                self.clients[i] = client
                self.opened += 1
            else:
                self.clients[i].send(b"x")
        except OSError:
            self.clients[i] = None

    def end(self):
        self.done = True
        self.thread.join()
        for client in filter(None, self.clients):
            client.close()


def connections():
    connection = http.client.HTTPConnection(*place)
    connection.request("GET", "/metrics")
    return int(re.search(r"^spiga_connections (\d+)", connection.getresponse().read().decode(), re.M)[1])


try:
    rate()
    ratios = []
    for _ in range(3):
        alone = rate()
        slow = Slow(given.slow)
        time.sleep(2)
        held = connections()
        beside = rate()
        slow.end()
        time.sleep(1)
        ratios.append(beside / alone)
        print(f"{alone:.1f} answers a second alone, {beside:.1f} beside {held} connections ({slow.opened} opened): "
              f"{ratios[-1]:.2f}", flush=True)
    print(f"median: {statistics.median(ratios):.2f}")
finally:
    server.terminate()
    server.wait()
sys.exit(statistics.median(ratios) < 0.9)
