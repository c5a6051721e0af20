/** Brings the page to life: each view is drawn into its place, and what it replaces is hidden. */
import { type ComponentType, h, render } from "preact";
import { ComparisonView } from "./comparison";
import { DistributionsView } from "./distributions";
import { ExamplesView } from "./examples";
import { Leaderboard } from "./leaderboard";
import { boardsWithExamples, content } from "./page";
import { readAddress, readTheme, restore } from "./state";
import { ThemeSwitch } from "./theme";
import { TradeOffView } from "./trade-off";

interface View {
  name: string;
  component: ComponentType;
  /** Whether there is something to show. */
  has: () => boolean;
}

const VIEWS: readonly View[] = [
  { name: "controls", component: ThemeSwitch, has: () => true },
  { name: "leaderboard", component: Leaderboard, has: () => content().boards.length > 0 },
  {
    name: "comparison",
    component: ComparisonView,
    has: () => content().compared.some((each) => each.comparisons.length),
  },
  { name: "examples", component: ExamplesView, has: () => boardsWithExamples().length > 0 },
  { name: "trade-off", component: TradeOffView, has: () => content().trade_off.length > 0 },
  { name: "distributions", component: DistributionsView, has: () => content().distributions.length > 0 },
];

function start(): void {
  readTheme();
  const restored = restore();
  if (!restored) readAddress();
  for (const { name, component, has } of VIEWS) {
    const place = document.querySelector<HTMLElement>(`[data-view="${name}"]`);
    if (!place || !has()) continue;
    render(h(component, {}), place);
    place.hidden = false;
    for (const each of place.parentElement?.children ?? []) {
      if (each instanceof HTMLElement && each.classList.contains("static")) each.hidden = true;
    }
  }
  // Views move what is below them: the section that a link names is found again.
  if (!restored) readAddress();
  // Back and Forward come with the state of their entry; a link, or an address that was typed, has none.
  window.addEventListener("popstate", restore);
  window.addEventListener("hashchange", () => {
    if (!history.state) readAddress();
  });
}

start();
