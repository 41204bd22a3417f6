// What a scenario's checks mean: alone, and compared with the same scenario run directly.
import { existsSync, readFileSync } from 'node:fs';

const badness = ['SUCCESS', 'INFO', 'SKIPPED', 'WARNING', 'FAILURE'];
const worse = (a, b) => badness.indexOf(a.status) > badness.indexOf(b.status);
const textOf = check => String(check.errorMessage ?? check.details?.message ?? check.description ?? '').replace(/\s+/g, ' ');

// An id stands for several checks of a scenario at times: id and name, and which of them it is.
function keyed(checks) {
  const seen = new Map();
  return new Map(
    checks.map(check => {
      const key = `${check.id}/${check.name}`;
      const nth = (seen.get(key) ?? 0) + 1;
      seen.set(key, nth);
      return [`${key}#${nth}`, check];
    })
  );
}

// Checks that only log traffic say nothing about right or wrong, and their number is a matter of timing.
const isLog = check => check.status === 'INFO' && /^(incoming|outgoing)-/.test(check.id);

// problems(checks, baseline?) -> [{ id, text }]
export function problems(checks, baseline) {
  const found = checks.filter(check => check.status === 'FAILURE').map(check => ({ id: check.id, text: textOf(check) }));
  if (!baseline) return checks.length ? found : [{ id: 'no-result', text: 'no check ran' }];
  const ours = keyed(checks.filter(check => !isLog(check)));
  const theirs = keyed(baseline.filter(check => !isLog(check)));
  for (const [key, direct] of theirs) {
    const check = ours.get(key);
    if (!check) found.push({ id: direct.id, text: `${direct.status} directly, absent through the gateway` });
    else if (check.status !== 'FAILURE' && worse(check, direct)) {
      found.push({ id: check.id, text: `${direct.status} directly, ${check.status} through the gateway: ${textOf(check)}` });
    }
  }
  for (const [key, check] of ours) {
    if (!theirs.has(key) && !['SUCCESS', 'FAILURE'].includes(check.status)) {
      found.push({ id: check.id, text: `${check.status} through the gateway, absent directly: ${textOf(check)}` });
    }
  }
  return found;
}

// Client mode has no gateway-free twin of each check, and the suite fails a client on warnings, too.
export const clientProblems = checks =>
  checks.filter(check => ['FAILURE', 'WARNING'].includes(check.status)).map(check => ({ id: check.id, text: textOf(check) }));

export function count(checks) {
  const judged = checks.filter(check => ['SUCCESS', 'FAILURE'].includes(check.status));
  return { good: judged.filter(check => check.status === 'SUCCESS').length, all: judged.length };
}

// Lines `run | scenario[:check id] | reason`; # begins a comment. A line without a reason is an error.
export function readExpected(file) {
  if (!existsSync(file)) return [];
  const entries = [];
  readFileSync(file, 'utf8').split('\n').forEach((line, i) => {
    if (!line.trim() || line.startsWith('#')) return;
    const [run, what, ...reason] = line.split('|').map(part => part.trim());
    if (!run || !what || !reason.join('').length) throw new Error(`${file}:${i + 1}: not \`run | scenario[:check] | reason\``);
    const [scenario, check] = what.split(':');
    entries.push({ run, scenario, check, line: i + 1, used: false });
  });
  return entries;
}

// Splits a scenario's problems into those that no entry speaks of and those that one does.
export function excuse(entries, run, scenario, found) {
  const matching = entries.filter(entry => entry.run === run && entry.scenario === scenario);
  const open = [];
  for (const problem of found) {
    const entry = matching.find(candidate => !candidate.check || candidate.check === problem.id);
    if (entry) entry.used = true;
    else open.push(problem);
  }
  return open;
}

// Entries of runs that took place and that nothing needed.
export const stale = (entries, runs) => entries.filter(entry => runs.has(entry.run) && !entry.used);
