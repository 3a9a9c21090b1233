"""Installs from a real HTTP server on this machine that misbehaves on demand."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from facepay.errors import SettingsError
from facepay.recognition.download import DownloadFailed, Patience
from facepay.recognition.pack_install import InstallOptions, install_pack
from facepay.recognition.pack_store import FileState, find_files, require_files
from facepay.recognition.packs import Archive, ModelFile, PackSpec

WEIGHTS = bytes(range(256)) * 2000
PATIENT = InstallOptions(patience=Patience(attempts=3, timeout_s=2.0, sleep=lambda _: None))


@dataclass
class Site:
    """What the server has, and how it misbehaves: `cut_after` bytes of the first `cuts` answers are sent."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: int = 0
    cuts: int = 0
    ranges: list[str] = field(default_factory=list)
    ignores_ranges: bool = False
    url: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            site.ranges.append(wanted)
            body = site.files.get(self.path.removeprefix("/"))
            if body is None:
                self.send_error(404)
                return
            start = 0
            if wanted and not site.ignores_ranges:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(body):
                    self.send_error(416)
                    return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            body = body[start:]
            if site.cuts > 0:
                site.cuts -= 1
                body = body[: site.cut_after]
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}/"
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def model_file(site: Site, body: bytes = WEIGHTS, name: str = "net.onnx") -> ModelFile:
    digest = hashlib.sha256(body).hexdigest()
    return ModelFile(name, digest, len(body), "here", "Apache-2.0", True, url=site.url + name)


def pack(*files: ModelFile, archives: tuple[Archive, ...] = (), manifest: bool = False) -> PackSpec:
    return PackSpec("tiny", "a tiny pack", "Apache-2.0", True, files, archives, manifest=manifest)


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as bundle:
        for name, body in members.items():
            bundle.writestr(name.replace("__", "/").replace("_dot_", "."), body)
    return stream.getvalue()


def test_a_pack_is_downloaded_checked_and_found_again(site: Site, tmp_path: Path) -> None:
    site.files["net.onnx"] = WEIGHTS
    spec = pack(model_file(site))
    assert [path.name for path in install_pack(spec, tmp_path, PATIENT)] == ["net.onnx"]
    assert require_files(spec, [tmp_path])["net.onnx"].read_bytes() == WEIGHTS
    assert install_pack(spec, tmp_path, PATIENT) == []
    assert len(site.ranges) == 1


def test_a_connection_that_breaks_is_resumed_where_it_broke(site: Site, tmp_path: Path) -> None:
    site.files["net.onnx"], site.cut_after, site.cuts = WEIGHTS, 100_000, 2
    install_pack(pack(model_file(site)), tmp_path, PATIENT)
    assert site.ranges == ["", "bytes=100000-", "bytes=200000-"]
    assert (tmp_path / "tiny" / "net.onnx").read_bytes() == WEIGHTS


def test_an_interrupted_install_goes_on_in_the_next_run(site: Site, tmp_path: Path) -> None:
    site.files["net.onnx"], site.cut_after, site.cuts = WEIGHTS, 70_000, 3
    spec = pack(model_file(site))
    with pytest.raises(DownloadFailed, match="run the same command again"):
        install_pack(spec, tmp_path, PATIENT)
    assert find_files(spec, [tmp_path])[0].state is FileState.MISSING
    install_pack(spec, tmp_path, PATIENT)
    assert site.ranges[-1] == "bytes=210000-"
    assert find_files(spec, [tmp_path])[0].state is FileState.READY


def test_a_server_without_ranges_starts_again(site: Site, tmp_path: Path) -> None:
    site.files["net.onnx"], site.cut_after, site.cuts = WEIGHTS, 70_000, 1
    site.ignores_ranges = True
    install_pack(pack(model_file(site)), tmp_path, PATIENT)
    assert (tmp_path / "tiny" / "net.onnx").read_bytes() == WEIGHTS


def test_a_wrong_file_is_not_installed(site: Site, tmp_path: Path) -> None:
    site.files["net.onnx"] = WEIGHTS[:-1] + b"!"
    spec = pack(model_file(site))
    with pytest.raises(DownloadFailed, match="another file than the pinned one"):
        install_pack(spec, tmp_path, PATIENT)
    assert list((tmp_path / "tiny").iterdir()) == []


