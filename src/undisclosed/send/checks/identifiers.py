# SPDX-License-Identifier: Apache-2.0
"""Kinds of confidential data: how each is spelled, and how it is proved.

A pattern only proposes; a check digit, a registry or a word beside it decides. Most
kinds of ten digits look alike, so those without a shape of their own count only with
a label near them, or where many of them stand together and all are valid.

Patterns are of the dialect that ``re`` and Hyperscan share: no look-around, no
back-reference, bounded. They see folded text (``send.checks.folding``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address

import phonenumbers
from stdnum import iban, luhn, numdb
from stdnum.be import nn
from stdnum.ca import bc_phn, sin
from stdnum.ch import ssn as ahv
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs, upn, utr
from stdnum.ie import pps
from stdnum.it import codicefiscale
from stdnum.nl import bsn, btw, onderwijsnummer
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.us import itin, ssn

REGIONS = ("GB", "NL", "CA", "US", "FR", "DE", "BE", "IE")
"""Where a telephone number without a country's code may be from."""

_BEGINS_AS_DATE = re.compile(
    r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]"
    r"|[0-3]?[0-9]([/.-])[0-3]?[0-9]\1(?:[12][0-9]{3}|[0-9]{2})(?:[ -]|\Z)"
)
_IBAN = numdb.get("iban")
_SEPARATORS = str.maketrans("", "", " -./()")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data.

    ``words`` is what a finding calls it. ``cut`` gives the part of what the pattern
    matched that is of this kind, empty where nothing is. ``labels`` are lower-case
    words that stand before it; ``needs_label`` says that without one it is not
    believed, ``is_formed`` that what it matched has separators enough to be believed
    all the same. ``is_contact``: people write it into letters, so it only counts as a
    note, and not at all in the template's own text.
    """

    name: str
    words: str
    pattern: str
    cut: Callable[[str], str] = field(repr=False)
    labels: tuple[str, ...] = ()
    needs_label: bool = False
    is_formed: Callable[[str], bool] = field(default=lambda text: False, repr=False)
    is_contact: bool = False
    any_case: bool = False


def digits_of(text: str) -> str:
    """The digits alone."""
    return "".join(filter(str.isdigit, text))


def _if(is_valid: Callable[[str], bool]) -> Callable[[str], str]:
    """The whole match, where it is valid."""
    return lambda text: text if is_valid(text) else ""


def _with_separators(count: int) -> Callable[[str], bool]:
    """Whether a number is written in groups, and not as one run of digits."""
    return lambda text: sum(sign in " -." for sign in text) >= count


def _with_hyphen(text: str) -> bool:
    return "-" in text or "+" in text


def _always(text: str) -> str:
    return text


def _has_five_digits(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= 5


_CARD_BEGINS = (
    *("4", "34", "37", "36", "38", "39", "35", "62", "65", "50", "56", "57", "58"),
    *("51", "52", "53", "54", "55", "2131", "1800", "60", "63", "67", "68", "69"),
    *map(str, range(300, 306)), *map(str, range(644, 650)),
    *map(str, range(2221, 2721)),
)  # fmt: skip


def _card(text: str) -> str:
    """A payment card (ISO/IEC 7812): its issuer, its length, its check digit."""
    digits = digits_of(text)
    is_one = digits.startswith(_CARD_BEGINS) and len(set(digits)) > 1
    return text if is_one and luhn.is_valid(digits) else ""


def _iban(text: str) -> str:
    """An IBAN (ISO 13616), without the words that follow it."""
    letters = text.translate(_SEPARATORS).upper()
    structure = _IBAN.info(letters)[0][1].get("bban", "")
    length = 4 + sum(int(one[:-2]) for one in _fields(structure))
    if not structure or len(letters) < length or not iban.is_valid(letters[:length]):
        return ""
    return _prefix(text, length)


def _fields(structure: str) -> list[str]:
    """The fields of a structure such as ``4!a6!n8!n``."""
    found, current = [], ""
    for sign in structure:
        current += sign
        if sign.isalpha():
            found.append(current)
            current = ""
    return found


def _prefix(text: str, length: int) -> str:
    """So much of a text that it has so many letters and digits."""
    for end, sign in enumerate(text, 1):
        length -= sign.isalnum()
        if not length:
            return text[:end]
    return ""


def _phone(text: str) -> str:
    """A telephone number that a plan knows (ITU-T E.164)."""
    number = text.strip(" ./-(").partition("x")[0]
    if _BEGINS_AS_DATE.match(number):
        return ""
    if number.startswith(("+", "00")):
        return text if _is_phone("+" + number.lstrip("+0 "), None) else ""
    groups = sum(sign in " -./()" for sign in number)
    if number.startswith(("0", "(0")):
        regions: tuple[str, ...] = REGIONS if groups else ("GB", "NL", "FR", "DE")
    elif groups >= 2:
        regions = ("CA", "US")
    else:
        return ""
    return text if any(_is_phone(number, region) for region in regions) else ""


def _is_phone(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _labelled_phone(text: str) -> str:
    digits = digits_of(text.partition("x")[0])
    return text if 7 <= len(digits) <= 15 and not _BEGINS_AS_DATE.match(text) else ""


def _internet_address(text: str) -> str:
    try:
        return text if ip_address(text).is_global else ""
    except ValueError:
        return ""


def _is_nino(text: str) -> bool:
    """HMRC's NIM39110: prefixes that are never given out."""
    return text[:2].upper() not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def _is_driver_number(text: str) -> bool:
    """The DVLA's: five of the name, decade, month and day of birth, year."""
    letters = text.replace(" ", "").upper()
    month, day = int(letters[6:8]) % 50, int(letters[8:10])
    return 1 <= month <= 12 and 1 <= day <= 31


