/** Quality against speed or size. */
import { useLayoutEffect, useMemo } from "preact/hooks";
import type { TradeOff } from "./content";
import { oneOf, Select, Toolbar } from "./controls";
import { Figure } from "./figure";
import { count, number, plural } from "./format";
import { beside, place, type Spot } from "./labels";
import { content, seriesOf } from "./page";
import { useParams } from "./state";
import { Scroller } from "./table";

const AXES = {
  speed: { label: "texts per second", title: "texts per second (log scale)" },
  parameters: { label: "parameters", title: "parameters (log scale)" },
  dimensions: { label: "dimensions", title: "dimensions (log scale)" },
} as const;
type Axis = keyof typeof AXES;

/** Most models that are all named in the figure. */
const NAMED = 8;

/** Return slowest, median and fastest, or three times the size; null where it is not known. */
function along(axis: Axis, point: TradeOff): [number, number, number] | null {
  if (axis === "speed") {
    const speed = point.texts_per_second as [number, number, number] | null;
    return speed && Math.min(...speed) > 0 ? speed : null;
  }
  const size = point[axis];
  return size ? [size, size, size] : null;
}

/** Whether no other point is at least as good in both and better in one; less is better, but for speed. */
function onFront(point: [number, number], all: readonly [number, number][], axis: Axis): boolean {
  const sign = axis === "speed" ? 1 : -1;
  const [x, y] = point;
  return !all.some(
    ([otherX, otherY]) =>
      sign * otherX >= sign * x && otherY >= y && (sign * otherX > sign * x || otherY > y),
  );
}

export function tradeOffRows(points: readonly TradeOff[], axis: Axis, size: Axis | "") {
  const placed = points.flatMap((point) => {
    const ends = along(axis, point);
    return ends ? [{ point, ends }] : [];
  });
  const all = placed.map(({ point, ends }): [number, number] => [ends[1], point.quality.score ?? 0]);
  const rows = placed.map(({ point, ends }, order) => {
    const { low, high } = point.quality;
    const score = point.quality.score ?? 0;
    const front = onFront([ends[1], score], all, axis);
    return {
      order,
      label: point.model,
      // Of many models only those on the front are named in the figure; the table names all.
      name: placed.length <= NAMED || front ? point.model : "",
      quality: score,
      low,
      high,
      speed: ends[1],
      slowest: ends[0],
      fastest: ends[2],
      front,
      size: (size && along(size, point)?.[1]) || 1,
      series: seriesOf(point.model),
    };
  });
  const marks = spots(rows);
  const shifts = beside(marks);
  const moved = marks.map((mark, at) => ({ ...mark, x: mark.x + (shifts[at] ?? 0) }));
  const places = place(moved, NARROW, HEIGHT);
  return rows.map((row, at) => {
    const shift = shifts[at] ?? 0;
    return { ...row, ...places[at], shift, dx: shift + (places[at]?.dx ?? 0) };
  });
}

/** Pixels of the plot: beside the outermost marks, above the highest, its height, and its least width. */
const [SIDE, TOP, HEIGHT, NARROW] = [24, 14, 260, 270];

type Row = Record<"quality" | "speed" | "slowest" | "fastest", number> & {
  low: number | null;
  high: number | null;
  name: string;
};

function spots(rows: readonly Row[]): Spot[] {
  const speeds = rows.flatMap(({ slowest, speed, fastest }) => [slowest, speed, fastest]);
  const scores = rows.flatMap(({ quality, low, high }) => [quality, low ?? quality, high ?? quality]);
  const log = pixels(Math.log(Math.min(...speeds)), Math.log(Math.max(...speeds)), NARROW, SIDE);
  const x = (value: number) => log(Math.log(value));
  const y = pixels(Math.max(...scores), Math.min(...scores), HEIGHT, TOP);
  return rows.map((row) => ({
    x: x(row.speed),
    y: y(row.quality),
    left: x(row.slowest),
    right: x(row.fastest),
    top: y(row.high ?? row.quality),
    bottom: y(row.low ?? row.quality),
    name: row.name,
  }));
}

