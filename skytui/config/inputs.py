"""What a conductor goes by, read at one moment: a pair, its profile, and the text of both.

The text is what a run keeps a copy of. `~` stays in it as it was written: whoever goes on with the run has
their own keys.
"""

from pathlib import Path

import msgspec

from skytui.config.pairs import SCHEMA, PairConfig, document_of, read_pair
from skytui.config.profile import Profile
from skytui.config.profile_file import find_profile, read_profile
from skytui.config.secrets import SecretSource
from skytui.config.tables import Document
from skytui.tomltext import text_of


class Inputs(msgspec.Struct, frozen=True):
    """The text of a configuration that has this one pair and nothing else, and of its profile.

    Secrets are in neither: only where they come from.
    """

    config: str = ""
    profile_name: str = ""
    profile: str = ""


NO_INPUTS = Inputs()
"""Of a conductor whose drivers were made of nothing that was read."""


class Loaded(msgspec.Struct, frozen=True):
    """A pair and its profile, and the text they were made of."""

    pair: PairConfig
    profile: Profile
    inputs: Inputs


def load(name: str) -> Loaded:
    """The pair `name` as it is configured now.

    Raises ConfigError with every fault of its file, or of its profile's.
    """
    document = document_of(name)
    pair = read_pair(document, name)
    found = find_profile(pair.profile, pair.file)
    profile = read_profile(found)
    table = document.table(document.table(document.data, "pair", ()), name, ("pair",))
    config = text_of({"schema": SCHEMA, "pair": {name: table}})
    return Loaded(asked_for(pair, profile), profile, Inputs(config, profile.name, found.text))


def restored(name: str, inputs: Inputs, config_file: Path, profile_file: Path) -> Loaded:
    """The pair `name` out of inputs that were kept in these files.

    Raises ConfigError where this version of skytui cannot read them.
    """
    pair = read_pair(Document(config_file, inputs.config), name)
    profile = read_profile(Document(profile_file, inputs.profile))
    named = msgspec.structs.replace(profile, name=inputs.profile_name)
    return Loaded(asked_for(pair, named), named, inputs)


def asked_for(pair: PairConfig, profile: Profile) -> PairConfig:
    """The pair with every secret its profile needs: a person is asked for those that have no source."""
    asked = dict.fromkeys(sorted(profile.secret_names() - set(pair.secrets)), SecretSource())
    return msgspec.structs.replace(pair, secrets={**pair.secrets, **asked})
