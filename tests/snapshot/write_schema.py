"""Write the JSON Schema of a report anew: `python -m tests.snapshot.write_schema`."""

import json
from pathlib import Path

from skytui.runbook.report import schema

FILE = Path(__file__).parents[2] / "docs" / "report.schema.json"

if __name__ == "__main__":
    FILE.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
    print(FILE)
