import { join } from 'node:path';
import { z } from 'zod';
import type { Group } from './results.ts';

const WIDTH = 520;
const COLOURS = ['#0f766e', '#b45309', '#6d28d9', '#64748b'];

/** The parts of vega and vega-lite that are used; both are in `tools/bench`, and not among the project's packages. */
const VegaLite = z.object({ compile: z.custom<(spec: unknown) => { spec: unknown }>() });
const Vega = z.object({
  parse: z.custom<(spec: unknown) => unknown>(),
  View: z.custom<new (spec: unknown, options: object) => { toSVG(): Promise<string> }>(),
});

/**
 * Draws groups below each other as bars, each group on a scale of its own. It is readable on white and on black.
 *
 * @param packages the `node_modules` that vega and vega-lite are in
 */
export async function plot(groups: readonly Group[], packages: string): Promise<string> {
  const load = (name: string, file: string) => import(join(packages, name, file));
  const vegaLite = VegaLite.parse(await load('vega-lite', 'build/index.js'));
  const vega = Vega.parse(await load('vega', 'build/vega.module.js'));
  const spec = {
    vconcat: groups.map(chart),
    background: '#ffffff',
    resolve: { scale: { color: 'independent' } },
  };
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none' });
  return `${await view.toSVG()}\n`;
}

function chart({ title, unit, columns, rows }: Group): object {
  const values = rows.flatMap(({ what, values }) =>
    values.flatMap((value, n) => (value === undefined ? [] : [{ what, by: columns[n], value }])),
  );
  const several = columns.length > 1;
  return {
    title: { text: title, anchor: 'start' },
    width: WIDTH,
    height: { step: several ? 13 : 18 },
    data: { values },
    mark: { type: 'bar' },
    encoding: {
      y: { field: 'what', type: 'nominal', sort: null, title: null, axis: { labelLimit: 320 } },
      ...(several ? { yOffset: { field: 'by', sort: columns } } : {}),
      x: { field: 'value', type: 'quantitative', title: unit },
      color: {
        field: 'by',
        type: 'nominal',
        scale: { domain: columns, range: COLOURS.slice(0, columns.length) },
        legend: several ? { title: null, orient: 'right' } : null,
      },
    },
  };
}
