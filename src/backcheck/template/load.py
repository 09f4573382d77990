"""Reads a template, YAML or JSON, within limits.

CloudFormation reads YAML 1.1 without aliases, merges, timestamps and binaries, and JSON by ECMA-404:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
Its quota of 1 MB for a template body in S3 is ours:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path

import yaml

from backcheck.template.compose import compose
from backcheck.template.node import Map, Mark, Node, TemplateError, text_of

MAX_BYTES = 1_048_576
SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions",
        "Transform", "Resources", "Outputs", "Hooks", "Globals",
    }
)  # fmt: skip
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html; Globals is SAM's."""

_TERRAFORM = re.compile(
    r'^\s*(?:resource|data|module|provider|variable|terraform|locals|output)\s*(?:"[^"]*"\s*)*\{', re.M
)
_TERRAFORM_KEYS = frozenset({"resource", "terraform", "provider", "module", "planned_values", "terraform_version"})
_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template file, read and not yet resolved."""

    file: str
    root: Map
    warnings: tuple[tuple[Mark, str], ...] = ()
    """What CloudFormation itself would not take, but packaging tools do away with."""

    def section(self, name: str) -> Map:
        """A top-level section; an empty map where there is none.

        Raises TemplateError where the section is not a map.
        """
        node = self.root.get(name)
        if node is None:
            return Map(())
        if not isinstance(node, Map):
            raise TemplateError(f"{name} must be a map", file=self.file, mark=node.mark)
        return node


def load(path: Path) -> Template:
    """The template at `path`.

    Raises TemplateError where it cannot be read, is not a CloudFormation template or exceeds a limit.
    """
    return loads(read(path), file=str(path))


def read(path: Path) -> str:
    """The text of a file of a template, or of what is given with one. Raises TemplateError as `load` does."""
    try:
        found = path.stat()
        size = found.st_size
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):  # such as /dev/zero, which has no end
            raise TemplateError(
                "cannot be read: it is no regular file", file=str(path), hint="write what it gives to a file"
            )
        raw = path.read_bytes() if size <= MAX_BYTES else b""
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise TemplateError(f"cannot be read: {reason}", file=str(path)) from error
    if size > MAX_BYTES:
        raise _too_large(str(path), size)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(f"is not UTF-8 text (byte {error.start})", file=str(path)) from error


def loads(text: str, *, file: str = "template") -> Template:
    """The template in `text`; `file` names it in messages. Raises TemplateError as `load` does."""
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise _too_large(file, size)
    _refuse_terraform_file(text, file)
    warnings: list[tuple[Mark, str]] = []
    root = loads_any(text, file=file, warnings=warnings)
    if not isinstance(root, Map):
        raise TemplateError(
            "is not a CloudFormation template: the top level must be a map with a Resources section",
            file=file,
            mark=root.mark if root else Mark(),
        )
    template = Template(file=file, root=root, warnings=tuple(warnings))
    _refuse_other_documents(template)
    return template


def loads_any(text: str, *, file: str, warnings: list[tuple[Mark, str]] | None = None) -> Node | None:
    """Any YAML or JSON within a template's limits, None where there is none; `warnings` takes what `compose` warns of.

    Raises TemplateError for anything else.
    """
    try:
        return compose(_json_for_yaml(text), file=file, warnings=[] if warnings is None else warnings)
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        mark = Mark(line=at.line + 1, column=at.column + 1) if at else Mark()
        raise TemplateError(
            f"not valid YAML or JSON: {error.problem or error.context}", file=file, mark=mark
        ) from error
    except yaml.YAMLError as error:
        raise TemplateError(f"not valid YAML or JSON: {error}", file=file) from error


def _too_large(file: str, size: int) -> TemplateError:
    return TemplateError(
        f"is {size:,} bytes; CloudFormation takes at most {MAX_BYTES:,}", file=file, hint="split it into nested stacks"
    )


def _json_for_yaml(text: str) -> str:
    """JSON made fit for a YAML parser: tabs may indent JSON, and it writes astral characters as two escapes."""
    if not text.lstrip().startswith("{"):
        return text
    joined = _SURROGATES.sub(_join_surrogates, text)
    return joined.replace("\t", " ")


def _join_surrogates(match: re.Match[str]) -> str:
    high, low = int(match[2], 16), int(match[3], 16)
    return match[1] + chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _refuse_terraform_file(text: str, file: str) -> None:
    if file.endswith((".tf", ".tofu", ".tf.json", ".hcl")) or (
        not text.lstrip().startswith("{") and _TERRAFORM.search(text) and "Resources:" not in text
    ):
        raise _terraform(file)


def _terraform(file: str) -> TemplateError:
    return TemplateError(
        "is Terraform; only CloudFormation and SAM templates can be resolved",
        file=file,
        hint="audit the deployed account instead",
    )


def _refuse_other_documents(template: Template) -> None:
    keys = set(template.root.names)
    if "Resources" not in keys and keys & _TERRAFORM_KEYS:
        raise _terraform(template.file)
    for entry in template.root.entries:
        if entry.key not in SECTIONS:
            raise TemplateError(
                f"Invalid template property or properties [{entry.key}]", file=template.file, mark=entry.mark
            )
    if not template.section("Resources").entries:
        raise TemplateError("At least one Resources member must be defined", file=template.file)
    version = template.root.get("AWSTemplateFormatVersion")
    if version is not None and text_of(version) != "2010-09-09":
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/format-version-structure.html
        raise TemplateError("AWSTemplateFormatVersion must be 2010-09-09", file=template.file, mark=version.mark)
