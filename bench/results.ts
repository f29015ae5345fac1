/** What was measured of one subject: a row a thing that was done, a column a program that did it or a quantity. */
export interface Group {
  readonly title: string;
  readonly columns: readonly string[];
  readonly unit: 's' | 'ms' | 'MB' | 'requests/s';
  /** What a figure is a ratio to: the first of its row, as with programs side by side, or of its column. */
  readonly ratioTo: 'row' | 'column' | 'nothing';
  readonly rows: readonly Row[];
  /** What a reader must know to judge the figures. */
  readonly notes: readonly string[];
}

export interface Row {
  readonly what: string;
  /** In the group's unit, one a column; `undefined` where it could not be measured. */
  readonly values: readonly (number | undefined)[];
}

/** A figure in three digits. */
function figure(value: number, unit: Group['unit']): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}

function ratio(value: number, base: number | undefined): string {
  if (base === undefined || base === 0 || base === value) return '';
  const times = value / base;
  return ` (${times >= 100 ? times.toFixed(0) : times >= 10 ? times.toFixed(1) : times.toFixed(2)}x)`;
}

/** A group as Markdown: a heading, a table, its notes. */
export function groupText(group: Group): string {
  const { title, columns, unit, ratioTo, rows, notes } = group;
  const cells = (row: Row) =>
    columns.map((_, n) => {
      const value = row.values[n];
      if (value === undefined) return '-';
      const base = ratioTo === 'row' ? row.values[0] : ratioTo === 'column' ? rows[0]?.values[n] : undefined;
      return `${figure(value, unit)}${ratio(value, base)}`;
    });
  return [
    `## ${title}`,
    '',
    `| | ${columns.join(' | ')} |`,
    `|---|${'---|'.repeat(columns.length)}`,
    ...rows.map((row) => `| ${row.what} | ${cells(row).join(' | ')} |`),
    '',
    ...notes.flatMap((note) => [note, '']),
  ].join('\n');
}
