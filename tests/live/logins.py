#!/usr/bin/env python3
"""Verifiers of logins against real servers on the loopback: tests/live/logins.py BINARY

PostgreSQL, Redis, MariaDB, OpenLDAP, RabbitMQ, Dovecot, aiosmtpd and pyftpdlib are started in a
scratch directory; MySQL's caching_sha2_password and MongoDB, of which Debian has no server, are
asked of servers written here from their specifications. Every password is made up at run time, and
no output, log or cache may hold one. Prints `ok` or `FAIL` for each check.
"""

import asyncio
import base64
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import string
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

PACKAGES = {
    "redis-server": "/usr/bin/redis-server",
    "slapd": "/usr/sbin/slapd",
    "mariadb-server": "/usr/sbin/mariadbd",
    "dovecot-imapd": "/usr/lib/dovecot/imap",
    "rabbitmq-server": "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "postgresql": "/usr/bin/pg_config",
    "openssh-server": "/usr/sbin/sshd",
    "python3-pyftpdlib": "/usr/lib/python3/dist-packages/pyftpdlib",
    "python3-aiosmtpd": "/usr/lib/python3/dist-packages/aiosmtpd",
    "python3-openssl": "/usr/lib/python3/dist-packages/OpenSSL",
    "python3-cryptography": "/usr/lib/python3/dist-packages/cryptography",
}
HOST = "127.0.0.1"
SECRETS = []
FAILED = []
PROCESSES = []
LOCK = threading.Lock()
DIR = Path(tempfile.mkdtemp(prefix="straykey-logins-"))
OUT = DIR / "out"


def password():
    """A password that is escaped somewhere in every protocol."""
    letters = string.ascii_letters + string.digits
    text = "".join(secrets.choice(letters) for _ in range(14)) + "@7%=,\"\\x"
    SECRETS.append(text)
    return text


def plain_password():
    text = secrets.token_hex(12)
    SECRETS.append(text)
    return text


def port():
    with socket.socket() as it:
        it.bind((HOST, 0))
        return it.getsockname()[1]


def say(holds, what):
    with LOCK:
        print(("ok   " if holds else "FAIL ") + what, flush=True)
        if not holds:
            FAILED.append(what)


def spawn(words, **more):
    log = open(DIR / f"server-{len(PROCESSES)}.log", "wb")
    it = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                          start_new_session=True, **more)
    PROCESSES.append(it)
    return it


