/** Columns of the leaderboard's two tables. */
import type { ComponentChildren } from "preact";
import { Axis, IntervalCell, type Scale, SmallBar, scaleOf } from "./bars";
import type { ReportBoard, ReportRanking } from "./content";
import { count, interval, MISSING, number, plural, ranks, ranksAndChance } from "./format";
import {
  bestScore,
  boardName,
  headline,
  isSample,
  type ModelRow,
  type ScoreRow,
  whyMissing,
} from "./leaderboard-rows";
import type { PageContent } from "./page";
import type { Params } from "./state";
import type { Column } from "./table";

const ranked = (rank: readonly number[] | null | undefined): number | null => rank?.[0] ?? null;

export function modelColumns(
  content: PageContent,
  boards: readonly ReportBoard[],
  ranking: ReportRanking | undefined,
  rows: readonly ModelRow[],
  params: Params,
): Column<ModelRow>[] {
  const columns: Column<ModelRow>[] = [
    { id: "model", title: "model", kind: "row-header", value: (row) => row.model },
  ];
  // Means are of all tasks or of a tag's, ranks of all tasks: beside fewer they would pass for those of the few.
  const [ofAll, ofTag] = [!params.task && !params.tag, !params.task];
  if (ofTag && ranking && rows.some((row) => row.mean)) columns.push(meanColumn(ranking, params.tag ?? ""));
  if (ofAll && rows.some((row) => row.ranked?.rank))
    columns.push({
      id: "rank",
      title: "rank",
      small: "(chance to lead)",
      kind: "number",
      value: (row) => ranked(row.ranked?.rank),
      cell: (row) => ranksAndChance(row.ranked?.rank, row.ranked?.best),
      copied: [
        {
          name: "rank",
          value: (row) => ranks(row.ranked?.rank ?? null),
          text: (row) => ranksAndChance(row.ranked?.rank, row.ranked?.best),
        },
        { name: "leads", csv: true, value: (row) => row.ranked?.best ?? null },
      ],
    });
  if (ofAll && rows.some((row) => typeof row.ranked?.average_rank === "number"))
    columns.push({
      id: "average-rank",
      title: "average rank",
      kind: "number",
      value: (row) => row.ranked?.average_rank ?? null,
      cell: (row) => number(row.ranked?.average_rank, 2),
      copied: [
        {
          name: "average rank",
          value: (row) => row.ranked?.average_rank ?? null,
          text: (row) => number(row.ranked?.average_rank, 2),
        },
      ],
    });
  return [...columns, ...boards.map((board) => boardColumn(content, board))];
}

interface Scored {
  score: number | null;
  low: number | null;
  high: number | null;
}

/** A score, what stands beside it, and its interval below it: as a bar on the scale of the column, and in numbers. */
function ScoreCell({ scale, of, beside }: { scale: Scale | null; of: Scored; beside?: ComponentChildren }) {
  return (
    <>
      <span class="score">{number(of.score)}</span>
      {beside}
      {scale && <SmallBar scale={scale} value={of.score} low={of.low} high={of.high} />}
      {of.low !== null && of.high !== null && <span class="interval">{interval(of.low, of.high)}</span>}
    </>
  );
}

const endsOf = (each: Scored | null | undefined) => [each?.score, each?.low, each?.high];

/** Of all models, so that a filter moves no bar. */
function meanColumn(ranking: ReportRanking, tag: string): Column<ModelRow> {
  const title = tag ? `mean of ${tag}` : "mean";
  const scale = scaleOf(ranking.models.flatMap((each) => endsOf(tag ? each.tags[tag] : each.mean)));
  return {
    id: "mean",
    title,
    small: tag ? "" : plural(ranking.tasks.length, "task"),
    kind: "number",
    descending: true,
    value: (row) => row.mean?.score ?? null,
    cell: (row) => (row.mean ? <ScoreCell scale={scale} of={row.mean} /> : MISSING),
    copied: [
      {
        name: title,
        value: (row) => row.mean?.score ?? null,
        text: (row) =>
          [number(row.mean?.score), interval(row.mean?.low ?? null, row.mean?.high ?? null)].join(" ").trim(),
      },
      { name: "low", csv: true, value: (row) => row.mean?.low ?? null },
      { name: "high", csv: true, value: (row) => row.mean?.high ?? null },
    ],
  };
}

