import headless from '@xterm/headless';
import { type Output, SIZE } from './pseudo-terminal.ts';

/** Characters in a row that look alike. */
export interface Run {
  readonly column: number;
  readonly text: string;
  /** Number of the palette; the terminal's own colour where there is none. */
  readonly colour: number | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
}

/** What a terminal shows for a while. */
export interface Screen {
  /** Seconds from the beginning, waits cut. */
  readonly at: number;
  readonly rows: readonly (readonly Run[])[];
}

/** Nobody likes to watch a machine wait. */
const LONGEST_WAIT = 0.7;
/** What changes faster nobody sees. */
const SHORTEST_SCREEN = 0.12;

/** Shows outputs to a terminal emulator. @returns each screen that can be told from the one before */
export async function screensOf(outputs: readonly Output[]): Promise<Screen[]> {
  const { columns: cols, rows } = SIZE;
  const terminal = new headless.Terminal({ cols, rows, allowProposedApi: true });
  const screens: Screen[] = [];
  let at = 0;
  for (const { after, bytes } of outputs) {
    at += Math.min(after, LONGEST_WAIT);
    await new Promise<void>((done) => terminal.write(bytes, done));
    const screen = { at, rows: Array.from({ length: rows }, (_, row) => runsOf(terminal, row)) };
    const before = screens.at(-1);
    if (before !== undefined && JSON.stringify(before.rows) === JSON.stringify(screen.rows)) continue;
    if (before !== undefined && at - before.at < SHORTEST_SCREEN) {
      screens[screens.length - 1] = { ...screen, at: before.at };
    } else screens.push(screen);
  }
  terminal.dispose();
  return screens;
}

function runsOf(terminal: headless.Terminal, row: number): Run[] {
  const { active } = terminal.buffer;
  const line = active.getLine(active.viewportY + row);
  const runs: Run[] = [];
  for (let column = 0; line !== undefined && column < line.length; column += 1) {
    const cell = line.getCell(column);
    if (cell === undefined) continue;
    const text = cell.getChars() || ' ';
    const colour = cell.isFgPalette() ? cell.getFgColor() : undefined;
    const [bold, dim] = [cell.isBold() !== 0, cell.isDim() !== 0];
    const last = runs.at(-1);
    if (last !== undefined && last.colour === colour && last.bold === bold && last.dim === dim) {
      runs[runs.length - 1] = { ...last, text: last.text + text };
    } else runs.push({ column, text, colour, bold, dim });
  }
  return runs.map((run) => ({ ...run, text: run.text.trimEnd() })).filter(({ text }) => text !== '');
}
