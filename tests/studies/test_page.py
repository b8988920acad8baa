"""The page of a table in the report."""

import json
import re

import numpy as np
import pandas as pd

from phonoscope.studies.page import page


def test_a_page_holds_the_whole_table_and_cannot_be_broken_by_its_texts():
    frame = pd.DataFrame({"model": ["a", "</script><b>"], "r": [0.5, np.nan], "n": [1, 2]})
    text = page(frame, "E1.csv")
    content = json.loads(re.search(r"const table = (.*);\n", text)[1])
    assert content["columns"] == ["model", "r", "n"]
    assert content["rows"] == [["a", 0.5, 1], ["</script><b>", None, 2]]
    assert content["csv"] == "model,r,n\na,0.5,1\n</script><b>,,2\n"
    assert text.count("</script>") == 1


def test_a_table_without_rows():
    assert '"rows": []' in page(pd.DataFrame({"model": []}), "E1.csv")
