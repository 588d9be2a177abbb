"""What a server runs with: each option's value, where it comes from, and what is wrong with what was written.

    default < sft.toml < environment (SFT_SERVER_…) < option of sftd serve

Rules. An option that is unknown is refused, with the nearest that is known and the line: one that is spelled wrong would rule
nothing, silently. All that is wrong is found at once. The environment is given, never asked for.
"""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from sft.errors import ConfigurationError, SftError
from sft.model.hooks import Hook
from sft.model.names import safe
from sft.model.policy import ServerPolicy
from sft.model.status import OPTION_BYTES, OptionInForce
from sft.operator.configuration_file import NAME, line_of, set_by_flag
from sft.operator.listening import LISTEN
from sft.operator.options import BY_NAME, ENVIRONMENT, OPTIONS, ServerOption, problem_of

_AT_LINE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_ALL: Final = "sftd config show"
_EXAMPLE: Final = "sftd config example"
_BYTE_ORDER_MARK: Final = "\ufeff"
_MOST_BYTES: Final = 1 << 20
HOME_VARIABLE: Final = f"{ENVIRONMENT}HOME"
# What Kubernetes tells every container of a service that is called sft-server; it means none of our options.
_OF_KUBERNETES: Final = re.compile(r"(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_(TCP|UDP).*)?)")


class Configuration(ServerPolicy, frozen=True):
    """The values of all options; those of ``ServerPolicy`` among them. What each means says ``sft.operator.options``."""

    listen: str = LISTEN
    public: str = ""
    registration: str = "invite"
    name: str = ""
    exempt: tuple[str, ...] = ()
    data: str = ""
    master_key: str = "file"
    monitoring: str = ""
    log_format: str = "text"
    log_level: str = "info"
    hooks: tuple[Hook, ...] = ()

    @property
    def policy(self) -> ServerPolicy:
        """What of it acts and queries are ruled by."""
        return ServerPolicy(**{name: getattr(self, name) for name in ServerPolicy.__struct_fields__})

    @property
    def exempt_networks(self) -> list[IPv4Network | IPv6Network]:
        return [ip_network(each, strict=False) for each in self.exempt]


DEFAULTS: Final = Configuration()


class Source(StrEnum):
    """Where a value comes from."""

    DEFAULT = "default"
    FILE = "file"
    FLAG = "flag"
    ENVIRONMENT = "environment"


class OptionFault(Struct, frozen=True):
    """Something that is wrong: where, what, and what to do."""

    place: str
    problem: str
    remedy: str


class Configured(Struct, frozen=True):
    """What was read.

    Attributes:
        configuration: without what is wrong.
        sources: of the options that have not their default; "" is none.
        faults: what is wrong, in the order of the file, then of the environment.
    """

    configuration: Configuration
    sources: Mapping[str, Source]
    faults: tuple[OptionFault, ...] = ()

    def required(self) -> Configuration:
        """Return the values; ConfigurationError where something is wrong."""
        if self.faults:
            raise error_of(self.faults)
        return self.configuration


def in_force(
    configuration: Configuration, sources: Mapping[str, Source], before: Sequence[OptionInForce] = ()
) -> tuple[OptionInForce, ...]:
    """Return what a server runs with, as it tells.

    Args:
        sources: of what was read last.
        before: as it told until then: what has its value still, though another was read, has it from where it had it.
    """
    was = {each.name: each for each in before}
    now = []
    for option in OPTIONS:
        text = option.kind.toml(getattr(configuration, option.name))
        text = text if len(text.encode()) <= OPTION_BYTES else ""
        told = OptionInForce(option.name, text, sources.get(option.name, Source.DEFAULT))
        known = was.get(option.name)
        now.append(known if known is not None and known.value == text and not option.reloads else told)
    return tuple(now)


def error_of(faults: Sequence[OptionFault]) -> ConfigurationError:
    """Return the first fault as an error that names how many more there are."""
    first, more = faults[0], len(faults) - 1
    remedy = f"{first.remedy}; {more} more: sftd config check" if more else first.remedy
    return ConfigurationError(place=first.place, problem=first.problem, remedy=remedy)


