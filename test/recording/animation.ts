import { SIZE } from './pseudo-terminal.ts';
import type { Run, Screen } from './screens.ts';

const CELL = { width: 8.4, height: 19 } as const;
const PADDING = 14;
/** How long the end stays. */
const LAST_SECONDS = 4;
const [BACKGROUND, FOREGROUND] = ['#0d1117', '#d1d7e0'];
/** The first eight colours of a terminal, as GitHub's own dark theme has them. */
const PALETTE = ['#656c76', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4'];

/**
 * Draws screens, one after the other, as one SVG that moves by itself and holds no script. Who asks for less motion sees
 * the last screen.
 *
 * @param title what it shows, for who can not see it
 */
export function animate(screens: readonly Screen[], title: string): string {
  const width = Math.ceil(SIZE.columns * CELL.width) + 2 * PADDING;
  const height = SIZE.rows * CELL.height + 2 * PADDING;
  const rows = new Map<string, string>();
  const frames = screens.map(({ rows: shown }, frame) => {
    const uses = shown.flatMap((runs, row) => {
      if (runs.length === 0) return [];
      const drawn = runs.map(drawRun).join('');
      const id = rows.get(drawn) ?? `r${rows.size}`;
      rows.set(drawn, id);
      return [`<use href="#${id}" y="${row * CELL.height}"/>`];
    });
    return `<g transform="translate(${frame * width})">${uses.join('')}</g>`;
  });
  const seconds = (screens.at(-1)?.at ?? 0) + LAST_SECONDS;
  const steps = screens.map(({ at }, frame) => {
    const percent = ((at / seconds) * 100).toFixed(3);
    return `${percent}%{transform:translateX(${-frame * width}px)}`;
  });
  const last = -(screens.length - 1) * width;
  const style = [
    'text{white-space:pre;font:14px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}',
    `@keyframes play{${steps.join('')}100%{transform:translateX(${last}px)}}`,
    `#film{animation:play ${seconds.toFixed(1)}s steps(1,end) infinite}`,
    `@media(prefers-reduced-motion:reduce){#film{animation:none;transform:translateX(${last}px)}}`,
    `text{fill:${FOREGROUND}}.b{font-weight:bold}.d{opacity:.6}`,
    ...PALETTE.map((colour, index) => `.c${index}{fill:${colour}}`),
  ].join('');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title><style>${style}</style>`,
    `<defs>${[...rows].map(([drawn, id]) => `<g id="${id}">${drawn}</g>`).join('')}`,
    `<clipPath id="window"><rect width="${width - 2 * PADDING}" height="${height - 2 * PADDING}"/></clipPath></defs>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}"/>`,
    `<g transform="translate(${PADDING} ${PADDING})" clip-path="url(#window)">`,
    `<g id="film">${frames.join('')}</g></g></svg>\n`,
  ].join('');
}

function drawRun({ column, text, colour, bold, dim }: Run): string {
  const named = colour === undefined ? [] : [`c${colour % PALETTE.length}`];
  const classes = [...named, ...(bold ? ['b'] : []), ...(dim ? ['d'] : [])].join(' ');
  // As wide as its cells, whatever font there is.
  const length = (text.length * CELL.width).toFixed(1);
  return `<text x="${(column * CELL.width).toFixed(1)}" y="14" textLength="${length}"${classes === '' ? '' : ` class="${classes}"`}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
