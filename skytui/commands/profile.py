"""`skytui profile`: the profiles there are, what one says, and whether it fits a pair. No action is run."""

import asyncio
import json
import sys
from collections.abc import Mapping
from getpass import getpass
from typing import Any
from urllib.parse import quote

import msgspec

from skytui.config.inputs import asked_for
from skytui.config.pairs import PairConfig, load_pair
from skytui.config.profile import Profile
from skytui.config.profile_file import BUILT_IN, built_in_profiles, find_profile, read_profile
from skytui.config.secrets import Secret, SecretStore
from skytui.errors import ConfigError
from skytui.pair.reading import Cause
from skytui.pair.vocabulary import READINGS, Action

SCHEMA = 1
"""Of the JSON that `--json` prints; described in docs/profiles.md."""

LONGEST_LINE, MOST_LINES = 160, 8
"""How much of a reply is shown to people; with `--json` it is whole."""
_NOBODY_ASKED = frozenset({Cause.NOT_ASKED, Cause.STANDBY, Cause.NO_SUCH_THING, Cause.BY_HAND})


class Tried(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reading of one server, tried: request, reply as it came (harmless, secrets masked), typed value.

    `request` is empty where nobody was asked; `code` is the exit code or HTTP status. `state` is `known` or
    `unknown`; the latter with `reason` and `cause`.
    """

    state: str
    request: str = ""
    code: int | None = None
    reply: str = ""
    value: object = None
    reason: str = ""
    cause: str = ""

    @property
    def failed(self) -> bool:
        """Whether it was asked and gave no value."""
        return self.state == "unknown" and self.cause not in _NOBODY_ASKED


def listing() -> str:
    """One line a profile that comes with skytui: its name, and what it is for."""
    names = built_in_profiles()
    width = max(map(len, names))
    return "\n".join(f"{name:<{width}}  {_about(name)}".rstrip() for name in names)


def _about(name: str) -> str:
    first = (BUILT_IN / f"{name}.toml").read_text().partition("\n")[0]
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def show(name: str) -> str:
    """The text of a profile, to read or to start one's own from.

    Raises ConfigError when there is none of that name, or it is faulty.
    """
    document = find_profile(name)
    read_profile(document)
    return document.text


def check(name: str, pair: str = "", *, as_json: bool = False) -> tuple[str, int]:
    """What to print of a profile, and the exit code.

    Without `pair` only the file is read. With it each reading is tried on both servers: 0 when each that was
    asked gave a value, else 13. Raises ConfigError with every fault of the file, or when a secret is missing.
    """
    profile = read_profile(find_profile(name))
    if not pair:
        return (_summary_data(profile) if as_json else _summary(profile)), 0
    config = asked_for(load_pair(pair), profile)
    tried = asyncio.run(_try(config, profile, _secrets(config, profile)))
    code = 13 if any(one.failed for server in tried.values() for one in server.values()) else 0
    return (_as_data(profile, pair, tried) if as_json else _as_text(profile, pair, tried)), code


def _secrets(config: PairConfig, profile: Profile) -> SecretStore:
    """The secrets the profile needs; a person at a terminal is asked for those that have to be typed."""
    secrets = SecretStore(config.secrets)
    secrets.resolve()
    missing = {name: words for name, words in secrets.missing().items() if name in profile.secret_names()}
    if missing and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(
            f"The secrets {', '.join(missing)} of {config.name} have to be typed.",
            hint="Run this at a terminal.",
        )
    for name, words in missing.items():
        secrets.put(name, Secret(getpass(f"{words}: ", stream=sys.stderr)))
    return secrets


async def _try(config: PairConfig, profile: Profile, secrets: SecretStore) -> dict[str, dict[str, Tried]]:
    from skytui.clock import SystemClock  # noqa: PLC0415 - asyncssh and httpx come with the drivers
    from skytui.drivers.build import open_profiled  # noqa: PLC0415

    drivers = open_profiled(config, SystemClock(), secrets, profile)
    known = {f"{{secret.{name}}}": secret for name in config.secrets if (secret := secrets.get(name))}
    try:
        polls = await asyncio.gather(*(driver.reader.read() for driver in drivers.values()))
        return {
            server: {name: _tried(poll[name], known) for name in READINGS}
            for server, poll in zip(drivers, polls, strict=True)
        }
    finally:
        for driver in drivers.values():
            await driver.close()


def _tried(asked: Any, known: Mapping[str, Secret]) -> Tried:
    from skytui.drivers.replies import Answer  # noqa: PLC0415
    from skytui.pair.reading import Known  # noqa: PLC0415

    def masked(text: str) -> str:
        return _masked(text, known)

    answer, value = asked.answer, asked.value
    request = asked.request.source if asked.request is not None else ""
    code, reply = None, ""
    if isinstance(answer, Answer):
        shown = answer.body is not None
        reply = msgspec.json.encode(answer.body).decode() if shown else answer.text(errors=True)
        code = None if shown else answer.code
    if isinstance(value, Known):
        data = _masked_in(msgspec.to_builtins(value.value), known)
        source = request or value.source
        return Tried("known", masked(source), code=code, reply=masked(reply), value=data)
    return Tried(
        "unknown",
        masked(request),
        code=code,
        reply=masked(reply),
        reason=masked(value.reason),
        cause=value.cause.value,
    )


def _masked(text: str, known: Mapping[str, Secret]) -> str:
    """A text with every secret in it, as it is, in JSON or in a URL, as its placeholder."""
    for name, secret in known.items():
        value = secret.reveal()
        forms = {
            value,
            json.dumps(value)[1:-1],
            json.dumps(value, ensure_ascii=False)[1:-1],
            quote(value, safe=""),
        }
        for form in sorted(forms - {""}, key=len, reverse=True):
            text = text.replace(form, name)
    return text


def _masked_in(value: object, known: Mapping[str, Secret]) -> object:
    if isinstance(value, str):
        return _masked(value, known)
    if isinstance(value, list):
        return [_masked_in(item, known) for item in value]
    if isinstance(value, dict):
        return {key: _masked_in(item, known) for key, item in value.items()}
    return value


def _as_data(profile: Profile, pair: str, tried: dict[str, dict[str, Tried]]) -> str:
    document = {"schema": SCHEMA, "file": str(profile.file), "pair": pair, "servers": tried}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _as_text(profile: Profile, pair: str, tried: dict[str, dict[str, Tried]]) -> str:
    lines = [f"{profile.file}, tried on {pair}; nothing was changed."]
    for server, readings in tried.items():
        lines += ["", server]
        for name, one in readings.items():
            lines += _block(name, one)
    every = [(f"{server} {name}", one) for server, all_ in tried.items() for name, one in all_.items()]
    failed = [what for what, one in every if one.failed]
    count = len(failed) + sum(one.state == "known" for _, one in every)
    lines += ["", f"{count - len(failed)} of {count} readings that were asked gave a value."]
    return "\n".join([*lines, *([f"Without one: {', '.join(failed)}."] if failed else [])])


def _block(name: str, one: Tried) -> list[str]:
    value = msgspec.json.encode(one.value).decode()
    said = value if one.state == "known" else f"unknown: {one.reason}"
    if not one.request:
        return [f"  {name:<20} {said}"]
    reply = one.reply.splitlines() or ["(nothing)"]
    more = len(reply) - MOST_LINES
    shown = [_cut(line) for line in reply[:MOST_LINES]] + ([f"… {more} more lines"] if more > 0 else [])
    if one.code is None and not one.reply:
        shown = ["(no answer)"]
    code = f" → {one.code}" if one.code is not None else ""
    rows = [("request", [one.request + code]), ("reply", shown), ("value", [_cut(said)])]
    lines = [f"  {name}"]
    for title, texts in rows:
        lines += [f"    {title if number == 0 else '':<8} {text}" for number, text in enumerate(texts)]
    return lines


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}… {len(line) - LONGEST_LINE} more"


def _left(profile: Profile) -> tuple[list[str], list[str]]:
    readings = [name for name in READINGS if name not in profile.readings]
    actions = [action.value for action in Action if action not in profile.actions]
    return readings, actions


def _summary(profile: Profile) -> str:
    readings, actions = _left(profile)
    lines = [
        f"{profile.file}: sound. {len(profile.readings)} readings, {len(profile.actions)} actions,"
        f" {len(profile.repairs)} repairs."
    ]
    if readings:
        lines.append(f"Readings it does not name, unknown then: {', '.join(readings)}.")
    if actions:
        lines.append(f"Actions it does not name, done by hand then: {', '.join(actions)}.")
    lines.append("Try its readings on servers: skytui profile check FILE --against PAIR")
    return "\n".join(lines)


def _summary_data(profile: Profile) -> str:
    readings, actions = _left(profile)
    document = {
        "schema": SCHEMA,
        "file": str(profile.file),
        "readings": list(profile.readings),
        "actions": list(profile.actions),
        "repairs": list(profile.repairs),
        "readings_left_out": readings,
        "actions_left_out": actions,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
