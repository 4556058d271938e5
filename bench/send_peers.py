# SPDX-License-Identifier: Apache-2.0
"""The peers of ``bench.send``, in an environment of their own, and the plain way.

``python bench/send_peers.py post_office PORT COUNT PROCESSES THREADS`` runs with the
peers' Python and imports nothing of ours; ``plain PORT COUNT [KEY]`` is what one would
write with the standard library (and dkimpy): EmailMessage over one kept connection.
``rsa KEY COUNT`` only signs so many short texts, which bounds whoever signs. All print
the seconds that the sending took, without what came before it.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

SENDER = "bins@council.example"
SUBJECT = "Your bin day, {Name}"
TEXT = """Dear {Name},

from next month on, the bins of {Street} are collected on {Day}
instead of Tuesday. Please put them out before six in the morning.

- Paper: every second week
- Glass: every fourth week
- Garden: from March to November

If you need help with carrying your bins, tell us: https://council.example/bins

Yours sincerely,
the council's bin team
"""
HTML = """<!DOCTYPE html>
<html><head><meta charset="utf-8"></head>
<body>
<p>Dear {Name},</p>
<p>from next month on, the bins of <strong>{Street}</strong> are collected on
<strong>{Day}</strong> instead of Tuesday. Please put them out before six in the
morning.</p>
<ul><li>Paper: every second week</li><li>Glass: every fourth week</li>
<li>Garden: from March to November</li></ul>
<p>If you need help with carrying your bins, tell us:
<a href="https://council.example/bins">our page</a>.</p>
<p>Yours sincerely,<br>the council's bin team</p>
</body></html>
"""
DAYS = ("Monday", "Wednesday", "Thursday", "Friday")


def person(number: int) -> dict[str, str]:
    """The values of one row: the same as ours."""
    return {
        "Email": f"person{number}@domain{number % 7}.example",
        "Name": f"Person {number}",
        "Street": f"{number % 300} Station Road",
        "Day": DAYS[number % 4],
    }


def plain(port: int, count: int, key: str = "") -> float:
    """EmailMessage over one kept smtplib connection, signed by dkimpy with a key."""
    import smtplib
    from email.message import EmailMessage
    from email.utils import formatdate, make_msgid

    secret = Path(key).read_bytes() if key else b""
    if key:
        import dkim
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for number in range(1, count + 1):
            values = person(number)
            message = EmailMessage()
            message["From"] = f"The bin team <{SENDER}>"
            message["To"] = values["Email"]
            message["Subject"] = SUBJECT.format(**values)
            message["Date"] = formatdate()
            message["Message-ID"] = make_msgid(domain="council.example")
            message.set_content(TEXT.format(**values))
            message.add_alternative(HTML.format(**values), subtype="html")
            if not key:
                client.send_message(message)
                continue
            wire = message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            signature = dkim.sign(wire, b"s1", b"council.example", secret)
            client.sendmail(SENDER, [values["Email"]], signature + wire)
    return time.perf_counter() - began


def post_office(port: int, count: int, processes: int, threads: int) -> float:
    """django-post_office over SQLite; putting the mails into its queue not counted."""
    import django
    from django.conf import settings

    folder = tempfile.mkdtemp(prefix="post-office-")
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": os.path.join(folder, "db.sqlite3"),
                "OPTIONS": {"timeout": 60},
            }
        },
        INSTALLED_APPS=["post_office"],
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        SECRET_KEY="bench",
        POST_OFFICE={
            "BATCH_SIZE": 1000,
            "THREADS_PER_PROCESS": threads,
            "LOG_LEVEL": 0,
            "CELERY_ENABLED": False,
        },
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates"},
            {
                "BACKEND": "post_office.template.backends.post_office"
                ".PostOfficeTemplates"
            },
        ],
    )
    django.setup()
    from django.core.management import call_command
    from post_office import mail
    from post_office.models import STATUS, Email

    call_command("migrate", verbosity=0)
    mail.send_many(
        [
            {
                "sender": SENDER,
                "recipients": [values["Email"]],
                "subject": SUBJECT.format(**values),
                "message": TEXT.format(**values),
                "html_message": HTML.format(**values),
            }
            for values in map(person, range(1, count + 1))
        ]
    )
    began = time.perf_counter()
    while Email.objects.exclude(status=STATUS.sent).exists():
        mail.send_queued(processes=processes, log_level=0)
    return time.perf_counter() - began


def rsa(key: str, count: int) -> float:
    """RSA signatures with SHA-256, and nothing else."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    pem = Path(key).read_bytes()
    private = serialization.load_pem_private_key(pem, None)
    if not isinstance(private, RSAPrivateKey):
        raise TypeError("no RSA key")
    began = time.perf_counter()
    for number in range(count):
        private.sign(b"%d" % number, padding.PKCS1v15(), hashes.SHA256())
    return time.perf_counter() - began


if __name__ == "__main__":
    if sys.argv[1] == "rsa":
        seconds = rsa(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "plain":
        seconds = plain(int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
    else:
        seconds = post_office(*map(int, sys.argv[2:]))
    print(json.dumps(seconds))
