/** One example: its texts, gold, and the answers of both models. */
import type { RefObject } from "preact";
import { useState } from "preact/hooks";
import type { ModelAnswers, TaskExamples } from "./content";
import { useOwnId } from "./controls";
import { allOf, changeWords, type Pair } from "./examples-pair";
import { count, number, plural } from "./format";
import { fragment, type Params } from "./state";

/** Characters of a document that are shown at once. */
const START = 110;
/** Characters of a text that are shown before it is opened. */
const LONG = 900;

interface Props {
  found: Pair;
  at: number;
  position: number;
  last: number;
  go: (step: number) => void;
  params: Params;
  element: RefObject<HTMLElement | null>;
}

export function ExampleDetail({ found, at, position, last, go, params, element }: Props) {
  const { examples, baseline, candidate } = found;
  const id = examples.ids[at] ?? "";
  const cluster = examples.clusters[at];
  const gold = examples.gold[at];
  const goldRank = examples.gold_ranks[at];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: takes the focus, so that j and k go on
    <article class="example" aria-labelledby="example-title" tabIndex={0} ref={element}>
      <header>
        <h4 id="example-title">
          Example <span class="id">{id}</span>
        </h4>
        <div class="pager">
          <button
            type="button"
            disabled={position <= 0}
            onClick={() => go(-1)}
            aria-keyshortcuts="k ArrowLeft"
          >
            <span aria-hidden="true">←</span> Previous <kbd>k</kbd>
          </button>
          <button
            type="button"
            disabled={position >= last}
            onClick={() => go(1)}
            aria-keyshortcuts="j ArrowRight"
          >
            Next <kbd>j</kbd> <span aria-hidden="true">→</span>
          </button>
          <a href={fragment("examples", { ...linkable(found, params), id })}>Link to this example</a>
        </div>
      </header>
      <dl class="facts">
        {gold !== undefined && (
          <div>
            <dt>gold</dt>
            <dd dir="auto">
              {gold === null ? "none" : String(gold)}
              {isNumber(goldRank) && <span class="rank"> rank {rankOf(goldRank, examples)}</span>}
            </dd>
          </div>
        )}
        {cluster !== undefined && (
          <div>
            <dt>cluster</dt>
            <dd dir="auto">{cluster}</dd>
          </div>
        )}
        {examples.lengths[at] !== undefined && (
          <div>
            <dt>characters</dt>
            <dd>{count(examples.lengths[at])}</dd>
          </div>
        )}
      </dl>
      <div class="readings">
        {Object.entries(examples.texts).map(([name, texts]) => (
          <Reading key={`${name} ${id}`} name={name} text={texts[at] ?? ""} />
        ))}
      </div>
      <div class="replies">
        <Answer {...{ examples, answers: baseline, at }} side="baseline" change={null} />
        <Answer
          {...{ examples, answers: candidate, at }}
          side="candidate"
          change={found.changes[at] ?? null}
        />
      </div>
    </article>
  );
}

/** The link names everything that the example's two answers depend on. */
function linkable(found: Pair, params: Params): Params {
  return {
    task: params.task || found.examples.board,
    baseline: found.baseline.model,
    candidate: found.candidate.model,
    show: params.show ?? "",
  };
}

interface AnswerProps {
  examples: TaskExamples;
  answers: ModelAnswers;
  at: number;
  side: "baseline" | "candidate";
  change: number | null;
}

function Answer({ examples, answers, at, side, change }: AnswerProps) {
  const answer = answers.answers[at];
  const quality = answers.quality[at];
  const state = change ? (change > 0 ? "gained" : "lost") : "same";
  return (
    <section class={`reply reply-${state}`} aria-label={`${side}: ${answers.model}`}>
      <h5>
        <span class="side">{side}</span> <bdi>{answers.model}</bdi>
      </h5>
      {answer !== undefined && (
        <p dir="auto">
          <span class="answer-of">{examples.answer_of || "answer"}</span>{" "}
          <span class="said-answer">{typeof answer === "number" ? number(answer) : (answer ?? "none")}</span>
        </p>
      )}
      <p class="quality">
        {examples.flips ? <Rightness quality={quality} /> : <Quality {...{ examples, answers, at }} />}
        {change ? (
          <span class={`change change-${state}`}>
            {" "}
            <span aria-hidden="true">{change > 0 ? "▲" : "▼"}</span>{" "}
            {examples.flips ? state : changeWords(change, examples)}
          </span>
        ) : null}
      </p>
      {answers.documents && <Documents {...{ examples, answers, at }} />}
    </section>
  );
}

