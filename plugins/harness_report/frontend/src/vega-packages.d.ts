// What is used of packages of Vega that come without types.
declare module "vega-view" {
  export interface ViewOptions {
    renderer: "svg";
    container: HTMLElement;
    hover: boolean;
    expr: unknown;
    logLevel: number;
  }
  export class View {
    constructor(runtime: unknown, options: Partial<ViewOptions>);
    data(name: string, rows: readonly object[]): this;
    signal(name: string, value: unknown): this;
    width(value: number): this;
    resize(): this;
    runAsync(): Promise<this>;
    finalize(): this;
  }
}
declare module "vega-parser" {
  export function parse(spec: unknown, config: unknown, options: { ast: boolean }): unknown;
}
declare module "vega-dataflow" {
  export const transforms: Record<string, unknown>;
}
declare module "vega-transforms";
declare module "vega-encode";
declare module "vega-view-transforms";
