/** Small figures in cells of a table: intervals on one scale. The cells beside them have the numbers. */
import { interval, number } from "./format";

export interface Scale {
  low: number;
  high: number;
}

export const WIDTH = 180;
const HEIGHT = 20;
const PAD = 6;

/** Return a scale that holds all values, with a little room; null where there are none. */
export function scaleOf(values: readonly (number | null | undefined)[]): Scale | null {
  const known = values.filter((each): each is number => typeof each === "number");
  if (!known.length) return null;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const room = (high - low || 0.02) * 0.05;
  return { low: low - room, high: high + room };
}

function place(scale: Scale, value: number): number {
  const share = (value - scale.low) / (scale.high - scale.low);
  return Math.round((PAD + Math.max(0, Math.min(1, share)) * (WIDTH - 2 * PAD)) * 10) / 10;
}

/** Return two to five round numbers within a scale. */
export function ticks(scale: Scale): number[] {
  const raw = (scale.high - scale.low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw) ?? raw;
  const first = Math.ceil(scale.low / step);
  const found: number[] = [];
  for (let each = first; each * step <= scale.high; each++) found.push(each * step);
  return found;
}

function tickText(value: number, all: readonly number[]): string {
  const digits = Math.max(0, Math.ceil(-Math.log10((all[1] ?? 1) - (all[0] ?? 0)) - 1e-9));
  return value === 0 ? "0" : value.toFixed(Math.min(digits, 4)).replace("-", "−");
}

/** The ends and round numbers of a scale, for the heading of a column. */
export function Axis({ scale }: { scale: Scale }) {
  const all = ticks(scale);
  return (
    <svg class="axis" width={WIDTH} height={16} viewBox={`0 0 ${WIDTH} 16`} aria-hidden="true">
      {all.map((each) => (
        <text key={each} x={place(scale, each)} y={12} text-anchor="middle">
          {tickText(each, all)}
        </text>
      ))}
    </svg>
  );
}

interface BarProps {
  scale: Scale;
  value: number | null;
  low: number | null;
  high: number | null;
  /** Lines across: at nothing gained, at the accepted loss. */
  zero?: boolean;
  margin?: number | null;
  /** Names the shape and the color of the mark. */
  mark?: "score" | "better" | "worse" | "equivalent" | "inconclusive" | "not tested" | "mean";
}

const MIDDLE = HEIGHT / 2;

/** Marks differ by shape as well as by color. */
function Mark({ x, mark }: { x: number; mark: NonNullable<BarProps["mark"]> }) {
  const shapes: Record<NonNullable<BarProps["mark"]>, string> = {
    score: `M${x - 4},${MIDDLE}a4,4 0 1,0 8,0a4,4 0 1,0 -8,0Z`,
    better: `M${x - 5},${MIDDLE + 4}L${x},${MIDDLE - 5}L${x + 5},${MIDDLE + 4}Z`,
    worse: `M${x - 5},${MIDDLE - 4}L${x},${MIDDLE + 5}L${x + 5},${MIDDLE - 4}Z`,
    equivalent: `M${x - 4},${MIDDLE - 4}h8v8h-8Z`,
    inconclusive: `M${x - 4},${MIDDLE}a4,4 0 1,0 8,0a4,4 0 1,0 -8,0Z`,
    "not tested": `M${x - 4},${MIDDLE}h8`,
    mean: `M${x - 6},${MIDDLE}L${x},${MIDDLE - 6}L${x + 6},${MIDDLE}L${x},${MIDDLE + 6}Z`,
  };
  return <path class="mark" d={shapes[mark]} />;
}

function IntervalBar({ scale, value, low, high, zero, margin, mark = "score" }: BarProps) {
  if (value === null) return null;
  const at = (each: number) => place(scale, each);
  return (
    <svg
      class={`lane lane-${mark.replace(" ", "-")}`}
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      aria-hidden="true"
    >
      <line class="base" x1={PAD} x2={WIDTH - PAD} y1={MIDDLE} y2={MIDDLE} />
      {zero && <line class="zero" x1={at(0)} x2={at(0)} y1={0} y2={HEIGHT} />}
      {margin != null && margin > 0 && (
        <line class="margin" x1={at(-margin)} x2={at(-margin)} y1={0} y2={HEIGHT} />
      )}
      {low !== null && high !== null && (
        <path
          class="ci"
          d={`M${at(low)},${MIDDLE - 4}v8M${at(low)},${MIDDLE}H${at(high)}M${at(high)},${MIDDLE - 4}v8`}
        />
      )}
      <Mark x={at(value)} mark={mark} />
    </svg>
  );
}

const SMALL = { width: 104, height: 10, from: 4, to: 100 };

/** An interval below a score, on the scale of its column; the interval in numbers is below it. */
export function SmallBar({ scale, value, low, high }: BarProps) {
  if (value === null) return null;
  const middle = SMALL.height / 2;
  const at = (each: number) => {
    const share = (each - scale.low) / (scale.high - scale.low);
    return Math.round((SMALL.from + share * (SMALL.to - SMALL.from)) * 10) / 10;
  };
  const [left, right] = [at(low ?? value), at(high ?? value)];
  return (
    <svg
      class="bar"
      width={SMALL.width}
      height={SMALL.height}
      viewBox={`0 0 ${SMALL.width} ${SMALL.height}`}
      aria-hidden="true"
    >
      <line x1={SMALL.from} x2={SMALL.to} y1={middle} y2={middle} />
      <rect x={left} y={middle - 2} width={Math.max(0, right - left)} height={4} />
      <circle cx={at(value)} cy={middle} r={3} />
    </svg>
  );
}

/** An interval as a figure and, beside it, in numbers. */
export function IntervalCell({ form = number, ...bar }: BarProps & { form?: typeof number }) {
  if (bar.value === null) return null;
  return (
    <div class="lane-cell">
      <IntervalBar {...bar} />
      <span class="ends">{interval(bar.low, bar.high, form)}</span>
    </div>
  );
}
