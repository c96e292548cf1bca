#!/usr/bin/env python3
"""How fast secrets are asked about: many findings over many hosts, on the loopback.

    python3 benches/verify.py [--straykey target/release/straykey] [--findings 1000] [--hosts 200]

Starts one server for all of 127.0.0.1 to 127.0.0.HOSTS (Linux gives a machine all of 127.0.0.0/8),
writes a detector file with a verifier for each host, and lifts the usual rates. Prints what the
server saw: requests, connections, and requests in a second. The server is Python on the same
machine, so the figure is a lower bound.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

DETECTOR = """
[[detector]]
id = "acme{n}-key"
name = "Acme {n} key"
description = "A key of a host."
keywords = ["acme{n}_live_"]
pattern = '\\b(?<secret>acme{n}_live_[0-9a-f]{{24}})\\b'
remediation = "Delete it."

[[verifier]]
id = "acme{n}-me"
detectors = ["acme{n}-key"]
class = "read"
hosts = ["api{n}.acme.example"]
endpoint = {{ name = "acme{n}", default = ["https://api{n}.acme.example"] }}
request = [{{ url = "${{endpoint}}/me", auth = {{ bearer = "${{secret}}" }}, live = [{{ status = [200], json = [{{ path = "id", op = "nonempty" }}] }}], dead = [{{ status = [401] }}] }}]
"""

BODY = b'{"id":"a1"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
    % (len(BODY), BODY)
)


class Server(asyncio.Protocol):
    connections = 0
    requests = 0

    def connection_made(self, transport):
        Server.connections += 1
        self.transport = transport
        self.seen = b""

    def data_received(self, data):
        self.seen += data
        while b"\r\n\r\n" in self.seen:
            _, _, self.seen = self.seen.partition(b"\r\n\r\n")
            Server.requests += 1
            self.transport.write(ANSWER)


def serve():
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(Server, "0.0.0.0", 0))
    port = server.sockets[0].getsockname()[1]
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return port


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--straykey", default="target/release/straykey")
    parser.add_argument("--findings", type=int, default=1000)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not 1 <= options.hosts <= 254:
        sys.exit("--hosts: 1 to 254")
    straykey = Path(options.straykey).resolve()
    port = serve()
    draw = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        head = '[provider]\nid = "acme"\nname = "Acme"\ncategory = "saas"\ndocs = "https://acme.example"\n'
        hosts = range(1, options.hosts + 1)
        detectors = folder / "acme.toml"
        detectors.write_text(head + "".join(DETECTOR.format(n=n) for n in hosts))
        tree = folder / "tree"
        tree.mkdir()
        lines = [
            f"acme{1 + n % options.hosts}_live_{draw.getrandbits(96):024x}"
            for n in range(options.findings)
        ]
        (tree / "keys.txt").write_text("\n".join(lines) + "\n")
        command = [straykey, "scan", tree, "--no-config", "--detectors", detectors, "-q"]
        command += ["--exit-zero", "-f", "json", "--min-confidence", "high"]
        asking = ["--verify", "--verify-rate", "1000000", "--verify-jobs", str(options.jobs)]
        asking += ["--verify-max-requests", str(2 * options.findings), "--allow-net", "127.0.0.0/8"]
        for n in hosts:
            asking += ["--endpoint", f"acme{n}=http://127.0.0.{n}:{port}"]
        times = {"scan": [], "scan --verify": []}
        for _ in range(options.rounds):
            for name, words in (("scan", command), ("scan --verify", command + asking)):
                Server.connections = Server.requests = 0
                start = time.monotonic()
                out = subprocess.run(words, check=True, capture_output=True)
                times[name].append(time.monotonic() - start)
        report = json.loads(out.stdout)
        live = sum(
            1
            for finding in report["findings"]
            if finding["liveness"]["outcome"] == "live" and finding["detector"].startswith("acme")
        )
        if live != options.findings or Server.requests != options.findings:
            sys.exit(f"{live} live, {Server.requests} requests: {options.findings} were expected")
        middle = {name: sorted(all)[len(all) // 2] for name, all in times.items()}
        took = middle["scan --verify"] - middle["scan"]
        print(f"{options.findings} findings over {options.hosts} hosts, {options.jobs} at a time")
        print(f"requests {Server.requests}, connections {Server.connections}")
        print(f"scan {middle['scan']:.3f} s, with --verify {middle['scan --verify']:.3f} s (medians)")
        print(f"{options.findings / took:.0f} verifications in a second")


if __name__ == "__main__":
    main()