def test_a_leftover_of_another_file_does_not_spoil_the_download(site: Site, tmp_path: Path) -> None:
    site.files["net.onnx"] = WEIGHTS
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / ".net.onnx.part").write_bytes(b"x" * 1000)
    install_pack(pack(model_file(site)), tmp_path, PATIENT)
    assert (tmp_path / "tiny" / "net.onnx").read_bytes() == WEIGHTS


def test_a_file_longer_than_announced_is_cut_short(site: Site, tmp_path: Path) -> None:
    site.files["net.onnx"] = WEIGHTS * 3
    with pytest.raises(DownloadFailed, match="more than"):
        install_pack(pack(model_file(site)), tmp_path, PATIENT)
    assert list((tmp_path / "tiny").iterdir()) == []


def test_a_file_that_is_not_there_is_named(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"net\.onnx answered 404"):
        install_pack(pack(model_file(site)), tmp_path, PATIENT)


def test_plain_http_to_another_machine_is_refused(site: Site, tmp_path: Path) -> None:
    far = replace(model_file(site), url="http://192.0.2.1/net.onnx")
    with pytest.raises(DownloadFailed, match="https only"):
        install_pack(pack(far), tmp_path, PATIENT)


def test_members_of_an_archive_are_checked_one_by_one(site: Site, tmp_path: Path) -> None:
    body = zipped(folder__net_dot_onnx=WEIGHTS, unwanted_dot_onnx=b"no")
    site.files["all.zip"] = body
    archive = Archive("all.zip", site.url + "all.zip", hashlib.sha256(body).hexdigest(), len(body))
    file = replace(model_file(site), url="", archive="all.zip", member="folder/net.onnx")
    install_pack(pack(file, archives=(archive,)), tmp_path, PATIENT)
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == ["net.onnx"]
    other = replace(file, sha256="0" * 64)
    with pytest.raises(DownloadFailed, match="not the pinned file"):
        install_pack(pack(other, archives=(archive,)), tmp_path / "second", PATIENT)


def test_an_archive_without_a_published_digest_needs_one_stated(site: Site, tmp_path: Path) -> None:
    manifest = json.dumps({"manifest_version": 2}).encode()
    body = zipped(pack__manifest_dot_json=manifest, pack__net_dot_onnx=WEIGHTS)
    site.files["all.zip"] = body
    spec = pack(archives=(Archive("all.zip", site.url + "all.zip", "", 0),), manifest=True)
    with pytest.raises(SettingsError, match="--sha256"):
        install_pack(spec, tmp_path, PATIENT)
    stated = replace(PATIENT, archive_sha256=hashlib.sha256(body).hexdigest())
    assert [path.name for path in install_pack(spec, tmp_path, stated)] == ["net.onnx", "manifest.json"]


def test_weights_nobody_offers_are_copied_from_a_folder(site: Site, tmp_path: Path) -> None:
    spec = pack(replace(model_file(site), url="", note="Ask the other terminal."))
    with pytest.raises(SettingsError, match=r"Ask the other terminal.*--from DIR"):
        install_pack(spec, tmp_path, PATIENT)
    source = tmp_path / "stick"
    source.mkdir()
    with pytest.raises(SettingsError, match="has no net"):
        install_pack(spec, tmp_path, replace(PATIENT, source=source))
    (source / "net.onnx").write_bytes(WEIGHTS)
    install_pack(spec, tmp_path, replace(PATIENT, source=source))
    assert find_files(spec, [tmp_path])[0].state is FileState.READY


def test_a_damaged_file_is_told_from_a_missing_one(site: Site, tmp_path: Path) -> None:
    spec = pack(model_file(site))
    with pytest.raises(SettingsError, match=r"missing net\.onnx; run: facepay models install tiny"):
        require_files(spec, [tmp_path])
    (tmp_path / "net.onnx").write_bytes(WEIGHTS[:-1] + b"!")
    with pytest.raises(SettingsError, match="is not the file it should be"):
        require_files(spec, [tmp_path])


def test_the_first_folder_with_the_right_file_wins(site: Site, tmp_path: Path) -> None:
    spec = pack(model_file(site))
    for name, body in (("a", b"wrong"), ("b", WEIGHTS), ("c", WEIGHTS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.onnx").write_bytes(body)
    folders = [tmp_path / name for name in "abc"]
    assert require_files(spec, folders)["net.onnx"] == tmp_path / "b" / "net.onnx"
