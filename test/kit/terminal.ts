import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Ended } from './machine.ts';

/**
 * Runs a command at a terminal of its own, as a person does.
 *
 * @param command for `sh -c`
 * @param answers each is typed when its question is asked, followed by Enter
 */
export async function atTerminal(
  command: string,
  answers: readonly (readonly [question: string, answer: string])[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Ended> {
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    ...options,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  let asked = 0;
  const waiting = [...answers];
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const [question = '', answer = ''] = waiting[0] ?? [];
    const at = waiting.length === 0 ? -1 : text.indexOf(question, asked);
    if (at < 0) return;
    asked = at + question.length;
    waiting.shift();
    child.stdin.write(`${answer}\n`);
  });
  await once(child, 'close');
  return { code: child.exitCode ?? undefined, text: text.replaceAll('\r', '') };
}