def _is_ramq(text: str) -> bool:
    """Quebec's health insurance: four of the name, year, month (+50), day, two."""
    digits = digits_of(text)
    return 1 <= int(digits[2:4]) % 50 <= 12 and 1 <= int(digits[4:6]) <= 31


def _is_ontario(text: str) -> bool:
    return luhn.is_valid(digits_of(text))


def _is_chi(text: str) -> bool:
    """Scotland's: a date of birth, and the check digit of the NHS number."""
    digits = digits_of(text)
    is_date = 1 <= int(digits[:2]) <= 31 and 1 <= int(digits[2:4]) <= 12
    return is_date and nhs.is_valid(digits)


_DATE = (
    r"(?:[0-9]{1,2}[ ./-]{1,2}(?:[0-9]{1,2}|[a-z]{3,9})[ ./-]{1,2}(?:[0-9]{4}|[0-9]{2})"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}|[a-z]{3,9} [0-9]{1,2},? [0-9]{4})"
)
_BORN = ("date of birth", "dob", "d.o.b", "born", "birthday", "geboren",
         "geboortedatum", "date de naissance", "né le", "née le", "ne le",
         "nee le")  # fmt: skip
_PHONE = r"[+(]{0,2}[0-9](?:[ ()./-]{0,3}[0-9]){6,14}(?: ?x[0-9]{1,6})?"
_PHONE_WORDS = ("phone", "tel", "mobile", "cell", "call", "fax", "sms", "whatsapp",
                "telefoon", "mobiel", "gsm", "bel ")  # fmt: skip
_GROUPED = _with_separators(2)

