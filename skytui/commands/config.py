"""`skytui config path`, `skytui config check`: which files are read, and what is wrong in them."""

import msgspec

from skytui.commands.keys import check_keys
from skytui.config.pairs import PairConfig, Place, check_heading, places, read_pair
from skytui.config.profile import Profile
from skytui.config.profile_file import find_profile, read_profile
from skytui.config.state import pair_folder
from skytui.config.tables import Document, Fault, FaultyFileError, nearest
from skytui.errors import ConfigError, StateError, UsageError

SCHEMA = 1
"""Of the JSON that `--json` prints; described in docs/configuration.md."""


class PairFound(msgspec.Struct, frozen=True, kw_only=True):
    """A pair in a file. `shadowed`: a file that is searched earlier has one of this name, which counts."""

    pair: str
    file: str
    line: int
    shadowed: bool
    sound: bool = True
    profile: str = ""
    state: str = ""


class FileFound(msgspec.Struct, frozen=True, kw_only=True):
    """A place that is searched, whether a file is there or not."""

    file: str
    why: str
    there: bool
    pairs: tuple[str, ...] = ()


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in all files."""

    schema: int
    ok: bool
    files: tuple[FileFound, ...]
    pairs: tuple[PairFound, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def path(*, as_json: bool) -> str:
    """The places that are searched, in their order, and which pair comes from which. Nothing is judged."""
    files: list[FileFound] = []
    pairs: list[PairFound] = []
    for place in places():
        found, trouble = _pairs_of(place, {pair.pair for pair in pairs})
        pairs += found
        names = tuple(pair.pair for pair in found)
        why = f"{place.why}; {trouble}" if trouble else place.why
        files.append(FileFound(file=str(place.file), why=why, there=place.there, pairs=names))
    if as_json:
        return _json({"schema": SCHEMA, "files": files, "pairs": pairs})
    lines = [f"{'read' if file.there else 'none':5} {file.file}  ({file.why})" for file in files]
    lines += ["", *(_pair_line(pair) for pair in pairs)]
    return "\n".join(lines if pairs else [*lines, "No pair is configured. Begin with: skytui config init"])


def check(pair: str | None, *, as_json: bool) -> tuple[str, int]:
    """What to print, and the exit code: 0 when every file and every pair is sound, 2 otherwise.

    With a pair, of every file's pairs only the one of that name is looked at. Raises UsageError when no file
    has it.
    """
    checking = _Checking(pair)
    for place in places():
        checking.look_at(place)
    checked = checking.result()
    if pair is not None and not checked.pairs and checked.ok:
        hint = nearest(pair, checking.names) or "Begin with: skytui config init"
        raise UsageError(f"There is no pair `{pair}`.", hint=hint[:1].upper() + hint[1:])
    return _json(checked) if as_json else _text(checked), 0 if checked.ok else 2


class _Checking:
    """Everything found so far, file by file."""

    def __init__(self, only: str | None) -> None:
        self._only = only
        self._files: list[FileFound] = []
        self._pairs: list[PairFound] = []
        self._faults: list[Fault] = []
        self._notes: list[str] = []
        self.names: list[str] = []

    def result(self) -> Checked:
        """What was found; a fault that two pairs share (of one profile's file) stands there once."""
        faults = tuple(dict.fromkeys(self._faults))
        return Checked(
            schema=SCHEMA,
            ok=not faults,
            files=tuple(self._files),
            pairs=tuple(self._pairs),
            faults=faults,
            notes=tuple(self._notes),
        )

    def look_at(self, place: Place) -> None:
        """Read one file, and each of its pairs on its own."""
        names: tuple[str, ...] = ()
        if place.there:
            names = self._read(place)
        elif place.must:
            self._fault(place, f"is not a file; {place.why}")
        self._files.append(FileFound(file=str(place.file), why=place.why, there=place.there, pairs=names))

    def _read(self, place: Place) -> tuple[str, ...]:
        try:
            document = Document(place.file)
        except FaultyFileError as error:
            self._faults += error.faults
            return ()
        names = tuple(document.table(document.data, "pair", ()))
        check_heading(document)
        check_keys(document)
        try:
            document.check()
        except FaultyFileError as error:
            self._faults += error.faults
        for name in names:
            if self._only in (None, name):
                self._look_at_pair(place, name)
        self.names += names
        return names

    def _look_at_pair(self, place: Place, name: str) -> None:
        # A document of its own: a fault in one pair must not keep another one from being read.
        document = Document(place.file)
        found = PairFound(
            pair=name,
            file=str(place.file),
            line=document.line_of(("pair", name)),
            shadowed=name in self.names,
        )
        before = len(self._faults)
        profile = self._profile_of(place, document, name)
        try:
            pair = read_pair(document, name)
        except ConfigError as error:
            self._take(place, error)
        else:
            if profile is not None:
                self._note_secrets(pair, profile.secret_names())
                found = msgspec.structs.replace(found, profile=str(profile.file))
        if not found.shadowed:
            found = msgspec.structs.replace(found, state=self._state_of(place, document, name))
        sound = len(self._faults) == before
        self._pairs.append(msgspec.structs.replace(found, sound=sound))

    def _profile_of(self, place: Place, document: Document, name: str) -> Profile | None:
        """The profile that a pair names, also where the rest of the pair is faulty."""
        table = document.table(document.table(document.data, "pair", ()), name, ("pair",))
        named = table.get("profile")
        if not isinstance(named, str):
            return None  # which is said when the pair is read
        try:
            return read_profile(find_profile(named, place.file))
        except FaultyFileError as error:
            self._faults += error.faults
        except ConfigError as error:
            line = document.line_of(("pair", name, "profile"))
            self._fault(place, str(error), line=line, table=f"pair.{name}", key="profile")
        return None

    def _state_of(self, place: Place, document: Document, name: str) -> str:
        try:
            return str(pair_folder(name))
        except StateError as error:
            line = document.line_of(("pair", name, "state"))
            self._fault(place, str(error), line=line, table=f"pair.{name}", key="state")
        except ConfigError as error:
            self._take(place, error)
        return ""

    def _note_secrets(self, pair: PairConfig, asked: set[str]) -> None:
        missing = asked - set(pair.secrets)
        for name in sorted(set(pair.secrets) - asked):
            hint = nearest(name, missing) if missing else ""
            if hint.startswith("did"):
                self._notes.append(f"{pair.name}: its profile asks for no secret `{name}`; {hint}")
        for name in sorted(missing):
            self._notes.append(f"{pair.name}: a person is asked for the secret `{name}`; it has no source")

    def _take(self, place: Place, error: ConfigError) -> None:
        if isinstance(error, FaultyFileError):
            self._faults += error.faults
        else:
            self._fault(place, str(error))

    def _fault(self, place: Place, says: str, *, line: int = 0, table: str = "", key: str = "") -> None:
        says = says.removeprefix(f"{place.file}: ")
        self._faults.append(Fault(file=str(place.file), line=line, table=table, key=key, says=says))


def _pairs_of(place: Place, before: set[str]) -> tuple[list[PairFound], str]:
    """The pairs of a file, sound or not, and why it could not be looked into."""
    if not place.there:
        return [], ""
    try:
        document = Document(place.file)
    except ConfigError as error:
        return [], str(error).removeprefix(f"{place.file} ")
    return [
        PairFound(
            pair=name, file=str(place.file), line=document.line_of(("pair", name)), shadowed=name in before
        )
        for name in document.table(document.data, "pair", ())
    ], ""


def _pair_line(pair: PairFound) -> str:
    unused = "  (not used: an earlier file has a pair of this name)" if pair.shadowed else ""
    return f"{pair.pair}  {pair.file}:{pair.line}{unused}"


def _text(checked: Checked) -> str:
    lines = [str(fault) for fault in checked.faults]
    for pair in checked.pairs:
        if pair.sound:
            where = f"  profile {pair.profile}" + (f"  state {pair.state}" if pair.state else "")
            lines.append(f"{_pair_line(pair)}: sound{where}")
    lines += [f"note: {note}" for note in checked.notes]
    if not checked.pairs and checked.ok:
        lines.append("No pair is configured. Begin with: skytui config init")
    if not checked.ok:
        count = len(checked.faults)
        lines.append(f"{count} mistake{'s' if count > 1 else ''}; nothing was started.")
    return "\n".join(lines)


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