def stop(process):
    """Ends a server and what it started."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)
        except ProcessLookupError:
            pass


def listens(number, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection((HOST, number), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"FAIL nothing listens at port {number}")


def run(*words, **more):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more).stdout


def ask(scheme, number, user, secret, *flags, timeout=8, **parts):
    """What the binary says of a password: its outcome with the reason, and the identity."""
    detector = parts.pop("detector", "generic-password")
    words = [BINARY, "verify", "--detector", detector]
    parts = {"scheme": scheme, "host": HOST, "port": number, "user": user, **parts}
    for name, value in parts.items():
        if value is not None:
            words += ["--part", f"{name}={value}"]
    words += ["--verify-class", "login", "--verify-host", HOST, "--allow-net", "127.0.0.0/8",
              "--verify-timeout", str(timeout), "--verify-log", str(OUT / "log.jsonl"),
              "--format", "json", *flags, "-"]
    it = subprocess.run(words, input=secret.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with LOCK:
        (OUT / f"{len(list(OUT.iterdir()))}").write_bytes(it.stdout + it.stderr)
    try:
        said = json.loads(it.stdout)["findings"][0]["liveness"]
    except (ValueError, KeyError, IndexError):
        return f"nothing ({it.returncode}: {it.stderr.decode(errors='replace')[:300]})", {}
    reason = said.get("reason")
    return said["outcome"] + (f"({reason})" if reason else ""), said.get("identity") or {}


def check(what, expected, scheme, number, user, secret, *flags, identity=None, **parts):
    outcome, said = ask(scheme, number, user, secret, *flags, **parts)
    holds = outcome == expected
    for field, value in (identity or {}).items():
        holds &= said.get(field) == value
    say(holds, f"{what}: {outcome} {said or ''}" + ("" if holds else f", not {expected} {identity or ''}"))


def certificates():
    """An authority, a certificate for 127.0.0.1, and another authority that nobody knows."""
    openssl = lambda *words: run("openssl", *words, cwd=DIR)
    for name in ["ca", "stranger"]:
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")
        (DIR / "ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
                "-keyout", f"{name}-server.key", "-out", f"{name}-server.csr")
        openssl("x509", "-req", "-in", f"{name}-server.csr", "-CA", f"{name}.pem", "-CAkey", f"{name}.key",
                "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", f"{name}-server.pem")
    for path in DIR.glob("*.key"):
        path.chmod(0o644)
    both = (DIR / "ca-server.pem").read_bytes() + (DIR / "ca-server.key").read_bytes()
    (DIR / "both.pem").write_bytes(both)


CA = ["--ca-file", str(DIR / "ca.pem")]
INTROSPECT = ["--verify-class", "introspect"]
STRANGER = ["--ca-file", str(DIR / "stranger.pem")]


def stopped(what, scheme, number, user, secret):
    check(f"{what}, stopped", "unknown(refused)", scheme, number, user, secret)


# --- servers -------------------------------------------------------------------------------------


def postgres():
    bin_dir = Path(run("pg_config", "--bindir").decode().strip())
    data = DIR / "postgres"
    data.mkdir()
    shutil.chown(data, "postgres", "postgres")
    admin, number = plain_password(), port()
    (DIR / "pg.pw").write_text(admin)
    as_user = lambda *words, **more: run("runuser", "-u", "postgres", "--", *words, cwd="/", **more)
    as_user(str(bin_dir / "initdb"), "-A", "scram-sha-256", "-U", "boss", f"--pwfile={DIR / 'pg.pw'}",
            "-D", str(data), "--no-sync")
    for name in ["key", "pem"]:
        copy = data / f"server.{name}"
        shutil.copy(DIR / f"ca-server.{name}", copy)
        shutil.chown(copy, "postgres", "postgres")
        copy.chmod(0o600)
    (data / "pg_hba.conf").write_text(
        "host all open 127.0.0.1/32 trust\nhost all clear 127.0.0.1/32 password\n"
        "host all old 127.0.0.1/32 md5\nhostssl all tls 127.0.0.1/32 scram-sha-256\n"
        "host all barred 127.0.0.1/32 reject\n"
        "hostnossl all tls 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256\n")
    with open(data / "postgresql.conf", "a") as conf:
        conf.write(f"port={number}\nlisten_addresses='127.0.0.1'\nunix_socket_directories=''\nfsync=off\n"
                   "ssl=on\nssl_cert_file='server.pem'\nssl_key_file='server.key'\n")
    server = spawn(["runuser", "-u", "postgres", "--", str(bin_dir / "postgres"), "-D", str(data)], cwd="/")
    listens(number)
    users = {name: password() for name in ["app", "old", "clear", "gone", "tls", "late", "open", "barred"]}
    env = {**os.environ, "PGPASSWORD": admin}
    url = f"host={HOST} port={number} user=boss dbname=postgres"
    psql = lambda text: run("psql", "-X", "-q", url, "-v", "ON_ERROR_STOP=1", input=text.encode(), env=env)
    for _ in range(50):
        try:
            psql("SELECT 1")
            break
        except subprocess.CalledProcessError:
            time.sleep(0.2)
    quoted = lambda text: "'" + text.replace("'", "''") + "'"
    psql("".join(f"CREATE ROLE {name} LOGIN PASSWORD {quoted(pw)};\n" for name, pw in users.items() if name != "old")
         + f"SET password_encryption='md5'; CREATE ROLE old LOGIN PASSWORD {quoted(users['old'])};\n"
         "ALTER ROLE late VALID UNTIL '2001-01-01'; CREATE DATABASE closed; REVOKE ALL ON DATABASE closed FROM PUBLIC;")
    version = psql("SHOW server_version").decode().split("\n")[2].strip()
    what = f"PostgreSQL {version}"
    pg = lambda text, expected, user, secret, *flags, scheme="postgres", **more: check(
        f"{what}, {text}", expected, scheme, number, user, secret, *(flags or CA), **more)
    pg("administrator over TLS", "live", "boss", admin, *CA, identity={"user": "boss", "admin": "true"}, database="postgres")
    pg("user", "live", "app", users["app"], *CA, identity={"user": "app", "admin": "false"}, database="postgres")
    pg("user, unknown certificate on an opened network", "live", "app", users["app"], *STRANGER, database="postgres")
    pg("driver in the scheme", "live", "app", users["app"], scheme="postgresql+psycopg2")
    pg("no such database", "live", "app", users["app"], database="nowhere")
    pg("database that is closed to it", "live", "app", users["app"], database="closed")
    pg("md5", "live", "old", users["old"], database="postgres")
    pg("md5, wrong", "dead", "old", plain_password())
    pg("cleartext over TLS", "live", "clear", users["clear"], *CA, database="postgres")
    pg("cleartext, wrong", "dead", "clear", plain_password())
    pg("only TLS, known certificate", "live", "tls", users["tls"], *CA, database="postgres")
    pg("only TLS, unknown certificate", "unknown(tls)", "tls", users["tls"], *STRANGER)
    pg("wrong", "dead", "app", plain_password(), database="postgres")
    pg("unknown role", "dead", "nobody", plain_password())
    pg("expired password", "dead", "late", users["late"])
    pg("no password asked", "unknown(no-authentication)", "open", users["open"], database="postgres")
    pg("barred by its address", "unknown(unexpected-status)", "barred", users["barred"])
    pg("gone before", "live", "gone", users["gone"], database="postgres")
    psql("ALTER ROLE gone NOLOGIN")
    pg("NOLOGIN", "revoked-or-expired", "gone", users["gone"], database="postgres")
    psql("DROP ROLE gone")
    pg("dropped", "dead", "gone", users["gone"])
    scan("postgres", f"postgres://app:{escaped(users['app'])}@{HOST}:{number}/postgres?sslmode=disable", "live")
    scan("dsn", f"host={HOST} port={number} user=old password={users['old']} dbname=postgres", None)
    scan("jdbc", f"url=jdbc:postgresql://{HOST}:{number}/postgres?user=old&password={escaped(users['old'])}", "live")
    stop(server)
    stopped(what, "postgres", number, "app", users["app"])


def redis():
    number, tls, bare = port(), port(), port()
    main, alice, mute = password(), password(), password()
    folder = DIR / "redis"
    folder.mkdir()
    quoted = lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    conf = DIR / "redis.conf"
    conf.write_text(f"bind {HOST}\nport {number}\ntls-port {tls}\ntls-cert-file {DIR}/ca-server.pem\n"
                    f"tls-key-file {DIR}/ca-server.key\ntls-ca-cert-file {DIR}/ca.pem\ntls-auth-clients no\n"
                    f"requirepass {quoted(main)}\ndir {folder}\nsave ''\n")
    server = spawn(["redis-server", str(conf)])
    other = spawn(["redis-server", "--bind", HOST, "--port", str(bare), "--save", "", "--dir", str(folder)])
    listens(number)
    listens(bare)
    cli = lambda *words: run("redis-cli", "-h", HOST, "-p", str(number), *words, env={**os.environ, "REDISCLI_AUTH": main})
    cli("ACL", "SETUSER", "alice", "on", f">{alice}", "~*", "+@all")
    cli("ACL", "SETUSER", "mute", "on", f">{mute}", "~*", "-@all", "+get")
    info = cli("INFO", "server").decode()
    what = "Redis " + info.split("redis_version:")[1].split("\r")[0]
    r = lambda text, expected, user, secret, *flags, scheme="redis", at=number, **more: check(
        f"{what}, {text}", expected, scheme, at, user, secret, *flags, **more)
    r("password alone", "live", None, main, identity={"user": "default"})
    r("user", "live", "alice", alice, identity={"user": "alice"})
    r("user without a right to ask who it is", "live", "mute", mute, identity={"user": "mute"})
    r("TLS", "live", "alice", alice, *CA, scheme="rediss", at=tls, identity={"user": "alice"})
    r("TLS, unknown certificate", "unknown(tls)", "alice", alice, *STRANGER, scheme="rediss", at=tls)
    r("wrong", "dead", None, plain_password())
    r("user, wrong", "dead", "alice", plain_password())
    r("no password asked", "unknown(no-authentication)", None, plain_password(), at=bare)
    cli("ACL", "SETUSER", "alice", "off")
    r("user that is off", "dead", "alice", alice)
    cli("ACL", "DELUSER", "alice")
    r("user that is deleted", "dead", "alice", alice)
    scan("redis", f"REDIS_URL=redis://:{escaped(main)}@{HOST}:{number}/0", "live")
    stop(server)
    stop(other)
    stopped(what, "redis", number, None, main)


def mariadb():
    data, number, sock = DIR / "mariadb", port(), DIR / "maria.sock"
    run("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={data}", "--skip-test-db",
        "--auth-root-authentication-method=normal")
    server = spawn(["/usr/sbin/mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", f"--socket={sock}",
                    f"--port={number}", f"--bind-address={HOST}", f"--pid-file={DIR}/maria.pid",
                    f"--ssl-cert={DIR}/ca-server.pem", f"--ssl-key={DIR}/ca-server.key", f"--ssl-ca={DIR}/ca.pem",
                    "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M"])
    listens(number)
    sql = lambda text: run("mariadb", "--no-defaults", "-uroot", f"--socket={sock}", "-N", input=text.encode())
    app, locked, late, tls = password(), password(), password(), password()
    quoted = lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    sql(f"CREATE USER app@'127.0.0.1' IDENTIFIED BY {quoted(app)}; CREATE DATABASE shop; CREATE DATABASE closed;"
        f"GRANT SELECT ON shop.* TO app@'127.0.0.1'; CREATE USER locked@'%' IDENTIFIED BY {quoted(locked)} ACCOUNT LOCK;"
        f"CREATE USER late@'%' IDENTIFIED BY {quoted(late)} PASSWORD EXPIRE; CREATE USER bysocket@'%' IDENTIFIED VIA unix_socket;"
        f"CREATE USER tls@'%' IDENTIFIED BY {quoted(tls)} REQUIRE SSL; CREATE USER ed@'%' IDENTIFIED BY 'x';")
    what = "MariaDB " + sql("SELECT VERSION()").decode().split("-")[0].strip()
    m = lambda text, expected, user, secret, *flags, scheme="mysql", at=number, **more: check(
        f"{what}, {text}", expected, scheme, at, user, secret, *(flags or CA), **more)
    m("user over TLS", "live", "app", app, *CA, identity={"user": "app@127.0.0.1"}, database="shop")
    m("user, unknown certificate on an opened network", "live", "app", app, *STRANGER, database="shop")
    m("no database named", "live", "app", app, *CA, scheme="mariadb+pymysql")
    m("no such database", "live", "app", app, database="nowhere")
    m("database that is closed to it", "live", "app", app, database="closed")
    m("wrong", "dead", "app", plain_password(), database="shop")
    m("unknown user", "dead", "nobody", plain_password())
    m("locked account", "revoked-or-expired", "locked", locked)
    m("locked account, wrong", "dead", "locked", plain_password())
    m("expired password, to be changed", "live-restricted", "late", late)
    sql("SET GLOBAL disconnect_on_expired_password=ON")
    m("expired password", "revoked-or-expired", "late", late)
    m("only TLS", "live", "tls", tls, *CA)
    m("only TLS, unknown certificate", "unknown(tls)", "tls", tls, *STRANGER)
    m("user of the socket", "unknown(unexpected-status)", "bysocket", plain_password())
    scan("mysql", f"DATABASE_URL=mysql://app:{escaped(app)}@{HOST}:{number}/shop", "live")
    sql("DROP USER app@'127.0.0.1'")
    m("dropped", "dead", "app", app)
    stop(server)
    stopped(what, "mysql", number, "app", app)


def openldap():
    folder, number, tls = DIR / "ldap", port(), port()
    folder.mkdir()
    reader, admin = plain_password(), plain_password()
    conf = DIR / "slapd.conf"
    conf.write_text(f"include /etc/ldap/schema/core.schema\npidfile {DIR}/slapd.pid\nmodulepath /usr/lib/ldap\n"
                    f"moduleload back_mdb\nTLSCertificateFile {DIR}/ca-server.pem\nTLSCertificateKeyFile {DIR}/ca-server.key\n"
                    f"TLSCACertificateFile {DIR}/ca.pem\ndatabase mdb\nsuffix dc=acme\nrootdn cn=boss,dc=acme\n"
                    f"rootpw {admin}\ndirectory {folder}\n")
    server = spawn(["slapd", "-f", str(conf), "-h", f"ldap://{HOST}:{number} ldaps://{HOST}:{tls}", "-d", "0"])
    listens(number)
    bind = ["-x", "-H", f"ldap://{HOST}:{number}", "-D", "cn=boss,dc=acme", "-w", admin]
    run("ldapadd", *bind, input=(
        "dn: dc=acme\nobjectClass: dcObject\nobjectClass: organization\ndc: acme\no: acme\n\n"
        f"dn: cn=reader,dc=acme\nobjectClass: person\ncn: reader\nsn: reader\nuserPassword: {reader}\n").encode())
    version = subprocess.run(["slapd", "-VV"], stderr=subprocess.PIPE, stdout=subprocess.PIPE).stderr.decode()
    what = "OpenLDAP " + version.split("slapd ")[1].split(" ")[0]
    dn = "cn=reader,dc=acme"
    l = lambda text, expected, user, secret, *flags, scheme="ldap", at=number, **more: check(
        f"{what}, {text}", expected, scheme, at, user, secret, *flags, **more)
    l("StartTLS", "live", dn, reader, *CA, identity={"user": dn})
    l("StartTLS, unknown certificate on an opened network", "live", dn, reader, *STRANGER, identity={"user": dn})
    l("ldaps", "live", dn, reader, *CA, scheme="ldaps", at=tls, identity={"user": dn})
    l("ldaps, unknown certificate", "unknown(tls)", dn, reader, *STRANGER, scheme="ldaps", at=tls)
    l("administrator", "live", "cn=boss,dc=acme", admin, *CA)
    l("wrong", "dead", dn, plain_password())
    l("unknown name", "dead", "cn=nobody,dc=acme", plain_password())
    l("no name", "unknown(unexpected-status)", "not a name", plain_password())
    run("ldapdelete", *bind, dn)
    l("deleted", "dead", dn, reader)
    stop(server)
    stopped(what, "ldap", number, dn, reader)


def rabbitmq():
    folder = DIR / "rabbit"
    folder.mkdir()
    number, tls, dist, epmd = port(), port(), port(), port()
    app, gone = password(), password()
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = {HOST}:{number}\nlisteners.ssl.1 = {HOST}:{tls}\nssl_options.cacertfile = {DIR}/ca.pem\n"
        f"ssl_options.certfile = {DIR}/ca-server.pem\nssl_options.keyfile = {DIR}/ca-server.key\n"
        f"ssl_options.verify = verify_none\nload_definitions = {folder}/definitions.json\n")
    salt = secrets.token_bytes(4)
    import hashlib
    hashed = lambda text: base64.b64encode(salt + hashlib.sha256(salt + text.encode()).digest()).decode()
    users = [{"name": name, "password_hash": hashed(text), "hashing_algorithm": "rabbit_password_hashing_sha256",
              "tags": ""} for name, text in [("app", app), ("gone", gone)]]
    (folder / "definitions.json").write_text(json.dumps({
        "rabbit_version": "3.10.8", "users": users, "vhosts": [{"name": "/"}], "permissions": [
            {"user": "app", "vhost": "/", "configure": "", "write": "", "read": ""}]}))
    (folder / "plugins").write_text("[].\n")
    env = {**os.environ, "HOME": str(folder), "RABBITMQ_NODENAME": "live@localhost", "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
           "RABBITMQ_MNESIA_BASE": str(folder / "db"), "RABBITMQ_LOG_BASE": str(folder / "log"),
           "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"), "RABBITMQ_DIST_PORT": str(dist),
           "RABBITMQ_PID_FILE": str(folder / "pid"), "ERL_EPMD_PORT": str(epmd), "ERL_EPMD_ADDRESS": HOST,
           "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"}
    server = spawn(["/usr/lib/rabbitmq/bin/rabbitmq-server"], env=env)
    listens(number, 90)
    listens(tls, 90)
    what = "RabbitMQ " + run("dpkg-query", "-W", "-f", "${Version}", "rabbitmq-server").decode().split("-")[0]
    q = lambda text, expected, user, secret, *flags, scheme="amqp", at=number, **more: check(
        f"{what}, {text}", expected, scheme, at, user, secret, *flags, **more)
    q("user", "live", "app", app, identity={"user": "app"})
    q("TLS", "live", "app", app, *CA, scheme="amqps", at=tls)
    q("TLS, unknown certificate", "unknown(tls)", "app", app, *STRANGER, scheme="amqps", at=tls)
    q("wrong", "dead", "app", plain_password())
    q("guest, wrong", "unknown(unexpected-status)", "guest", plain_password())
    q("gone before", "live", "gone", gone)
    run("/usr/lib/rabbitmq/bin/rabbitmqctl", "-n", "live@localhost", "delete_user", "gone", env=env)
    q("deleted", "dead", "gone", gone)
    scan("amqp", f"AMQP_URL=amqp://app:{escaped(app)}@{HOST}:{number}/%2F", "live")
    stop(server)
    stopped(what, "amqp", number, "app", app)
    subprocess.run(["epmd", "-port", str(epmd), "-kill"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def dovecot():
    folder, number, tls = DIR / "dovecot", port(), port()
    folder.mkdir()
    alice, gone = password(), password()
    users = folder / "users"
    entry = lambda name, text: f"{name}:{{PLAIN.b64}}{base64.b64encode(text.encode()).decode()}:nobody:nogroup::{folder}/home::\n"
    users.write_text(entry("alice@acme.example", alice) + entry("gone", gone))
    users.chmod(0o644)
    DIR.chmod(0o755)
    (folder / "dovecot.conf").write_text(f"""
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = {HOST}
ssl = yes
ssl_cert = <{DIR}/ca-server.pem
ssl_key = <{DIR}/ca-server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:{folder}/mail
first_valid_uid = 1
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = {users}
}}
userdb {{
  driver = passwd-file
  args = {users}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {number}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
""")
    server = spawn(["/usr/sbin/dovecot", "-F", "-c", str(folder / "dovecot.conf")])
    listens(number)
    what = "Dovecot " + run("/usr/sbin/dovecot", "--version").decode().split(" ")[0]
    d = lambda text, expected, user, secret, *flags, scheme="imap", at=number, **more: check(
        f"{what}, {text}", expected, scheme, at, user, secret, *flags, **more)
    d("STARTTLS", "live", "alice@acme.example", alice, *CA, identity={"user": "alice@acme.example"})
    d("STARTTLS, unknown certificate on an opened network", "live", "alice@acme.example", alice, *STRANGER)
    d("imaps", "live", "alice@acme.example", alice, *CA, scheme="imaps", at=tls)
    d("imaps, unknown certificate", "unknown(tls)", "alice@acme.example", alice, *STRANGER, scheme="imaps", at=tls)
    d("wrong", "dead", "alice@acme.example", plain_password(), *CA)
    d("a password with letters of other alphabets, wrong", "dead", "alice@acme.example", "пароль" + plain_password(), *CA)
    d("gone before", "live", "gone", gone, *CA)
    users.write_text(entry("alice@acme.example", alice))
    time.sleep(1.2)  # seen by its time
    os.utime(users)
    d("deleted", "dead", "gone", gone, *CA)
    scan("imap", f"url: imap://alice%40acme.example:{escaped(alice)}@{HOST}:{number}", "live")
    stop(server)
    stopped(what, "imap", number, "alice@acme.example", alice)


def aiosmtpd():
    import logging
    import warnings
    import aiosmtpd
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, SMTP
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DIR / "ca-server.pem", DIR / "ca-server.key")
    robot = password()
    known = {"robot@acme.example": robot}

    def authenticate(server, session, envelope, mechanism, data):
        right = known.get(data.login.decode(errors="replace")) == data.password.decode(errors="replace")
        return AuthResult(success=right, handled=False) if not right else AuthResult(success=True)

    class Server(Controller):
        def __init__(self, implicit, **more):
            self.more = more
            super().__init__(None, hostname=HOST, port=port(), ssl_context=context if implicit else None,
                             ready_timeout=20)
            self.loop.set_exception_handler(lambda *_: None)

        def factory(self):
            logging.disable()
            return SMTP(object(), authenticator=authenticate, hostname="mail.acme.example", **self.more)

        def _trigger_server(self):
            listens(self.port, 10)

    start = Server(False, tls_context=context, require_starttls=False, auth_require_tls=True)
    plain = Server(False, auth_require_tls=False, auth_exclude_mechanism=["PLAIN"])
    implicit = Server(True, auth_require_tls=False)
    mute = Server(False, auth_require_tls=True)
    servers = [start, plain, implicit, mute]
    for server in servers:
        server.start()
    what = f"aiosmtpd {aiosmtpd.__version__}"
    s = lambda text, expected, user, secret, *flags, scheme="smtp", at=start.port, **more: check(
        f"{what}, {text}", expected, scheme, at, user, secret, *flags, **more)
    user = "robot@acme.example"
    s("STARTTLS, PLAIN", "live", user, robot, *CA, identity={"user": user})
    s("STARTTLS, unknown certificate, no login without", "unknown(tls)", user, robot, *STRANGER)
    s("LOGIN on an opened network", "live", user, robot, at=plain.port)
    s("smtps", "live", user, robot, *CA, scheme="smtps", at=implicit.port)
    s("no login offered", "unknown(no-authentication)", user, robot, at=mute.port)
    s("wrong", "dead", user, plain_password(), *CA)
    s("LOGIN, wrong", "dead", user, plain_password(), at=plain.port)
    scan("smtp", f"MAILER_DSN=smtp://robot%40acme.example:{escaped(robot)}@{HOST}:{plain.port}", "live")
    del known[user]
    s("deleted", "dead", user, robot, *CA)
    for server in servers:
        server.stop()
    stopped(what, "smtp", start.port, user, robot)


def pyftpdlib():
    import logging
    import pyftpdlib
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer
    logging.disable()
    home = DIR / "ftp"
    home.mkdir()
    deploy = password()
    authorizer = DummyAuthorizer()
    authorizer.add_user("deploy", deploy, str(home))
    authorizer.add_anonymous(str(home))

    class Encrypted(TLS_FTPHandler):
        certfile = str(DIR / "both.pem")
        tls_control_required = True

    class Implicit(TLS_FTPHandler):
        certfile = str(DIR / "both.pem")

        def handle(self):
            self.secure_connection(self.ssl_context)

        def handle_ssl_established(self):
            TLS_FTPHandler.handle(self)

    loop = IOLoop()
    ports = []
    for base in [FTPHandler, Encrypted, Implicit]:
        handler = type("Handler", (base,), {"authorizer": authorizer, "auth_failed_timeout": 0})
        server = FTPServer((HOST, 0), handler, ioloop=loop)
        ports.append(server.socket.getsockname()[1])
    ends = threading.Event()

    def serve():
        while not ends.is_set():
            loop.loop(timeout=0.1, blocking=False)
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    plain, explicit, implicit = ports
    what = f"pyftpdlib {pyftpdlib.__ver__}"
    f = lambda text, expected, user, secret, *flags, scheme="ftp", at=plain, **more: check(
        f"{what}, {text}", expected, scheme, at, user, secret, *flags, **more)
    f("user on an opened network", "live", "deploy", deploy, identity={"user": "deploy"})
    f("AUTH TLS", "live", "deploy", deploy, *CA, at=explicit)
    f("AUTH TLS, unknown certificate, no login without", "unknown(tls)", "deploy", deploy, *STRANGER, at=explicit)
    f("ftpes", "live", "deploy", deploy, *CA, scheme="ftpes", at=explicit)
    f("ftps", "live", "deploy", deploy, *CA, scheme="ftps", at=implicit)
    f("wrong", "dead", "deploy", plain_password())
    f("anonymous", "unknown(no-authentication)", "anonymous", plain_password())
    scan("ftp", f"wget ftp://deploy:{escaped(deploy)}@{HOST}:{plain}/x.zip", "live")
    authorizer.remove_user("deploy")
    f("deleted", "dead", "deploy", deploy)
    ends.set()
    thread.join()
    stopped(what, "ftp", plain, "deploy", deploy)


def openssh():
    folder, number = DIR / "ssh", port()
    folder.mkdir()
    folder.chmod(0o755)
    Path("/run/sshd").mkdir(exist_ok=True)
    keygen = lambda name, *words: run("ssh-keygen", "-q", "-f", str(folder / name), *words)
    kinds = {"ed25519": ["-t", "ed25519"], "rsa": ["-t", "rsa", "-b", "2048"], "ecdsa": ["-t", "ecdsa"],
             "pem": ["-t", "rsa", "-b", "2048", "-m", "PEM"], "pkcs8": ["-t", "ecdsa", "-m", "PKCS8"]}
    for name, words in kinds.items():
        keygen(name, *words, "-N", "")
    passphrase = plain_password()
    keygen("locked", "-t", "ed25519", "-N", passphrase)
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", str(folder / "openssl"))
    (folder / "authorized").write_text("".join((folder / f"{name}.pub").read_text() for name in [*kinds, "locked"]))
    hosts = {"host-ed25519": ["-t", "ed25519"], "host-rsa": ["-t", "rsa", "-b", "2048"], "host-ecdsa": ["-t", "ecdsa"]}
    version = subprocess.run(["sshd", "-V"], stderr=subprocess.PIPE).stderr.decode()
    what = next((word for word in version.replace(",", " ").split() if word.startswith("OpenSSH_")), "OpenSSH")
    for name, words in hosts.items():
        keygen(name, *words, "-N", "")
        conf = folder / f"{name}.conf"
        conf.write_text(f"Port {number}\nListenAddress {HOST}\nHostKey {folder}/{name}\nPidFile {folder}/pid\n"
                        f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n")
        server = spawn(["/usr/sbin/sshd", "-D", "-e", "-f", str(conf)])
        listens(number)
        s = lambda text, expected, key, detector="private-key-openssh", user="root", **more: check(
            f"{what} with {name}, {text}", expected, None, number, user, (folder / key).read_text(), *INTROSPECT,
            detector=detector, **more)
        printed = run("ssh-keygen", "-l", "-f", str(folder / "ed25519.pub")).decode().split()[1]
        s("Ed25519", "live", "ed25519", identity={"user": "root", "name": printed})
        if name == "host-ed25519":
            for key in ["rsa", "ecdsa"]:
                s(key, "live", key)
            for key in ["pem", "pkcs8"]:
                s(f"{key} without OpenSSH's armour", "live", key, detector="private-key")
            s("locked by a passphrase", "live-restricted", "locked")
            s("another key, of openssl", "dead", "openssl", detector="private-key")
            s("nobody named", "unknown(unexpected-status)", "ed25519", user=None)
            (folder / "authorized").write_text((folder / "rsa.pub").read_text())
            s("removed", "dead", "ed25519")
            (folder / "authorized").write_text((folder / "ed25519.pub").read_text())
        stop(server)
    check(f"{what}, stopped", "unknown(refused)", None, number, "root", (folder / "ed25519").read_text(), *INTROSPECT,
          detector="private-key-openssh")
    mute, loud = Listener(lambda one: time.sleep(20)), Listener(lambda one: one.sendall(secrets.token_bytes(1 << 18)))
    key = (folder / "ed25519").read_text()
    check("silent ssh", "unknown(timeout)", None, mute.port, "root", key, *INTROSPECT, detector="private-key-openssh", timeout=1)
    check("noisy ssh", "unknown(protocol)", None, loud.port, "root", key, *INTROSPECT, detector="private-key-openssh")
    for key in [*kinds, "locked", "openssl"]:
        SECRETS.append(max((folder / key).read_text().split(), key=len))


# --- servers that are written here ------------------------------------------------------------------


class Listener:
    """Answers each connection with `serve(socket)`."""

    def __init__(self, serve):
        self.socket = socket.create_server((HOST, 0))
        self.port = self.socket.getsockname()[1]
        self.serve = serve
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(one,), daemon=True).start()

    def one(self, one):
        with one:
            try:
                self.serve(one)
            except (OSError, ValueError, IndexError):
                pass

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def exactly(one, count):
    data = b""
    while len(data) < count:
        more = one.recv(count - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


def mysql_8():
    """caching_sha2_password as the manual of MySQL describes it, the password unknown to the cache."""
    import hashlib
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    known, cached = password(), {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DIR / "ca-server.pem", DIR / "ca-server.key")
    seen = []

    def server(tls):
        def serve(one):
            nonce = secrets.token_bytes(20).replace(b"\0", b"\1")
            number = [0]

            def send(body):
                one.sendall(len(body).to_bytes(3, "little") + bytes([number[0]]) + body)
                number[0] += 1

            def receive():
                head = exactly(one, 4)
                number[0] = head[3] + 1
                return exactly(one, int.from_bytes(head[:3], "little"))

            flags = 0x000fa209 | (0x800 if tls else 0)
            send(b"\x0a8.4.0\0" + (7).to_bytes(4, "little") + nonce[:8] + b"\0" + flags.to_bytes(4, "little")[:2]
                 + b"\x21\x02\0" + flags.to_bytes(4, "little")[2:] + b"\x15" + bytes(10) + nonce[8:] + b"\0caching_sha2_password\0")
            body = receive()
            if tls and len(body) == 32:
                one = context.wrap_socket(one, server_side=True)
                body = receive()
            user, rest = body[32:].split(b"\0", 1)
            proof = rest[1:1 + rest[0]]
            once = hashlib.sha256(known.encode()).digest()
            twice = hashlib.sha256(hashlib.sha256(once).digest() + nonce).digest()
            right = bytes(a ^ b for a, b in zip(once, twice)) == proof
            seen.append(len(proof))
            if user in cached and right:
                send(b"\1\3")
            else:
                send(b"\1\4")
                said = receive()
                if isinstance(one, ssl.SSLSocket):
                    told = said.rstrip(b"\0")
                else:
                    assert said == b"\2"
                    send(b"\1" + pem)
                    sealed = key.decrypt(receive(), padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
                    told = bytes(a ^ nonce[i % 20] for i, a in enumerate(sealed)).rstrip(b"\0")
                right = told == known.encode() and user == b"app"
            if not right:
                send(b"\xff\x15\x04#28000Access denied")
                return
            cached[user] = True
            send(b"\0\0\0\2\0\0\0")
            if receive()[1:] == b"SELECT CURRENT_USER()":
                for body in [b"\1", b"\3def", b"\xfe\0\0\2\0", b"\5app@%", b"\xfe\0\0\2\0"]:
                    send(body)
        return Listener(serve)

    plain, tls = server(False), server(True)
    what = "own server for caching_sha2_password"
    check(f"{what}, under its public key", "live", "mysql", plain.port, "app", known, identity={"user": "app@%"})
    check(f"{what}, remembered", "live", "mysql", plain.port, "app", known)
    check(f"{what}, TLS", "live", "mysql", tls.port, "app", known, *CA)
    check(f"{what}, wrong", "dead", "mysql", plain.port, "app", plain_password())
    check(f"{what}, TLS, wrong", "dead", "mysql", tls.port, "app", plain_password(), *CA)
    plain.close()
    tls.close()


def mongodb():
    """SCRAM of MongoDB's driver specification, with hashlib."""
    import hashlib
    import hmac
    import struct

    def text(value):
        return struct.pack("<i", len(value.encode()) + 1) + value.encode() + b"\0"

    def write(document):
        body = b""
        for name, value in document.items():
            key = name.encode() + b"\0"
            if isinstance(value, bool):
                body += b"\x08" + key + bytes([value])
            elif isinstance(value, float):
                body += b"\x01" + key + struct.pack("<d", value)
            elif isinstance(value, int):
                body += b"\x10" + key + struct.pack("<i", value)
            elif isinstance(value, str):
                body += b"\x02" + key + text(value)
            elif isinstance(value, bytes):
                body += b"\x05" + key + struct.pack("<i", len(value)) + b"\0" + value
            elif isinstance(value, list):
                body += b"\x04" + key + write({str(i): it for i, it in enumerate(value)})
            else:
                body += b"\x03" + key + write(value)
        return struct.pack("<i", len(body) + 5) + body + b"\0"

    def read(data):
        at, document = 4, {}
        while data[at]:
            kind, end = data[at], data.index(b"\0", at + 1)
            name, at = data[at + 1:end].decode(), end + 1
            size = struct.unpack_from("<i", data, at)[0]
            if kind == 2:
                document[name], at = data[at + 4:at + 3 + size].decode(), at + 4 + size
            elif kind == 5:
                document[name], at = data[at + 5:at + 5 + size], at + 5 + size
            else:
                document[name], at = size, at + 4
        return document

    known = password()

    def server(mechanism, sources=("admin",), roles=(), liar=False):
        sha = "sha256" if mechanism == "SCRAM-SHA-256" else "sha1"

        def serve(one):
            state = {}
            while True:
                head = exactly(one, 16)
                length, number = struct.unpack_from("<ii", head)
                asked = read(exactly(one, length - 16)[5:])
                command = next(iter(asked))
                answer = {"ok": 1.0}
                if command == "hello":
                    answer["saslSupportedMechs"] = [mechanism]
                elif command == "saslStart":
                    bare = asked["payload"].decode()[3:]
                    user = bare.split(",")[0][2:]
                    nonce = bare.split("r=")[1] + secrets.token_hex(8)
                    salt = secrets.token_bytes(16)
                    first = f"r={nonce},s={base64.b64encode(salt).decode()},i=5000"
                    state = {"bare": bare, "first": first, "salt": salt, "nonce": nonce,
                             "good": user == "app" and asked["$db"] in sources and asked["mechanism"] == mechanism}
                    answer.update(conversationId=7, done=False, payload=first.encode())
                elif command == "saslContinue" and asked["payload"]:
                    word = known if sha == "sha256" else hashlib.md5(f"app:mongo:{known}".encode()).hexdigest()
                    salted = hashlib.pbkdf2_hmac(sha, word.encode(), state["salt"], 5000)
                    mac = lambda key, data: hmac.new(key, data, sha).digest()
                    client = mac(salted, b"Client Key")
                    last, proof = asked["payload"].decode().split(",p=")
                    signed = f"{state['bare']},{state['first']},{last}".encode()
                    signature = mac(hashlib.new(sha, client).digest(), signed)
                    right = bytes(a ^ b for a, b in zip(client, signature)) == base64.b64decode(proof)
                    if right and state["good"] or liar:
                        server_key = mac(salted, b"Server Key") if not liar else b"x" * 20
                        verifier = base64.b64encode(mac(server_key, signed)).decode()
                        answer.update(conversationId=7, done=False, payload=f"v={verifier}".encode())
                    else:
                        answer = {"ok": 0.0, "code": 18, "errmsg": "Authentication failed."}
                elif command == "saslContinue":
                    answer.update(conversationId=7, done=True, payload=b"")
                elif command == "connectionStatus":
                    listed = [{"role": role, "db": db} for role, db in roles]
                    answer["authInfo"] = {"authenticatedUserRoles": listed}
                body = b"\0\0\0\0\0" + write(answer)
                one.sendall(struct.pack("<iiii", 16 + len(body), 1, number, 2013) + body)
        return Listener(serve)

    new = server("SCRAM-SHA-256", roles=[("root", "admin")])
    old = server("SCRAM-SHA-1", sources=["shop"], roles=[("read", "shop")])
    liar = server("SCRAM-SHA-256", liar=True)
    what = "own server for MongoDB"
    m = lambda text, expected, at, secret, *flags, scheme="mongodb", **more: check(
        f"{what}, {text}", expected, scheme, at, "app", secret, *flags, **more)
    m("SCRAM-SHA-256", "live", new.port, known, identity={"user": "app", "admin": "true", "scopes": "root@admin"})
    m("SCRAM-SHA-1, database of the address", "live", old.port, known, database="shop", identity={"admin": "false"})
    m("SCRAM-SHA-1, authSource", "live", old.port, known, database="other", auth_source="shop")
    m("SCRAM-SHA-1, another database", "dead", old.port, known, database="other")
    m("wrong", "dead", new.port, plain_password())
    m("a server that does not know the password", "unknown(protocol)", liar.port, known)
    m("a name under which hosts are listed", "skipped(no-endpoint)", new.port, known, scheme="mongodb+srv")
    for it in [new, old, liar]:
        it.close()
    stopped(what, "mongodb", new.port, "app", known)


def silent():
    """A server that accepts and says nothing, one that talks without end, and one that hangs up."""
    schemes = ["postgres", "mysql", "redis", "mongodb", "amqp", "ldap", "smtp", "imap", "ftp",
               "rediss", "amqps", "ldaps", "smtps", "imaps", "ftps"]
    mute = Listener(lambda one: time.sleep(20))

    def noise(one):
        for _ in range(100):
            one.sendall(secrets.token_bytes(1 << 16))

    loud = Listener(noise)
    gone = Listener(lambda one: one.close())
    html = Listener(lambda one: one.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/html\r\n\r\n<html>live</html>\r\n" * 3))
    with ThreadPoolExecutor(6) as pool:
        for scheme in schemes:
            secret = plain_password()
            pool.submit(check, f"silent {scheme}", "unknown(timeout)", scheme, mute.port, "app", secret, timeout=1)
            for name, it in [("noisy", loud), ("closed", gone), ("HTTP", html)]:
                pool.submit(no_verdict, f"{name} {scheme}", scheme, it.port, secret)


def no_verdict(what, scheme, number, secret):
    outcome, _ = ask(scheme, number, "app", secret, timeout=3)
    say(outcome.startswith("unknown("), f"{what}: {outcome}")


# --- scans ------------------------------------------------------------------------------------------


def escaped(text):
    return urllib.parse.quote(text, safe="")


def scan(name, line, expected):
    """The same through a scan: the parts are found in the text. A line without an expectation holds
    a value that no scan takes apart, and must not leak either."""
    folder = DIR / "scans" / name
    folder.mkdir(parents=True)
    (folder / "settings.env").write_text(line + "\n")
    words = [BINARY, "scan", str(folder), "--verify", "--verify-class", "login", "--verify-host", HOST,
             "--allow-net", "127.0.0.0/8", "--verify-cache", str(OUT / "cache"), "--verify-log", str(OUT / "log.jsonl"),
             *CA, "--format", "json"]
    it = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with LOCK:
        (OUT / f"scan-{name}").write_bytes(it.stdout + it.stderr)
    try:
        outcomes = [(finding.get("liveness") or {}).get("outcome") for finding in json.loads(it.stdout)["findings"]]
    except (ValueError, KeyError):
        outcomes = it.stderr.decode(errors="replace")[:300]
    if expected:
        say(expected in outcomes, f"scan of {name}: {outcomes}")


def leaks():
    forms = {}
    for secret in SECRETS:
        raw = secret.encode()
        forms[secret] = {raw, escaped(secret).encode(), base64.b64encode(raw).rstrip(b"="), raw.hex().encode(),
                         json.dumps(secret)[1:-1].encode()}
    found = []
    for path in OUT.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found += [path.name for all in forms.values() for form in all if form in data]
    count = sum(1 for path in OUT.rglob("*") if path.is_file())
    say(not found, f"no output, log or cache of {count} holds one of {len(SECRETS)} passwords {sorted(set(found))[:5]}")


ALL = [rabbitmq, mariadb, postgres, openssh, redis, openldap, dovecot, aiosmtpd, pyftpdlib, mysql_8, mongodb, silent]


def guarded(one):
    try:
        one()
    except BaseException as error:  # one server's trouble is one line
        more = getattr(error, "stderr", b"") or b""
        say(False, f"{one.__name__}: {error!r} {more.decode(errors='replace')[-500:]}")


def main():
    missing = [name for name, path in PACKAGES.items() if not Path(path).exists()]
    if missing:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], stdout=subprocess.DEVNULL, env=env)
        subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", *missing, "ldap-utils"],
                       check=True, stdout=subprocess.DEVNULL, env=env)
    OUT.mkdir()
    DIR.chmod(0o755)
    only = sys.argv[2:]
    try:
        certificates()
        with ThreadPoolExecutor(4) as pool:
            for one in ALL:
                if not only or one.__name__ in only:
                    pool.submit(guarded, one)
        leaks()
    finally:
        for process in PROCESSES:
            stop(process)
        if os.environ.get("KEEP"):
            print(DIR)
        else:
            shutil.rmtree(DIR, ignore_errors=True)
    print(f"{len(FAILED)} failed")
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    # The packages are those of the system's interpreter.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    BINARY = str(Path(sys.argv[1]).resolve())
    main()
