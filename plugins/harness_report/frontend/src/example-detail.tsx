/** One example: its texts, gold, and the answers of both models. */
import type { RefObject } from "preact";
import type { ModelAnswers, TaskExamples } from "./content";
import type { Pair } from "./examples-pair";
import { count, number, signed } from "./format";
import { fragment, type Params } from "./state";

/** Characters of a document that are shown at once. */
const START = 110;

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
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: takes the focus, so that j and k go on
    <article class="example" aria-labelledby="example-title" tabIndex={0} ref={element}>
      <header>
        <h3 id="example-title">
          Example <span class="id">{id}</span>
        </h3>
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
            <dd dir="auto">{gold === null ? "none" : String(gold)}</dd>
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
          <section key={name} class="reading" aria-label={name}>
            <h4>{name}</h4>
            <p dir="auto">{texts[at]}</p>
          </section>
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
      <h4>
        <span class="side">{side}</span> <bdi>{answers.model}</bdi>
      </h4>
      {answer !== undefined && (
        <p class="said-answer" dir="auto">
          {typeof answer === "number" ? number(answer) : (answer ?? "none")}
        </p>
      )}
      <p class="quality">
        {examples.flips ? <Rightness quality={quality} /> : `quality ${number(quality, 3)}`}
        {change ? (
          <span class={`change change-${state}`}>
            {" "}
            <span aria-hidden="true">{change > 0 ? "▲" : "▼"}</span>{" "}
            {examples.flips ? state : `${state} ${signed(change, 3)}`}
          </span>
        ) : null}
      </p>
      {answers.documents && <Documents {...{ examples, answers, at }} />}
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

/** The start of a document, and the rest on demand: ten of them are compared at a glance. */
function DocumentText({ text }: { text: string }) {
  if (text.length <= START) return text ? <p dir="auto">{text}</p> : null;
  return (
    <details>
      <summary dir="auto">{text.slice(0, START).trimEnd()}…</summary>
      <p dir="auto">…{text.slice(START)}</p>
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
            <span class="document-id">{id}</span> <span class="document-score">{number(scores[rank])}</span>
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
