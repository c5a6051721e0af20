/** A figure of the page, drawn again by Vega from rows that are computed here. */
import { useEffect, useRef, useState } from "preact/hooks";
import { type Domains, figure } from "./page";
import { type Drawn, draw } from "./vega";

interface Props {
  name: string;
  rows: readonly object[];
  /** Texts of the figure, such as titles of axes. */
  words?: Readonly<Record<string, string>>;
  title: string;
  /** What it says, for readers who do not see it. */
  description: string;
  widest?: number;
  /** Ends of scales that do not follow from the rows alone. */
  domains?: Domains;
}

export function Figure({ name, rows, words = {}, title, description, widest = 560, domains }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [fault, setFault] = useState("");
  const spec = figure(name);
  useEffect(() => {
    const element = place.current;
    if (!element || !spec) return undefined;
    const width = () => Math.max(240, Math.min(widest, element.clientWidth));
    let drawn: Drawn | undefined;
    let gone = false;
    draw(element, spec, rows, words, width(), domains).then(
      (done) => {
        drawn = done;
        if (gone) done.remove();
      },
      (error: unknown) => setFault(String(error)),
    );
    const observer = new ResizeObserver(() => drawn?.resize(width()));
    observer.observe(element);
    return () => {
      gone = true;
      observer.disconnect();
      drawn?.remove();
    };
  }, [spec, rows, JSON.stringify(words), JSON.stringify(domains), widest]);
  if (!spec) return null;
  return (
    <figure class="drawn">
      <figcaption>{title}</figcaption>
      {fault ? (
        <p class="note">This browser could not draw it: {fault}</p>
      ) : (
        <div class="plot" role="img" aria-label={`${title}. ${description}`} ref={place} />
      )}
    </figure>
  );
}
