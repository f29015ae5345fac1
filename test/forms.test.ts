import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';

const FORMS = join(import.meta.dirname, '../.github/ISSUE_TEMPLATE');

/** GitHub's form schema (docs.github.com, "Syntax for GitHub's form schema"): it drops a form with a fault. */
const text = z.string().min(1);
const field = <T extends z.ZodRawShape>(type: string, more: T) =>
  z.strictObject({
    type: z.literal(type),
    id: z.string().regex(/^[\w-]+$/),
    attributes: z.strictObject({ label: text, description: text.optional(), ...more }),
    validations: z.strictObject({ required: z.boolean() }).optional(),
  });
const Form = z.strictObject({
  name: text,
  description: text,
  labels: z.array(text),
  body: z
    .array(
      z.union([
        z.strictObject({ type: z.literal('markdown'), attributes: z.strictObject({ value: text }) }),
        field('input', { placeholder: text.optional() }),
        field('textarea', { placeholder: text.optional(), render: text.optional() }),
        field('dropdown', { options: z.array(text).min(2) }),
      ]),
    )
    .min(1),
});
const Config = z.strictObject({
  blank_issues_enabled: z.boolean(),
  contact_links: z.array(z.strictObject({ name: text, url: z.url(), about: text })),
});

describe('the issue forms', () => {
  for (const file of readdirSync(FORMS)) {
    test(`${file} is one that GitHub shows`, () => {
      const form: unknown = parse(readFileSync(join(FORMS, file), 'utf8'));
      if (file === 'config.yml') return void Config.parse(form);
      const { body } = Form.parse(form);
      const names = body.flatMap((part) => ('id' in part ? [part.id, part.attributes.label] : []));
      assert.equal(new Set(names).size, names.length);
    });
  }
});
