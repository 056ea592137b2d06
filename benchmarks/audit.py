"""One audit log, many writers, random kills: how fast it is, and whether everything told is there.

Usage: python benchmarks/audit.py [ENTRIES] [WRITERS]
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from llmops_lib import AuditLog, verify_audit

WRITER = """
import random, sys
from pathlib import Path
from llmops_lib import AuditLog
log, chance = AuditLog(Path(sys.argv[1]), file_bytes=4_000_000), random.Random(sys.argv[2])
while True:
    batch = [("endpoint_call", {"writer": sys.argv[2], "endpoint": "here", "classes": ["EMAIL"]}, None)]
    print(len(log.append_all(batch * chance.choice([1, 1, 1, 1, 20, 100]))), flush=True)
"""


class Writers:
    """Processes that add to one log until enough is in it, some of them killed now and then.

    Args:
        folder: Folder of the log.
        wanted: Entries that are to be told of.
    """

    def __init__(self, folder: Path, wanted: int) -> None:
        self.folder, self.wanted, self.told, self.kills = folder, wanted, 0, 0
        self.running: list[subprocess.Popen[str]] = []
        self._lock = threading.Lock()

    def run(self, count: int) -> None:
        """Runs writers, kills one at random every few seconds and starts another."""
        chance = random.Random(1)  # noqa: S311 - when to kill is no secret
        readers = [self._start(number) for number in range(count)]
        while self.told < self.wanted:
            time.sleep(chance.uniform(0.5, 4))
            victim = chance.choice(self.running)
            os.kill(victim.pid, signal.SIGKILL)
            self.running.remove(victim)
            self.kills += 1
            readers.append(self._start(len(readers)))
        for writer in self.running:
            os.kill(writer.pid, signal.SIGKILL)
        for reader in readers:
            reader.join()

    def _start(self, number: int) -> threading.Thread:
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(self.folder), str(number)], stdout=subprocess.PIPE, text=True
        )
        self.running.append(writer)
        reader = threading.Thread(target=self._read, args=(writer,))
        reader.start()
        return reader

    def _read(self, writer: subprocess.Popen[str]) -> None:
        for line in writer.stdout or ():
            if line.endswith("\n"):
                with self._lock:
                    self.told += int(line)


def main() -> None:
    """Prints what came of it, and whether single changed bytes are found where they are."""
    wanted, count = (int(text) for text in [*sys.argv[1:], "100000", "8"][:2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "audit"
        writers = Writers(folder, wanted)
        started = time.perf_counter()
        writers.run(count)
        seconds = time.perf_counter() - started
        AuditLog(folder).append("endpoint_call", {})
        started = time.perf_counter()
        checked = verify_audit(folder)
        print(
            f"{writers.told:,} entries of {count} writers, {writers.kills + count} kills, {seconds:,.0f} s "
            f"({writers.told / seconds:,.0f} a second)"
        )
        print(
            f"{checked.entry_count:,} entries in {checked.file_count} files, "
            f"{len(list(folder.glob('torn-*')))} torn ends set aside, "
            f"{'intact' if checked.is_intact else checked.problems[:3]}, "
            f"checked in {time.perf_counter() - started:.1f} s"
        )
        print(f"every entry that was told of is there: {checked.entry_count >= writers.told}")
        print(f"{located(folder)} of 20 single changed bytes are found where they are")


def located(folder: Path) -> int:
    """Of twenty changes of one byte, how many are found at their line."""
    chance = random.Random(2)  # noqa: S311 - any bytes will do
    found = 0
    for _ in range(20):
        path = chance.choice(sorted(folder.glob("audit-*")))
        content = path.read_bytes()
        at = chance.randrange(len(content))
        path.write_bytes(content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :])
        places = [(problem.file, problem.line) for problem in verify_audit(folder).problems]
        found += (path.name, 1 + content[:at].count(b"\n")) in places
        path.write_bytes(content)
    return found


if __name__ == "__main__":
    main()
