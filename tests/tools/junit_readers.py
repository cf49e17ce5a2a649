"""Reads JUnit files as other programs do: libxml2 with Jenkins's schema, and junitparser.

Arguments: the schema, then files. Prints what is in them as JSON, or ends with the reason why a file is refused.
"""

import json
import sys

from junitparser import JUnitXml
from lxml import etree

schema = etree.XMLSchema(etree.parse(sys.argv[1]))
suites = []
for path in sys.argv[2:]:
    tree = etree.parse(path)
    for case in tree.iter("testcase"):
        # pytest's old family has them, and GitLab and actions read them; the schema came before.
        case.attrib.pop("file", None)
        case.attrib.pop("line", None)
    schema.assertValid(tree)
    for suite in JUnitXml.fromfile(path):
        cases = [
            {
                "class": case.classname,
                "name": case.name,
                "result": [type(result).__name__ for result in case.result],
                "text": [result.text for result in case.result],
            }
            for case in suite
        ]
        counts = [suite.tests, suite.failures, suite.errors, suite.skipped]
        suites.append({"name": suite.name, "counts": counts, "cases": cases})
json.dump(suites, sys.stdout)