function pixels(first: number, last: number, length: number, padding: number): (value: number) => number {
  const span = last - first;
  return (value) => padding + (length - 2 * padding) * (span ? (value - first) / span : 0.5);
}

/** The heading follows the axis, before it is seen: that of the page as it was written is speed. */
function useHeading(axis: Axis): void {
  useLayoutEffect(() => {
    const name = document.querySelector("#trade-off-title span");
    if (name) name.textContent = axis;
  }, [axis]);
}

export function TradeOffView() {
  const { trade_off, trade_off_tasks } = content();
  const [params, change] = useParams("trade-off");
  const axes = (Object.keys(AXES) as Axis[]).filter((each) => trade_off.some((point) => along(each, point)));
  const axis = oneOf(axes, params.x) as Axis;
  const sizes = axes.filter((each) => each !== "speed" && each !== axis);
  const size = oneOf(["", ...sizes], params.size) as Axis | "";
  const rows = useMemo(() => tradeOffRows(trade_off, axis, size), [trade_off, axis, size]);
  useHeading(axis);
  const absent = trade_off.filter((each) => !rows.some((row) => row.label === each.model));
  const words = useMemo(() => ({ x: AXES[axis]?.title ?? "" }), [axis]);
  if (!rows.length) return null;
  const front = rows.filter((row) => row.front).map((row) => row.label);
  return (
    <div>
      <Toolbar label="Axes of the trade-off">
        <Select
          label="Against"
          value={axis}
          options={axes.map((each) => ({ value: each, label: AXES[each].label }))}
          onChange={(value) => change({ x: value })}
        />
        {sizes.length > 0 && (
          <Select
            label="Size of marks"
            value={size}
            options={[
              { value: "", label: "all alike" },
              ...sizes.map((each) => ({ value: each, label: AXES[each].label })),
            ]}
            onChange={(value) => change({ size: value })}
          />
        )}
      </Toolbar>
      <p role="status">On the Pareto front: {front.join(", ")}.</p>
      <div class="beside">
        <Figure
          name="trade-off"
          title={`Mean headline score over ${plural(trade_off_tasks.length, "task")}, against ${AXES[axis].label}`}
          description={rows
            .map((row) => `${row.label}: ${number(row.quality, 3)} at ${count(Math.round(row.speed))}`)
            .join("; ")}
          {...{ rows, words }}
          widest={760}
        />
        <Points rows={rows} axis={axis} />
      </div>
      <p class="note">
        Bars are 95 % intervals of quality{axis === "speed" ? ", and slowest to fastest round" : ""}. The
        dashed steps are the Pareto front: the best quality at that {axis === "speed" ? "speed" : "size"}, and
        between models there is none.
        {rows.some((row) => row.shift) && " Marks at one place are set beside each other."}
      </p>
      {absent.length > 0 && (
        <p class="note">
          Not in the figure, without {AXES[axis].label}: {absent.map((each) => each.model).join(", ")}.
        </p>
      )}
    </div>
  );
}

function Points({ rows, axis }: { rows: ReturnType<typeof tradeOffRows>; axis: Axis }) {
  return (
    <Scroller label={`Quality and ${AXES[axis].label}`}>
      <table class="data">
        <caption class="visually-hidden">Quality and {AXES[axis].label}</caption>
        <thead>
          <tr>
            <th scope="col">model</th>
            <th scope="col" class="number">
              mean score
            </th>
            <th scope="col" class="number">
              {AXES[axis].label}
            </th>
            <th scope="col">Pareto front</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.label}>
              <th scope="row">{row.label}</th>
              <td class="number">
                {number(row.quality)} [{number(row.low, 3)}, {number(row.high, 3)}]
              </td>
              <td class="number">{count(Math.round(row.speed))}</td>
              <td>{row.front ? "on it" : "behind it"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
