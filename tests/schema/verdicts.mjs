// Asks schema_verdicts (verdicts.cc): groups of {schema, values, formats} in, one answer each out.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = path.dirname(fileURLToPath(import.meta.url));
const program = process.env.SCHEMA_VERDICTS ?? path.resolve(here, '../../build/asan/tests/schema_verdicts');

// `schema` and `values` are values, or texts where numbers must stay as they are written.
const text = (value) => (typeof value === 'string' && value.raw === undefined ? JSON.stringify(value) : (value?.raw ?? JSON.stringify(value)));

export function ask(groups) {
  const input = groups
    .map(({ schema, values, formats }) => `{"schema":${text(schema)},"values":[${values.map(text).join(',')}],"formats":${!!formats}}\n`)
    .join('');
  const run = spawnSync(program, { input, maxBuffer: 1 << 28, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${program}: ${run.error ?? run.signal ?? run.status} ${run.stderr}`);
  return run.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
}
