// Our byte-pair counts and tiktoken's, asked the same: texts of many scripts and shapes, by each
// published vocabulary. And how far off the estimate is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Tiktoken } from 'js-tiktoken/lite';
import cl100k from 'js-tiktoken/ranks/cl100k_base';
import gpt2 from 'js-tiktoken/ranks/gpt2';
import o200k from 'js-tiktoken/ranks/o200k_base';

const here = path.dirname(fileURLToPath(import.meta.url));
const program = process.env.TOKEN_COUNTS ?? path.resolve(here, '../../build/asan/tests/token_counts');
const dir = mkdtempSync(path.join(tmpdir(), 'tokens-'));
after(() => rmSync(dir, { recursive: true }));

function ours(vocabulary, pattern, texts) {
  const input = texts.map((text) => JSON.stringify(text) + '\n').join('');
  const run = spawnSync(program, [vocabulary, pattern], { input, maxBuffer: 1 << 26, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${program}: ${run.error ?? run.signal ?? run.status} ${run.stderr}`);
  return run.stdout.trimEnd().split('\n').map(Number);
}

// `! 0 IQ== Ig== ...`: tokens in the order of their ranks, from the one that is named.
function vocabularyFile(name, ranks) {
  const lines = [];
  for (const row of ranks.bpe_ranks.split('\n').filter(Boolean)) {
    const [, first, ...tokens] = row.split(' ');
    tokens.forEach((token, i) => lines.push(`${token} ${Number(first) + i}`));
  }
  const file = path.join(dir, name);
  writeFileSync(file, lines.join('\n') + '\n');
  return file;
}

// The same for each run.
function makeTexts() {
  let state = 20261122;
  const below = (n) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % n;
  };
  const words = ['the', ' The', 'naïve', " don't", "I'LL", 'ſ', 'CamelCase', 'HTTPServer', 'snake_case', '12', '1234567', '٣٤', '漢字', 'かな', '한국어', 'Привет',
    'مرحبا', 'नमस्ते', 'é', 'e\u0301', '😀', '👩‍👩‍👧', ' ', '  ', '    ', '\t', '\n', '\n\n', '\r\n', ' \n ', '\u00a0', '\u2003', '\u3000', '...', '!?', '://', '/*', '{"', '":', '},', '==', '_', 'ǅ', 'ʰ', '²', '½', "'s", "'", 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa', '\u200d', '\u0000'];
  const texts = ['', ' ', '\n', 'a', '  a', 'a  '];
  for (let i = 0; i < 3000; i++) {
    texts.push(Array.from({ length: 1 + below(24) }, () => words[below(words.length)]).join(below(2) ? '' : ' '));
  }
  texts.push('x'.repeat(3000), 'ab'.repeat(700), ' '.repeat(2000) + 'x', '\n'.repeat(500), '漢'.repeat(300));
  return texts;
}

for (const [name, pattern, ranks] of [['o200k_base', 'o200k', o200k], ['cl100k_base', 'cl100k', cl100k], ['gpt2', 'gpt2', gpt2]]) {
  test(`${name}: as many tokens as tiktoken counts`, () => {
    const texts = makeTexts();
    const theirs = new Tiktoken(ranks);
    const counts = ours(vocabularyFile(name, ranks), pattern, texts);
    const different = [];
    texts.forEach((text, i) => {
      const count = theirs.encode(text, [], []).length;
      if (counts[i] !== count) different.push(`${JSON.stringify(text.slice(0, 200))}: tiktoken ${count}, ours ${counts[i]}`);
    });
    assert.equal(different.length, 0, `${different.length} of ${texts.length} differ:\n${different.slice(0, 8).join('\n')}`);
  });
}

// `tool part of its reply`, line by line, as the service gives them (tests/unit/orchestration/service_test.cc).
test('aggregates of the orchestration service cost at most 80 tokens', () => {
  const golden = readFileSync(path.resolve(here, '../golden/orchestration/aggregates.txt'), 'utf8');
  for (const ranks of [o200k, cl100k]) {
    const theirs = new Tiktoken(ranks);
    const costs = new Map();
    for (const line of golden.trimEnd().split('\n')) {
      const [, tool, part] = /^(\w+) (.*)$/.exec(line);
      costs.set(tool, (costs.get(tool) ?? 0) + theirs.encode(part, [], []).length);
    }
    assert.equal(costs.size, 5);
    for (const [tool, cost] of costs) assert.ok(cost >= 20 && cost <= 80, `${tool}: ${cost}`);
  }
});

test('the estimate is near o200k_base on prose, code and JSON', () => {
  const theirs = new Tiktoken(o200k);
  const docs = path.resolve(here, '../../docs');
  const sources = path.resolve(here, '../../gateway/mcp');
  const read = (from, end) => readdirSync(from).filter((name) => name.endsWith(end)).map((name) => readFileSync(path.join(from, name), 'utf8')).join('\n').slice(0, 60000);
  const samples = { prose: read(docs, '.md'), code: read(sources, '.cc'), json: readFileSync(path.resolve(here, '../../config/schema.json'), 'utf8') };
  for (const [kind, text] of Object.entries(samples)) {
    const [estimate] = ours('-', 'estimate', [text]);
    const ratio = estimate / theirs.encode(text, [], []).length;
    console.log(`${kind}: the estimate is ${ratio.toFixed(2)} of the count`);
    assert.ok(ratio > 0.8 && ratio < 1.3, `${kind}: ${ratio}`);
  }
});
