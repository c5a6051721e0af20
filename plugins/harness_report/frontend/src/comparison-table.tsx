/** The gains of a comparison: a line for each metric, with its interval on one scale and more on demand. */
import { useMemo } from "preact/hooks";
import { Axis, IntervalCell, type Scale, scaleOf } from "./bars";
import type { Comparison, Mean, MetricComparison } from "./content";
import { CopyButtons } from "./copy";
import { count, interval, minus, number, percent, pValue, signed } from "./format";
import { copiedColumns } from "./leaderboard";
import { type Fact, Facts } from "./provenance";
import type { Params } from "./state";
import { type Column, Scroller, SortableTable, type Sorting, sortedRows } from "./table";

type Verdict = MetricComparison["verdict"];

const MARKS: Record<Verdict, string> = {
  better: "▲",
  worse: "▼",
  equivalent: "=",
  inconclusive: "?",
  "not tested": "·",
};

export function VerdictWord({ verdict }: { verdict: Verdict }) {
  return (
    <span class={`verdict is-${verdict.replace(" ", "-")}`}>
      <span class="sign" aria-hidden="true">
        {MARKS[verdict]}
      </span>{" "}
      {verdict}
    </span>
  );
}

/** Confidence levels above 95 % are of a selection, and have a decimal. */
function levelText(level: number | null): string {
  return percent(level, level !== null && level > 0.95 ? 1 : 0);
}

function gainScale(comparison: Comparison): Scale | null {
  const lines = comparison.lines.flatMap((each) => [
    each.gain,
    each.low,
    each.high,
    each.margin === null ? null : -each.margin,
  ]);
  return scaleOf([0, ...lines]);
}

function columnsOf(comparison: Comparison, scale: Scale | null): Column<MetricComparison>[] {
  const level = levelText(comparison.level);
  const columns: Column<MetricComparison>[] = [
    { id: "task", title: "task", kind: "row-header", value: (line) => line.task },
    { id: "metric", title: "metric", value: (line) => line.metric },
    {
      id: "baseline",
      title: "baseline",
      kind: "number",
      descending: true,
      value: (line) => line.baseline,
      cell: (line) => number(line.baseline),
    },
    {
      id: "candidate",
      title: "candidate",
      kind: "number",
      descending: true,
      value: (line) => line.candidate,
      cell: (line) => number(line.candidate),
    },
    {
      id: "gain",
      title: "gain",
      kind: "number",
      descending: true,
      value: (line) => line.gain,
      cell: (line) => signed(line.gain),
      copied: [
        {
          name: "gain",
          value: (line) => line.gain,
          text: (line) => `${signed(line.gain)} ${interval(line.low, line.high, signed)}`.trim(),
        },
        { name: "low", csv: true, value: (line) => line.low },
        { name: "high", csv: true, value: (line) => line.high },
        { name: "p", csv: true, value: (line) => line.p_adjusted },
      ],
    },
  ];
  columns.push({
    id: "verdict",
    title: "verdict",
    value: (line) => line.verdict,
    cell: (line) => <VerdictWord verdict={line.verdict} />,
  });
  if (scale)
    columns.push({
      id: "interval",
      title: `${level} interval`,
      below: <Axis scale={scale} />,
      kind: "figure",
      descending: true,
      value: (line) => line.low,
      copied: [],
      cell: (line) => (
        <IntervalCell
          {...{ scale, zero: true, value: line.gain, low: line.low, high: line.high }}
          margin={line.margin}
          mark={line.verdict}
          form={signed}
        />
      ),
    });
  return columns;
}

