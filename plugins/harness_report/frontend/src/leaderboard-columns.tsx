/** Columns of the leaderboard's two tables. */
import { Axis, IntervalCell, scaleOf } from "./bars";
import type { ReportBoard } from "./content";
import { count, interval, MISSING, number, percent, ranks } from "./format";
import { boardName, headline, type ModelRow, type ScoreRow } from "./leaderboard-rows";
import type { PageContent } from "./page";
import type { Params } from "./state";
import type { Column } from "./table";

const ranked = (rank: readonly number[] | null | undefined): number | null => rank?.[0] ?? null;

export function modelColumns(
  content: PageContent,
  boards: readonly ReportBoard[],
  rows: readonly ModelRow[],
  params: Params,
): Column<ModelRow>[] {
  const columns: Column<ModelRow>[] = [
    { id: "model", title: "model", kind: "row-header", value: (row) => row.model },
  ];
  if (rows.some((row) => row.mean))
    columns.push(...meanColumns(rows, params.tag ? `mean of ${params.tag}` : "mean"));
  if (rows.some((row) => row.ranked?.rank))
    columns.push({
      id: "rank",
      title: "rank",
      kind: "number",
      value: (row) => ranked(row.ranked?.rank),
      cell: (row) => ranks(row.ranked?.rank ?? null),
      copied: [{ name: "rank", value: (row) => ranks(row.ranked?.rank ?? null) }],
    });
  if (rows.some((row) => typeof row.ranked?.average_rank === "number"))
    columns.push({
      id: "average-rank",
      title: "average rank",
      kind: "number",
      value: (row) => row.ranked?.average_rank ?? null,
      cell: (row) => number(row.ranked?.average_rank, 2),
    });
  return [...columns, ...boards.map((board) => boardColumn(content, board, rows))];
}

function meanColumns(rows: readonly ModelRow[], title: string): Column<ModelRow>[] {
  const scale = scaleOf(rows.flatMap((row) => [row.mean?.score, row.mean?.low, row.mean?.high]));
  const mean: Column<ModelRow> = {
    id: "mean",
    title,
    kind: "number",
    descending: true,
    value: (row) => row.mean?.score ?? null,
    cell: (row) => number(row.mean?.score),
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
  if (!scale) return [mean];
  const bar: Column<ModelRow> = {
    id: "mean-interval",
    title: "95 % interval",
    below: <Axis scale={scale} />,
    kind: "figure",
    descending: true,
    value: (row) => row.mean?.low ?? null,
    copied: [],
    cell: (row) => (
      <IntervalCell
        scale={scale}
        value={row.mean?.score ?? null}
        low={row.mean?.low ?? null}
        high={row.mean?.high ?? null}
      />
    ),
  };
  return [mean, bar];
}

function boardColumn(content: PageContent, board: ReportBoard, rows: readonly ModelRow[]): Column<ModelRow> {
  const name = boardName(content, board);
  const best = Math.max(
    ...rows.map((row) => headline(row.cells.get(board.id))?.score ?? Number.NEGATIVE_INFINITY),
  );
  const scored = (row: ModelRow) => headline(row.cells.get(board.id))?.score ?? null;
  const letters = (row: ModelRow) => row.cells.get(board.id)?.letters ?? "";
  return {
    id: `board.${board.id}`,
    title: name,
    kind: "number",
    descending: true,
    value: scored,
    cell: (row) => {
      const cell = row.cells.get(board.id);
      if (cell && cell.status !== "ok")
        return <span class="failed">{cell.status === "error" ? "failed" : "broken"}</span>;
      const score = scored(row);
      if (score === null) return MISSING;
      return (
        <span class={score === best ? "highest" : undefined}>
          {number(score)}
          {score === best && <span class="visually-hidden"> highest</span>}
          {letters(row) && <span class="letters">{letters(row)}</span>}
        </span>
      );
    },
    copied: [
      { name, value: scored, text: (row) => [number(scored(row)), letters(row)].join(" ").trim() },
      { name: `${name} letters`, csv: true, value: (row) => letters(row) || null },
    ],
  };
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
          number(row.score?.score)
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
      kind: "number",
      value: (row) => ranked(row.row.rank),
      cell: (row) => ranks(row.row.rank),
      copied: [{ name: "rank", value: (row) => ranks(row.row.rank) }],
    });
  if (rows.some((each) => each.row.best !== null))
    columns.push({
      id: "best",
      title: "leads",
      kind: "number",
      descending: true,
      value: (row) => row.row.best,
      cell: (row) => percent(row.row.best),
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
