"""Readers of files of rows, as they are published; errors name the file, the row and the column."""

from harness.tasks.readers.columns import Columns as Columns
from harness.tasks.readers.features import ClassName as ClassName
from harness.tasks.readers.features import numbered as numbered
from harness.tasks.readers.formats import FORMATS as FORMATS
from harness.tasks.readers.formats import find_files as find_files
from harness.tasks.readers.formats import format_of as format_of
from harness.tasks.readers.json_rows import read_json as read_json
from harness.tasks.readers.parts import missing_parts as missing_parts
from harness.tasks.readers.rows import read_records as read_records
from harness.tasks.readers.rows import read_row_batches as read_row_batches
from harness.tasks.readers.rows import read_rows as read_rows
from harness.tasks.readers.tables import Reading as Reading
from harness.tasks.readers.values import as_floats as as_floats
from harness.tasks.readers.values import as_ids as as_ids
from harness.tasks.readers.values import as_texts as as_texts
from harness.tasks.readers.values import is_missing as is_missing
from harness.tasks.readers.values import is_number as is_number
