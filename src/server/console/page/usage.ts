import { Usage as Answer, type UsageRow, type UsageTotal } from './answers.ts';
import { element, part, tell } from './element.ts';
import { atHour, brief, count, dollars, duration, onDay, percent } from './format.ts';
import { Plot, type PlotData } from './plot.ts';
import { askJson, sentenceFor } from './request.ts';
import { sum } from './scale.ts';
import { columnTimes, type Measure, seriesOf } from './usage-series.ts';

const AN_HOUR = 3_600_000;
const A_DAY = 24 * AN_HOUR;

const PERIODS = {
  day: { columns: 24, step: AN_HOUR, unit: 'hour' },
  week: { columns: 7, step: A_DAY, unit: 'day' },
  month: { columns: 30, step: A_DAY, unit: 'day' },
} as const;

const TITLES: Readonly<Record<Measure, string>> = { requests: 'Requests', cost: 'Cost', tokens: 'Tokens' };

interface Choice {
  readonly measure: Measure;
  readonly group: 'model' | 'key';
  readonly period: keyof typeof PERIODS;
}

/** The figures and the plot of requests, cost and tokens over time. */
export class Usage {
  readonly #place = part('usage', HTMLElement);
  readonly #form = part('usage-choice', HTMLFormElement);
  readonly #totals = part('totals', HTMLElement);
  readonly #table = part('plot-table', HTMLElement);
  readonly #problem = part('usage-problem', HTMLElement);
  readonly #plot = new Plot(part('plot', HTMLElement));
  #asked = 0;

  constructor() {
    this.#form.addEventListener('change', () => void this.refresh());
  }

  async refresh(): Promise<void> {
    const choice = this.#choice();
    const { columns, step, unit } = PERIODS[choice.period];
    const times = columnTimes(columns, step, Date.now());
    const asked = ++this.#asked;
    try {
      const from = new Date(times[0] ?? 0).toISOString();
      const query = new URLSearchParams({ from, group_by: `${unit},${choice.group}` });
      const { total, data } = await askJson(`v1/usage?${query}`, Answer);
      if (asked !== this.#asked) return; // another choice was made meanwhile
      this.#showTotals(total);
      this.#showRows(data, times, choice);
      this.#place.hidden = false;
      tell(this.#problem, undefined);
    } catch (error) {
      this.#place.hidden = true;
      tell(this.#problem, `Usage: ${sentenceFor(error)}`);
    }
  }

  #choice(): Choice {
    // Radio buttons of index.html, one of each group being chosen.
    return Object.fromEntries(new FormData(this.#form)) as unknown as Choice;
  }

  #showTotals(total: UsageTotal): void {
    const { requests, errors, cost_usd, unpriced_requests, average_ms } = total;
    const unpriced = unpriced_requests === 0 ? '' : `${brief(unpriced_requests)} without a price`;
    const figures: readonly [string, string, string][] = [
      ['Requests', count(requests), ''],
      ['Failed', count(errors), percent(errors, requests)],
      ['Cost', cost_usd === null ? 'unknown' : dollars(cost_usd), unpriced],
      ['Tokens', count(total.input_tokens + total.output_tokens), `${brief(total.output_tokens)} out`],
      ['Average time', requests === 0 ? '–' : duration(average_ms), ''],
    ];
    this.#totals.replaceChildren(
      ...figures.map(([name, value, more]) =>
        element(
          'div',
          {},
          element('dt', {}, name),
          element('dd', {}, value, more === '' ? undefined : element('small', {}, ` ${more}`)),
        ),
      ),
    );
  }

  #showRows(rows: readonly UsageRow[], times: readonly number[], { measure, group, period }: Choice): void {
    const { names, columns } = seriesOf(rows, times, measure, group);
    const value = measure === 'cost' ? dollars : count;
    const hourly = PERIODS[period].unit === 'hour';
    const when = (time: number) => (hourly ? `${onDay(time)}, ${atHour(time)} UTC` : onDay(time));
    const tick = hourly ? atHour : onDay;
    const data = {
      title: TITLES[measure],
      series: names,
      columns,
      integer: measure !== 'cost',
      value,
      when,
      tick,
    };
    this.#plot.show(data);
    this.#table.replaceChildren(tableOf(data));
  }
}

/** The same numbers for who can't see a plot, the newest first. */
function tableOf({ title, series, columns, value, when }: PlotData): HTMLTableElement {
  const head = ['Time (UTC)', ...series, 'All'];
  const rows = columns
    .toReversed()
    .map(({ time, values }) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, when(time)),
        ...[...values, sum(values)].map((part) => element('td', { class: 'number' }, value(part))),
      ),
    );
  return element(
    'table',
    {},
    element('caption', { class: 'unseen' }, title),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        ...head.map((name, index) =>
          element('th', { scope: 'col', class: index === 0 ? '' : 'number' }, name),
        ),
      ),
    ),
    element('tbody', {}, ...rows),
  );
}
