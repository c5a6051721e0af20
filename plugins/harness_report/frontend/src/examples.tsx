/** Examples: what flipped and what changed most, with both answers. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { askedBoard, askedPair, modelFault } from "./asked";
import type { TaskExamples } from "./content";
import { Absent, Choice, named, type Option, oneOf, Search, Select, Toolbar } from "./controls";
import { ExampleDetail } from "./example-detail";
import { ExampleList } from "./example-list";
import {
  allOf,
  counts,
  type Pair,
  pair,
  SHOWN,
  type Show,
  shown,
  thirds,
  valueCounts,
} from "./examples-pair";
import { count, plural } from "./format";
import { boardName } from "./leaderboard-rows";
import { boardsWithExamples, content, examplesOf } from "./page";
import { type Change, type Params, useParams } from "./state";

/** More values than this are searched for, not selected. */
const MOST_VALUES = 200;

/** Return the examples of a board when they are decoded, and what went wrong. */
function useExamples(id: string | undefined): [TaskExamples | null, string] {
  const [state, setState] = useState<{ id: string; examples: TaskExamples | null; fault: string }>();
  useEffect(() => {
    if (id === undefined) return undefined;
    let current = true;
    examplesOf(id).then(
      (examples) => current && setState({ id, examples, fault: "" }),
      (error: unknown) => current && setState({ id, examples: null, fault: String(error) }),
    );
    return () => {
      current = false;
    };
  }, [id]);
  return state !== undefined && state.id === id ? [state.examples, state.fault] : [null, ""];
}

export function ExamplesView() {
  const [params, change] = useParams("examples");
  const boards = useMemo(boardsWithExamples, []);
  const { found: board, fault } = askedBoard(boards, params.task, "examples");
  const data = content();
  const [examples, undecoded] = useExamples(board?.id);
  const task = board ? boardName(data, board) : "";
  return (
    <div>
      <Toolbar label="Task and models of the examples">
        <Select
          label="Task"
          value={board?.id ?? params.task ?? ""}
          options={boards.map((each) => ({ value: each.id, label: boardName(data, each) }))}
          onChange={(picked) => change({ task: picked, id: "", cluster: "", gold: "", length: "" })}
        />
        {examples && <Models {...{ examples, params, change, task }} />}
      </Toolbar>
      {fault && <Absent fault={fault} />}
      {undecoded && (
        <p class="note">
          The examples of this file could not be read: it is damaged, or the browser has no
          DecompressionStream ({undecoded}).
        </p>
      )}
      {board && !examples && !undecoded && <p role="status">Decoding…</p>}
      {examples && <OfTask {...{ examples, params, change, task }} />}
    </div>
  );
}

interface OfTaskProps {
  examples: TaskExamples;
  params: Params;
  change: Change;
  /** Name of the task. */
  task: string;
}

const namesOf = (examples: TaskExamples): string[] => examples.models.map((each) => each.model);

function Models({ examples, params, change }: OfTaskProps) {
  const models = namesOf(examples);
  const [baseline, candidate] = askedPair(models, params.baseline, params.candidate);
  const pickBaseline = (name: string) =>
    change({ baseline: name, candidate: name === candidate ? baseline : candidate });
  return (
    <>
      <Select label="Baseline" value={baseline} options={named(models)} onChange={pickBaseline} />
      <Select
        label="Candidate"
        value={candidate}
        options={named(models.filter((each) => each !== baseline))}
        onChange={(name) => change({ baseline, candidate: name })}
      />
    </>
  );
}

function OfTask({ examples, params, change, task }: OfTaskProps) {
  const [baseline, candidate] = askedPair(namesOf(examples), params.baseline, params.candidate);
  const found = useMemo(() => pair(examples, baseline, candidate), [examples, baseline, candidate]);
  const fault = modelFault(baseline, examples, task) || modelFault(candidate, examples, task);
  if (fault) return <Absent fault={fault} />;
  if (baseline === candidate)
    return <Absent fault={`${baseline} is both baseline and candidate: choose two models.`} />;
  if (!found) return <p class="note">Only one model has answers here, so that nothing can change.</p>;
  return <OfPair found={found} {...{ params, change, task }} />;
}

function showOptions(found: Pair): Option[] {
  const numbers = counts(found);
  const words: Record<Show, string> = found.examples.flips
    ? { changed: "flipped", gained: "wrong → right", lost: "right → wrong", all: "all" }
    : { changed: "changed", gained: "gained", lost: "lost", all: "all" };
  return SHOWN.map((each) => ({ value: each, label: `${words[each]} (${count(numbers[each])})` }));
}

interface OfPairProps {
  found: Pair;
  params: Params;
  change: Change;
}