const isNumber = (value: unknown): value is number => typeof value === "number";

function rankOf(rank: number, examples: TaskExamples): string {
  return `${count(rank)} of ${count(allOf(examples))}`;
}

/** How good an answer is: of ranks, both of them and how far they are from each other; else the number, named. */
function Quality({ examples, answers, at }: Pick<AnswerProps, "examples" | "answers" | "at">) {
  const gold = examples.gold_ranks[at];
  const rank = answers.ranks[at];
  if (isNumber(gold) && isNumber(rank)) {
    const far = Math.abs(gold - rank);
    return (
      <>
        rank {rankOf(rank, examples)}, {far ? `${plural(far, "rank")} from gold’s` : "the same as gold’s"}
      </>
    );
  }
  return (
    <>
      {examples.quality || "quality"}: {number(answers.quality[at], 3)}
    </>
  );
}

/** A text, of which a long one is opened: nothing is cut within a line, or scrolled within the page. */
function Reading({ name, text }: { name: string; text: string }) {
  const [open, setOpen] = useState(false);
  const ident = useOwnId();
  const long = text.length > LONG;
  const start = startOf(text, LONG);
  return (
    <section class="reading" aria-label={name}>
      <h5>{name}</h5>
      <p dir="auto" id={ident}>
        {long && !open ? `${start}…` : text}
      </p>
      {long && (
        <button type="button" aria-expanded={open} aria-controls={ident} onClick={() => setOpen(!open)}>
          {open ? "Show the start" : `Show all ${count(text.length)} characters`}
        </button>
      )}
    </section>
  );
}

function Rightness({ quality }: { quality: number | null | undefined }) {
  if (quality === null || quality === undefined) return <span>no answer</span>;
  const right = quality > 0;
  return (
    <span class={right ? "right" : "wrong"}>
      <span aria-hidden="true">{right ? "✓" : "✗"}</span> {right ? "right" : "wrong"}
    </span>
  );
}

/** The start of a text, as far as a word ends. */
function startOf(text: string, most: number): string {
  return text.slice(0, most).replace(/\s+\S*$/u, "");
}

/** The start of a document, and the rest on demand: ten of them are compared at a glance. */
function DocumentText({ text }: { text: string }) {
  if (text.length <= START) return text ? <p dir="auto">{text}</p> : null;
  const start = startOf(text, START);
  return (
    <details>
      <summary dir="auto">{start}…</summary>
      <p dir="auto">…{text.slice(start.length)}</p>
    </details>
  );
}

function Documents({ examples, answers, at }: Pick<AnswerProps, "examples" | "answers" | "at">) {
  const ids = answers.documents?.ids[at] ?? [];
  const scores = answers.documents?.scores[at] ?? [];
  const relevant = new Set(examples.relevant[at] ?? []);
  const missing = [...relevant].filter((each) => !ids.includes(each));
  return (
    <>
      <ol class="documents">
        {ids.map((id, rank) => (
          <li key={id} class={relevant.has(id) ? "relevant" : undefined}>
            <span class="document-id">{id}</span>{" "}
            <span class="document-score">score {number(scores[rank])}</span>
            {relevant.has(id) && (
              <span class="right">
                {" "}
                <span aria-hidden="true">✓</span> relevant
              </span>
            )}
            <DocumentText text={examples.documents[id] ?? ""} />
          </li>
        ))}
      </ol>
      {missing.length > 0 && (
        <p class="note">
          Relevant and not among the first {ids.length}: {missing.slice(0, 10).join(", ")}
          {missing.length > 10 ? ` and ${missing.length - 10} more` : ""}
        </p>
      )}
    </>
  );
}
