/** Where names stand beside their marks, so that none lies over another, as `harness_report.figures.labels` has it. */

/** A mark in a plot, in pixels from the left and the top; where its bars end. */
export interface Spot {
  x: number;
  y: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
  name: string;
}

export interface Placed {
  dx: number;
  dy: number;
  /** `left` where the name begins there, `right` where it ends there. */
  align: "left" | "right";
}

/** Left, top, right, bottom. */
type Box = [number, number, number, number];

/** Pixels of the longest name. */
const LIMIT = 150;
const [LETTER, ABOVE, BELOW, BESIDE, MARK] = [6.3, 10, 3, 9, 6];
const SHIFTS = [-9, 13, -22, 26, -35, 39];
/** Pixels between marks that stand beside each other. */
const STEP = 10;
const ASIDE = [0, STEP, -STEP, 2 * STEP, -2 * STEP];
const CHOICES: readonly Placed[] = SHIFTS.flatMap((dy): Placed[] => [
  { dx: BESIDE, dy, align: "left" },
  { dx: -BESIDE, dy, align: "right" },
]);

function boxOf(spot: Spot, { dx, dy, align }: Placed): Box {
  const wide = Math.min(LIMIT, LETTER * [...spot.name].length);
  const left = spot.x + dx - (align === "right" ? wide : 0);
  return [left, spot.y + dy - ABOVE, left + wide, spot.y + dy + BELOW];
}

function meet(one: Box, other: Box): boolean {
  return one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
}

/** Return how many pixels to the right each mark goes so that no upright bar lies over another. */
export function beside(spots: readonly Spot[]): number[] {
  const found: number[] = [];
  for (const spot of spots) {
    const taken = found.flatMap((shift, at) => {
      const other = spots[at] as Spot;
      const meets = other.top - 2 * MARK < spot.bottom && spot.top < other.bottom + 2 * MARK;
      return meets ? [other.x + shift] : [];
    });
    found.push(ASIDE.find((shift) => taken.every((x) => Math.abs(spot.x + shift - x) >= STEP - 1)) ?? 0);
  }
  return found;
}

/** Return a place for each name, in order; in a wider plot of the same height they stay apart too. */
export function place(spots: readonly Spot[], width: number, height: number): Placed[] {
  const marks = spots.map(({ x, y }): Box => [x - MARK, y - MARK, x + MARK, y + MARK]);
  const bars = spots.flatMap((one): Box[] => [
    [one.left, one.y - 1, one.right, one.y + 1],
    [one.x - 1, one.top, one.x + 1, one.bottom],
  ]);
  const taken: Box[] = [];
  const cost = (box: Box, placed: Placed) => {
    const outside =
      Math.max(0, -box[0]) +
      Math.max(0, box[2] - width) +
      Math.max(0, -box[1]) +
      Math.max(0, box[3] - height);
    const hits = (others: readonly Box[]) => others.filter((other) => meet(box, other)).length;
    return 100 * outside + 5000 * hits(taken) + 500 * hits(marks) + 15 * hits(bars) + Math.abs(placed.dy);
  };
  return spots.map((spot) => {
    const costs = CHOICES.map((choice) => cost(boxOf(spot, choice), choice));
    const best = CHOICES[costs.indexOf(Math.min(...costs))] as Placed;
    if (spot.name) taken.push(boxOf(spot, best));
    return best;
  });
}
