"""Ask a server for embeddings: in batches, several at once, again where it fails, in smaller ones."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING, Any, TypeVar

from harness import HarnessError
from harness.authoring import nearest, plural, verb
from harness_remote.answers import Answer, GarbledError, PackingError, read_answer
from harness_remote.formats import right_format
from harness_remote.loop import run_apart
from harness_remote.mask import masked_error, said
from harness_remote.refusals import TroubleError, error_of, key_error, text_error, trouble_of
from harness_remote.waiting import ATTEMPTS, seconds_to_wait

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence

    import httpx2
    import numpy as np

    from harness_remote.address import Address
    from harness_remote.settings import Key, Limits

Found = TypeVar("Found")

_PER_TEXT = 1 << 20
"""Maximum bytes of an answer for each text: 40,000 dimensions, written as decimal numbers."""
_OF_ERROR = 1 << 16
"""Maximum bytes that are read of an answer without embeddings, and of a list of models times 16."""
_LISTED = 20
"""Maximum models that an error names."""


class EmbeddingClient:
    """A model on a server, asked for embeddings; it keeps no connection and no thread between calls.

    sleep: waits for so many seconds; another one in tests.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        key: Key,
        limits: Limits,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.name, self.address, self.limits = name, address, limits
        self.done = 0
        """Texts that were embedded so far."""
        self.answering = ""
        """What the server calls the model that answered first; empty where it does not say."""
        self.dimensions = 0
        """Of the first embedding; 0 before there is one."""
        self.note = ""
        """What a user should know of how embeddings are asked for; empty where there is nothing."""
        self.floats = False
        """Whether embeddings are asked for as decimal numbers, and not in base64, which is shorter."""
        self._key, self._sleep = key, sleep
        self._verify: ssl.SSLContext | bool | None = None

    def embed(self, texts: Sequence[str], attempts: int = ATTEMPTS) -> np.ndarray:
        """Return one row per text, (n, dimensions) float32; of a blank text that the server refuses, zeros.

        attempts: maximum number of times that a request is sent.
        Raises HarnessError where the server refuses, does not answer, or answers with something else.
        """
        return self._run(lambda: self._embed(texts, attempts))

    def try_out(self, text: str, attempts: int) -> None:
        """Ask for one text in base64 and, where the server can, in numbers too; keep to what is right.

        Raises HarnessError as `embed` does.
        """
        self._run(lambda: self._try_out(text, attempts))

    @staticmethod
    def _run(make: Callable[[], Coroutine[None, None, Found]]) -> Found:
        try:
            return run_apart(make)
        except HarnessError as error:
            # What it was raised for may quote the key: no error of the connection goes on.
            error.__cause__ = error.__context__ = None
            raise

    async def _try_out(self, text: str, attempts: int) -> None:
        async with self._http() as http:

            def ask() -> Awaitable[Answer]:
                return self._answer(http, [text], attempts)

            try:
                answer = await ask()
                if answer.packed and not self.floats:
                    self.floats = True
                    answer, self.floats, self.note = await right_format(answer, ask, self.name)
            except TroubleError as trouble:
                if trouble.remedy == "smaller":
                    raise text_error(self.name, trouble, text) from None
                raise await self._error(http, trouble, attempts) from None
        self._check_alike(answer)
        self.done += 1

    async def _embed(self, texts: Sequence[str], attempts: int) -> np.ndarray:
        import numpy as np

        places = asyncio.Semaphore(self.limits.requests)
        async with self._http() as http:

            async def one(batch: Sequence[str]) -> np.ndarray:
                async with places:
                    try:
                        return await self._rows(http, batch, attempts)
                    except BaseException:
                        # One that failed is enough: what the others would cost is lost too.
                        _cancel(task for task in tasks if task is not asyncio.current_task())
                        raise

            tasks = [asyncio.create_task(one(batch)) for batch in self._batches(texts)]
            try:
                await asyncio.wait(tasks)
            finally:
                _cancel(tasks)
                ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):  # not that it was canceled
                raise error
        return np.concatenate([task.result() for task in tasks])

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Yield texts in order, in batches within the limits; a text of more characters is alone."""
        batch: list[str] = []
        characters = 0
        for text in texts:
            if batch and (len(batch) >= self.limits.batch or characters + len(text) > self.limits.characters):
                yield batch
                batch, characters = [], 0
            batch.append(text)
            characters += len(text)
        if batch:
            yield batch

    async def _rows(self, http: httpx2.AsyncClient, texts: Sequence[str], attempts: int) -> np.ndarray:
        """Return the embeddings of a batch, which is halved where the server finds it too large."""
        import numpy as np

        try:
            answer = await self._answer(http, texts, attempts)
        except TroubleError as trouble:
            if trouble.remedy != "smaller":
                raise await self._error(http, trouble, attempts) from None
            if len(texts) > 1:
                half = len(texts) // 2
                parts = [await self._rows(http, part, attempts) for part in (texts[:half], texts[half:])]
                return np.concatenate(parts)
            if texts[0].strip() or not self.dimensions:
                raise text_error(self.name, trouble, texts[0]) from None
            return np.zeros((1, self.dimensions), dtype=np.float32)
        self._check_alike(answer)
        self.done += len(texts)
        return answer.rows

    def _check_alike(self, answer: Answer) -> None:
        """Raise HarnessError where answers are of two models; what the first one is, is kept."""
        dimensions = answer.rows.shape[1]
        if not self.dimensions:
            self.dimensions, self.answering = dimensions, answer.model
        elif dimensions != self.dimensions:
            raise masked_error(
                f"{self.name}: the server answers with {dimensions} dimensions, and before with"
                f" {self.dimensions}",
                hint="are there several models behind one address?",
            )
        elif answer.model != self.answering:
            raise masked_error(
                f"{self.name}: the server answers with the model {answer.model!r}, and before with"
                f" {self.answering!r}",
                hint="was it exchanged meanwhile? Run again when that is over",
            )

    async def _answer(self, http: httpx2.AsyncClient, texts: Sequence[str], attempts: int) -> Answer:
        """Send a request until it is answered; raises the TroubleError that is left."""
        for attempt in range(1, attempts + 1):
            floats = self.floats
            try:
                return await self._once(http, texts, floats=floats)
            except TroubleError as trouble:
                if trouble.remedy == "floats" and not floats:
                    self.floats = True
                    continue
                if trouble.remedy != "again" or attempt == attempts:
                    raise
                await self._sleep(seconds_to_wait(attempt, trouble.wait, random.random()))  # noqa: S311
        raise TroubleError("again", "it takes neither numbers nor base64")

    async def _once(self, http: httpx2.AsyncClient, texts: Sequence[str], *, floats: bool) -> Answer:
        """Send a request; raises TroubleError without embeddings, and HarnessError for wrong ones."""
        encoding = "float" if floats else "base64"
        question = {"model": self.address.model, "input": list(texts), "encoding_format": encoding}
        most = (len(texts) + 1) * _PER_TEXT
        status, headers, body = await self._send(http, "POST", "embeddings", json.dumps(question), most)
        if status != 200:
            raise trouble_of(status, headers, body)
        try:
            return read_answer(body, len(texts))
        except GarbledError as error:
            raise TroubleError("again", str(error)) from None
        except HarnessError as error:
            raise masked_error(
                f"{self.name}: {error.message}", exists=error.exists, hint=error.hint
            ) from None
        except PackingError as error:
            if not self.dimensions and not floats:
                self.note = f"numbers are asked for: in base64 {error}"
                raise TroubleError("floats", str(error)) from None
            raise masked_error(f"{self.name}: {error}") from None

    async def _send(
        self, http: httpx2.AsyncClient, method: str, path: str, content: str | None, most: int
    ) -> tuple[int, httpx2.Headers, bytes]:
        """Return status, headers and body; raises TroubleError where the connection fails or is slow."""
        import httpx2

        body = bytearray()
        try:
            async with (
                asyncio.timeout(self.limits.timeout),
                http.stream(method, self.address.url(path), content=content) as response,
            ):
                if response.status_code != 200:
                    most = _OF_ERROR
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > most:
                        break
        except TimeoutError:
            raise TroubleError("again", f"no whole answer within {self.limits.timeout:g} s") from None
        except (
            httpx2.RequestError,
            httpx2.InvalidURL,
            UnicodeError,
        ) as error:  # of a redirect's address, too
            raise TroubleError("again", _cause(error)) from None
        if len(body) > most and response.status_code == 200:
            raise masked_error(
                f"{self.name}: the answer has more than {most >> 20} MiB, which is no answer to this",
                hint="is it the address of the API?",
            )
        return response.status_code, response.headers, bytes(body[:most])

    async def _error(self, http: httpx2.AsyncClient, trouble: TroubleError, attempts: int) -> HarnessError:
        """Return the error for a request without embeddings that nothing else can be done about."""
        if trouble.remedy == "key":
            return key_error(self.name, trouble, self._key)
        if trouble.remedy == "model":
            return await self._no_model(http, trouble)
        if trouble.remedy != "again":
            hint = "give that address, if you trust it" if trouble.what.startswith("3") else None
            return error_of(f"{self.name}: the server refuses: {trouble.what}", trouble, hint=hint)
        asked = f" (it asks to wait {trouble.wait:g} s)" if trouble.wait else ""
        return error_of(
            f"{self.name}: no embeddings from {self.address.host} in {plural(attempts, 'attempt')}:"
            f" {trouble.what}{asked}",
            trouble,
            exists=f"{plural(self.done, 'text')} {verb(self.done, 'was', 'were')} embedded before"
            if self.done
            else None,
            hint="is the server running, and is the address right? The same command tries again;"
            " HARNESS_REMOTE_REQUESTS=1 asks for less at once",
        )

    async def _no_model(self, http: httpx2.AsyncClient, trouble: TroubleError) -> HarnessError:
        """Return the error for a model or a path that the server does not have, with what it has."""
        known = await self._models(http)
        wanted = self.address.model
        near = [f"did you mean: {', '.join(near)}"] if (near := nearest(wanted, known)) else []
        more = f", … ({len(known)} in all)" if len(known) > _LISTED else ""
        exists = [*near, f"models: {', '.join(known[:_LISTED])}{more}"] if known else []
        return error_of(
            f"{self.name}: the server has no model {wanted!r} for embeddings: {trouble.what}",
            trouble,
            exists="\n".join(exists) or None,
            hint=None if known else f"{self.address.url('models')} lists none: is the address right?",
        )

    async def _models(self, http: httpx2.AsyncClient) -> list[str]:
        """Return the names of the server's models; none where it does not say."""
        try:
            status, _, body = await self._send(http, "GET", "models", None, 16 * _OF_ERROR)
            data: Any = json.loads(body)["data"] if status == 200 else []
            return sorted(said(str(item["id"]), 100) for item in data)
        except (TroubleError, HarnessError, ValueError, LookupError, TypeError, RecursionError):
            return []

    def _http(self) -> httpx2.AsyncClient:
        """Return a client that sends the key to this address alone: it follows no redirect."""
        import httpx2

        import harness

        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"harness/{harness.__version__}",
            **self._key.headers(),
        }
        if self._verify is None:
            # Reading certificates takes longer than a request to this machine.
            secure = self.address.base.startswith("https:")
            self._verify = httpx2.create_ssl_context() if secure else False
        # What is on this machine is never asked through a proxy, which could read the key.
        direct = {f"{scheme}://": None for scheme in ("http", "https", "all")}
        return httpx2.AsyncClient(
            headers=headers,
            verify=self._verify,
            timeout=self.limits.timeout,
            limits=httpx2.Limits(max_connections=self.limits.requests),
            follow_redirects=False,
            mounts=direct if self.address.is_loopback else None,
        )


def _cancel(tasks: Iterable[asyncio.Task[np.ndarray]]) -> None:
    for task in tasks:
        task.cancel()


def _cause(error: Exception) -> str:
    """Return why a connection failed, in words: httpx leaves some of its errors without any."""
    words = str(error).strip()
    return f"{type(error).__name__}: {said(words)}" if words else type(error).__name__
