/** The leaderboard: models over tasks, or each score; sorted, filtered and copied. */
import { useMemo } from "preact/hooks";
import type { ReportRanking } from "./content";
import { Choice, named, type Option, oneOf, Search, Select, Toolbar } from "./controls";
import { CopyButtons } from "./copy";
import { plural } from "./format";
import { modelColumns, scoreColumns } from "./leaderboard-columns";
import { boardName, HEADLINE, inRanking, modelRows, scoreRows, shownBoards } from "./leaderboard-rows";
import { content } from "./page";
import { ModelProvenance, Provenance } from "./provenance";
import { useParams } from "./state";
import { type Column, SortableTable, type Sorting, sortedRows } from "./table";

function rankingName(ranking: ReportRanking): string {
  const limit = ranking.limit === null ? "" : `, limit ${ranking.limit}`;
  return `${ranking.sample ? "samples of " : ""}${plural(ranking.tasks.length, "task")}${limit}`;
}

function sortingOf(text: string | undefined): Sorting | undefined {
  return text ? { id: text.replace(/^-/, ""), desc: text.startsWith("-") } : undefined;
}

export function copiedColumns<Row>(columns: readonly Column<Row>[]) {
  return columns.flatMap((each) => each.copied ?? [{ name: each.title, value: each.value }]);
}

function useFilters(data: ReturnType<typeof content>) {
  return useMemo(() => {
    const all = (label: string): Option => ({ value: "", label });
    const tags = [...new Set(data.boards.flatMap((each) => each.tags))].sort();
    const metrics = [...new Set(data.boards.flatMap((each) => each.metrics))];
    return {
      tasks: [all("all"), ...data.boards.map((each) => ({ value: each.id, label: boardName(data, each) }))],
      tags: [all("all"), ...named(tags)],
      metrics: [{ value: HEADLINE, label: "headline of each task" }, ...named(metrics)],
    };
  }, [data]);
}

export function Leaderboard() {
  const data = content();
  const [params, change] = useParams("leaderboard");
  const filters = useFilters(data);
  const several = data.boards.length > 1;
  const show = oneOf(several ? ["models", "scores"] : ["scores"], params.show);
  const rankings = data.rankings.map((each, at) => ({ value: String(at), label: rankingName(each) }));
  const ranking =
    data.rankings[
      Number(
        oneOf(
          rankings.map((each) => each.value),
          params.ranking,
        ),
      )
    ];
  const sorting = sortingOf(params.sort);
  const onSort = ({ id, desc }: Sorting) => change({ sort: `${desc ? "-" : ""}${id}` });
  return (
    <div>
      <Toolbar label="Filters of the leaderboard">
        {several && (
          <Choice
            label="Show"
            name="leaderboard-show"
            value={show}
            options={[
              { value: "models", label: "models over tasks" },
              { value: "scores", label: "each score" },
            ]}
            onChange={(value) => change({ show: value, sort: "" })}
          />
        )}
        {show === "models" && rankings.length > 1 && (
          <Select
            label="Ranked over"
            value={params.ranking ?? "0"}
            options={rankings}
            onChange={(value) => change({ ranking: value })}
          />
        )}
        {several && (
          <Select
            label="Task"
            value={params.task ?? ""}
            options={filters.tasks}
            onChange={(value) => change({ task: value })}
          />
        )}
        {filters.tags.length > 2 && (
          <Select
            label="Tag"
            value={params.tag ?? ""}
            options={filters.tags}
            onChange={(value) => change({ tag: value })}
          />
        )}
        {show === "scores" && (
          <Select
            label="Metric"
            value={params.metric ?? HEADLINE}
            options={filters.metrics}
            onChange={(value) => change({ metric: value })}
          />
        )}
        <Search label="Models" value={params.model ?? ""} onChange={(value) => change({ model: value })} />
      </Toolbar>
      {show === "models" ? (
        <ModelTable {...{ params, ranking, sorting, onSort }} />
      ) : (
        <ScoreTable {...{ params, sorting, onSort }} />
      )}
    </div>
  );
}

interface TableProps {
  params: Readonly<Record<string, string>>;
  sorting: Sorting | undefined;
  onSort: (sorting: Sorting) => void;
}

function ModelTable({
  params,
  ranking,
  sorting,
  onSort,
}: TableProps & { ranking: ReportRanking | undefined }) {
  const data = content();
  const boards = useMemo(
    () => shownBoards(data, params).filter((each) => !ranking || inRanking(ranking, each)),
    [data, params.task, params.tag, ranking],
  );
  const rows = useMemo(
    () => modelRows(data, boards, ranking, params),
    [data, boards, ranking, params.model, params.tag],
  );
  const columns = useMemo(() => modelColumns(data, boards, rows, params), [data, boards, rows]);
  const counted = `${plural(rows.length, "model")} on ${plural(boards.length, "task")}`;
  return (
    <>
      <p role="status" class="count">
        {counted}
      </p>
      <SortableTable
        id="leaderboard-models"
        name="Models over tasks"
        caption="Models over tasks: headline scores; models that share a letter do not differ significantly"
        {...{ columns, rows, sorting, onSort }}
        rowKey={(row) => row.model}
        details={(row) => <ModelProvenance name={row.model} ranked={row.ranked} />}
        detailsName={(row) => row.model}
      />
      <CopyButtons rows={sortedRows(rows, columns, sorting)} columns={copiedColumns(columns)} />
    </>
  );
}

function ScoreTable({ params, sorting, onSort }: TableProps) {
  const data = content();
  const rows = useMemo(
    () => scoreRows(shownBoards(data, params), params),
    [data, params.task, params.tag, params.model, params.metric],
  );
  const columns = useMemo(() => scoreColumns(data, rows), [data, rows]);
  return (
    <>
      <p role="status" class="count">
        {plural(rows.length, "score")}
      </p>
      <SortableTable
        id="leaderboard-scores"
        name="Scores"
        caption="Scores with 95 % intervals, letters and intervals of ranks"
        {...{ columns, rows, sorting, onSort }}
        rowKey={(row) => `${row.board.id} ${row.row.model}`}
        details={(row) => <Provenance board={row.board} row={row.row} />}
        detailsName={(row) => `${row.row.model} on ${row.board.task}`}
      />
      <CopyButtons rows={sortedRows(rows, columns, sorting)} columns={copiedColumns(columns)} />
    </>
  );
}