function OfPair({ found, params, change, task }: OfPairProps & { task: string }) {
  const { examples } = found;
  // Where nothing changed, or nothing is known of single examples, there is still something to look at.
  const usual = found.changes.some(Boolean) ? "changed" : "all";
  const show = oneOf(SHOWN, params.show, usual) as Show;
  const { q, cluster, gold, length } = params;
  const indices = useMemo(() => shown(found, show, params), [found, show, q, cluster, gold, length]);
  // A linked example is shown even where the filters have left it out.
  const linked = params.id ? examples.ids.indexOf(params.id) : -1;
  const absent = Boolean(params.id) && linked < 0;
  const at = absent ? -1 : linked >= 0 ? linked : (indices[0] ?? -1);
  const position = indices.indexOf(at);
  const detail = useRef<HTMLElement>(null);
  const go = (step: number) => {
    const next = indices[Math.max(0, Math.min(indices.length - 1, position + step))];
    if (next !== undefined && next !== at) change({ id: examples.ids[next] ?? "" }, "step");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("input, select, textarea")) return;
    const step = { j: 1, ArrowRight: 1, k: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    go(step);
    detail.current?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the focused parts; each has buttons too
    <div onKeyDown={onKeyDown}>
      <h3>
        <bdi>{task}</bdi>: from <bdi>{found.baseline.model}</bdi> to <bdi>{found.candidate.model}</bdi>
      </h3>
      <Filters {...{ found, params, change, show }} />
      <LeftOut examples={examples} />
      <p role="status" class="count">
        {plural(indices.length, "example")}
        {position >= 0 ? `; showing ${count(position + 1)}, id ${examples.ids[at]}` : ""}
      </p>
      {absent && <Absent fault={notHere(params.id ?? "", task, examples)} />}
      <div class="browser">
        <ExampleList {...{ found, indices, at, params }} />
        {at >= 0 && (
          <ExampleDetail
            {...{ found, at, position, go, params }}
            last={indices.length - 1}
            element={detail}
          />
        )}
      </div>
    </div>
  );
}

/** What is good, where an answer is not simply right or wrong. */
function qualityNote(examples: TaskExamples): string {
  if (examples.gold_ranks.length)
    return ` Ranks are among all ${count(allOf(examples))}, 1 for the highest: an answer is good where its rank is near gold’s.`;
  return examples.quality && !examples.flips ? ` Quality: ${examples.quality}.` : "";
}

function notHere(id: string, task: string, { ids, left_out }: TaskExamples): string {
  const why = left_out
    ? `: it has the ${count(ids.length)} on which the models differ most, of ${count(ids.length + left_out)}`
    : "";
  return `Example ${id} of ${task} is not in this page${why}.`;
}

function Filters({ found, params, change, show }: OfPairProps & { show: Show }) {
  const { examples } = found;
  const slices = useMemo(() => {
    const any = { value: "", label: "all" };
    const options = (values: readonly (string | number | null)[]): Option[] => {
      const all = valueCounts(values);
      if (all.length < 2 || all.length > MOST_VALUES || all.length === values.length) return [];
      return [any, ...all.map(([value, number]) => ({ value, label: `${value} (${count(number)})` }))];
    };
    const ends = thirds(examples.lengths);
    const lengths: Option[] = ends
      ? [
          any,
          { value: "short", label: `short: below ${count(ends[0])}` },
          { value: "medium", label: "medium" },
          { value: "long", label: `long: from ${count(ends[1])}` },
        ]
      : [];
    return { cluster: options(examples.clusters), gold: options(examples.gold), length: lengths };
  }, [examples]);
  const labels = { cluster: "Cluster", gold: "Gold", length: "Characters" };
  return (
    <Toolbar label="Filters of the examples">
      <Choice
        label="Show"
        name="examples-show"
        value={show}
        options={showOptions(found)}
        onChange={(value) => change({ show: value, id: "" })}
      />
      {(["cluster", "gold", "length"] as const).map(
        (each) =>
          slices[each].length > 0 && (
            <Select
              key={each}
              label={labels[each]}
              value={oneOf(["", ...slices[each].map((one) => one.value)], params[each])}
              options={slices[each]}
              onChange={(value) => change({ [each]: value, id: "" })}
            />
          ),
      )}
      <Search label="Search" value={params.q ?? ""} onChange={(value) => change({ q: value, id: "" })} />
    </Toolbar>
  );
}

function LeftOut({ examples }: { examples: TaskExamples }) {
  const { ids, left_out, texts, absent, no_documents } = examples;
  const noTexts = content().texts ? "No texts are at hand." : "The report was written without texts.";
  const notes = [
    ...(Object.keys(texts).length ? [] : [noTexts]),
    ...Object.entries(absent).map(([model, reason]) => `${model} is not here: ${reason}`),
    ...(no_documents ? [no_documents] : []),
  ];
  return (
    <>
      <p class="note">
        {left_out
          ? `${plural(left_out, "example")} left out: here are the ${count(ids.length)} on which the models differ most.`
          : `All ${plural(ids.length, "example")} of the task.`}
        {qualityNote(examples)}
      </p>
      {notes.map((each) => (
        <p key={each} class="note">
          {each}
        </p>
      ))}
    </>
  );
}