def configured(file: Path, environment: Mapping[str, str], flags: Mapping[str, Any]) -> Configured:
    """Read what a server runs with.

    Args:
        file: ``sft.toml``; one that is not there sets nothing.
        flags: what ``sftd serve`` was given, by name of the option, judged already.
    """
    faults: list[OptionFault] = []
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    text = _text(file, faults)
    for name, value in _table(file, text, faults).items():
        place = _place(file, line_of(text, name))
        option = BY_NAME.get(name)
        if option is None:
            faults.append(_unknown(place, name, BY_NAME))
        elif _take(option, option.kind.of, value, place, values, faults):
            sources[name] = Source.FLAG if set_by_flag(text, name) else Source.FILE
    variables = {each.variable: each for each in OPTIONS}
    for variable, value in sorted(environment.items()):
        if not variable.startswith(ENVIRONMENT) or variable == HOME_VARIABLE:
            continue
        option = variables.get(variable)
        if option is not None:
            if _take(option, option.kind.read, value, variable, values, faults):
                sources[option.name] = Source.ENVIRONMENT
        elif not _OF_KUBERNETES.fullmatch(variable.removeprefix(ENVIRONMENT)):
            faults.append(_unknown("The environment", variable, variables))
    values |= flags
    sources |= dict.fromkeys(flags, Source.FLAG)
    return Configured(Configuration(**values), sources, tuple(faults))


def written(file: Path) -> dict[str, Any]:
    """Return what a file says of the options that it has right; nothing where it cannot be read."""
    faults: list[OptionFault] = []
    values: dict[str, Any] = {}
    for name, value in _table(file, _text(file, faults), faults).items():
        if name in BY_NAME:
            _take(BY_NAME[name], BY_NAME[name].kind.of, value, "", values, faults)
    return values


def _text(file: Path, faults: list[OptionFault]) -> str:
    try:
        if not file.exists() and not file.is_symlink():
            return ""
        # A pipe would have its reader wait, and a device never ends.
        if not stat.S_ISREG(file.stat().st_mode) or file.stat().st_size > _MOST_BYTES:
            what, remedy = "it is no file, or larger than 1 MiB", f"Put a file there: {_EXAMPLE} > {NAME}"
            faults.append(OptionFault(str(file), what, remedy))
            return ""
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        # The defaults in place of what lies on a disk that is not there would rule unnoticed.
        what = "it is a link to what is not there"
        faults.append(OptionFault(str(file), what, "Put that back, or remove the link"))
    except UnicodeDecodeError:
        faults.append(OptionFault(str(file), "it is no UTF-8", "Write it anew as UTF-8"))
    except OSError as error:
        faults.append(
            OptionFault(str(file), f"it cannot be read ({error.strerror})", "Look at whose it is, then again")
        )
    else:
        if not text.startswith(_BYTE_ORDER_MARK):
            return text
        what = "it begins with a byte order mark, which nobody sees and TOML does not have"
        faults.append(OptionFault(str(file), what, "Save it as UTF-8 without one"))
    return ""


def _table(file: Path, text: str, faults: list[OptionFault]) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        at = _AT_LINE.search(said)
        line = int(at[1] or text.count("\n") + 1) if at else None
        problem = _AT_LINE.sub("", said).rstrip(".")
        faults.append(OptionFault(_place(file, line), f"it is no TOML ({problem})", "Mend that line"))
    except RecursionError:
        faults.append(
            OptionFault(str(file), "it has lists within lists, hundreds of them", f"See what it may have: {_EXAMPLE}")
        )
    return {}


def _take(
    option: ServerOption, judge: Any, value: object, place: str, values: dict[str, Any], faults: list[OptionFault]
) -> bool:
    try:
        values[option.name] = judge(value)
    except (ValueError, SftError) as error:
        faults.append(OptionFault(place, *problem_of(option, error)))
        return False
    return True


def _unknown(place: str, name: str, known: Mapping[str, ServerOption]) -> OptionFault:
    close = get_close_matches(name, known, n=1)
    remedy = f"Did you mean {close[0]}? All of them: {_ALL}" if close else f"All that there are: {_ALL}"
    return OptionFault(place, f"there is no option {safe(name)}", remedy)


def _place(file: Path, line: int | None) -> str:
    return f"{file}, line {line}" if line else str(file)
