"""What the tests against real servers share: scratch space, servers, secrets, and what the binary says."""

import base64
import contextlib
import http.server
import json
import os
import secrets
import signal
import socket
import string
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

HOST = "127.0.0.1"
DIR = Path(tempfile.mkdtemp(prefix="straykey-live-"))
# What is installed stays for the next run, outside of the repository.
INSTALLED = Path(os.environ.get("STRAYKEY_LIVE") or Path(tempfile.gettempdir()) / "straykey-live-installed")
# All that the binary writes: looked through for secrets at the end.
OUT = DIR / "out"
OUT.mkdir()
BINARY = sys.argv[1] if len(sys.argv) > 1 else "straykey"

_secrets = []
_processes = []
_failed = []
_ports = set()
_lock = threading.Lock()


def secret(text=None, length=24):
    """A made-up secret, or `text` as one; nothing that is written may hold it."""
    letters = string.ascii_letters + string.digits
    text = text or "".join(secrets.choice(letters) for _ in range(length))
    _secrets.append(text)
    return text


def key(length):
    """That many random bytes in base64."""
    return secret(base64.b64encode(secrets.token_bytes(length)).decode())


def port():
    """A free port below those that systems give to whoever asks for any."""
    while True:
        number = 20_000 + secrets.randbelow(12_000)
        with contextlib.suppress(OSError), socket.socket() as it:
            it.bind((HOST, number))
            if number not in _ports:
                _ports.add(number)
                return number


def say(holds, what):
    with _lock:
        print(("ok   " if holds else "FAIL ") + what, flush=True)
        if not holds:
            _failed.append(what)


def skip(what):
    """Says that something is not tested; that is no success."""
    print("skip " + what, flush=True)


def run(*words, **more):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more).stdout


# --- what is needed -----------------------------------------------------------------------------


def apt(packages):
    """Installs Debian packages of which a file is missing: {package: file}."""
    missing = [name for name, file in packages.items() if not Path(file).exists()]
    if missing:
        lock = ["-o", "DPkg::Lock::Timeout=600"]
        more = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        # Servers are not to be started by their installation.
        policy = Path("/usr/sbin/policy-rc.d")
        made = not policy.exists()
        if made:
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
        try:
            run("apt-get", *lock, "update", "-qq", **more)
            run("apt-get", *lock, "install", "-y", "-qq", "--no-install-recommends", *missing, **more)
        finally:
            if made:
                policy.unlink()


def python(name, *requirements):
    """The folder with the programs of a virtual environment."""
    at = INSTALLED / name
    if not (at / "done").exists():
        run(sys.executable, "-m", "venv", "--clear", at)
        run(at / "bin" / "pip", "install", "-q", *requirements)
        (at / "done").touch()
    return at / "bin"


def node(name, dependencies, overrides=None):
    """The folder in which these packages of npm are installed."""
    at = INSTALLED / name
    if not (at / "done").exists():
        at.mkdir(parents=True, exist_ok=True)
        package = {"private": True, "dependencies": dependencies, "overrides": overrides or {}}
        (at / "package.json").write_text(json.dumps(package))
        run("npm", "install", "--no-audit", "--no-fund", "--silent", cwd=at)
        (at / "done").touch()
    return at


# --- servers ------------------------------------------------------------------------------------


def spawn(*words, at=None, seconds=60, **more):
    """Starts a server and waits until it listens at the port `at`."""
    log = open(DIR / f"server-{len(_processes)}-{Path(str(words[0])).name}.log", "wb")
    it = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                          start_new_session=True, **more)
    _processes.append(it)
    if at is not None:
        listens(at, seconds, it, log.name)
    return it


def listens(at, seconds=60, process=None, log=None):
    end = time.monotonic() + seconds
    while time.monotonic() < end and (process is None or process.poll() is None):
        with contextlib.suppress(OSError):
            socket.create_connection((HOST, at), 1).close()
            return
        time.sleep(0.1)
    told = Path(log).read_text(errors="replace")[-2000:] if log else ""
    raise SystemExit(f"FAIL nothing listens at port {at}\n{told}")


