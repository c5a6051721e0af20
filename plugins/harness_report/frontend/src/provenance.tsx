/** Where a score comes from, on demand. */
import type { ReportBoard, ReportFinding, ReportRanked, ReportRow } from "./content";
import { count, number, percent, ranksAndChance, size } from "./format";
import { model } from "./page";
import { Said } from "./said";

export type Fact = readonly [name: string, value: string | null | undefined];

/** Names and values; those without a value are left out. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value && value !== "–")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Findings({ findings }: { findings: readonly ReportFinding[] }) {
  if (!findings.length) return null;
  return (
    <ul class="findings">
      {findings.map((each) => (
        <li key={each.code} class={`finding-${each.severity}`}>
          <strong>
            {each.severity}: {each.code}
          </strong>{" "}
          <Said text={`${each.message} ${each.remedy}`} />
        </li>
      ))}
    </ul>
  );
}

const pairs = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

export function Provenance({ board, row }: { board: ReportBoard; row: ReportRow }) {
  const headline = row.scores[0];
  return (
    <>
      <Facts
        facts={[
          ["all metrics", row.scores.map((each) => `${each.metric} ${number(each.score)}`).join(" · ")],
          ["data", `${board.origin}, split ${board.split}`],
          ["examples", headline && `${count(headline.examples)} in ${count(headline.clusters)} clusters`],
          ["task version", String(board.version)],
          ["digest of the rows", board.digest],
          ["fingerprint of the model", model(row.model)?.fingerprint],
          ["learned on other splits", pairs(row.fitted)],
          ["truncated texts", row.truncated_texts === null ? null : percent(row.truncated_texts, 1)],
          ["lost tokens", row.lost_tokens === null ? null : percent(row.lost_tokens, 1)],
          ["predictions", row.predictions],
          ["key of the record", row.key],
          ["libraries", pairs(row.libraries)],
        ]}
      />
      {board.remarks.map((each) => (
        <p key={each}>
          <Said text={each} />
        </p>
      ))}
      <Findings findings={row.findings} />
    </>
  );
}

export function ModelProvenance({ name, ranked }: { name: string; ranked: ReportRanked | undefined }) {
  const found = model(name);
  if (!found) return null;
  const speed = found.texts_per_second;
  return (
    <>
      <Facts
        facts={[
          ["fingerprint", found.fingerprint],
          ["parameters", count(found.parameters)],
          ["dimensions", count(found.dimensions)],
          ["tokens of a text", count(found.max_tokens)],
          ["weights", size(found.size_bytes)],
          ["an embedding", size(found.embedding_bytes)],
          ["texts/s", speed && `${count(Math.round(speed[1] ?? 0))}`],
          ["computed with", [found.backend, found.dtype, found.device].filter(Boolean).join(", ")],
          ["similarity", found.similarity],
          ["settings", pairs(found.settings)],
          ["rank (chance to lead)", ranked && ranksAndChance(ranked.rank, ranked.best)],
          ["average rank", ranked && number(ranked.average_rank, 2)],
          ["Borda: models beaten, over all tasks", ranked && number(ranked.borda, 1).replace(/\.0$/, "")],
        ]}
      />
      {Object.entries(ranked?.missing ?? {}).map(([task, reason]) => (
        <p key={task}>
          {task}: {reason}
        </p>
      ))}
      <Findings findings={found.findings} />
    </>
  );
}