/** What is known of a line beyond its gain. */
function lineFacts(line: MetricComparison, level: number | null): Fact[] {
  const clusters = line.clusters === line.examples ? "" : ` in ${count(line.clusters)} clusters`;
  return [
    ["metric", line.metric],
    ["baseline and candidate", `${number(line.baseline)} and ${number(line.candidate)}`],
    ["p, corrected over all lines", pValue(line.p_adjusted)],
    ["p of this line alone", pValue(line.p)],
    [`${levelText(level)} interval of the gain`, interval(line.low, line.high, signed)],
    ["margin", line.margin === null ? null : `${line.margin}: ${marginSentence(line)}`],
    ["smallest gain that would be called better", line.detectable === null ? null : signed(line.detectable)],
    ["examples", `${count(line.examples)}${clusters}`],
    ["examples needed", line.needed === null ? null : count(line.needed)],
    ["test", line.test],
    ["share of training seeds in the variance", line.from_seeds === null ? null : percent(line.from_seeds)],
    [
      "heaviest",
      line.heaviest === null
        ? null
        : `${line.heaviest}: ${percent(line.heaviest_share)} of the gain's variance`,
    ],
    ["why there is no test", line.reason && minus(line.reason)],
    [
      "too few",
      line.shortage &&
        `${count(line.shortage.have)} ${line.shortage.what}; about ${count(line.shortage.needed)} needed`,
    ],
    ["data", [line.data, line.limit === null ? "" : `limit ${line.limit}`].filter(Boolean).join(", ")],
    ["tags", line.tags.join(", ")],
  ];
}

function marginSentence(line: MetricComparison): string {
  if (line.within_margin === null) return "not decided, there is no interval";
  return line.within_margin ? "the whole interval is above it" : "the interval reaches below it";
}

function captionOf({ lines }: Comparison): string {
  const margin = lines.some((each) => each.margin !== null && each.margin > 0);
  return `Gains: candidate − baseline; the upright line is no gain${margin ? ", the dashed one the margin" : ""}`;
}

interface Props {
  comparison: Comparison;
  params: Params;
  onChange: (change: Params) => void;
}

export function GainTable({ comparison, params, onChange }: Props) {
  const scale = useMemo(() => gainScale(comparison), [comparison]);
  const columns = useMemo(() => columnsOf(comparison, scale), [comparison, scale]);
  const sorting = params.sort
    ? { id: params.sort.replace(/^-/, ""), desc: params.sort.startsWith("-") }
    : undefined;
  const onSort = ({ id, desc }: Sorting) => onChange({ sort: `${desc ? "-" : ""}${id}` });
  const domain = comparison.forgetting?.domain;
  const inDomain = (line: MetricComparison) => line.tags.some((each) => domain?.includes(each));
  const group = (line: MetricComparison) =>
    inDomain(line) ? `In domain: ${domain?.join(", ")}` : "Outside the domain";
  // Groups stand in the order in which they first occur.
  const rows = useMemo(() => {
    const { lines } = comparison;
    return domain ? [...lines.filter(inDomain), ...lines.filter((each) => !inDomain(each))] : lines;
  }, [comparison]);
  return (
    <>
      <SortableTable
        id="gains"
        name="Gains"
        caption={captionOf(comparison)}
        {...{ columns, sorting, onSort, ...(domain && { group }) }}
        rows={rows}
        rowKey={(line) => `${line.task} ${line.metric} ${line.digest}`}
        details={(line) => <Facts facts={lineFacts(line, comparison.level)} />}
        detailsName={(line) => `${line.metric} on ${line.task}`}
      />
      <CopyButtons rows={sortedRows(rows, columns, sorting)} columns={copiedColumns(columns)} />
      {comparison.forgetting && scale && <Means comparison={comparison} scale={scale} />}
    </>
  );
}

/** Mean gains in the domain and outside it, on the scale of the table. */
function Means({ comparison, scale }: { comparison: Comparison; scale: Scale }) {
  const { inside, outside, domain } = comparison.forgetting ?? { inside: null, outside: null, domain: [] };
  const rows: [string, Mean | null][] = [
    [`In domain (${domain.join(", ")})`, inside],
    ["Outside", outside],
  ];
  return (
    <Scroller label="Mean gain in the domain and outside it">
      <table class="data means" id="forgetting">
        <caption>Mean gain in the domain and outside it</caption>
        <thead>
          <tr>
            <th scope="col">where</th>
            <th scope="col" class="number">
              mean gain
            </th>
            <th scope="col" class="figure">
              {levelText(comparison.level)} interval
            </th>
            <th scope="col" class="number">
              tasks
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, mean]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number" data-title="mean gain">
                {signed(mean?.gain)}
              </td>
              <td class="figure" data-title={`${levelText(comparison.level)} interval`}>
                {mean && (
                  <IntervalCell
                    {...{ scale, zero: true, value: mean.gain, low: mean.low, high: mean.high }}
                    mark="mean"
                    form={signed}
                  />
                )}
              </td>
              <td class="number" data-title="tasks">
                {mean ? mean.tasks.length : 0}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
