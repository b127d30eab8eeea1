"""`skytui config init`: a few questions, each connection tried, and at the end a file, or nothing at all."""

import asyncio
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from skytui import paths
from skytui.clock import SystemClock
from skytui.commands.interview import Interview, is_name
from skytui.commands.trials import Trial, split_url, try_port, try_url
from skytui.config.pairs import Place, ServerConfig, SshConfig, places
from skytui.config.profile import Profile
from skytui.config.profile_file import built_in_profiles, load_profile
from skytui.config.secrets import SecretSource, resolve
from skytui.config.tables import Document
from skytui.config.values import decode, path_of
from skytui.config.writing import NewPair, NewServer, Target
from skytui.errors import ConfigError, UsageError

PREFACE = """\
This asks a few questions about a new pair and tries each connection as it goes.
Nothing is written before the end. Enter takes what stands in brackets; Ctrl+C stops, and nothing was changed.
"""


def init(pair: str = "", interview: Interview | None = None) -> int:
    """Ask, try, write; exit code 0, or 10 when the person did not want it written.

    Raises UsageError without a terminal, ConfigError when the file that is there cannot be added to.
    """
    if interview is None:
        if not sys.stdin.isatty() or not sys.stderr.isatty():
            raise UsageError(
                "`skytui config init` asks questions, and this is no terminal.",
                hint="Write the file by hand: docs/configuration.md has an example with every key.",
            )
        interview = Interview(_asked, _said)
    target = Target(target_file())
    interview.say(PREFACE)
    new = _pair(interview, target, pair)
    text = target.with_pair(new)
    interview.say(f"\n{text if len(target.names) == 0 else text[text.rindex(f'[pair.{new.name}]') :]}")
    if not interview.yes(f"Write this to {target.file}?", usually=True):
        interview.say("Nothing was written.")
        return 10
    target.write(text)
    interview.say(f"{target.file} was written. Check it with: skytui config check {new.name}")
    interview.say(
        f"See both servers with: skytui status {new.name}. Open the console with: skytui {new.name}"
    )
    return 0


def target_file() -> Path:
    """The file that is written: the one that `$SKYTUI_CONFIG` names, there or not, else the person's own."""
    named = os.environ.get("SKYTUI_CONFIG", "")
    return Path(named) if named else paths.config_dir() / "config.toml"


