"""The code blocks of the documents, as a reader meets them: language, title, text, line."""

import re
from dataclasses import dataclass
from pathlib import Path

from flutter_pipeline_tests.conftest import PROJECT

DOCUMENTS = (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")))
FENCED = re.compile(r"^```([^\n`]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    document: str
    line: int
    language: str
    title: str
    """What follows the language: the path of the file that the block is."""
    text: str

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"


def blocks_of(path: Path) -> tuple[Block, ...]:
    """The blocks of one document, in order."""
    text = path.read_text(encoding="utf-8")
    return tuple(_block(path.name, text, found) for found in FENCED.finditer(text))


def _block(document: str, text: str, found: re.Match[str]) -> Block:
    language, _, title = found[1].strip().partition(" ")
    return Block(document, text.count("\n", 0, found.start()) + 1, language, title, found[2])


ALL = tuple(block for path in DOCUMENTS for block in blocks_of(path))


def of(document: str, language: str) -> tuple[Block, ...]:
    """The blocks of one language in the document of that name."""
    return tuple(one for one in ALL if (one.document, one.language) == (document, language))


def commands(block: Block) -> list[str]:
    """The lines of a shell block that are typed, without their comments."""
    lines = [line.partition("  #")[0].strip() for line in block.text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
