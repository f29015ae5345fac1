// Measures thoth-release beside what people use in its place: node --import tsx bench/release/main.ts [NAME...]
//
//   NAME   rehearsals, publishers, changelogs, planning or publishing; all of them without
//
// Prints tables and asserts nothing. With no NAME it writes them to docs/bench/RELEASE.md, and a plot beside it. Run it
// by `make bench`, which installs what it needs, on a machine that does nothing else.
import { describeMachine } from '../machine.ts';
import { writePage } from '../page.ts';
import { type Group, groupText } from '../results.ts';
import { changelogs } from './changelogs.ts';
import { planning, publishing } from './growth.ts';
import { publishers } from './publishers.ts';
import { rehearsals } from './rehearsals.ts';
import { Workplace } from './workplace.ts';

/** In this order: planning needs what a rehearsal leaves. */
const PARTS: Readonly<Record<string, (place: Workplace) => Promise<Group | Group[]>>> = {
  rehearsals,
  planning,
  publishers,
  publishing,
  changelogs,
};

const names = process.argv.slice(2);
const unknown = names.find((name) => !(name in PARTS));
if (unknown !== undefined) {
  process.stderr.write(`There is no "${unknown}": name some of ${Object.keys(PARTS).join(', ')}.\n`);
  process.exit(2);
}
const chosen = names.length === 0 ? Object.keys(PARTS) : names;

const machine = await describeMachine();
process.stdout.write(`${machine}\n\n`);
const place = await Workplace.open();
try {
  if (chosen.includes('planning') && !chosen.includes('rehearsals'))
    await place.thoth(['rehearse', 'v1.0.0']);
  const groups: Group[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (!chosen.includes(name)) continue;
    process.stderr.write(`${name}\n`);
    const found = [await part(place)].flat();
    process.stdout.write(`${found.map(groupText).join('\n')}\n`);
    groups.push(...found);
  }
  if (names.length === 0) {
    await writePage('release', { title: 'thoth-release, measured', machine, groups }, place.packages);
  }
} finally {
  await place.close();
}
