"""Reads metrics on standard input as Prometheus' own parsers do, and writes what they found as JSON.

The OpenMetrics parser is the strict one: it refuses samples without a family, families in pieces, counters that do not end
with `_total`, buckets that are not cumulative, and a text that does not end with `# EOF`.
"""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families


def main() -> None:
    text = sys.stdin.read()
    families = {}
    for family in text_string_to_metric_families(text):
        assert family.name not in families, family.name
        samples = [{"name": it.name, "labels": it.labels, "value": it.value} for it in family.samples]
        families[family.name] = {
            "type": family.type,
            "unit": family.unit,
            "help": family.documentation,
            "samples": samples,
        }
    json.dump(families, sys.stdout)


if __name__ == "__main__":
    main()