function boardColumn(content: PageContent, board: ReportBoard): Column<ModelRow> {
  const name = boardName(content, board);
  const scores = board.rows.map(headline);
  const scale = scaleOf(scores.flatMap(endsOf));
  const best = bestScore(board);
  const scored = (row: ModelRow) => headline(row.cells.get(board.id))?.score ?? null;
  const letters = (row: ModelRow) => row.cells.get(board.id)?.letters ?? "";
  return {
    id: `board.${board.id}`,
    title: name,
    small: `${board.metrics[0] ?? ""}${isSample(board) ? " · sample" : ""}`,
    kind: "number",
    descending: true,
    value: scored,
    cell: (row) => {
      const cell = row.cells.get(board.id);
      if (!cell) return <span class="why">{whyMissing(content, board, row.model)}</span>;
      if (cell.status !== "ok")
        return <span class="failed">{cell.status === "error" ? "failed" : "broken"}</span>;
      const of = headline(cell);
      if (!of || of.score === null) return <span class="why">undefined</span>;
      const beside = letters(row) && <span class="letters">{letters(row)}</span>;
      if (of.score !== best) return <ScoreCell {...{ scale, of, beside }} />;
      return (
        <div class="highest">
          <ScoreCell
            {...{ scale, of }}
            beside={
              <>
                {beside}
                <span class="visually-hidden"> highest</span>
              </>
            }
          />
        </div>
      );
    },
    copied: [
      {
        name,
        value: scored,
        text: (row) => [number(scored(row)), letters(row)].join(" ").trim(),
        strong: (row) => scored(row) !== null && scored(row) === best,
      },
      { name: `${name} letters`, csv: true, value: (row) => letters(row) || null },
    ],
  };
}

/** Of all models on the board, whatever is filtered. */
function isBest({ board, score }: ScoreRow): boolean {
  return score?.metric === board.metrics[0] && score?.score != null && score.score === bestScore(board);
}

export function scoreColumns(content: PageContent, rows: readonly ScoreRow[]): Column<ScoreRow>[] {
  const scale = scaleOf(rows.flatMap(({ score }) => [score?.score, score?.low, score?.high]));
  const columns: Column<ScoreRow>[] = [
    { id: "task", title: "task", value: (row) => boardName(content, row.board) },
    { id: "model", title: "model", kind: "row-header", value: (row) => row.row.model },
    { id: "metric", title: "metric", value: (row) => row.score?.metric ?? row.board.metrics[0] ?? null },
    {
      id: "score",
      title: "score",
      kind: "number",
      descending: true,
      value: (row) => row.score?.score ?? null,
      cell: (row) =>
        row.row.status === "ok" ? (
          <span class={isBest(row) ? "highest" : undefined}>{number(row.score?.score)}</span>
        ) : (
          <span class="failed">{row.row.error ?? row.row.status}</span>
        ),
      copied: [
        {
          name: "score",
          value: (row) => row.score?.score ?? null,
          text: (row) =>
            [number(row.score?.score), interval(row.score?.low ?? null, row.score?.high ?? null)]
              .join(" ")
              .trim(),
          strong: (row) => isBest(row),
        },
        { name: "low", csv: true, value: (row) => row.score?.low ?? null },
        { name: "high", csv: true, value: (row) => row.score?.high ?? null },
      ],
    },
  ];
  if (scale)
    columns.push({
      id: "interval",
      title: "95 % interval",
      below: <Axis scale={scale} />,
      kind: "figure",
      descending: true,
      value: (row) => row.score?.low ?? null,
      copied: [],
      cell: ({ score }) => (
        <IntervalCell
          scale={scale}
          value={score?.score ?? null}
          low={score?.low ?? null}
          high={score?.high ?? null}
        />
      ),
    });
  return [...columns, ...significanceColumns(rows)];
}

function significanceColumns(rows: readonly ScoreRow[]): Column<ScoreRow>[] {
  const columns: Column<ScoreRow>[] = [];
  if (rows.some((each) => each.row.letters))
    columns.push({ id: "letters", title: "letters", value: (row) => row.row.letters ?? null });
  if (rows.some((each) => each.row.rank))
    columns.push({
      id: "rank",
      title: "rank",
      small: "(chance to lead)",
      kind: "number",
      value: (row) => ranked(row.row.rank),
      cell: (row) => ranksAndChance(row.row.rank, row.row.best),
      copied: [
        {
          name: "rank",
          value: (row) => ranks(row.row.rank),
          text: (row) => ranksAndChance(row.row.rank, row.row.best),
        },
        { name: "leads", csv: true, value: (row) => row.row.best },
      ],
    });
  columns.push({
    id: "examples",
    title: "examples",
    kind: "number",
    value: (row) => row.score?.examples ?? null,
    cell: (row) => count(row.score?.examples),
  });
  return columns;
}
