"""Constants of the cost model, measured by `python -m benchmarks.cost`; docs/cluster.md has the figures."""

from harness.bench.cost.records import CostRange

CHUNK_CHARACTERS = 120_000
"""Characters of a chunk of texts, which is never cut: `harness.encoding.shards`."""
LONGEST_CHARACTERS = 1_200
"""Maximum characters that count of a text."""
UNIT_CHUNKS = 6
"""Maximum chunks of a unit of work, of which a worker encodes one at a time."""
LEAST_PART = 2_000
"""Minimum documents of a part that a worker searches: a smaller corpus leaves workers idle."""
MEASURED_DOCUMENTS = 1_000_000
"""Documents up to which encoding (by a tiny model) and search were measured."""
MEASURED_WORKERS = 2
"""Workers up to which the spread was measured."""
NEXT_WORKER = CostRange(0.87, 0.8, 1.0)
"""What each worker after the first adds, as a share of the first: 1 is a perfect spread."""
ENCODE_ERROR = 0.25
"""Relative error that a range allows for predicting many texts from few; those measured were smaller."""
SEARCH_SHARE = CostRange(0.88, 0.7, 1.0)
"""Speed of a search's matrix product, as a share of the fastest matrix product on the same cores."""
SEARCH_PAIR = CostRange(1.0e-9, 0.7e-9, 2.4e-9)
"""Processor seconds for each query and document besides that product: comparing scores."""
SEARCH_QUERY = CostRange(1.5e-4, 0.5e-4, 3e-4)
"""Processor seconds for each query and part searched at once: keeping the best 100."""
CORE_GFLOPS = CostRange(60.0, 20.0, 200.0)
"""Fastest float32 matrix product of a core, in 10⁹ operations per second, where the bench has none.

The high end is a core with AVX-512, on which search was measured.
"""
PROCESS_BYTES = 600_000_000
"""Resident memory of a process that has loaded the libraries, and no model."""
ENCODE_BYTES = 45_000_000
"""Resident memory that a long call takes besides its texts and embeddings, and what a bench has seen."""
DOCUMENT_BYTES = 150
"""Resident memory of a searched document besides its embedding: its id, and its place in the order."""
TEXT_BYTES = 100
"""Resident memory of a text besides its characters."""
CHARACTERS_PER_TOKEN = 5
"""Characters of a token; a character takes a byte in Latin scripts."""
KEY_BYTES = 16
"""Bytes that a file of embeddings takes for a text besides its embedding: the hash of the text."""
IN_FLIGHT = 3
"""Units for each worker whose texts or embeddings the driver holds: two that wait, and one that is done."""
