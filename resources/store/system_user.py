"""The system user that the embedded server runs as: PostgreSQL refuses to run as root.

An ordinary user runs it as itself; root runs it as the user ``pgserver`` (the wheel's name for it), made when it is
missing, and gets files into its reach with the least that is needed: passage through the folders above.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from resources.store.errors import ServerStartFailed

NAME = "pgserver"


@dataclass(frozen=True)
class SystemUser:
    """Whom the server's programs run as; ``is_switch`` is False where that is the caller itself."""

    uid: int
    gid: int
    is_switch: bool

    def run(
        self, command: list[str], cwd: Path, stdin: str = "", pass_fds: tuple[int, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the server's programs as this user, out of reach of the terminal's Ctrl-C, in a bare environment.

        Output goes through files: a pipe would stay open in the server that ``pg_ctl`` leaves behind.
        """
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as source:
            source.write(stdin)
            source.seek(0)
            result = subprocess.run(
                command,
                cwd=cwd,
                stdin=source,
                stdout=out,
                stderr=subprocess.STDOUT,
                pass_fds=pass_fds,
                start_new_session=True,
                umask=0o077,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                check=False,
                user=self.uid if self.is_switch else None,
                group=self.gid if self.is_switch else None,
                extra_groups=[] if self.is_switch else None,
            )
            out.seek(0)
            return subprocess.CompletedProcess(command, result.returncode, "", out.read())

    def give(self, path: Path) -> None:
        """Make the user the owner of one file or folder."""
        if self.is_switch:
            os.chown(path, self.uid, self.gid)

    def owns_privately(self, folder: Path) -> bool:
        """Whether a folder is this user's own, nobody else can enter it, and it is no link."""
        try:
            found = folder.lstat()
        except FileNotFoundError:
            return False
        return stat.S_ISDIR(found.st_mode) and found.st_uid == self.uid and stat.S_IMODE(found.st_mode) == 0o700

    def let_in(self, data_parent: Path, install: Path) -> None:
        """Let the user pass through the folders above its data and the programs, and read the programs."""
        if not self.is_switch:
            return
        for folder in (data_parent, *data_parent.parents, install, *install.parents):
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                folder.chmod(mode | stat.S_IXOTH)
        if not (install / "bin" / "postgres").stat().st_mode & stat.S_IROTH:  # installed under a umask like 077
            for path in (install, *install.rglob("*")):
                mode = path.stat().st_mode
                path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def server_user() -> SystemUser:
    """Whom the server runs as when this process starts it.

    Raises:
        ServerStartFailed: root without the user and without a way to make it.
    """
    if os.geteuid() != 0:
        return SystemUser(os.geteuid(), os.getegid(), is_switch=False)
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
        command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME] if useradd else []
        made = subprocess.run(command, capture_output=True, text=True, check=False) if command else None
        try:
            entry = pwd.getpwnam(NAME)
        except KeyError:
            why = made.stderr.strip() if made else "there is no useradd"
            raise ServerStartFailed(
                f"PostgreSQL does not run as root and its user {NAME!r} can't be made ({why}): "
                "run as an ordinary user, or set AIQLEADS_DATABASE_URL"
            ) from None
    return SystemUser(entry.pw_uid, entry.pw_gid, is_switch=True)
