"""Where prompts, tools and suites are read from: a folder as it is, or as it was in a commit."""

from dataclasses import dataclass
from pathlib import Path

from llmops_lib.errors import RevisionError
from llmops_lib.registry import git

SIZE_LIMIT = 256 * 1024
"""Bytes of a file, unless the caller expects more."""

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Folder:
    """A folder at one moment.

    Attributes:
        path: Where it is.
        commit: Full id of the commit whose files are meant; None means those that lie there now.
    """

    path: Path
    commit: str | None = None

    def read(self, name: str, *, limit: int = SIZE_LIMIT) -> bytes | None:
        """The content of a file below the folder; None where there is none.

        Args:
            name: Path below the folder.
            limit: Most bytes that are read.

        Raises:
            ValueError: If it is larger, or cannot be read.
        """
        if self.commit is not None:
            content = git.file_at(self.path, self.commit, name)
        elif (self.path / name).is_file():
            try:
                with (self.path / name).open("rb") as stream:
                    content = stream.read(limit + 1)
            except OSError as error:
                msg = f"cannot be read ({error.strerror})"
                raise ValueError(msg) from error
        else:
            content = None
        if content is not None and len(content) > limit:
            msg = f"larger than {limit // 1024} KB"
            raise ValueError(msg)
        return content

    def names(self, below: str = "") -> list[str]:
        """Names of the files that lie directly in the folder, or in one below it.

        Args:
            below: Name of a folder below it.
        """
        if self.commit is not None:
            start = f"{below}/" if below else ""
            listed = [name.removeprefix(start) for name in self._listed() if name.startswith(start)]
            return sorted(name for name in listed if "/" not in name)
        place = self.path / below
        return sorted(path.name for path in place.iterdir() if path.is_file()) if place.is_dir() else []

    def _listed(self) -> list[str]:
        try:
            return git.files_at(self.path, self.commit or "HEAD")
        except RevisionError:
            return []


def found_folder(folder: str | Path | None, kind: str, error: type[ValueError]) -> Path:
    """The folder of prompts or suites that is meant.

    Args:
        folder: As a caller gave it; None means the one below the working directory and, where there is
            none, the one that comes with the library.
        kind: `prompts` or `evals`.
        error: What to raise.

    Raises:
        ValueError: Of the class given, if there is no such folder.
    """
    own = Path.cwd() / kind
    places = [Path(folder)] if folder is not None else [own, *_bundled(kind)]
    for place in places:
        if place.is_dir():
            return place
    msg = f"{places[0]}: there is no such folder; give the one that holds your {kind}"
    raise error(msg)


def bundled_folder(kind: str) -> Path:
    """The folder of prompts or suites that comes with the library, whatever lies in the working directory.

    Args:
        kind: `prompts` or `evals`.
    """
    return next(place for place in _bundled(kind) if place.is_dir())


def _bundled(kind: str) -> list[Path]:
    # Inside an installed package, or beside it in a checkout.
    return [_PACKAGE / "bundled" / kind, _PACKAGE.parent / kind]
