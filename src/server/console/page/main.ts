import * as z from 'zod/mini';
import { Health } from './answers.ts';
import { Chat } from './chat.ts';
import { part } from './element.ts';
import { Keys } from './keys.ts';
import { ProviderCards } from './providers.ts';
import { askJson, whenRefused } from './request.ts';
import { session } from './session.ts';
import { isRefused, SignIn } from './sign-in.ts';
import { Usage } from './usage.ts';

// It would compile its checks with `new Function`, which the page's security policy forbids.
z.config({ jitless: true });

const VIEWS = ['overview', 'keys', 'chat'] as const;
type View = (typeof VIEWS)[number];

const REFRESH_MS = 30_000;

const navigation = part('navigation', HTMLElement);
const signOut = part('sign-out', HTMLButtonElement);
const refreshed = part('refreshed', HTMLElement);

const providers = new ProviderCards();
const usage = new Usage();
const keys = new Keys();
const chat = new Chat();
const signIn = new SignIn(() => void enter());

let inside = false;

const OPEN: Readonly<Record<View, () => Promise<void>>> = {
  overview: refreshOverview,
  keys: () => keys.refresh(),
  chat: () => chat.open(),
};

async function refreshOverview(): Promise<void> {
  await Promise.all([providers.refresh(), usage.refresh()]);
  refreshed.textContent = `As of ${new Date().toLocaleTimeString('en-GB')}`;
}

/** The view that the address names. */
function view(): View {
  const name = location.hash.slice(1);
  return VIEWS.find((known) => known === name) ?? 'overview';
}

function show(name: View | 'sign-in'): void {
  for (const section of document.querySelectorAll<HTMLElement>('main > section'))
    section.hidden = section.id !== name;
  for (const link of navigation.querySelectorAll('a')) {
    if (link.hash === `#${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  navigation.hidden = name === 'sign-in';
  signOut.hidden = name === 'sign-in' || session.key === undefined;
  document.title =
    name === 'sign-in' ? 'Sign in – Thoth' : `${name.charAt(0).toUpperCase()}${name.slice(1)} – Thoth`;
}

/** Shows the view that the address names, and reads it out by its heading. */
async function enter(): Promise<void> {
  inside = true;
  show(view());
  part(`${view()}-title`, HTMLElement).focus({ preventScroll: true });
  await OPEN[view()]();
}

function leave(sentence?: string): void {
  inside = false;
  session.end();
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  chat.clear();
  keys.clear();
  show('sign-in');
  signIn.show(sentence);
}

addEventListener('hashchange', () => {
  if (inside) void enter();
});
whenRefused((sentence) => {
  if (inside) leave(sentence);
});
signOut.addEventListener('click', () => {
  session.end();
  location.reload(); // nothing that was shown stays in the page
});
part('refresh', HTMLButtonElement).addEventListener('click', () => void refreshOverview());
setInterval(() => {
  if (inside && view() === 'overview' && !document.hidden) void refreshOverview();
}, REFRESH_MS);

// Where the gateway asks for no key (AUTH=off), neither does this page.
const refusal = await isRefused();
if (refusal === undefined) await enter();
else leave(session.key === undefined ? undefined : refusal);
askJson('health', Health).then(
  ({ version }) => {
    part('version', HTMLElement).textContent = version;
  },
  () => undefined, // the views say that the gateway can't be reached
);
