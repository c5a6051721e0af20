/** How the answers of models are distributed on a task. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { askedBoard, askedPair } from "./asked";
import type { Distribution, TaskExamples } from "./content";
import { Absent, Select, Toolbar } from "./controls";
import { agreementRows, axisTitle, distributionRows, examplesIn } from "./distribution-rows";
import { Figure } from "./figure";
import { plural } from "./format";
import { boardName } from "./leaderboard-rows";
import { boardsWithExamples, content, domainsOf, examplesOf } from "./page";
import { usePair, useParams } from "./state";

const TITLES: Record<Distribution["kind"], string> = {
  similarity: "similarity by class",
  margin: "margin of triplets",
  rank: "rank of the first relevant document",
  length: "quality by length of the texts",
};

/** Figures, in the order in which they are shown. */
const KINDS = ["agreement", "similarity", "margin", "rank", "length"];

/** Models in the state are joined by this, which no name has: names are on one line. */
const JOINT = "\n";

/** A figure, before it is drawn beside those of other models. */
interface Part {
  model: string;
  name: string;
  rows: readonly object[];
  words: Readonly<Record<string, string>>;
  title: string;
  description: string;
}

export function DistributionsView() {
  const data = content();
  const [params, change] = useParams("distributions");
  const chosen = usePair();
  const boards = data.boards.filter((board) => data.distributions.some((each) => each.board === board.id));
  const { found: board, fault } = askedBoard(boards, params.task, "distributions");
  const here = useMemo(() => data.distributions.filter((each) => each.board === board?.id), [data, board]);
  const names = data.models
    .map((each) => each.name)
    .filter((name) => here.some((each) => each.model === name));
  const asked = params.models === undefined ? null : params.models.split(JOINT).filter(Boolean);
  const pair = askedPair(names, chosen.baseline, chosen.candidate);
  // Baseline left, candidate right, then the others.
  const ordered = [...new Set([...pair, ...names])].filter((each) => names.includes(each));
  const picked = ordered.filter((each) => (asked ?? pair).includes(each));
  const absent = (asked ?? pair).filter((each) => each && !names.includes(each));
  const examples = useAgreement(board?.id ?? "");
  if (!boards.length) return null;
  const toggle = (model: string, on: boolean) => {
    const next = names.filter((each) => (each === model ? on : picked.includes(each)));
    change({ models: next.join(JOINT) || JOINT });
  };
  const task = board ? boardName(data, board) : "";
  return (
    <div>
      <Toolbar label="Task and models of the distributions">
        <Select
          label="Task"
          value={board?.id ?? params.task ?? ""}
          options={boards.map((each) => ({ value: each.id, label: boardName(data, each) }))}
          onChange={(other) => change({ task: other })}
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
      {fault && <Absent fault={fault} />}
      {board &&
        absent.map((each) => (
          <Absent key={each} fault={`${each} has no distributions on ${task} in this page.`} />
        ))}
      {board && (
        <>
          <h3>
            <bdi>{task}</bdi>
          </h3>
          <p role="status" class="count">
            {picked.length ? `Of ${picked.join(", ")}, with the same scales` : "No model is picked."}
          </p>
          <Rows {...{ here, picked, examples, task }} />
        </>
      )}
    </div>
  );
}

interface RowsProps {
  here: readonly Distribution[];
  picked: readonly string[];
  examples: TaskExamples | null;
  task: string;
}

/** Each quantity in a row of its own, the models beside each other. */
function Rows({ here, picked, examples, task }: RowsProps) {
  const parts = [
    ...(examples ? picked.flatMap((model) => agreement(examples, model, task)) : []),
    ...picked.flatMap((model) =>
      here.filter((each) => each.model === model).flatMap((each) => histogram(each, task)),
    ),
  ];
  const kinds = KINDS.filter((kind) => parts.some((each) => each.name === kind));
  return (
    <>
      {kinds.map((kind) => {
        const own = parts.filter((each) => each.name === kind);
        const domains = domainsOf(
          kind,
          own.map((each) => each.rows),
        );
        const quality = kind === "length" ? here.find((each) => each.kind === kind)?.quality_of : "";
        return (
          <div key={`${task} ${kind}`}>
            <div class="figures">
              {own.map((each) => (
                <Figure key={each.model} {...{ ...each, domains }} />
              ))}
            </div>
            {kind === "length" && (
              <p class="note">
                {quality && `Quality: ${quality}. `}Each line is the mean of texts of these lengths, about as
                many in each; its bar is a 95 % interval (1.96 standard errors).
              </p>
            )}
          </div>
        );
      })}
    </>
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

function histogram(found: Distribution, task: string): Part[] {
  const number = examplesIn(found);
  if (!number) return [];
  const { model, kind, label } = found;
  return [
    {
      model,
      name: kind,
      rows: distributionRows(found),
      words: kind === "length" ? { label, quality: axisTitle(found.quality_of) } : { label },
      title: `${model} on ${task}: ${TITLES[kind]}`,
      description: `${plural(number, "example")}.`,
    },
  ];
}

function agreement(examples: TaskExamples, model: string, task: string): Part[] {
  const answers = examples.models.find((each) => each.model === model);
  const rows = answers ? agreementRows(examples, answers) : [];
  if (new Set(rows.map((each) => each.gold)).size < 3) return []; // classes have histograms
  return [
    {
      model,
      name: "agreement",
      rows,
      words: { label: "similarity" },
      title: `${model} on ${task}: similarity against gold`,
      description: `${plural(rows.length, "example")}; the higher gold, the higher the answer should be.`,
    },
  ];
}
