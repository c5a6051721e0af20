/** The leaderboard: models over tasks, or each score; sorted, filtered and copied. */
import { useMemo } from "preact/hooks";
import type { ReportRanking } from "./content";
import { Choice, named, type Option, oneOf, Search, Select, Toolbar } from "./controls";
import { CopyButtons } from "./copy";
import { plural } from "./format";
import { modelColumns, scoreColumns } from "./leaderboard-columns";
import {
  boardName,
  HEADLINE,
  knownParams,
  modelRows,
  rankedFirst,
  scoreRows,
  shownBoards,
} from "./leaderboard-rows";
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

/** Tasks; one with several data also as a whole. */
function taskOptions(data: ReturnType<typeof content>): Option[] {
  const names = [...new Set(data.boards.map((each) => each.task))];
  return names.flatMap((task) => {
    const boards = data.boards.filter((each) => each.task === task);
    const each = boards.map((board) => ({ value: board.id, label: boardName(data, board) }));
    const whole = boards.length > 1 && !each.some(({ value }) => value === task);
    return whole ? [{ value: task, label: task }, ...each] : each;
  });
}

function useFilters(data: ReturnType<typeof content>) {
  return useMemo(() => {
    const all = (label: string): Option => ({ value: "", label });
    const tags = [...new Set(data.boards.flatMap((each) => each.tags))].sort();
    const metrics = [...new Set(data.boards.flatMap((each) => each.metrics))];
    return {
      tasks: [all("all"), ...taskOptions(data)],
      tags: [all("all"), ...named(tags)],
      metrics: [{ value: HEADLINE, label: "headline of each task" }, ...named(metrics)],
    };
  }, [data]);
}

export function Leaderboard() {
  const data = content();
  const [asked, change] = useParams("leaderboard");
  const { known: params, unknown } = useMemo(() => knownParams(data, asked), [data, asked]);
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
            value={taskShown(data, params.task)}
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
        <Search
          label="Models"
          value={params.model ?? ""}
          placeholder="names, with commas"
          onChange={(value) => change({ model: value })}
        />
      </Toolbar>
      {unknown.map((each) => (
        <p key={each} class="unknown" role="status">
          {each}
        </p>
      ))}
      {show === "models" ? (
        <ModelTable {...{ params, ranking, sorting, onSort }} />
      ) : (
        <ScoreTable {...{ params, sorting, onSort }} />
      )}
    </div>
  );
}

/** Return the option of a task that a link names, by its name or by its data. */
function taskShown(data: ReturnType<typeof content>, task: string | undefined): string {
  const boards = data.boards.filter((each) => each.task === task);
  if (data.boards.some((each) => each.id === task) || boards.length !== 1) return task ?? "";
  return boards[0]?.id ?? "";
}

interface TableProps {
  params: Readonly<Record<string, string>>;
  sorting: Sorting | undefined;
  onSort: (sorting: Sorting) => void;
}

/** What bold and letters say, below what is copied. */
const MEANING =
  "Bold: the best score on a task. Models that share a letter on a task do not differ significantly there.";

function None({ model }: { model: string | undefined }) {
  return (
    <p role="status" class="unknown">
      {model ? `No model matches “${model}”.` : "Nothing is left: no score has what is filtered by."}
    </p>
  );
}

function ModelTable({
  params,
  ranking,
  sorting,
  onSort,
}: TableProps & { ranking: ReportRanking | undefined }) {
  const data = content();
  const boards = useMemo(
    () => rankedFirst(shownBoards(data, params), ranking),
    [data, params.task, params.tag, ranking],
  );
  const rows = useMemo(
    () => modelRows(data, boards, ranking, params),
    [data, boards, ranking, params.model, params.tag],
  );
  const columns = useMemo(
    () => modelColumns(data, boards, ranking, rows, params),
    [data, boards, ranking, rows, params.tag],
  );
  if (!rows.length) return <None model={params.model} />;
  const tasks = new Set(boards.map((each) => each.task)).size;
  return (
    <>
      <p role="status" class="count">
        {`${plural(rows.length, "model")} on ${plural(tasks, "task")}`}
      </p>
      <SortableTable
        id="leaderboard-models"
        name="Models over tasks"
        caption="Headline scores with 95 % intervals; the bars of a column share one scale, and the best of all models is bold. Models that share a letter do not differ significantly. In brackets beside a rank: on how many redrawn test sets the model leads."
        {...{ columns, rows, sorting, onSort }}
        rowKey={(row) => row.model}
        details={(row) => <ModelProvenance name={row.model} ranked={row.ranked} />}
        detailsName={(row) => row.model}
      />
      <CopyButtons
        rows={sortedRows(rows, columns, sorting)}
        columns={copiedColumns(columns)}
        note={MEANING}
      />
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
  if (!rows.length) return <None model={params.model} />;
  return (
    <>
      <p role="status" class="count">
        {plural(rows.length, "score")}
      </p>
      <SortableTable
        id="leaderboard-scores"
        name="Scores"
        caption="Scores with 95 % intervals; the best of a task is bold. Models that share a letter do not differ significantly. In brackets beside a rank: on how many redrawn test sets the model leads."
        {...{ columns, rows, sorting, onSort }}
        rowKey={(row) => `${row.board.id} ${row.row.model}`}
        details={(row) => <Provenance board={row.board} row={row.row} />}
        detailsName={(row) => `${row.row.model} on ${row.board.task}`}
      />
      <CopyButtons
        rows={sortedRows(rows, columns, sorting)}
        columns={copiedColumns(columns)}
        note={MEANING}
      />
    </>
  );
}
