import { element, svgElement } from './element.ts';
import { type Column, marks, stack, sum } from './scale.ts';

/** What a plot shows: columns of stacked values over time. */
export interface PlotData {
  /** What is counted, such as `Requests`. */
  readonly title: string;
  /** The names of the series, as many as each column has values. */
  readonly series: readonly string[];
  readonly columns: readonly Column[];
  /** Values are whole numbers. */
  readonly integer: boolean;
  value(value: number): string;
  /** The time of a column, in full. */
  when(time: number): string;
  /** The same for the axis. */
  tick(time: number): string;
}

const HEIGHT = 260;
const TOP = 12;
const BOTTOM = 26;
const RIGHT = 16;
const AXIS_CHARACTER = 7;
const WIDEST_COLUMN = 36;
const MARKS = 4;
const NOTE_GAP = 6;
const TICK_ROOM = 64;

/** Draws columns as SVG, as wide as its place, with a legend, and a note for the column under the pointer or arrow keys. */
export class Plot {
  readonly #place: HTMLElement;
  readonly #canvas = element('div', { class: 'canvas', tabindex: 0, role: 'group' });
  readonly #note = element('div', { class: 'tip', role: 'status' });
  readonly #legend = element('ul', { class: 'legend' });
  #data: PlotData | undefined;
  #chosen: number | undefined;

  constructor(place: HTMLElement) {
    this.#place = place;
    place.append(this.#canvas, this.#note, this.#legend);
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
    this.#canvas.addEventListener('pointermove', (event) => this.#choose(this.#columnAt(event.clientX)));
    this.#canvas.addEventListener('pointerleave', () => this.#choose(undefined));
    this.#canvas.addEventListener('blur', () => this.#choose(undefined));
    this.#canvas.addEventListener('keydown', (event) => this.#onKey(event));
  }

  show(data: PlotData): void {
    this.#data = data;
    this.#legend.replaceChildren(
      ...data.series.map((name, index) =>
        element('li', {}, element('i', { class: `series-${index}` }), name),
      ),
    );
    this.#canvas.setAttribute('aria-label', `${summary(data)} The arrow keys go from column to column.`);
    this.#draw();
  }

  #draw(): void {
    const data = this.#data;
    const width = this.#canvas.clientWidth;
    if (data === undefined || width === 0) return;
    if (data.series.length === 0) {
      this.#canvas.replaceChildren(element('p', { class: 'nothing' }, 'Nothing in this period yet.'));
      return;
    }
    const axis = marks(Math.max(...data.columns.map(({ values }) => sum(values))), MARKS, data.integer);
    const top = axis.at(-1) || 1;
    const left = this.#left(data, axis);
    const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
    const step = (width - left - RIGHT) / data.columns.length;
    const bar = Math.min(WIDEST_COLUMN, Math.max(1, step - Math.max(1, step * 0.22)));
    const every = Math.ceil(TICK_ROOM / step);
    const svg = svgElement('svg', {
      width,
      height: HEIGHT,
      viewBox: `0 0 ${width} ${HEIGHT}`,
      'aria-hidden': 'true',
    });
    for (const mark of axis) {
      svg.append(
        svgElement('line', { class: 'grid', x1: left, x2: width, y1: y(mark), y2: y(mark) }),
        svgElement(
          'text',
          { class: 'axis', x: left - 8, y: y(mark) + 4, 'text-anchor': 'end' },
          data.value(mark),
        ),
      );
    }
    data.columns.forEach(({ time, values }, index) => {
      const middle = left + step * (index + 0.5);
      const column = svgElement('g', { class: 'column' });
      column.append(
        svgElement('rect', {
          class: 'hover',
          x: middle - step / 2,
          y: TOP,
          width: step,
          height: HEIGHT - BOTTOM - TOP,
        }),
      );
      for (const { series, low, high } of stack(values)) {
        const height = Math.max(1, y(low) - y(high) - 1);
        column.append(
          svgElement('rect', {
            class: `series-${series}`,
            x: middle - bar / 2,
            y: y(high),
            width: bar,
            height,
            rx: Math.min(2, bar / 4),
          }),
        );
      }
      // The newest column always has its label; the others in even steps before it.
      if ((data.columns.length - 1 - index) % every === 0) {
        column.append(
          svgElement(
            'text',
            { class: 'axis', x: middle, y: HEIGHT - 6, 'text-anchor': 'middle' },
            data.tick(time),
          ),
        );
      }
      svg.append(column);
    });
    this.#canvas.replaceChildren(svg);
    this.#showChosen();
  }

  #left({ value }: PlotData, axis: readonly number[]): number {
    return Math.max(...axis.map((mark) => value(mark).length)) * AXIS_CHARACTER + 12;
  }

  #columnAt(x: number): number | undefined {
    const columns = [...this.#canvas.querySelectorAll('.hover')];
    const index = columns.findIndex((column) => {
      const { left, right } = column.getBoundingClientRect();
      return x >= left && x < right;
    });
    return index === -1 ? undefined : index;
  }

  #onKey(event: KeyboardEvent): void {
    const last = (this.#data?.columns.length ?? 0) - 1;
    const chosen = this.#chosen ?? last + 1;
    const next: Record<string, number | undefined> = {
      ArrowLeft: Math.max(0, chosen - 1),
      ArrowRight: Math.min(last, chosen + 1),
      Home: 0,
      End: last,
      Escape: undefined,
    };
    if (!Object.hasOwn(next, event.key)) return;
    event.preventDefault();
    this.#choose(next[event.key]);
  }

  #choose(index: number | undefined): void {
    if (index === this.#chosen) return;
    this.#chosen = index;
    this.#showChosen();
  }

  #showChosen(): void {
    const boxes = [...this.#canvas.querySelectorAll('.column')].map((column, at) => {
      column.classList.toggle('chosen', at === this.#chosen);
      return column.getBoundingClientRect();
    });
    const data = this.#data;
    const column = data?.columns[this.#chosen ?? -1];
    const box = boxes[this.#chosen ?? -1];
    this.#note.replaceChildren(...(data && column ? noteOf(data, column) : []));
    if (box === undefined) return;
    const place = this.#place.getBoundingClientRect();
    const room = place.right - box.right;
    // Beside the column, so that it does not hide it.
    const width = this.#note.offsetWidth + NOTE_GAP;
    const left = room > width ? box.right + NOTE_GAP : box.left - width;
    this.#note.style.translate = `${Math.round(Math.max(0, left - place.left))}px`;
  }
}

function summary({ title, columns, value, when }: PlotData): string {
  const totals = columns.map(({ values }) => sum(values));
  const first = columns[0];
  const last = columns.at(-1);
  if (first === undefined || last === undefined) return `${title}: none.`;
  return `${title} from ${when(first.time)} to ${when(last.time)}: ${value(sum(totals))} in all, ${value(Math.max(...totals))} at most.`;
}

function noteOf({ series, value, when }: PlotData, { time, values }: Column): Node[] {
  const rows = series.flatMap((name, index) => {
    const part = values[index] ?? 0;
    if (part === 0) return [];
    return [
      element('li', {}, element('i', { class: `series-${index}` }), name, element('b', {}, value(part))),
    ];
  });
  return [element('p', {}, when(time), element('b', {}, value(sum(values)))), element('ul', {}, ...rows)];
}
