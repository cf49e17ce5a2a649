"""Reads JUnit reports with libxml2 and a schema, and with junitparser.

    junit_readers.py SCHEMA REPORT...

Prints the suites of all reports as JSON. An invalid report ends the program with an exception.
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
        # pytest writes these attributes, and GitLab and actions read them. The schema is older.
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
