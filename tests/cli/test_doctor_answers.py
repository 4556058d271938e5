# SPDX-License-Identifier: Apache-2.0
"""What the doctor prints: marks that are explained, and what to do about each."""

import ast
from pathlib import Path

import undisclosed.cli.doctor
from undisclosed.cli.doctor_answers import Health, bad, good, legend, lines_of, unsure


def test_an_answer_that_is_not_good_says_what_to_do_below_it() -> None:
    answer = unsure("No backup was tested.", to_do="Test one.")

    assert list(lines_of(answer)) == [
        "[--] No backup was tested.",
        "     To do: Test one.",
    ]
    assert list(lines_of(good("All is well."))) == ["[ok] All is well."]


def test_the_marks_that_were_printed_are_explained_and_no_others() -> None:
    answers = [good("a"), unsure("b", to_do="c"), unsure("d", to_do="e")]

    said = list(legend(answer.health for answer in answers))

    assert [line[:4] for line in said] == ["[--]"]
    assert list(legend([Health.GOOD])) == []
    assert len(list(legend([bad("a", to_do="b").health, Health.UNSURE]))) == 2


def test_every_check_that_may_end_badly_says_what_to_do() -> None:
    folder = Path(undisclosed.cli.doctor.__file__).parent
    silent = [
        f"{name}:{call.lineno}"
        for name in ("doctor.py", "doctor_probe.py")
        for call in ast.walk(ast.parse((folder / name).read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and (
            call.func.id == "Answer"
            or (
                call.func.id in {"bad", "unsure", "answer"}
                and "to_do" not in {keyword.arg for keyword in call.keywords}
            )
        )
    ]

    assert silent == []
