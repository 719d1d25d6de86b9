"""Where the files of a store lie: a folder, an address that fsspec knows, or memory."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from nearshore_io.errors import MissingExtraError, StorageError
from nearshore_io.files import TEMPORARY, write_atomically


class Sink(Protocol):
    """Files by name, each written whole or not at all."""

    @property
    def where(self) -> str:
        """What to call the place in messages, and to other libraries."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file. Raises `StorageError`."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a file, None where there is none. Raises `StorageError`."""
        ...

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes, None where there is none."""
        ...

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder and the folders in it, sorted."""
        ...

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Hold the place for one writer. Raises `StorageError` where another one has it."""
        ...


@dataclass(frozen=True)
class Folder:
    """A folder on a file system; a file is written under a temporary name, then renamed."""

    path: Path

    @property
    def where(self) -> str:
        """The path."""
        return str(self.path)

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all. Raises `StorageError`, of a full disk too."""
        target = self.path / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{target.parent} cannot be made ({error.strerror or error}).") from error

        def write(file: BinaryIO) -> None:
            file.write(content)

        write_atomically(target, write)

    def read(self, name: str) -> bytes | None:
        """Return a file, None where there is none."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"{self.path / name} cannot be read: {error.strerror or error}.") from error

    def size(self, name: str) -> int | None:
        """Return the size of a file, None where there is none."""
        target = self.path / name
        return target.stat().st_size if target.is_file() else None

    def names(self, folder: str) -> list[str]:
        """Return the files below a folder, leaving out what a killed writer left behind."""
        found = (self.path / folder).rglob("*") if (self.path / folder).is_dir() else ()
        return sorted(str(f.relative_to(self.path)) for f in found if f.is_file() and not f.name.endswith(TEMPORARY))

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Lock the folder for as long as this process writes; the lock goes with the process, however it ends."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written: {error.strerror or error}.") from error
        try:
            _lock(descriptor, self.path)
            for left in self.path.rglob(f"*{TEMPORARY}"):
                left.unlink(missing_ok=True)
            yield
        finally:
            os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has no flock; two writers there overwrite each other's equal files
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StorageError(
            f"{path} is being written by another process: wait for it, or name another folder."
        ) from error


@dataclass(frozen=True)
class Address:
    """A place that fsspec knows ("s3://bucket/run", "memory://run"); an object is written whole by its protocol."""

    where: str
    files: Any
    root: str

    @classmethod
    def at(cls, url: str) -> "Address":
        """Return the place of an address.

        Raises
        ------
        StorageError
            If fsspec, or the library for this kind of address, is not installed; an address nobody can open.
        """
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise MissingExtraError(url, "fsspec", "distributed") from error
        try:
            files, root = url_to_fs(url)
        except (ImportError, ValueError, OSError) as error:
            raise StorageError(f"{url} cannot be opened: {error}.") from error
        return cls(url.rstrip("/"), files, str(root).rstrip("/"))

    def _full(self, name: str) -> str:
        return f"{self.root}/{name}"

    def write(self, name: str, content: bytes) -> None:
        """Write an object. Raises `StorageError`."""
        try:
            self.files.makedirs(self._full(name).rpartition("/")[0], exist_ok=True)
            self.files.pipe_file(self._full(name), content)
        except OSError as error:
            raise StorageError(f"{self.where}/{name} could not be written: {error}.") from error

    def read(self, name: str) -> bytes | None:
        """Return an object, None where there is none."""
        try:
            return bytes(self.files.cat_file(self._full(name)))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"{self.where}/{name} cannot be read: {error}.") from error

    def size(self, name: str) -> int | None:
        """Return the size of an object, None where there is none."""
        try:
            return int(self.files.size(self._full(name)))
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        """Return the objects below a folder."""
        found = self.files.find(self._full(folder))
        return sorted(str(name).split(f"{self.root.lstrip('/')}/", 1)[1] for name in found)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Do nothing: object stores have no locks, and two writers of one run write the same objects."""
        yield


@dataclass(frozen=True)
class Memory:
    """Files in this process."""

    files: dict[str, bytes] = field(default_factory=dict)
    where: str = "memory"

    def write(self, name: str, content: bytes) -> None:
        """Keep a file."""
        self.files[name] = content

    def read(self, name: str) -> bytes | None:
        """Return a file, None where there is none."""
        return self.files.get(name)

    def size(self, name: str) -> int | None:
        """Return the size of a file, None where there is none."""
        return len(self.files[name]) if name in self.files else None

    def names(self, folder: str) -> list[str]:
        """Return the files below a folder."""
        return sorted(name for name in self.files if name.startswith(f"{folder}/"))

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Do nothing: nobody else sees it."""
        yield


def sink_at(store: str | os.PathLike[str] | None) -> Sink:
    """Return where a store lies: memory for None, an address with "://" in it, or a folder."""
    if store is None:
        return Memory()
    text = os.fspath(store)
    if "://" in text:
        return Address.at(text)
    path = Path(text).expanduser()
    if path.is_file():
        raise StorageError(f"{path} is a file: a store is a folder.")
    return Folder(path)
