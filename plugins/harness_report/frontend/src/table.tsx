/** A table that sorts by its headings; TanStack Table orders the rows, the markup is a plain table. */
import { constructTable, createSortedRowModel, rowSortingFeature, tableFeatures } from "@tanstack/table-core";
import { storeReactivityBindings } from "@tanstack/table-core/store-reactivity-bindings";
import { type ComponentChildren, Fragment } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Select } from "./controls";
import type { CopiedColumn } from "./copy";

export interface Column<Row> {
  id: string;
  title: string;
  /** Below the title, such as the scale of a figure. */
  below?: ComponentChildren;
  /** Below the title in words, such as the metric of a task. */
  small?: string;
  /** What it is sorted by, and copied as. */
  value: (row: Row) => string | number | null;
  /** What is shown; `value` if not given. */
  cell?: (row: Row) => ComponentChildren;
  /** The cell in words for Markdown and LaTeX; `value` if not given. */
  text?: (row: Row) => string;
  /** Name where it is copied, `title` if not given; of several columns in CSV, such as the ends of an interval. */
  copied?: CopiedColumn<Row>[];
  kind?: "number" | "row-header" | "figure";
  /** Larger is better: the first click sorts from the largest. */
  descending?: boolean;
}

export interface Sorting {
  id: string;
  desc: boolean;
}

/** Maximum number of columns that a page of paper holds. */
const MANY = 11;

const features = tableFeatures({
  coreReactivityFeature: storeReactivityBindings(),
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
});

const collator = new Intl.Collator("en", { numeric: true });

function compare(left: unknown, right: unknown): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  return collator.compare(String(left), String(right));
}

/** Return rows in the order of a column; those without a value stay last either way. */
export function sortedRows<Row extends object>(
  rows: Row[],
  columns: readonly Column<Row>[],
  sorting: Sorting | undefined,
): Row[] {
  const known = sorting && columns.some((each) => each.id === sorting.id);
  if (!known) return rows;
  const table = constructTable<typeof features, Row>({
    features,
    data: rows,
    columns: columns.map((each) => ({
      id: each.id,
      accessorFn: (row: Row) => each.value(row) ?? undefined,
      sortUndefined: "last" as const,
      sortFn: (left, right, id) => compare(left.getValue(id), right.getValue(id)),
    })),
    state: { sorting: [sorting] },
  });
  return table.getRowModel().rows.map((each) => each.original);
}

interface Props<Row> {
  id: string;
  /** Of the region that scrolls. */
  name: string;
  caption: ComponentChildren;
  columns: readonly Column<Row>[];
  rows: Row[];
  sorting: Sorting | undefined;
  onSort: (sorting: Sorting) => void;
  rowKey: (row: Row) => string;
  /** What a row shows on demand, below it, and the name of the button. */
  details?: (row: Row) => ComponentChildren;
  detailsName?: (row: Row) => string;
  /** Rows are grouped under these headings, in the order in which they first occur. */
  group?: (row: Row) => string;
}

