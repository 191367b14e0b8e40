"""`python -m bench.results FILE`: cocotb's verdict as JSON, one object a test."""

from __future__ import annotations

import json
import sys
from xml.etree import ElementTree

from bench import PERIOD_NS


def main(path: str) -> None:
    """Prints the tests of a file of results."""
    tests = []
    for case in ElementTree.parse(path).iter("testcase"):
        properties = {entry.get("name"): entry.get("value", "") for entry in case.iter("property")}
        # Whatever is not passed in silence is not passed.
        complaint = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        message = "" if complaint is None else complaint.get("message") or complaint.text or complaint.tag
        tests.append(
            {
                "name": case.get("name"),
                "passed": complaint is None,
                "cycles": round(float(properties.get("sim_time_duration", "0")) / PERIOD_NS),
                "seconds": float(case.get("time", "0")),
                "message": message,
            }
        )
    json.dump(tests, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