def stop(process):
    """Ends a server that `spawn` started, and what it started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


class Listener:
    """A socket that accepts and says nothing, and counts who came."""

    def __init__(self):
        self.socket = socket.create_server((HOST, 0))
        self.port = self.socket.getsockname()[1]
        self.came = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            with contextlib.suppress(OSError):
                self.came.append(self.socket.accept())


class Web:
    """An HTTP server of our own: `answer` gets the handler and the body, and returns status,
    headers and body."""

    def __init__(self, answer, context=None):
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def reply(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.asked.append((self.command, self.path, dict(self.headers), body))
                status, headers, text = answer(self, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode() if isinstance(text, str) else text)

            do_GET = do_POST = do_HEAD = reply

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        self.server = Server((HOST, 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


# --- what the binary says -----------------------------------------------------------------------

OPEN = ["--allow-net", "127.0.0.0/8"]


def call(words, text="", **more):
    """Runs the binary; all that it says is kept."""
    with _lock:
        name = f"{len(list(OUT.iterdir()))}"
        (OUT / name).touch()
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment.update(more)
    it = subprocess.run([BINARY, *map(str, words)], input=text.encode(), env=environment,
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    (OUT / name).write_bytes(it.stdout + it.stderr)
    return it


def liveness(it):
    """What a report says of its first finding: the outcome with the reason, and the identity."""
    try:
        said = json.loads(it.stdout)["findings"][0]["liveness"]
    except (ValueError, KeyError, IndexError):
        return f"nothing ({it.returncode}: {it.stderr.decode(errors='replace')[:300]})", {}
    reason = said.get("reason")
    return said["outcome"] + (f"({reason})" if reason else ""), said.get("identity") or {}


def ask(detector, text, *flags, timeout=8, environment=None, **parts):
    """What the binary says of a secret with these parts."""
    words = ["verify", "--detector", detector]
    for name, value in parts.items():
        words += ["--part", f"{name}={value}"]
    words += [*OPEN, "--verify-timeout", timeout, "--verify-rate", 50,
              "--verify-log", OUT / "log.jsonl", "--format", "json", *flags, "-"]
    return liveness(call(words, text, **(environment or {})))


def check(what, expected, detector, text, *flags, identity=None, **more):
    outcome, said = ask(detector, text, *flags, **more)
    wrong = {name: said.get(name) for name, value in (identity or {}).items() if said.get(name) != value}
    say(outcome == expected and not wrong, f"{what}: {outcome}" + (f", identity {wrong}" if wrong else ""))


def scan(what, expected, text, *flags):
    """The whole way: what a scan says of the first secret in a file with this text."""
    tree = Path(tempfile.mkdtemp(dir=DIR))
    (tree / "config").write_text(text)
    words = ["scan", tree, "--no-history", "--verify", *OPEN, "--verify-rate", 50,
             "--verify-log", OUT / "log.jsonl", "--format", "json", *flags]
    outcome, _ = liveness(call(words))
    say(outcome == expected, f"{what}, in a file: {outcome}")


def known(verifier):
    """Whether the binary has this verifier."""
    return verifier in call(["detectors", "verifiers"]).stdout.decode()


def hostile(what, detector, text, name, *flags, **parts):
    """What says nothing must be taken for nothing, whatever is asked about."""
    quiet, elsewhere = Listener(), Listener()
    page = Web(lambda *_: (200, {"content-type": "text/html"}, "<!doctype html><p>success</p>"))
    moved = Web(lambda *_: (307, {"location": f"http://{HOST}:{elsewhere.port}/"}, ""))
    busy = Web(lambda *_: (429, {"retry-after": "3600"}, ""))
    broken = Web(lambda *_: (500, {}, "{}"))
    at = lambda port: ["--endpoint", f"{name}=http://{HOST}:{port}", *flags]
    for case, server, outcome in [
        ("page", page, "unknown(html)"),
        ("redirect", moved, "unknown(redirect)"),
        ("429", busy, "unknown(rate-limited)"),
        ("500", broken, "unknown(provider-error)"),
    ]:
        check(f"{what}, {case}", outcome, detector, text, *at(server.port), **parts)
    check(f"{what}, nobody listens", "unknown(refused)", detector, text, *at(port()), **parts)
    check(f"{what}, no answer", "unknown(timeout)", detector, text, *at(quiet.port), timeout=1, **parts)
    say(not elsewhere.came and len(quiet.came) >= 1, f"{what}, nothing goes where a redirect leads")


def leaks():
    """Looks for every secret in everything that was written."""
    found = []
    for file in sorted(path for path in OUT.rglob("*") if path.is_file()):
        held = file.read_bytes()
        for text in _secrets:
            raw = text.encode()
            forms = {
                "raw": raw,
                "percent": urllib.parse.quote(text, safe="").encode(),
                "base64": base64.b64encode(raw).rstrip(b"="),
                "base64url": base64.urlsafe_b64encode(raw).rstrip(b"="),
                "hex": raw.hex().encode(),
                "json": json.dumps(text)[1:-1].encode(),
            }
            found += [f"{file.name} holds a secret, {form}" for form, it in forms.items() if it in held]
    say(not found, f"{len(list(OUT.rglob('*')))} outputs, logs and caches hold none of {len(_secrets)} secrets"
        + "".join(f"\n     {it}" for it in sorted(set(found))[:10]))


def finish():
    """Ends all servers; the exit code says whether all checks held."""
    leaks()
    for process in _processes:
        stop(process)
    subprocess.run(["rm", "-rf", str(DIR)], check=False)
    if _failed:
        print(f"{len(_failed)} checks failed")
    sys.exit(1 if _failed else 0)


def main(*tests):
    """Runs `tests` at once; whatever one of them raises is a failure."""
    def guarded(test):
        try:
            test()
        except SystemExit as error:
            say(False, f"{test.__name__}: {error}")
        except subprocess.CalledProcessError as error:
            say(False, f"{test.__name__}: {error} {error.stderr.decode(errors='replace')[-800:]}")
        except Exception as error:
            say(False, f"{test.__name__}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=guarded, args=(test,)) for test in tests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    finish()
