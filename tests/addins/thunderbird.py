# SPDX-License-Identifier: Apache-2.0
"""A real Thunderbird without a screen, with the example extension in its profile."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any, Self

from tests.acceptance.installation import free_port, until
from tests.addins.marionette import Marionette

EXTENSION = Path(__file__).parents[2] / "examples" / "thunderbird"
ID = "check@undisclosed.invalid"
SENDER = "sam@council.example"

PREFERENCES: dict[str, object] = {
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.autoDisableScopes": 0,
    # Then its pages are in reach of the test, and a click is a click.
    "extensions.webextensions.remote": False,
    "mail.accountmanager.accounts": "account1",
    "mail.accountmanager.defaultaccount": "account1",
    "mail.account.account1.identities": "id1",
    "mail.account.account1.server": "server1",
    "mail.identity.id1.fcc": False,
    "mail.identity.id1.fullName": "Sam",
    "mail.identity.id1.smtpServer": "smtp1",
    "mail.identity.id1.useremail": SENDER,
    "mail.identity.id1.valid": True,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.server.server1.check_new_mail": False,
    "mail.server.server1.hostname": "127.0.0.1",
    "mail.server.server1.login_at_startup": False,
    "mail.server.server1.port": 9,
    "mail.server.server1.type": "pop3",
    "mail.server.server1.userName": "sam",
    "mail.shell.checkDefaultClient": False,
    "mail.smtp.defaultserver": "smtp1",
    "mail.smtpserver.smtp1.authMethod": 1,
    "mail.smtpserver.smtp1.hostname": "127.0.0.1",
    "mail.smtpserver.smtp1.try_ssl": 0,
    "mail.smtpservers": "smtp1",
    "mail.spotlight.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "network.captive-portal-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}

_BACKGROUND = """
const extension = WebExtensionPolicy.getByID(arguments[0])?.extension;
const view = extension && [...extension.views].find((one) => one.xulBrowser);
const page = view?.xulBrowser.contentWindow.wrappedJSObject;
"""
_IS_READY = _BACKGROUND + "return Boolean(page?.questionOf);"
_PAGES = """
const pages = [...Services.wm.getEnumerator(null)].flatMap((one) =>
  [...one.document.querySelectorAll("browser")].map((each) => each.contentDocument));
const find = (path) => pages.find((one) => one?.location?.pathname === path);
"""
_OPEN_OPTIONS = _BACKGROUND + (
    "page.messenger.windows.create("
    " Cu.cloneInto({type: 'popup', url: '/options.html'}, page));"
)
_OPTIONS = _PAGES + "const form = find('/options.html')?.getElementById('settings');"
_IS_OPEN = _OPTIONS + "return form?.ownerDocument.body.dataset.ready === 'yes';"
_SAVE = (
    _OPTIONS
    + """
form.elements.url.value = arguments[0];
form.elements.token.value = arguments[1];
form.requestSubmit();
"""
)
_IS_SAVED = _OPTIONS + "return form.querySelector('output').textContent === 'Saved.';"
_CLOSE_OPTIONS = _OPTIONS + (
    "form.ownerDocument.defaultView.browsingContext.topChromeWindow.close();"
)
_COMPOSE = """
const [fields, isHtml, file] = arguments;
const {MailServices} = ChromeUtils.importESModule(
  "resource:///modules/MailServices.sys.mjs");
const create = (name, kind) => Cc[name].createInstance(Ci[kind]);
const compose = create(
  "@mozilla.org/messengercompose/composefields;1", "nsIMsgCompFields");
Object.assign(compose, fields);
if (file) {
  const attached = create(
    "@mozilla.org/messengercompose/attachment;1", "nsIMsgAttachment");
  const {FileUtils} = ChromeUtils.importESModule(
    "resource://gre/modules/FileUtils.sys.mjs");
  const path = new FileUtils.File(file);
  attached.url = Services.io.newFileURI(path).spec;
  attached.name = path.leafName;
  compose.addAttachment(attached);
}
const params = create(
  "@mozilla.org/messengercompose/composeparams;1", "nsIMsgComposeParams");
