/** The examples that the filters leave, a page at a time, each a link. */
import { useEffect, useRef, useState } from "preact/hooks";
import { changeSize, type Pair } from "./examples-pair";
import { count } from "./format";
import { fragment, type Params } from "./state";

const PAGE = 10;
const LONGEST = 90;

interface Props {
  found: Pair;
  indices: readonly number[];
  at: number;
  params: Params;
}

/** The start of an example's texts, or its id. */
export function titleOf({ examples }: Pair, at: number): string {
  const first = Object.values(examples.texts)[0]?.[at];
  const title = first || (examples.ids[at] ?? "");
  return title.length > LONGEST ? `${title.slice(0, LONGEST)}…` : title;
}

export function ExampleList({ found, indices, at, params }: Props) {
  const position = Math.max(0, indices.indexOf(at));
  const [page, setPage] = useState(0);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => setPage(Math.floor(position / PAGE)), [position, indices]);
  const first = page * PAGE;
  const here = indices.slice(first, first + PAGE);
  if (!indices.length) return <p class="note">No example is left by these filters.</p>;
  return (
    <nav class="example-list" aria-label="Examples">
      <ol start={first + 1} ref={list}>
        {here.map((each) => (
          <li key={each}>
            <a
              href={fragment("examples", { ...params, id: found.examples.ids[each] ?? "" })}
              aria-current={each === at ? "true" : undefined}
            >
              <ChangeMark found={found} at={each} />
              <span class="example-title" dir="auto">
                {titleOf(found, each)}
              </span>
            </a>
          </li>
        ))}
      </ol>
      {indices.length > PAGE && (
        <div class="pager">
          <button type="button" disabled={page === 0} onClick={() => setPage(page - 1)}>
            Earlier
          </button>
          <span>
            {count(first + 1)}–{count(Math.min(first + PAGE, indices.length))} of {count(indices.length)}
          </span>
          <button type="button" disabled={first + PAGE >= indices.length} onClick={() => setPage(page + 1)}>
            Later
          </button>
        </div>
      )}
    </nav>
  );
}

/** What became of an example: a mark, and words where it flipped. */
export function ChangeMark({ found, at }: { found: Pair; at: number }) {
  const change = found.changes[at] ?? null;
  if (!change) return <span class="change change-none">{change === 0 ? "=" : "–"}</span>;
  const gained = change > 0;
  return (
    <span class={gained ? "change change-gained" : "change change-lost"}>
      <span aria-hidden="true">{gained ? "▲" : "▼"}</span>{" "}
      {found.examples.flips ? (
        <span class="visually-hidden">{gained ? "gained" : "lost"}</span>
      ) : (
        <>
          {changeSize(change, found.examples)}
          <span class="visually-hidden"> {gained ? "nearer to gold" : "farther from gold"}</span>
        </>
      )}
    </span>
  );
}