KINDS: tuple[Kind, ...] = (
    Kind("private-key", "a private key or an access token",
         r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----|AKIA[0-9A-Z]{16}"
         r"|gh[opsu]_[0-9A-Za-z]{36}|xox[abprs]-[0-9A-Za-z-]{10,60}", _always),
    Kind("password", "a password or a PIN",
         r"(?:password|passwd|passcode|wachtwoord|mot de passe|pincode|pin code|pin)"
         r" ?(?:is|:|=) ?[^ \r\n\t<>{}]{4,64}", _always, any_case=True),
    Kind("iban", "a bank account (IBAN)",
         r"[A-Z]{2}[ -]?[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}", _iban, any_case=True),
    Kind("payment-card", "a payment card",
         r"[1-6][0-9]{3}(?:[ -]?[0-9]){8,15}", _card),
    Kind("uk-national-insurance", "a National Insurance number",
         r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}"
         r"[ -]?[A-D]", _if(_is_nino), any_case=True),
    Kind("uk-chi", "a CHI number (health, Scotland)",
         r"[0-3][0-9][01][0-9]{3}[ -]?[0-9]{4}", _if(_is_chi),
         labels=("chi",), needs_label=True),
    Kind("uk-nhs", "an NHS number",
         r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", _if(nhs.is_valid),
         labels=("nhs", "health", "h&c", "patient"), needs_label=True,
         is_formed=lambda text: text.count(" ") == 2),
    Kind("uk-utr", "a tax reference (UTR)",
         r"[0-9]{5} ?[0-9]{5}K?", _if(utr.is_valid),
         labels=("utr", "tax reference", "tax ref", "unique taxpayer"),
         needs_label=True),
    Kind("uk-pupil", "a pupil number (UPN)", r"[A-Z][0-9]{11}[0-9A-Z]",
         _if(upn.is_valid)),
    Kind("uk-driver", "a driver number",
         r"[A-Z9]{5} ?[0-9]{6} ?[A-Z9]{2}[0-9A-Z] ?[A-Z]{2}", _if(_is_driver_number)),
    Kind("uk-bank-account", "a bank account",
         r"[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9]{8}", _always,
         labels=("sort code", "sortcode", "account number", "account no", "a/c"),
         needs_label=True),
    Kind("nl-bsn", "a citizen service number (BSN)",
         r"[0-9]{4}[. ]?[0-9]{2}[. ]?[0-9]{2,3}", _if(bsn.is_valid),
         labels=("bsn", "burgerservice", "sofi", "citizen service"), needs_label=True,
         is_formed=lambda text: text.count(".") == 2),
    Kind("nl-vat-person", "a Dutch VAT number, which may hold a BSN",
         r"NL ?[0-9]{4}[. ]?[0-9]{2}[. ]?[0-9]{3}[. ]?B[0-9]{2}", _if(btw.is_valid)),
    Kind("nl-education", "a Dutch education number",
         r"[0-9]{9}", _if(onderwijsnummer.is_valid),
         labels=("onderwijsnummer", "leerlingnummer", "education number"),
         needs_label=True),
    Kind("nl-document", "a Dutch identity document",
         r"[A-NP-Z]{2}[0-9A-NP-Z]{6}[0-9]", _if(_has_five_digits),
         labels=("identiteitskaart", "id-kaart", "paspoort", "documentnummer"),
         needs_label=True, any_case=True),
    Kind("ca-sin", "a Social Insurance Number",
         r"[1-9][0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}", _if(sin.is_valid),
         labels=("sin", "social insurance", "assurance sociale", "nas"),
         needs_label=True, is_formed=_GROUPED),
    Kind("ca-health-quebec", "a health insurance number (Quebec)",
         r"[A-Z]{4} ?[0-9]{4} ?[0-9]{4}", _if(_is_ramq),
         labels=("ramq", "assurance maladie", "health", "nam"), needs_label=True,
         is_formed=_GROUPED),
    Kind("ca-health-ontario", "a health card (Ontario)",
         r"[1-9][0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}(?:[ -]?[A-Z]{2})?", _if(_is_ontario),
         labels=("ohip", "health", "hcn"), needs_label=True, is_formed=_GROUPED),
    Kind("ca-health-bc", "a health number (British Columbia)",
         r"9[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}", _if(bc_phn.is_valid),
         labels=("phn", "health", "msp"), needs_label=True, is_formed=_GROUPED),
    Kind("us-ssn", "a Social Security number",
         r"[0-9]{3}[ -][0-9]{2}[ -][0-9]{4}",
         _if(lambda text: ssn.is_valid(digits_of(text))
             or itin.is_valid(digits_of(text)))),
    Kind("it-tax", "an Italian tax code",
         r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
         _if(codicefiscale.is_valid), any_case=True),
    Kind("fr-insee", "a French social security number",
         r"[12] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
         _if(nir.is_valid)),
    Kind("es-identity", "a Spanish identity number",
         r"[XYZ]?-?[0-9]{7,8}-?[A-Z]",
         _if(lambda text: dni.is_valid(text) or nie.is_valid(text)), any_case=True),
    Kind("fi-identity", "a Finnish identity code",
         r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Z]", _if(hetu.is_valid), any_case=True),
    Kind("se-identity", "a Swedish identity number",
         r"(?:[0-9]{2})?[0-9]{6}[-+]?[0-9]{4}", _if(personnummer.is_valid),
         labels=("personnummer", "samordningsnummer"), needs_label=True,
         is_formed=_with_hyphen),
    Kind("dk-identity", "a Danish identity number", r"[0-9]{6}-?[0-9]{4}",
         _if(cpr.is_valid), labels=("cpr", "personnummer"), needs_label=True,
         is_formed=_with_hyphen),
    Kind("be-identity", "a Belgian national number",
         r"[0-9]{2}[. ]?[0-9]{2}[. ]?[0-9]{2}[ -]?[0-9]{3}[. ]?[0-9]{2}",
         _if(nn.is_valid), labels=("rijksregister", "insz", "national number", "niss",
                                   "registre national"),
         needs_label=True, is_formed=_with_separators(3)),
    Kind("ch-social", "a Swiss social security number",
         r"756[.]?[0-9]{4}[.]?[0-9]{4}[.]?[0-9]{2}", _if(ahv.is_valid)),
    Kind("ie-pps", "a PPS number", r"[0-9]{7}[A-W][A-IW]?", _if(pps.is_valid)),
    Kind("pl-pesel", "a Polish identity number", r"[0-9]{11}", _if(pesel.is_valid),
         labels=("pesel",), needs_label=True),
    Kind("no-identity", "a Norwegian identity number", r"[0-9]{6} ?[0-9]{5}",
         _if(fodselsnummer.is_valid), labels=("fodselsnummer", "fødselsnummer",
                                              "personnummer"), needs_label=True),
    Kind("de-tax", "a German tax number",
         r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}|[0-9]{10} ?[0-9]", _if(idnr.is_valid),
         labels=("steuer", "idnr", "tin"), needs_label=True),
    Kind("passport", "a passport",
         r"[A-Z]{0,2}[0-9]{6,9}[A-Z]?", _if(_has_five_digits),
         labels=("passport", "paspoort", "passeport"), needs_label=True),
    Kind("driving-licence", "a driving licence",
         r"[0-9A-Z][0-9A-Z-]{5,16}", _if(_has_five_digits),
         labels=("driving licence", "driver's license", "drivers license",
                 "driver license", "driver's licence", "rijbewijs",
                 "permis de conduire"), needs_label=True),
    Kind("date-of-birth", "a date of birth", _DATE, _always, labels=_BORN,
         needs_label=True, any_case=True),
    Kind("internet-address", "an Internet address of a machine",
         r"[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}"
         r"|[0-9a-f]{1,4}:(?:[0-9a-f]{0,4}:){1,6}[0-9a-f]{1,4}", _internet_address,
         is_contact=True, any_case=True),
    Kind("telephone", "a telephone number",
         _PHONE, _phone, is_contact=True),
    Kind("telephone", "a telephone number",
         _PHONE, _labelled_phone,
         labels=_PHONE_WORDS, needs_label=True, is_contact=True),
    Kind("postcode", "a postcode",
         r"[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][ABD-HJLNP-UW-Z]{2}"
         r"|[ABCEGHJ-NPRSTVXY][0-9][A-Z] [0-9][A-Z][0-9]"
         r"|[1-9][0-9]{3} [A-Z]{2}", _always, is_contact=True),
)  # fmt: skip
"""Every kind, what is surest first: what one took, a later one does not take."""
