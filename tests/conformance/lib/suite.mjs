// The official suite as a program: which scenarios it has, one run of them, and what it found.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './processes.mjs';

const dist = path.join(path.dirname(fileURLToPath(import.meta.url)), '../node_modules/@modelcontextprotocol/conformance/dist');
export const bundle = path.join(dist, 'index.js');
const scenarioLimitMs = 15_000;
const wholeLimitMs = 150_000;

// The suite imports fs.globSync, which Node 20 does not have and only a command we do not use needs.
function prepare() {
  if (Number(process.versions.node.split('.')[0]) >= 22) return bundle;
  const copy = path.join(dist, 'index.node20.js');
  const source = readFileSync(bundle, 'utf8');
  const changed = source.replace(/globSync as [\w$]+,/, '');
  if (changed === source) throw new Error('the suite no longer imports globSync: drop this');
  if (!existsSync(copy) || readFileSync(copy, 'utf8') !== changed) writeFileSync(copy, changed);
  return copy;
}

const program = prepare();

// scenarios('server' | 'client') -> [{ name, tags: ['2025-11-25', ...] | ['extension'] }]
export function scenarios(mode) {
  const list = execFileSync(process.execPath, [program, 'list', `--${mode}`], { encoding: 'utf8' });
  return [...list.matchAll(/^ {2}- (\S+) \[(.*)\]$/gm)].map(([, name, tags]) => ({ name, tags: tags.split(',') }));
}

// The suite writes <folder>/[server-]<scenario>-<time>/checks.json; a scenario's name may hold a slash.
function readChecks(folder, prefix, name) {
  const wanted = `${prefix}${name}`;
  const dir = path.join(folder, path.dirname(wanted));
  if (!existsSync(dir)) return undefined;
  const base = path.basename(wanted);
  const found = readdirSync(dir).find(entry => entry.replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '') === base);
  const file = found && path.join(dir, found, 'checks.json');
  return file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

const noResult = why => [{ id: 'no-result', name: 'NoResult', status: 'FAILURE', errorMessage: why }];

async function invoke(args, folder, { limitMs, env }) {
  const log = path.join(folder, 'suite.log');
  return run(process.execPath, [program, ...args, '--timeout', String(scenarioLimitMs), '-o', folder], { log, env, limitMs });
}

function collect(names, folder, prefix, end) {
  const why = end.timedOut ? 'the suite was stopped at its time limit' : `the suite wrote no result, see ${folder}/suite.log`;
  return new Map(names.map(name => [name, readChecks(folder, prefix, name) ?? noResult(why)]));
}

// All scenarios of a version against a URL. Resolves scenario -> checks.
export async function runServerVersion(url, version, names, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const end = await invoke(['server', '--url', url, '--suite', 'all', '--spec-version', version], folder, { limitMs: wholeLimitMs });
  return collect(names, folder, 'server-', end);
}

// Scenarios of an extension belong to no version's run: one process each.
export async function runServerScenarios(url, version, names, folder) {
  rmSync(folder, { recursive: true, force: true });
  const results = new Map();
  for (const name of names) {
    const dir = path.join(folder, name);
    mkdirSync(dir, { recursive: true });
    const args = ['server', '--url', url, '--scenario', name, '--spec-version', version, '--force'];
    const end = await invoke(args, dir, { limitMs: 2 * scenarioLimitMs });
    results.set(name, collect([name], dir, 'server-', end).get(name));
  }
  return results;
}

// One scenario that tests a client; `command` is run with the mock server's URL. Those of extensions belong to
// no version, and are run in the one that is asked for.
export async function runClientScenario(command, version, name, folder, env) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const args = ['client', '--command', command, '--scenario', name, '--spec-version', version, '--force'];
  const end = await invoke(args, folder, { limitMs: 2 * scenarioLimitMs, env });
  const checks = collect([name], folder, '', end).get(name);
  // The suite fails a client that ended badly, or warned, without writing a check for it.
  const clean = checks.every(check => !['FAILURE', 'WARNING'].includes(check.status));
  if (clean && end.code !== 0) return [...checks, ...noResult(`the suite ended with ${end.code}, see ${folder}/suite.log`)];
  return checks;
}