params.composeFields = compose;
params.type = Ci.nsIMsgCompType.New;
const format = Ci.nsIMsgCompFormat;
params.format = isHtml ? format.HTML : format.PlainText;
params.identity = MailServices.accounts.defaultAccount.defaultIdentity;
MailServices.compose.OpenComposeWindowWithParams(null, params);
"""
_COMPOSING = (
    "const opened = Services.wm.getMostRecentWindow('msgcompose');"
    "const isReady = opened?.gMsgCompose?.editor && opened.gLoadingComplete !== false;"
)
_IS_COMPOSING = _COMPOSING + "return Boolean(isReady);"
_SEND = _COMPOSING + "opened.goDoCommand('cmd_sendNow');"
_IS_SENT = _COMPOSING + "return !opened;"
_IS_WRITABLE = _COMPOSING + "return Boolean(opened && !opened.gSendLocked);"
_CLOSE = _COMPOSING + (
    "if (opened) { opened.SetContentAndBodyAsUnmodified(); opened.close(); }"
)
_POPUP = _PAGES + (
    "const asks = find('/ask.html');"
    "const isReady = asks?.body?.dataset.ready === 'yes';"
)
_ASKS = _POPUP + "return isReady;"
_SAYS = _POPUP + "return asks.body.innerText;"
_HIDES = _POPUP + "return asks.getElementById(arguments[0]).hidden;"
_CLICK = _POPUP + "asks.getElementById(arguments[0]).click();"


def missing() -> str | None:
    """Why no Thunderbird can be started here; None where it can."""
    if shutil.which("thunderbird") is None:
        return "thunderbird is missing (Debian: apt-get install thunderbird)"
    return None


class Thunderbird:
    """A running Thunderbird; leaving the context ends it."""

    def __init__(self, folder: Path, smtp_port: int) -> None:
        self.folder = folder
        self.profile = folder / "profile"
        self.port = free_port()
        (self.profile / "extensions").mkdir(parents=True)
        more = {
            "marionette.port": self.port,
            "mail.smtpserver.smtp1.port": smtp_port,
        }
        _write_preferences(self.profile / "user.js", {**PREFERENCES, **more})
        _pack(self.profile / "extensions" / f"{ID}.xpi")

    def __enter__(self) -> Self:
        with (self.folder / "thunderbird.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "thunderbird",
                    "--headless",
                    "--marionette",
                    "-remote-allow-system-access",
                    "--profile",
                    str(self.profile),
                ],
                env={**os.environ, "HOME": str(self.folder)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            until(self._connects, "Thunderbird listens")
            until(lambda: self.script(_IS_READY, ID), "the extension runs")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        marionette = getattr(self, "_marionette", None)
        if marionette is not None:
            marionette.close()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def script(self, body: str, *arguments: object) -> Any:
        """Run something inside of it."""
        return self._marionette.script(body, *arguments)

    def configure(self, url: str, token: str) -> None:
        """Fill in the extension's page of settings."""
        self.script(_OPEN_OPTIONS, ID)
        until(lambda: self.script(_IS_OPEN), "the settings are shown")
        self.script(_SAVE, url, token)
        until(lambda: self.script(_IS_SAVED), "the settings are saved")
        self.script(_CLOSE_OPTIONS)

    def send(
        self, *, is_html: bool = False, file: Path | None = None, **fields: str
    ) -> None:
        """Write a mail and press Send."""
        self.script(_COMPOSE, fields, is_html, str(file) if file else None)
        until(lambda: self.script(_IS_COMPOSING), "the mail can be written")
        self.script(_SEND)

    def asked(self) -> str:
        """What the extension's window says, once it is there."""
        until(lambda: self.script(_ASKS), "the extension asks")
        return str(self.script(_SAYS))

    def hides(self, choice: str) -> bool:
        """Whether the window does not offer this choice."""
        return bool(self.script(_HIDES, choice))

    def choose(self, choice: str) -> None:
        """Click one of its buttons."""
        self.script(_CLICK, choice)

    def is_sent(self) -> bool:
        """Whether the mail left, so that its window is closed."""
        return bool(self.script(_IS_SENT))

    def is_writable(self) -> bool:
        """Whether the mail is still being written."""
        return bool(self.script(_IS_WRITABLE))

    def close_mail(self) -> None:
        """Throw the mail away."""
        self.script(_CLOSE)

    def _connects(self) -> bool:
        try:
            self._marionette = Marionette(self.port)
        except OSError:
            return False
        return True


def _write_preferences(file: Path, values: dict[str, object]) -> None:
    lines = []
    for name, value in values.items():
        written = f'"{value}"' if isinstance(value, str) else str(value).lower()
        lines.append(f'user_pref("{name}", {written});\n')
    file.write_text("".join(lines))


def _pack(archive: Path) -> None:
    """The extension as it is installed: its files, and nothing is built."""
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(EXTENSION.iterdir()):
            packed.write(file, file.name)