/** A place that scrolls sideways, and that the keyboard reaches. */
export function Scroller({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="table-scroll" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}

export function SortableTable<Row extends object>(props: Props<Row>) {
  const { columns, rows, sorting } = props;
  const ordered = useMemo(
    () => sortedRows(rows, columns, sorting),
    [rows, columns, sorting?.id, sorting?.desc],
  );
  const groupOf = (row: Row) => props.group?.(row) ?? "";
  const groups = new Map<string, Row[]>(rows.map((row) => [groupOf(row), []]));
  for (const row of ordered) groups.get(groupOf(row))?.push(row);
  const width = columns.length + (props.details ? 1 : 0);
  return (
    <>
      <p class="note">{props.caption}</p>
      <SortChoice {...{ columns, sorting }} onSort={props.onSort} />
      <Scroller label={props.name}>
        <table id={props.id} class={columns.length > MANY ? "data many" : "data"}>
          <caption class="visually-hidden">{props.name}</caption>
          <thead>
            <tr>
              {columns.map((each) => (
                <Heading key={each.id} column={each} sorting={sorting} onSort={props.onSort} />
              ))}
              {props.details && (
                <th scope="col">
                  <span class="visually-hidden">Details</span>
                </th>
              )}
            </tr>
          </thead>
          {[...groups].map(([name, members]) => (
            <tbody key={name}>
              {name && (
                <tr class="group">
                  <th scope="rowgroup" colSpan={width}>
                    {name}
                  </th>
                </tr>
              )}
              {members.map((row) => (
                <BodyRow key={props.rowKey(row)} row={row} table={props} />
              ))}
            </tbody>
          ))}
        </table>
      </Scroller>
    </>
  );
}

/** What the headings do, where a narrow screen shows rows as cards without them. */
function SortChoice<Row>({ columns, sorting, onSort }: Pick<Props<Row>, "columns" | "sorting" | "onSort">) {
  const value = sorting ? `${sorting.desc ? "-" : ""}${sorting.id}` : "";
  const options = columns.flatMap((each) => [
    { value: `-${each.id}`, label: `${each.title} ▼` },
    { value: each.id, label: `${each.title} ▲` },
  ]);
  const pick = (picked: string) => onSort({ id: picked.replace(/^-/, ""), desc: picked.startsWith("-") });
  return (
    <div class="sort-choice">
      <Select
        label="Sort by"
        {...{ value }}
        options={[{ value: "", label: "as it is" }, ...options]}
        onChange={pick}
      />
    </div>
  );
}

interface HeadingProps<Row> {
  column: Column<Row>;
  sorting: Sorting | undefined;
  onSort: (sorting: Sorting) => void;
}

function Heading<Row>({ column, sorting, onSort }: HeadingProps<Row>) {
  const active = sorting?.id === column.id;
  const direction = active ? (sorting.desc ? "descending" : "ascending") : "none";
  const next = active ? !sorting.desc : (column.descending ?? false);
  return (
    <th scope="col" aria-sort={direction} class={column.kind === "number" ? "number" : column.kind}>
      <button type="button" class="sort" onClick={() => onSort({ id: column.id, desc: next })}>
        {column.title}
        <span class="sort-mark" aria-hidden="true">
          {active ? (sorting.desc ? "▼" : "▲") : "↕"}
        </span>
      </button>
      {column.small && <small>{column.small}</small>}
      {column.below}
    </th>
  );
}

/** The cells of a row. Where there is little room they are a card, and each has its column's title. */
function cellsOf<Row>(row: Row, columns: readonly Column<Row>[]) {
  return columns.map((each) => {
    const shown = each.cell ? each.cell(row) : (each.value(row) ?? "–");
    if (each.kind === "row-header")
      return (
        <th key={each.id} scope="row">
          {shown}
        </th>
      );
    return (
      <td
        key={each.id}
        class={each.kind}
        data-column={each.id}
        data-title={each.small ? `${each.title} ${each.small}` : each.title}
      >
        {shown}
      </td>
    );
  });
}

function BodyRow<Row extends object>({ row, table }: { row: Row; table: Props<Row> }) {
  const [open, setOpen] = useState(false);
  const key = table.rowKey(row);
  const id = `${table.id}-${key.replace(/[^\w-]/g, "_")}`;
  // The same cells are not looked at again when rows change places.
  const cells = useMemo(() => cellsOf(row, table.columns), [row, table.columns]);
  return (
    <Fragment>
      <tr>
        {cells}
        {table.details && (
          <td class="opens">
            <button
              type="button"
              class="more"
              aria-expanded={open}
              aria-controls={open ? id : undefined}
              aria-label={`Details of ${table.detailsName?.(row) ?? key}`}
              onClick={() => setOpen(!open)}
            >
              {open ? "−" : "+"}
            </button>
          </td>
        )}
      </tr>
      {open && (
        <tr id={id} class="details">
          <td colSpan={table.columns.length + 1}>{table.details?.(row)}</td>
        </tr>
      )}
    </Fragment>
  );
}
