// The official JSON-Schema-Test-Suite, as Debian packs it (see README.md): every test of drafts 7 and
// 2020-12, but for those in exceptions.json, which says why.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ask, here } from './verdicts.mjs';

const suite = process.env.SCHEMA_SUITE ?? '/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests';
const exceptions = JSON.parse(readFileSync(path.join(here, 'exceptions.json'), 'utf8'));
const DRAFTS = { draft7: 'http://json-schema.org/draft-07/schema#', 'draft2020-12': undefined };

function files(dir) {
  return readdirSync(path.join(suite, dir), { recursive: true })
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => path.join(dir, name));
}

// The tests' own texts: what JSON.parse would round must reach the program as it is written.
function rawValues(text) {
  const tokens = /"(?:\\.|[^"\\])*"|-?\d[\d.]*(?:[eE][+-]?\d+)?/g;
  const numbers = [];
  const marked = text.replace(tokens, (token) =>
    token[0] === '"' || String(Number(token)) === token ? token : `"\\u0001${numbers.push(token) - 1}"`);
  const restore = (value) => JSON.stringify(value).replace(/"\\u0001(\d+)"/g, (_, i) => numbers[i]);
  return { groups: JSON.parse(marked), restore };
}

// How an exception names what it is about: file, file › case, or file › case › test.
const exceptionFor = (file, group, one) =>
  [file, `${file} › ${group}`, `${file} › ${group} › ${one}`].find((name) => name in exceptions);

const used = new Set();
for (const [draft, dialect] of Object.entries(DRAFTS)) {
  for (const file of files(draft)) {
    test(file, () => {
      const { groups, restore } = rawValues(readFileSync(path.join(suite, file), 'utf8'));
      if (groups.length === 0) return; // some are there only to keep their place
      const formats = file.includes('optional/format/') || file.endsWith('format-assertion.json');
      const schemas = groups.map(({ schema }) =>
        dialect && typeof schema === 'object' && !schema.$schema ? { $schema: dialect, ...schema } : schema);
      const answers = ask(groups.map((group, i) => ({
        schema: { raw: restore(schemas[i]) },
        values: group.tests.map(({ data }) => ({ raw: restore(data) })),
        formats
      })));
      const wrong = [];
      groups.forEach((group, i) => group.tests.forEach((one, j) => {
        const right = answers[i].verdicts[j] === (one.valid ? '1' : '0');
        const exception = exceptionFor(file, group.description, one.description);
        if (exception && !right) used.add(exception);
        if (!exception && !right) wrong.push(`${file} › ${group.description} › ${one.description}: ${answers[i].verdicts[j]} ${answers[i].notes}`);
      }));
      assert.equal(wrong.length, 0, wrong.join('\n'));
    });
  }
}

test('every exception is still one', () => {
  assert.deepEqual(Object.keys(exceptions).filter((name) => !used.has(name)), []);
});
