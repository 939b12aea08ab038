#!/usr/bin/env python3
# Copyright (c) 2026, the spiga authors
# SPDX-License-Identifier: BSD-3-Clause
"""What scripts/soak.sh runs; says there what it does. Needs Pillow."""
import argparse, collections, http.client, io, json, os, pathlib, random, re, signal, socket, subprocess, sys, tempfile
import threading, time

from PIL import Image

arguments = argparse.ArgumentParser()
arguments.add_argument("--hours", type=float, required=True)
arguments.add_argument("--spiga", default="build/release/bin/spiga")
arguments.add_argument("--megabytes", type=float, default=400)
arguments.add_argument("--between-restarts", type=float, default=300, help="seconds")
given = arguments.parse_args()
end = time.monotonic() + 3600 * given.hours
random.seed(1)
# float32 on one thread says the same whatever else is in the batch, to rounding.
options = ["--precision", "f32", "--threads", "2"]
counts, faults, lock = collections.Counter(), [], threading.Lock()
resting = threading.Event()  # the server is being restarted


def fault(what):
    with lock:
        faults.append(what)
        print("FAULT:", what, flush=True)


def pictures(folder):
    """Name -> bytes, of many sizes and all formats."""
    source, made = Image.open("samples/astronaut.jpg").convert("RGB"), {}
    kinds = {"jpg": "JPEG", "png": "PNG", "bmp": "BMP", "webp": "WEBP", "tiff": "TIFF", "ppm": "PPM"}
    for i in range(60):
        ending = list(kinds)[i % len(kinds)]
        size = (random.randint(16, 1300), random.randint(16, 1300))
        buffer = io.BytesIO()
        source.resize(size).save(buffer, kinds[ending])
        made[f"{i:02}.{ending}"] = buffer.getvalue()
        (folder / f"{i:02}.{ending}").write_bytes(buffer.getvalue())
    return made


def offline(folder, names):
    lines = subprocess.run([given.spiga, "analyze", *options, *(str(folder / name) for name in names)], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    return {pathlib.Path(face["source"]).name: face for face in map(json.loads, lines)}


def same(a, b):
    """Numbers within what batches change; all else alike."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a if k != "source")
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) <= 0.05 + 0.002 * abs(a)
    return a == b


class Server:
    def start(self):
        self.process = subprocess.Popen([given.spiga, "serve", "--port", "0", *options], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        while not (found := re.search(r"http://(.*):(\d+)", line := self.process.stderr.readline())):
            assert line, "the server did not start"
        self.place = found[1], int(found[2])

    def restart(self):
        resting.set()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
            if status != 0:
                fault(f"ended with status {status}")
        except subprocess.TimeoutExpired:
            fault("did not end within 60 seconds of SIGTERM")
            self.process.kill()
        self.start()
        resting.clear()
        counts["restarts"] += 1

    def resident(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s*(\d+)", status)[1]) / 1024

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def guarded(action):
    """Runs it until the end; a connection may break only while the server is being restarted."""
    while time.monotonic() < end and not faults:
        was_resting, restarts = resting.is_set(), counts["restarts"]
        try:
            action()
        except (OSError, http.client.HTTPException) as error:
            time.sleep(0.2)
            if not (was_resting or resting.is_set() or counts["restarts"] != restarts):
                fault(f"{action.__name__}: {error!r}")
            while resting.is_set():
                time.sleep(0.1)
        except Exception as error:
            fault(f"{action.__name__}: {error!r}")


def post(body, **headers):
    connection = http.client.HTTPConnection(*server.place, timeout=60)
    connection.request("POST", "/v1/analyze", body, headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    with lock:
        counts[response.status] += 1
    return response.status, text


def real():
    name = random.choice(list(made))
    if random.random() < 0.3:
        body = b"--b\r\nContent-Disposition: form-data; name=note\r\n\r\nhi\r\n--b\r\nContent-Disposition: form-data; " \
               b"name=image; filename=a\r\n\r\n" + made[name] + b"\r\n--b--\r\n"
        status, text = post(body, **{"Content-Type": "multipart/form-data; boundary=b"})
    else:
        status, text = post(made[name])
    if status in (429, 503):
        time.sleep(0.5)
    elif status != 200 or not same(expected[name], json.loads(text)):
        fault(f"{name}: status {status}, expected {json.dumps(expected[name])[:300]}, found {text[:300]}")
    else:
        with lock:
            counts["compared"] += 1


def broken():
    body = bytearray(random.choice(list(made.values())))
    if random.random() < 0.5:
        del body[random.randrange(len(body)):]
    for _ in range(random.randint(1, 20)):
        if body:
            body[random.randrange(min(len(body), 4096))] = random.randrange(256)
    status, _ = post(bytes(body))
    if status not in (200, 400, 413, 415, 429, 503):
        fault(f"broken picture: status {status}")
    time.sleep(0.1)


def leaving():
    client = socket.create_connection(server.place)
    body = random.choice(list(made.values()))
    client.sendall(b"POST /v1/analyze HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) +
                   body[:random.choice([10, len(body)])])
    client.close()
    time.sleep(0.2)


def slow():
    clients = [socket.create_connection(server.place) for _ in range(50)]
    for client in clients:
        client.sendall(b"POST /v1/analyze HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(4):
        for client in clients:
            try:
                client.send(b"x")
            except OSError:
                pass
        time.sleep(1)
    for client in clients:
        client.close()


server, begin = Server(), time.monotonic()
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    made = pictures(folder)
    expected = offline(folder, sorted(made))
    assert len(expected) == len(made)
server.start()
threads = [threading.Thread(target=guarded, args=(one,)) for one in (real, real, real, real, broken, leaving, slow)]
for thread in threads:
    thread.start()
told, restarted = 0.0, time.monotonic()
try:
    while time.monotonic() < end and not faults:
        time.sleep(1)
        now = time.monotonic()
        if server.process.poll() is not None:
            fault(f"the server ended with status {server.process.returncode}")
            break
        resident, files = server.resident(), server.files()
        if resident > given.megabytes:
            fault(f"{resident:.0f} MiB resident, over {given.megabytes:.0f}")
        if files > 400:
            fault(f"{files} open files")
        if now - told > 60:
            told = now
            print(f"{(now - begin) / 60:.0f} minutes: {resident:.0f} MiB, {files} files, {dict(counts)}", flush=True)
        if now - restarted > given.between_restarts:
            server.restart()
            restarted = time.monotonic()
    for thread in threads:
        thread.join()
    time.sleep(8)  # whatever is left on the server's side is over by then
    if not faults and server.files() > 60:
        fault(f"{server.files()} files open at the end")
    print(f"end: {server.resident():.0f} MiB, {server.files()} files, {dict(counts)}")
finally:
    server.process.terminate()
    server.process.wait()
sys.exit(1 if faults else 0)
