/** How the answers of models are distributed on a task. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Distribution, TaskExamples } from "./content";
import { oneOf, Select, Toolbar } from "./controls";
import { agreementRows, distributionRows, examplesIn } from "./distribution-rows";
import { Figure } from "./figure";
import { plural } from "./format";
import { boardName } from "./leaderboard-rows";
import { boardsWithExamples, content, examplesOf } from "./page";
import { useParams } from "./state";

const TITLES: Record<Distribution["kind"], string> = {
  similarity: "similarity by class",
  margin: "margin of triplets",
  rank: "rank of the first relevant document",
  length: "quality by length of the texts",
};

/** Models in the state are joined by this, which no name has: names are on one line. */
const JOINT = "\n";

/** The baseline, and the winner or the first candidate. */
function firstPair(names: readonly string[]): string[] {
  const { compared, answer } = content();
  const baseline = oneOf(names, compared[0]?.baseline);
  const others = names.filter((each) => each !== baseline);
  return [baseline, ...(others.length ? [oneOf(others, answer.selection?.winner)] : [])];
}

export function DistributionsView() {
  const data = content();
  const [params, change] = useParams("distributions");
  const boards = data.boards.filter((board) => data.distributions.some((each) => each.board === board.id));
  const id = oneOf(
    boards.map((each) => each.id),
    params.task,
  );
  const here = useMemo(() => data.distributions.filter((each) => each.board === id), [data, id]);
  const names = data.models
    .map((each) => each.name)
    .filter((name) => here.some((each) => each.model === name));
  const asked = params.models === undefined ? [] : params.models.split(JOINT);
  const picked =
    params.models === undefined ? firstPair(names) : names.filter((each) => asked.includes(each));
  const examples = useAgreement(id);
  if (!boards.length) return null;
  const toggle = (model: string, on: boolean) => {
    const next = names.filter((each) => (each === model ? on : picked.includes(each)));
    change({ models: next.join(JOINT) || JOINT });
  };
  return (
    <div>
      <Toolbar label="Task and models of the distributions">
        <Select
          label="Task"
          value={id}
          options={boards.map((each) => ({ value: each.id, label: boardName(data, each) }))}
          onChange={(task) => change({ task })}
        />
        <fieldset class="choice">
          <legend>Models</legend>
          {names.map((model) => (
            <label key={model}>
              <input
                type="checkbox"
                checked={picked.includes(model)}
                onChange={(event) => toggle(model, event.currentTarget.checked)}
              />
              <span>{model}</span>
            </label>
          ))}
        </fieldset>
      </Toolbar>
      <p role="status" class="count">
        {picked.length ? `Of ${picked.join(", ")}` : "No model is picked."}
      </p>
      <div class="figures">
        {examples && picked.map((model) => <Agreement key={`${id} ${model}`} {...{ examples, model }} />)}
        {here
          .filter((each) => picked.includes(each.model))
          .sort((a, b) => a.kind.localeCompare(b.kind) || names.indexOf(a.model) - names.indexOf(b.model))
          .map((each) => (
            <Histogram key={`${id} ${each.model} ${each.kind}`} found={each} />
          ))}
      </div>
    </div>
  );
}

/** Examples of a board, for the scatter against gold; null until they are decoded, or where there are none. */
function useAgreement(id: string): TaskExamples | null {
  const [state, setState] = useState<TaskExamples | null>(null);
  useEffect(() => {
    let current = true;
    if (boardsWithExamples().some((each) => each.id === id))
      examplesOf(id).then(
        (found) => current && setState(found),
        () => undefined, // the view of examples says it
      );
    return () => {
      current = false;
    };
  }, [id]);
  return state?.board === id ? state : null;
}

function Histogram({ found }: { found: Distribution }) {
  const rows = useMemo(() => distributionRows(found), [found]);
  const words: Record<string, string> =
    found.kind === "length"
      ? { label: found.label, quality: found.quality_of || "quality" }
      : { label: found.label };
  if (!examplesIn(found)) return null;
  return (
    <Figure
      name={found.kind}
      title={`${found.model}: ${TITLES[found.kind]}`}
      description={`${plural(examplesIn(found), "example")}.`}
      {...{ rows, words }}
    />
  );
}

function Agreement({ examples, model }: { examples: TaskExamples; model: string }) {
  const answers = examples.models.find((each) => each.model === model);
  const rows = useMemo(() => (answers ? agreementRows(examples, answers) : []), [examples, answers]);
  if (new Set(rows.map((each) => each.gold)).size < 3) return null; // classes have histograms
  return (
    <Figure
      name="agreement"
      title={`${model}: answers against gold`}
      description={`${plural(rows.length, "example")}; the higher gold, the higher the answer should be.`}
      words={{ label: "similarity" }}
      rows={rows}
    />
  );
}
