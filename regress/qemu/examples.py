# SPDX-License-Identifier: BSD-2-Clause
"""What the manual pages give as examples: the commands, from mdoc(7); and what
README.md has."""

import os
import re

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
ESCAPES = {r"\&": "", r"\e": "\\", r"\-": "-"}


def _text(line):
    """A line as it is printed; examples of a superuser begin with `# '."""
    line = re.sub(r"\\[&e-]", lambda found: ESCAPES[found[0]], line)
    return re.sub(r"^# ", "", line)


def of_page(path):
    """Each example of a page, as one text of one or more lines."""
    with open(os.path.join(TOP, path), encoding="ascii") as page:
        lines = page.read().partition(".Sh EXAMPLES\n")[2].split("\n")
    found, block = [], None
    for line in lines:
        if line.startswith(".Sh "):
            break
        if line.startswith(".Bd "):
            block = []
        elif line == ".Ed":
            found.append("\n".join(block))
            block = None
        elif block is not None:
            block.append(_text(line))
        elif line.startswith(".Dl "):
            found.append(_text(line[4:]).rstrip())
    return found


def indented(path):
    """Each block of Markdown that is indented, as one text."""
    with open(os.path.join(TOP, path), encoding="utf-8") as page:
        found = re.findall(r"(?:^    .*\n)+", page.read(), flags=re.M)
    return [re.sub(r"^    ", "", block, flags=re.M) for block in found]
