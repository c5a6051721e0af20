/** Baseline against candidate: a forest plot in a table, in domain against outside, the gate, what differs. */
import { useLayoutEffect, useMemo } from "preact/hooks";
import { GainTable, VerdictWord } from "./comparison-table";
import type { ComparedWith, Comparison, Forgetting, GateLine, Overall } from "./content";
import { named, oneOf, Select, Toolbar } from "./controls";
import { number, percent, plural } from "./format";
import { boardsWithExamples, content } from "./page";
import { Command, Said } from "./said";
import { fragment, useParams } from "./state";

const OUTCOMES: Record<number, string> = {
  0: "passes",
  1: "fails",
  2: "broken",
  3: "not comparable",
  4: "undecided",
};
const MARKS: Record<string, string> = {
  passes: "✓",
  fails: "✗",
  broken: "!",
  "not comparable": "≠",
  undecided: "?",
};

export function Outcome({ outcome }: { outcome: string }) {
  return (
    <span class={`outcome is-${outcome.replace(" ", "-")}`}>
      <span class="sign" aria-hidden="true">
        {MARKS[outcome] ?? ""}
      </span>{" "}
      {outcome}
    </span>
  );
}

/** Return the comparison of the pair that is asked for, or the first one. */
export function pairOf(compared: readonly ComparedWith[], baseline?: string, candidate?: string) {
  const names = compared.map((each) => each.baseline);
  const group = compared.find((each) => each.baseline === oneOf(names, baseline));
  const candidates = group?.comparisons.map((each) => each.candidate.name) ?? [];
  const chosen = oneOf(candidates, candidate, content().answer.selection?.winner);
  const comparison = group?.comparisons.find((each) => each.candidate.name === chosen);
  return { names, group, candidates, comparison };
}

/** The heading names the baseline; that of the page as it was written is the first one. */
function useHeading(baseline: string | undefined): void {
  useLayoutEffect(() => {
    const name = document.querySelector("#comparison-title bdi");
    if (name && baseline) name.textContent = baseline;
  }, [baseline]);
}

/** Whether the answer has the sentence, so that it need not be said again. */
const saidAbove = (sentence: string): boolean => content().answer.sentences.includes(sentence);

const tasksOf = (comparison: Comparison): number => new Set(comparison.lines.map((each) => each.task)).size;

export function ComparisonView() {
  const { compared, not_compared } = content();
  const [params, change] = useParams("comparison");
  const { names, group, candidates, comparison } = useMemo(
    () => pairOf(compared, params.baseline, params.candidate),
    [compared, params.baseline, params.candidate],
  );
  useHeading(group?.baseline);
  if (!group || !comparison) return null;
  const baseline = group.baseline;
  const candidate = comparison.candidate.name;
  // A pair stays a pair when the two change places.
  const pickBaseline = (name: string) =>
    change({ baseline: name, candidate: name === candidate ? baseline : candidate });
  return (
    <div>
      <Toolbar label="Models that are compared">
        <Select label="Baseline" value={baseline} options={named(names)} onChange={pickBaseline} />
        <Select
          label="Candidate"
          value={candidate}
          options={named(candidates)}
          onChange={(name) => change({ baseline, candidate: name })}
        />
      </Toolbar>
      {not_compared && (
        <p class="note">
          <Said text={not_compared} />
        </p>
      )}
      <p role="status" class="verdict-sentence">
        {comparison.gated && <Outcome outcome={OUTCOMES[comparison.exit_code] ?? "undecided"} />}{" "}
        {saidAbove(comparison.sentence) ? (
          `${candidate} against ${baseline}, on ${plural(tasksOf(comparison), "task")}`
        ) : (
          <Said text={comparison.sentence} />
        )}
      </p>
      <GainTable comparison={comparison} params={params} onChange={change} />
      <Across comparison={comparison} />
      <Gate lines={comparison.gate} />
      <Remarks group={group} comparison={comparison} />
      {boardsWithExamples().length > 0 && (
        <p>
          <a href={fragment("examples", { baseline, candidate })}>Examples on which the two differ</a>
        </p>
      )}
    </div>
  );
}

/** Return what follows from the means in the domain and outside it, which the table has. */
function conclusion({ sentence }: Forgetting): string {
  return sentence.slice(sentence.lastIndexOf(";") + 1).trim();
}

function Across({ comparison }: { comparison: Comparison }) {
  const { speed, forgetting } = comparison;
  const inside = forgetting?.inside?.tasks.join("\n");
  // The table has the mean in the domain, and so does the sentence of its tag.
  const notInTable = ({ tag, mean }: Overall) => tag === null || mean.tasks.join("\n") !== inside;
  return (
    <>
      {comparison.overall.filter(notInTable).map((each) => (
        <p key={each.which}>
          <VerdictWord verdict={each.verdict} /> <Said text={each.sentence} />
        </p>
      ))}
      {forgetting && (
        <p>
          <strong>In the domain and outside it:</strong> <Said text={conclusion(forgetting)} />
        </p>
      )}
      {speed && (
        <p>
          <strong>Throughput:</strong>{" "}
          {speed.low === null
            ? `equal: ${speed.source}.`
            : `${number(speed.ratio, 2)} times the baseline's [${number(speed.low, 2)}, ${number(speed.high, 2)}], from ${speed.source}.`}
        </p>
      )}
    </>
  );
}

const ASKED: Record<GateLine["rule"], string> = {
  margin: "margin",
  gain: "gain of at least",
  min: "score of at least",
  throughput: "throughput",
};

/** What a condition asks, as the answer of the page has it. */
function condition(line: GateLine): string {
  if (line.rule === "throughput") return `throughput, at least ${line.threshold} of the baseline's`;
  const where = line.task ?? `${line.over ?? "each line"}${line.tag ? ` of ${line.tag}` : ""}`;
  return `${where}${line.metric ? ` ${line.metric}` : ""}, ${ASKED[line.rule]} ${line.threshold}`;
}

function Gate({ lines }: { lines: readonly GateLine[] }) {
  if (!lines.length) return null;
  return (
    <>
      <h3>Gate</h3>
      <ul class="gate">
        {lines.map((each) => (
          <li key={`${each.task} ${each.sentence}`}>
            <Outcome outcome={each.outcome} /> {condition(each)}: <Said text={each.sentence} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Remarks({ group, comparison }: { group: ComparedWith; comparison: Comparison }) {
  const differences = comparison.settings.map(
    (each) => `${each.key}: ${each.baseline} and ${each.candidate}`,
  );
  const refused = comparison.refused.map(
    (each) =>
      `${each.task} is not comparable: ${each.differences
        .map((one) => `${one.key} is ${one.baseline} and ${one.candidate}`)
        .join("; ")}`,
  );
  const looks = comparison.looks
    .filter((each) => each.candidates > 1)
    .map(
      (each) =>
        `${each.candidates} candidates were judged on the examples of ${each.task}: one without a gain is called better with up to ${percent(each.false_better)}`,
    );
  const all = [...comparison.broken, ...refused, ...group.warnings, ...looks, ...comparison.notes];
  return (
    <>
      {all.length > 0 && (
        <ul class="remarks">
          {all.map((each) => (
            <li key={each}>
              <Said text={each} />
            </li>
          ))}
        </ul>
      )}
      {differences.length > 0 && (
        <details>
          <summary>Settings differ</summary>
          <ul>
            {differences.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        </details>
      )}
      <p class="command">
        The same in a terminal: <Command line={group.command} />
      </p>
    </>
  );
}
