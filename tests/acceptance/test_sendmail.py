# SPDX-License-Identifier: Apache-2.0
"""The pipe with the programs that use one: mail, mutt, s-nail, PHP, msmtp.

What they are told is taken from docs/howto/sendmail.md as it stands there.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installation import Installation, until
from tests.acceptance.letters import people
from undisclosed.guard import exit_codes

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "howto" / "sendmail.md"
PROGRAM = "/usr/local/sbin/undisclosed-sendmail"
SAM = "sam@authority.example"
MANY = people(9, "many")

pytestmark = pytest.mark.timeout(240)


def documented(beginning: str) -> str:
    """The first block of the how-to behind these words."""
    block = HOW_TO.read_text().partition(beginning)[2]
    return re.split(r"^```\w*\n", block, maxsplit=2, flags=re.MULTILINE)[1]


class Pipe:
    """An installation, and the program that the how-to has administrators write."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.program = installation.folder / "undisclosed-sendmail"
        script = documented("## The program that others call")
        script = script.replace(
            "/opt/undisclosed/bin/undisclosed", f"{sys.executable} -m undisclosed"
        )
        script = script.replace("/etc/undisclosed.toml", str(installation.settings))
        self.program.write_text(script)
        self.program.chmod(0o755)

    def told(self, beginning: str) -> str:
        """What the how-to tells a program, with the path of this one."""
        return documented(beginning).replace(PROGRAM, str(self.program))

    def file(self, name: str, text: str) -> Path:
        file = self.installation.folder / name
        file.write_text(text)
        return file

    def run(
        self, *command: str, text: str = "Text\n", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program that may call the pipe."""
        return subprocess.run(
            command,
            input=text,
            env={**self.installation.environment, **environment},
            cwd=self.installation.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def pipe(self, *options: str, text: str) -> "subprocess.CompletedProcess[str]":
        """Run the pipe itself."""
        return self.run(str(self.program), *options, text=text)

    def taken(self, subject: str) -> list[dict]:
        """What the next hop got of this subject."""
        mark = f"\nSubject: {subject}\r\n"
        return [one for one in self.installation.taken() if mark in one["content"]]

    def held(self) -> int:
        """How many mails are held."""
        (count,) = self.installation.rows("SELECT count(*) FROM store_heldmail")
        return int(count[0])


@pytest.fixture(scope="module")
def pipe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipe]:
    folder = tmp_path_factory.mktemp("pipe")
    installation = Installation(folder, sendmail={"domain": "authority.example"})
    installation.prepare()
    with installation:
        yield Pipe(installation)


def test_the_pipe_reads_recipients_removes_bcc_and_relays(pipe: Pipe) -> None:
    done = pipe.pipe(
        *("-t", "-i", "-f", SAM),
        text="To: ann@a.example\nBcc: bob@b.example\nSubject: piped\n\na\n.\nb\n",
    )

    (taken,) = pipe.taken("piped")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert taken["sender"] == SAM
    assert taken["rcpts"] == ["ann@a.example", "bob@b.example"]
    assert "bob" not in taken["content"]
    assert taken["content"].endswith("\r\n\r\na\r\n.\r\nb\r\n")


def test_the_pipe_holds_durably_and_says_so_where_it_is_asked(pipe: Pipe) -> None:
    before = pipe.held()

    done = pipe.pipe(
        *("-t", "-v", "-f", SAM), text=f"To: {', '.join(MANY)}\nSubject: much\n\nHi\n"
    )

    assert done.returncode == 0
    assert "Held for confirmation as" in done.stderr
    assert pipe.held() == before + 1
    assert pipe.taken("much") == []


def test_everything_at_once_as_cron_gives_it(pipe: Pipe) -> None:
    done = pipe.pipe(
        *("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"),
        text="From: root (Cron Daemon)\nTo: root\nSubject: cron\n\nnächtlich\n",
    )

    (taken,) = pipe.taken("cron")
    assert done.returncode == 0, done.stderr
    assert taken["rcpts"] == ["root@authority.example"]
    assert "nächtlich" in taken["content"]


@pytest.mark.parametrize(
    ("options", "text", "code"),
    [
        (("-bs",), "", 64),
        (("-q",), "", 64),
        (("--nothing",), "", 64),
        (("-N", "often", "ann@a.example"), "\nHi\n", 64),
        (("-i",), "To: ann@a.example\n\nHi\n", 64),
        (("-t",), "Subject: nobody\n\nHi\n", 65),
        (("-t",), "To: ann smith@a.example\n\nHi\n", 65),
        (("ann smith",), "\nHi\n", 65),
        (("-t",), "To: ann@a.example\nX: a\0b\n\nHi\n", 65),
        (("-t", "--settings", "nowhere.toml"), "To: ann@a.example\n\nHi\n", 75),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_sent_is_said_by_code_and_in_a_sentence(
    pipe: Pipe, options: tuple[str, ...], text: str, code: int
) -> None:
    before = len(pipe.installation.taken())

    done = pipe.pipe(*options, text=text)

    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("undisclosed: ")
    assert done.stderr.count("\n") == 1
    assert "@" not in done.stderr
    assert len(pipe.installation.taken()) == before


def test_help_names_the_exit_codes(pipe: Pipe) -> None:
    done = pipe.pipe("--help", text="")

    assert done.returncode == 0
    assert "75 try again later" in " ".join(done.stdout.split())


def test_mail_is_guarded(pipe: Pipe) -> None:
    _needs("bsd-mailx", "bsd-mailx")
    rc = str(pipe.file("mailrc", pipe.told("Cron and `mail`")))
    command = ("bsd-mailx", "-s")

    one = pipe.run(*command, "of mail", "ann@a.example", MAILRC=rc)
    before = pipe.held()
    many = pipe.run(*command, "much of mail", *MANY, MAILRC=rc)

    assert (one.returncode, many.returncode) == (0, 0), one.stderr + many.stderr
    until(lambda: pipe.taken("of mail"), "mail(1) has handed its mail in")
    until(lambda: pipe.held() == before + 1, "the other one is held")
    assert pipe.taken("of mail")[0]["rcpts"] == ["ann@a.example"]
    assert pipe.taken("much of mail") == []


def test_mutt_is_guarded(pipe: Pipe) -> None:
    _needs("mutt", "mutt")
    own = f'set from="{SAM}"\nset copy=no\n'
    rc = str(pipe.file("muttrc", pipe.told("mutt, in") + own))
    command = ("mutt", "-n", "-F", rc, "-s")
    before = pipe.held()

    one = pipe.run(*command, "of mutt", "-b", "bob@b.example", "--", "ann@a.example")
    many = pipe.run(*command, "much of mutt", "--", *MANY)

    (taken,) = pipe.taken("of mutt")
    assert (one.returncode, many.returncode) == (0, 0), one.stderr + many.stderr
    assert taken["sender"] == SAM
    assert set(taken["rcpts"]) == {"ann@a.example", "bob@b.example"}
    assert "bob" not in taken["content"]
    assert pipe.held() == before + 1
    assert pipe.taken("much of mutt") == []


def test_s_nail_is_guarded(pipe: Pipe) -> None:
    _needs("s-nail", "s-nail")
    rc = str(pipe.file("nailrc", pipe.told("s-nail, in")))
    environment = {"MAILRC": rc, "NAIL_NO_SYSTEM_RC": "1"}
    before = pipe.held()

    one = pipe.run("s-nail", "-s", "of nail", "-r", SAM, "ann@a.example", **environment)
    many = pipe.run("s-nail", "-s", "much of nail", "-r", SAM, *MANY, **environment)

    (taken,) = pipe.taken("of nail")
    assert (one.returncode, many.returncode) == (0, 0), one.stderr + many.stderr
    assert (taken["sender"], taken["rcpts"]) == (SAM, ["ann@a.example"])
    assert pipe.held() == before + 1
    assert pipe.taken("much of nail") == []


def test_php_is_guarded_and_hears_what_is_refused(pipe: Pipe) -> None:
    _needs("php", "php-cli")
    ini = str(pipe.file("php.ini", pipe.told("PHP, in")))
    before = pipe.held()

    def send(to: str, subject: str) -> "subprocess.CompletedProcess[str]":
        code = (
            f"exit(mail('{to}', '{subject}', 'Text', "
            f"\"Bcc: bob@b.example\", '-f{SAM}') ? 0 : 1);"
        )
        return pipe.run("php", "-c", ini, "-r", code)

    one = send("ann@a.example", "of php")
    many = send(", ".join(MANY), "much of php")
    bad = send("ann smith@a.example", "bad of php")

    (taken,) = pipe.taken("of php")
    assert (one.returncode, many.returncode, bad.returncode) == (0, 0, 1)
    assert taken["sender"] == SAM
    assert taken["rcpts"] == ["ann@a.example", "bob@b.example"]
    assert "bob" not in taken["content"]
    assert pipe.held() == before + 1


def test_msmtp_is_guarded_without_the_pipe(pipe: Pipe) -> None:
    _needs("msmtp", "msmtp")
    port = str(pipe.installation.guard_port)
    text = pipe.told("msmtp speaks SMTP").replace("port 10025", f"port {port}")
    rc = pipe.file("msmtprc", text.replace("council.example", "authority.example"))
    rc.chmod(0o600)
    command = ("msmtp", "-C", str(rc), "-t")
    before = pipe.held()

    one = pipe.run(*command, text="To: ann@a.example\nSubject: of msmtp\n\nHi\n")
    many = pipe.run(*command, text=f"To: {', '.join(MANY)}\nSubject: far\n\nHey\n")

    assert (one.returncode, many.returncode) == (0, 0), one.stderr + many.stderr
    assert [one["rcpts"] for one in pipe.taken("of msmtp")] == [["ann@a.example"]]
    assert pipe.held() == before + 1
    assert pipe.taken("far") == []


def _needs(program: str, package: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is missing (Debian: apt-get install {package})")


class Nobody:
    """A user who may read no key: uid 65534, without root's capabilities."""

    BECOMING = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

    def __init__(self, pipe: Pipe, python: str) -> None:
        self.pipe = pipe
        self.program = pipe.installation.folder / "sendmail-of-everybody"
        self.program.write_text(
            pipe.program.read_text().replace(sys.executable, python)
        )
        self.program.chmod(0o755)
        for folder in (pipe.installation.folder, *pipe.installation.folder.parents):
            if (
                folder.is_relative_to(tempfile.gettempdir())
                and folder.stat().st_uid == 0
            ):
                folder.chmod(folder.stat().st_mode | 0o055)

    def hand_in(self, *options: str, text: str) -> "subprocess.CompletedProcess[str]":
        """Run the pipe; the environment does not hold the key either."""
        return as_nobody([str(self.program), *options], text)


def as_nobody(command: list[str], text: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a command as that user, who finds this program's packages."""
    return subprocess.run(
        [*Nobody.BECOMING, "sh", "-c", 'exec "$0" "$@"', *command],
        input=text,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": ":".join(filter(None, sys.path)),
        },
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def nobody(pipe: Pipe) -> Nobody:
    """A user without rights, with an interpreter that this user can start."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become somebody else (setpriv of util-linux)")
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/python{ours}"):
        if as_nobody([python, "-c", "import undisclosed.cli"]).returncode == 0:
            return Nobody(pipe, python)
    pytest.skip("another user can start no interpreter that has this program")


def test_a_user_who_may_not_read_the_key_goes_through_the_guard(
    pipe: Pipe, nobody: Nobody
) -> None:
    text = f"To: {', '.join(MANY)}\nSubject: of nobody\n\nSomething else\n"
    before = pipe.held()

    done = nobody.hand_in("-t", "-v", "-f", SAM, text=text)
    alone = nobody.hand_in("ann@a.example", text="Subject: alone\n\nHi\n")

    assert "Held for confirmation as" in done.stderr
    assert (done.returncode, alone.returncode) == (0, 0), alone.stderr
    assert pipe.held() == before + 1
    (taken,) = pipe.taken("alone")
    assert taken["sender"] == "nobody@authority.example"
    assert "with ESMTP" in taken["content"]


def test_with_guard_and_store_away_the_program_keeps_its_mail(pipe: Pipe) -> None:
    environment = {
        name: value
        for name, value in pipe.installation.environment.items()
        if name != "UNDISCLOSED_MASTER_KEY"
    }
    text = f"To: {', '.join(MANY)}\nSubject: kept\n\nStill here\n"
    pipe.installation.stop("guard")
    try:
        handed_on = subprocess.run(
            [str(pipe.program), "-t", "-f", SAM],
            input=text,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        pipe.installation.database.stop()
        try:
            judged = pipe.pipe("-t", "-f", SAM, text=text)
            alone = pipe.pipe("ann@a.example", text="Subject: flows\n\nHi\n")
        finally:
            pipe.installation.database.start()
    finally:
        pipe.installation.start("guard")
        pipe.installation.wait_for(pipe.installation.guard_port)

    assert (handed_on.returncode, judged.returncode, alone.returncode) == (75, 75, 0)
    assert len(pipe.taken("flows")) == 1
    assert pipe.taken("kept") == []


def test_every_exit_code_is_documented() -> None:
    page = HOW_TO.read_text().partition("## Exit codes")[2]
    documented_codes = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.M)}

    codes = {
        value
        for name, value in vars(exit_codes).items()
        if name.isupper() and isinstance(value, int)
    }
    assert documented_codes == codes
