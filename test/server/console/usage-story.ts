import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { client } from '../http/client.ts';
import { breakOff, json, type Reaction } from '../providers/fake-server.ts';
import type { WholeService } from '../whole-service.ts';

export const DAYS = 30;
const A_DAY = 86_400_000;
const WEEKEND = [0, 6];

/** A model, how often it is asked on a usual day, and an answer of its provider's that took so many tokens. */
interface Actor {
  readonly model: string;
  readonly vendor: 'openai' | 'anthropic' | 'google';
  readonly requests: number;
  answer(input: number, output: number): object;
}

const GEMINI: Actor = {
  model: 'google/gemini-2.5-flash',
  vendor: 'google',
  requests: 12,
  answer: googleAnswer,
};
const ACTORS: readonly Actor[] = [
  { model: 'openai/gpt-4o-mini', vendor: 'openai', requests: 22, answer: openAiAnswer },
  { model: 'anthropic/claude-sonnet-4-5', vendor: 'anthropic', requests: 9, answer: anthropicAnswer },
  GEMINI,
  { model: 'openai/gpt-4o', vendor: 'openai', requests: 4, answer: openAiAnswer },
];

/** Keys, and how many days ago each was made. */
const KEYS = [
  {
    ago: 29,
    key: {
      name: 'support bot',
      scopes: ['chat', 'models'],
      requests_per_minute: 120,
      monthly_budget_usd: 150,
    },
  },
  { ago: 21, key: { name: 'nightly reports', scopes: ['chat'], tokens_per_minute: 400_000 } },
  { ago: 12, key: { name: 'laptop', scopes: ['chat', 'embeddings', 'models'], monthly_budget_usd: 20 } },
];
const TRIAL = { name: 'trial', scopes: ['chat'], requests_per_minute: 10 };

type Client = ReturnType<typeof client>;

/** Numbers from 0 to 1 that are the same every time. */
function chances(): () => number {
  let seed = 20_261_124;
  return () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
}

/**
 * Lives through a month with a service whose clock is that far behind (shifted-clock.cjs): keys are made, models are
 * asked, more each week and less at weekends, and in the end Google can not be reached.
 */
export async function liveThroughMonth(whole: WholeService): Promise<void> {
  const chance = chances();
  const as = (token?: string) => client((path, init) => fetch(whole.url + path, init), token);
  const admin = as();
  const users: Client[] = [];
  const inTwoMonths = new Date(Date.now() + 60 * A_DAY).toISOString();
  const trial = await admin.post('/v1/keys', { ...TRIAL, expires_at: inTwoMonths });
  await admin.delete(`/v1/keys/${trial.body.id}`);

  for (let day = DAYS - 1; day >= 0; day--) {
    for (const { key } of KEYS.filter(({ ago }) => ago === day)) {
      users.push(as(String((await admin.post('/v1/keys', key)).body.key)));
    }
    const isWeekend = WEEKEND.includes(new Date(Date.now() - day * A_DAY).getUTCDay());
    const share = (isWeekend ? 0.35 : 1) * (1.5 - day / DAYS);
    for (const actor of ACTORS) {
      const times = Math.round(actor.requests * share * (0.7 + 0.6 * chance()));
      for (let index = 0; index < times; index++) {
        const user = users[Math.floor(chance() ** 1.6 * users.length)] ?? admin;
        const answer = json(actor.answer(Math.round(chance() * 3000), Math.round(chance() * 900)));
        await ask(whole, actor, user, chance() < 0.012 ? json({}, 500) : answer);
      }
    }
    if (day > 0) await nextDay(whole, admin);
  }
  for (let index = 0; index < 3; index++) await ask(whole, GEMINI, admin, breakOff);
}

async function ask(whole: WholeService, actor: Actor, user: Client, reaction: Reaction): Promise<void> {
  whole.fakes[actor.vendor].next(reaction);
  const messages = [{ role: 'user', content: 'Hello' }];
  await user.post('/v1/chat/completions', { model: actor.model, messages });
}

const Until = z.object({ to: z.iso.datetime().transform((text) => Date.parse(text)) });

/** Moves the service's clock, and waits until it shows. */
async function nextDay(whole: WholeService, admin: Client): Promise<void> {
  const now = async () => Until.parse((await admin.get('/v1/usage')).body).to;
  const before = await now();
  whole.service.process.kill('SIGUSR2');
  while ((await now()) < before + A_DAY / 2) await delay(5);
}

function openAiAnswer(input: number, output: number): object {
  const message = { role: 'assistant', content: 'Hello.', refusal: null };
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'gpt-4o',
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  };
}

function anthropicAnswer(input: number, output: number): object {
  return {
    id: 'msg_01',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [{ type: 'text', text: 'Hello.' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: input, output_tokens: output },
  };
}

function googleAnswer(input: number, output: number): object {
  return {
    modelVersion: 'gemini-2.5-flash',
    responseId: 'resp01',
    candidates: [{ content: { parts: [{ text: 'Hello.' }], role: 'model' }, index: 0, finishReason: 'STOP' }],
    usageMetadata: {
      promptTokenCount: input,
      candidatesTokenCount: output,
      totalTokenCount: input + output,
    },
  };
}