def _asked(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt  # Ctrl+D stops as Ctrl+C does
    return line


def _said(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _pair(interview: Interview, target: Target, given: str) -> NewPair:
    name = _name(interview, target, given)
    profile_name, profile = _profile(interview, target)
    interview.say("\nThe first of the two servers. Which is master now does not matter.")
    first = _server(interview, profile, None, taken="")
    interview.say("\nThe other one.")
    second = _server(interview, profile, first, taken=first.name)
    secrets = {secret: _secret(interview, secret) for secret in sorted(profile.secret_names())}
    state, group = _state(interview)
    return NewPair(
        name=name,
        profile=profile_name,
        servers=(first, second),
        secrets=secrets,
        state=state,
        group=group,
    )


def _name(interview: Interview, target: Target, given: str) -> str:
    def fault(name: str) -> str:
        if name in target.names:
            return f"{target.file} has a pair `{name}` already, which is left as it is; take another name."
        if name == paths.PRACTICE:
            return "The practice pair is called that; take another name."
        return is_name(name)

    if given and not fault(given):
        name = given
    else:
        if given:
            interview.say(fault(given))
        name = interview.ask("Name of the pair", "night" if "night" not in target.names else "", fault)
    for place in places():
        if place.file != target.file and place.there and name in _names_in(place):
            interview.say(f"Note: {place.file} has a pair `{name}` too; which one counts: skytui config path")
    return name


def _names_in(place: Place) -> list[str]:
    document = Document(place.file)
    return list(document.table(document.data, "pair", ()))


def _profile(interview: Interview, target: Target) -> tuple[str, Profile]:
    known = built_in_profiles()

    def fault(name: str) -> str:
        try:
            load_profile(name, target.file)
        except ConfigError as error:
            return str(error)
        return ""

    asked = f"Profile, how this kind of system is read and acted on ({', '.join(known)}, or a file of yours)"
    name = interview.ask(asked, "skybot" if "skybot" in known else known[0], fault)
    return name, load_profile(name, target.file)


class _Needs(msgspec.Struct, frozen=True):
    """What a profile needs of a server."""

    url: bool
    ssh: bool
    home: bool

    @classmethod
    def of(cls, profile: Profile) -> "_Needs":
        ways = {way for reading in profile.readings.values() for way in reading.how}
        ways |= {way for action in profile.actions.values() for way in action.how}
        everything = (profile.readings, profile.actions, profile.logs, profile.check)
        return cls(
            url=bool(ways & {"get", "post"}) or profile.login is not None,
            ssh=bool(ways & {"run", "shell"}) or bool(profile.logs),
            home="{home}" in repr(everything),
        )


def _server(interview: Interview, profile: Profile, other: NewServer | None, taken: str) -> NewServer:
    """One server; what was answered for the other one is offered for it too."""
    needs = _Needs.of(profile)

    def fault(name: str) -> str:
        return "That is the first one's name." if name == taken else is_name(name)

    name = interview.ask("Its name, as it names itself", "sky-b" if other else "sky-a", fault)
    url, ca_file, host, port = "", "", "", 8443
    if needs.url:
        url, ca_file = _url(interview, name, other)
        host, port = split_url(url)
    address = interview.ask(
        "Address at which the other server finds it", host, _typed(ServerConfig, "address")
    )
    listen_port = interview.number("Its listen port", other.listen_port if other else port)
    ssh = _ssh(interview, name, address, other.ssh if other else {}) if needs.ssh else {}
    home = ""
    if needs.home:
        home = interview.ask("Its folder on its host", other.home if other else "/opt/skybot", _whole_path)
    ports = interview.numbers(
        "All ports it and its database listen on, with commas between",
        other.ports if other else [listen_port],
    )
    for number in ports:
        interview.say(asyncio.run(try_port(address, number)).says)
    return NewServer(
        name=name,
        address=address,
        listen_port=listen_port,
        url=url,
        ca_file=ca_file,
        ssh=ssh,
        home=home,
        ports=ports,
    )


def _url(interview: Interview, name: str, other: NewServer | None) -> tuple[str, str]:
    """The URL and its CA file, asked for again until it answers or is to be taken as it is."""
    port = split_url(other.url)[1] if other else 8443
    url, ca_file = f"https://{name}.example.com:{port}", other.ca_file if other else ""
    while True:
        url = interview.ask("Its URL", url, _https)
        trial = asyncio.run(try_url(url, path_of(ca_file) if ca_file else None))
        if trial.untrusted:
            interview.say(trial.says)
            ca_file = interview.ask(
                "File with the certificate of who signed it (none: -)", ca_file or "-", _file
            )
            ca_file = "" if ca_file == "-" else ca_file
            trial = asyncio.run(try_url(url, path_of(ca_file) if ca_file else None))
        if _taken(interview, trial):
            return url, ca_file


def _ssh(interview: Interview, name: str, address: str, other: dict[str, object]) -> dict[str, object]:
    """How its host is reached over SSH, asked for again until it lets us in or is to be taken as it is."""
    from skytui.remote.trial import try_login  # noqa: PLC0415 - asyncssh comes with it

    host, user = address, str(other.get("user", getpass.getuser()))
    known_hosts = str(other.get("known_hosts", "~/.ssh/known_hosts"))
    port, key = int(str(other.get("port", 22))), str(other.get("key", "-"))
    while True:
        host = interview.ask("Its host over SSH", host, _typed(SshConfig, "host"))
        user = interview.ask("User there", user, _typed(SshConfig, "user"))
        port = interview.number("SSH port", port)
        key = interview.ask("Private key (your SSH agent: -)", key, _file)
        known_hosts = interview.ask("File of known host keys", known_hosts, _file)
        given: dict[str, object] = {"host": host, "user": user, "known_hosts": known_hosts}
        given |= {"port": port} if port != 22 else {}
        given |= {"key": key} if key != "-" else {}
        config = decode(given, SshConfig)
        if not isinstance(config, SshConfig):  # never: what was answered was looked at
            raise ConfigError(f"{name}: the answers about SSH do not fit together.")
        if _taken(interview, Trial(*asyncio.run(try_login(name, config, SystemClock())))):
            return given


def _taken(interview: Interview, trial: Trial) -> bool:
    """Whether to go on: it worked, or the person wants it as it is."""
    interview.say(trial.says)
    return trial.ok or not interview.yes("Answer again? (no: take it as it is)", usually=True)


def _secret(interview: Interview, name: str) -> dict[str, object]:
    """Where a secret comes from. It is fetched once, to see that it is there, and shown nowhere."""
    while True:
        how = interview.ask(
            f"\nSecret `{name}`: ask a person (prompt), or take it from env, file or command",
            "prompt",
            lambda text: "" if text in _SOURCES else f"One of {', '.join(_SOURCES)}.",
        )
        source = _SOURCES[how](interview, name)
        decoded = decode(source, SecretSource)
        if not isinstance(decoded, SecretSource) or decoded.prompt is not None:
            return source
        try:
            resolve(name, decoded)
        except ConfigError as error:
            if not _taken(interview, Trial(False, str(error))):
                continue
        else:
            interview.say(f"The secret `{name}` is there.")
        return source


def _prompt(interview: Interview, name: str) -> dict[str, object]:
    return {"prompt": interview.ask("Words to ask with", f"Password of {name}")}


def _env(interview: Interview, name: str) -> dict[str, object]:
    return {"env": interview.ask("Environment variable", f"SKYTUI_{name.upper().replace('-', '_')}")}


def _secret_file(interview: Interview, name: str) -> dict[str, object]:
    return {"file": interview.ask("File, for you alone (chmod 600)", f"~/.config/skytui/{name}.secret")}


def _command(interview: Interview, name: str) -> dict[str, object]:
    return {"command": interview.words("Command that prints it", f"pass show skytui/{name}")}


_SOURCES: dict[str, Callable[[Interview, str], dict[str, object]]] = {
    "prompt": _prompt,
    "env": _env,
    "file": _secret_file,
    "command": _command,
}


def _state(interview: Interview) -> tuple[str, str]:
    """The folder a team shares, and its group; both empty for a pair of one's own."""
    state = interview.ask("\nFolder that a team shares for its runs (only you: -)", "-", _whole_path)
    if state == "-":
        return "", ""
    group = interview.ask("Group that folder must belong to (any: -)", "-")
    return state, "" if group == "-" else group


def _typed(kind: type[msgspec.Struct], key: str) -> Callable[[str], str]:
    """What a field of a table takes."""
    (field,) = (field for field in msgspec.structs.fields(kind) if field.name == key)

    def fault(text: str) -> str:
        try:
            decode(text, field.type)
        except msgspec.ValidationError as error:
            return f"{error}."
        return "" if text else "It must be given."

    return fault


def _https(url: str) -> str:
    try:
        split_url(url)
    except ValueError as error:
        return f"{error}."
    if not url.startswith("https:"):
        return "It must be https: passwords go over it."
    return _typed(ServerConfig, "url")(url)


def _file(text: str) -> str:
    try:
        there = text == "-" or path_of(text).is_file()
    except ValueError:
        there = False
    return "" if there else f"There is no file {text}."


def _whole_path(text: str) -> str:
    return "" if text == "-" or Path(text).is_absolute() else "It is the whole path, from / on."
