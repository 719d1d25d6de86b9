"""Downloads, from a server on this machine that cuts connections, moves, and answers with the wrong thing."""

import http.server
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import nearshore_io as nio
from nearshore_io.cli import main
from nearshore_io.fetch import TRIES, archives_folder


@dataclass
class Server:
    """What a test server does: its content, and its faults."""

    content: bytes
    registry: Path = Path()
    cut_after: int | None = None
    cuts: int = 0
    status: int = 200
    ranges: bool = True
    tag: str = '"one"'
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    nio.write_toy_icio(tmp_path / "2022.csv", "2025-EXT", industries=50)
    archive = tmp_path / "made.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as content:
        content.write(tmp_path / "2022.csv", "2022.csv")
    state = Server(archive.read_bytes())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            state.asked.append(wanted)
            if state.status != 200:
                self.send_error(state.status)
                return
            same = self.headers.get("If-Range", state.tag) == state.tag
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and state.ranges and same else 0
            if start and start >= len(state.content):
                self.send_error(416)
                return
            body = state.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", state.tag)
            self.end_headers()
            if state.cut_after is not None and state.cuts:
                state.cuts -= 1
                body = body[: state.cut_after]
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as service:
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        state.registry = tmp_path / "registry.toml"
        address = f"http://127.0.0.1:{service.server_address[1]}/2016-2022_EXT.zip"
        state.registry.write_text(
            'page = "https://example.org/icio"\n[[archive]]\nedition = "2025-EXT"\nyears = [2016, 2022]\n'
            f'url = "{address}"\n'
        )
        yield state
        service.shutdown()
        thread.join()


def fetch(server: Server, **options: object) -> Path:
    return nio.fetch_icio(2022, extended=True, registry=server.registry, **options)  # type: ignore[arg-type]


def test_an_archive_is_fetched_once_and_can_be_read(server: Server) -> None:
    seen: list[tuple[int, int | None]] = []
    found = fetch(server, progress=lambda done, total: seen.append((done, total)))
    assert found == archives_folder() / "ICIO2025_2016-2022_EXT.zip"
    assert found.read_bytes() == server.content
    assert seen[-1] == (len(server.content), len(server.content))
    assert nio.read_icio(found, 2022).meta["edition"] == "2025-EXT"
    assert fetch(server) == found
    assert len(server.asked) == 1
    assert sorted(path.name for path in archives_folder().iterdir()) == [found.name, "checksums.json"]


def test_a_cut_connection_goes_on_where_it_was(server: Server) -> None:
    """Two cuts within one call are mended; more than that is said, kept, and mended by the next call."""
    server.cut_after, server.cuts = 2**16 + 500, 2
    assert fetch(server).read_bytes() == server.content
    assert server.asked == ["", f"bytes={2**16}-", f"bytes={2 * 2**16}-"]
    (archives_folder() / "ICIO2025_2016-2022_EXT.zip").unlink()
    server.cuts = TRIES
    server.asked.clear()
    with pytest.raises(nio.StorageError, match=r"cut off after [\d,]+ of [\d,]+ bytes|could not be fetched") as told:
        fetch(server)
    assert f"{3 * 2**16:,} bytes are kept: the same command goes on from there" in str(told.value)
    assert "by hand at https://example.org/icio, then: nearshore import ICIO2025_2016-2022_EXT.zip --year 2022" in str(
        told.value
    )
    assert fetch(server).read_bytes() == server.content
    assert server.asked[-1] == f"bytes={3 * 2**16}-"


def test_a_file_that_changed_between_two_parts_is_fetched_anew(server: Server) -> None:
    server.cut_after, server.cuts = 2**16 + 500, TRIES
    with pytest.raises(nio.StorageError):
        fetch(server)
    server.tag = '"two"'
    server.content += b"\0" * 10
    with zipfile.ZipFile(archives_folder().parent / "other.zip", "w") as other:
        other.writestr("2022.csv", "another file")
    server.content = (archives_folder().parent / "other.zip").read_bytes()
    assert fetch(server).read_bytes() == server.content


def test_a_server_without_ranges_starts_again(server: Server) -> None:
    server.cut_after, server.cuts, server.ranges = 2**16 + 500, 1, False
    assert fetch(server).read_bytes() == server.content


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_moved_address_says_where_to_get_the_file(server: Server, status: int) -> None:
    server.status = status
    with pytest.raises(
        nio.StorageError, match=rf"answers {status} .*moved, or the server turns programs away.*nearshore import"
    ):
        fetch(server)


def test_a_page_instead_of_an_archive(server: Server) -> None:
    server.content = b"<!DOCTYPE html><html><body>We have moved</body></html>"
    with pytest.raises(
        nio.FormatError, match=r"no zip archive \(it begins b'<!DOCTYPE.*the address has moved.*by hand"
    ):
        fetch(server)
    assert [path.name for path in archives_folder().iterdir() if path.suffix in (".zip", ".part")] == []


def test_a_server_that_is_not_there(server: Server, tmp_path: Path) -> None:
    text = server.registry.read_text().replace("127.0.0.1:", "127.0.0.1:1")
    dead = tmp_path / "dead.toml"
    dead.write_text(text[: text.index("127.0.0.1:")] + '127.0.0.1:1/2016-2022_EXT.zip"\n')
    with pytest.raises(nio.StorageError, match="could not be fetched .*refused.*Get it by hand"):
        nio.fetch_icio(2022, extended=True, registry=dead)


def test_an_archive_that_is_not_what_it_was(server: Server) -> None:
    found = fetch(server)
    found.unlink()
    with zipfile.ZipFile(found.parent / "other.zip", "w") as other:
        other.writestr("2022.csv", "another file")
    server.content = (found.parent / "other.zip").read_bytes()
    with pytest.raises(nio.FormatError, match="is not what it was when first fetched .*To take the new one, delete"):
        fetch(server)


def test_years_and_editions_without_an_address(server: Server, tmp_path: Path) -> None:
    with pytest.raises(nio.FormatError, match="no archive of 1980: years 1995 to 2022"):
        nio.fetch_icio(1980)
    with pytest.raises(nio.FormatError, match="no archive of 2022, edition 2021: years 1995 to 2018"):
        nio.fetch_icio(2022, edition="2021")
    (tmp_path / "r.toml").write_text("page = 1")
    with pytest.raises(nio.FormatError, match="is no registry of archives: 'archive'"):
        nio.fetch_icio(2022, registry=tmp_path / "r.toml")


def test_from_the_shell(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["fetch", "icio", "--year", "2022", "--extended", "--registry", str(server.registry)])
    assert not stopped.value.code
    archive = archives_folder() / "ICIO2025_2016-2022_EXT.zip"
    assert f"nearshore import {archive} --year 2022" in capsys.readouterr().out.replace("\n", " ")
    with pytest.raises(SystemExit):
        main(["import", str(archive), "--year", "2022"])
    assert nio.load_table("icio-2022").year == 2022
