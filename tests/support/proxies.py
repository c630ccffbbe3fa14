"""nginx and Caddy with the very files that the repository hands out, on ports of this machine.

Only what a test must choose is put in: ports, names, and where the certificate lies.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from support.certificates import Pair
from support.lacking import lack
from support.programs import running
from support.waiting import wait_until

__all__ = ["FOLDER", "caddy", "caddy_text", "nginx", "nginx_text"]

FOLDER: Final = Path(__file__).resolve().parents[2] / "dashboard" / "operate"
WITHIN_S: Final = 20.0


def nginx_text(file: str, *, name: str, ports: Mapping[int, int], pair: Pair) -> str:
    """Return a site of ours for this machine; `ports` are put in place of those in it."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"listen (\d+)", lambda m: f"listen 127.0.0.1:{ports[int(m[1])]}", text)
    text = text.replace("127.0.0.1:7070", f"127.0.0.1:{ports[7070]}")
    text = re.sub(r"(board|tools)\.example(?=[;$])", name, text)
    text = re.sub(r"(ssl_certificate +)\S+;", rf"\g<1>{pair.cert};", text)
    return re.sub(r"(ssl_certificate_key +)\S+;", rf"\g<1>{pair.key};", text)


@contextmanager
def nginx(site: str, folder: Path) -> Iterator[None]:
    """Run nginx with this site while the block runs."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        lack("no nginx on PATH")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{places}{site}}}\n",
        encoding="utf-8",
    )
    # As who installs the site does it first.
    subprocess.run([program, "-t", "-q", "-c", config], check=True, capture_output=True)
    with running([program, "-c", config], folder / "nginx.log") as served:
        wait_until((folder / "pid").exists, WITHIN_S, "nginx has started")
        assert served.process.poll() is None, served.output()
        yield
    errors = (folder / "error.log").read_text()
    assert not re.search(r"\[(emerg|alert|crit)\]", errors), errors


def caddy_text(names: Mapping[str, str], ports: Mapping[int, int], pair: Pair) -> str:
    """Return our Caddyfile for this machine: other names and ports, a certificate of our own."""
    text = (FOLDER / "Caddyfile").read_text(encoding="utf-8")
    for own, other in names.items():
        text = text.replace(
            f"\n{own} {{", f"\nhttps://{other} {{\n\tbind 127.0.0.1\n\ttls {pair.cert} {pair.key}"
        )
    for own_port, port in ports.items():
        text = text.replace(f"127.0.0.1:{own_port}", f"127.0.0.1:{port}")
    # No certificates of an authority of its own, no port of its own.
    return "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n" + text


@contextmanager
def caddy(text: str, folder: Path) -> Iterator[None]:
    """Run Caddy with this file while the block runs."""
    program = shutil.which("caddy")
    if program is None:
        lack("no Caddy on PATH")
    config = folder / "Caddyfile"
    config.write_text(text, encoding="utf-8")
    adapted = [program, "validate", "--adapter", "caddyfile", "--config", str(config)]
    subprocess.run(adapted, check=True, capture_output=True, env={"HOME": str(folder)})
    command: list[object] = ["env", f"HOME={folder}", program, "run", "--adapter", "caddyfile"]
    with running([*command, "--config", config], folder / "caddy.log") as served:
        wait_until(
            lambda: "serving initial configuration" in served.output(),
            WITHIN_S,
            "Caddy has started",
        )
        yield
