#!/usr/bin/env bash
# bench/serve_load.sh [PICTURE [SECONDS [CONNECTIONS [REQUESTS]]]]: what `spiga serve` answers under load (Debian's wrk, on this
# machine) against what `spiga analyze` does with the same picture and threads in the same run: throughput and ratio,
# latencies, resident memory; then the same while 200 slow and broken clients hang on, and cheap requests. REQUESTS
# asks for that many small pictures without a face, too, to watch the memory.
# SPIGA names the program, SERVE_OPTIONS what else to give to `spiga serve`.
set -euo pipefail
cd "$(dirname "$0")/.."
picture=${1:-samples/astronaut.jpg} seconds=${2:-20} connections=${3:-8} requests=${4:-0}
spiga=${SPIGA:-build/release/bin/spiga}
command -v wrk >/dev/null || { echo "wrk is not installed: apt-get install wrk" >&2; exit 1; }
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

# engine SECONDS: what `spiga analyze` does: pictures a second, and processor milliseconds of each; without its start.
engine() {
  python3 - "$spiga" "$picture" "$1" <<'END'
import os, subprocess, sys, threading, time
program, picture, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
run = subprocess.Popen([program, "analyze", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
def feed():
    try:
        while True:
            run.stdin.write((picture + "\n").encode() * 16)
            run.stdin.flush()
    except OSError:
        pass
threading.Thread(target=feed, daemon=True).start()
def spent():
    fields = open(f"/proc/{run.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
for _ in range(16):
    run.stdout.readline()
begin, before, count = time.monotonic(), spent(), 0
while time.monotonic() - begin < seconds:
    run.stdout.readline()
    count += 1
print(count / (time.monotonic() - begin), 1000 * (spent() - before) / count)
run.kill()
os._exit(0)
END
}
# Processor milliseconds of the server so far.
spent() { awk -v tick="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); print 1000 * ($12 + $13) / tick}' "/proc/$server/stat"; }
resident() { awk '/^VmRSS/ {printf "%.0f MiB", $2 / 1024}' "/proc/$server/status"; }
# load NAME SECONDS CONNECTIONS ARGUMENTS...: one line of what wrk says.
load() {
  local name=$1 time=$2 clients=$3; shift 3
  wrk -t1 -c"$clients" -d"${time}s" --timeout 30s --latency "$@" >"$work/wrk"
  rate=$(awk '/^Requests\/sec/ {print $2}' "$work/wrk") answers=$(awk '/requests in/ {print $1}' "$work/wrk")
  printf '%-26s %8.1f a second, 50 %% within %s, 99 %% within %s, %s answers, %s refused or lost, %s resident\n' "$name" "$rate" \
    "$(awk '$1 == "50%" {print $2}' "$work/wrk")" "$(awk '$1 == "99%" {print $2}' "$work/wrk")" \
    "$answers" \
    "$(awk '/Non-2xx/ {n += $NF} /Socket errors/ {gsub(",", ""); n += $4 + $6 + $8 + $10} END {print n + 0}' "$work/wrk")" "$(resident)"
}

cat >"$work/post.lua" <<END
local file = io.open("$picture", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["Content-Type"] = "application/octet-stream"
END
: >"$work/said"
# shellcheck disable=SC2086 # several words
"$spiga" serve --port 0 ${SERVE_OPTIONS-} >/dev/null 2>"$work/said" &
server=$!
until grep -q listening "$work/said"; do kill -0 $server && sleep 0.05; done
url=$(grep -o 'http://.*' "$work/said")
load "first requests" 2 "$connections" -s "$work/post.lua" "$url/v1/analyze"
# In turns, so that whatever else the machine does hits both.
for _ in 1 2 3 4; do
  engine $((seconds / 4)) >"$work/engine"
  before=$(spent)
  load "POST /v1/analyze" $((seconds / 4)) "$connections" -s "$work/post.lua" "$url/v1/analyze"
  echo "$rate $(awk "BEGIN {print ($(spent) - $before) / $answers}") $(cat "$work/engine")" | tee -a "$work/rounds" |
    awk '{printf "%-26s %8.1f a second, ratio %.2f; processor milliseconds of a picture: %.1f served, %.1f analyzed\n", \
      "spiga analyze", $3, $1 / $3, $2, $4}'
done
awk '{served += $1; cost += $2; engine += $3; least += $4} END {printf "%-26s %8.2f of the throughput, %.2f of the processor time\n", \
  "spiga serve takes", served / engine, cost / least}' "$work/rounds"

# Bodies that never end, half of which trickle; replaced as the server throws them out.
python3 - "$url" <<'END' &
import socket, sys, time
place = sys.argv[1].removeprefix("http://").split(":")
clients = [None] * 200
while True:
    for i, client in enumerate(clients):
        try:
            if client is None:
                clients[i] = client = socket.create_connection(place)
                client.send(b"POST /v1/analyze HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
            elif i % 2:
                client.send(b"x")
        except OSError:
            clients[i] = None
    time.sleep(0.2)
END
slow=$!
sleep 1
load "beside 200 slow clients" "$((seconds / 2))" "$connections" -s "$work/post.lua" "$url/v1/analyze"
kill $slow; wait $slow 2>/dev/null || true
load "GET /healthz" 5 "$connections" "$url/healthz"

cat >"$work/small.lua" <<END
wrk.method, wrk.body = "POST", "P6 64 64 255\n" .. string.rep("abc", 64 * 64)
END
for ((done = 0; done < requests; done += answers)); do
  load "small pictures, ${done}+" 15 "$connections" -s "$work/small.lua" "$url/v1/analyze"
done
