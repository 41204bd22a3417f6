// Runs the official conformance suite against an upstream of ours, directly and through the gateway, and
// holds the second against the first check by check. See README.md.
import { execFileSync, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { authPlan, clientPlan, serverPlan, tasksPlan } from './lib/plan.mjs';
import { readExpected, stale } from './lib/verdict.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const usage = `usage: node run.mjs [--gateway PATH] [--only TEXT] [--jobs N] [--out DIR] [--list]

  --gateway PATH  the program (build/release/switchyard)
  --only TEXT     runs with TEXT in their name, and the direct runs that they are compared with
  --jobs N        runs at a time (the number of cores, at most 4)
  --out DIR       results and logs (build/test-logs/conformance)
  --list          names the runs`;

function parse(args) {
  const options = {
    gateway: path.join(root, 'build/release/switchyard'),
    out: path.join(root, 'build/test-logs/conformance'),
    jobs: Math.min(4, availableParallelism()),
    only: ''
  };
  for (let i = 0; i < args.length; i++) {
    const name = args[i].replace(/^--/, '');
    if (name === 'list') options.list = true;
    else if (name in options && i + 1 < args.length) options[name] = args[++i];
    else {
      console.error(usage);
      process.exit(name === 'help' ? 0 : 2);
    }
  }
  return { ...options, gateway: path.resolve(options.gateway), out: path.resolve(options.out), jobs: Number(options.jobs) };
}

// The suite's mock servers listen on every interface. In a network namespace of our own nobody else can
// reach them, and whatever tries to fetch from elsewhere fails. Where that is not permitted, do without.
function isolate() {
  if (process.env.CONFORMANCE_ISOLATED) return;
  const up = 'PATH=$PATH:/usr/sbin; ip link set lo up';
  for (const unshare of [['-n'], ['-rn']]) {
    const can = spawnSync('unshare', [...unshare, 'sh', '-c', up], { stdio: 'ignore' });
    if (can.status !== 0) continue;
    const self = [process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
    try {
      execFileSync('unshare', [...unshare, 'sh', '-c', `${up} && exec "$@"`, 'sh', ...self], {
        stdio: 'inherit',
        env: { ...process.env, CONFORMANCE_ISOLATED: '1' }
      });
      process.exit(0);
    } catch (error) {
      process.exit(error.status ?? 1);
    }
  }
}

// Runs first those that others are compared with; within each half, `jobs` at a time.
async function execute(runs, jobs, perform) {
  for (const half of [runs.filter(run => !run.baseline), runs.filter(run => run.baseline)]) {
    const waiting = [...half];
    const worker = async () => { while (waiting.length) await perform(waiting.shift()); };
    await Promise.all(Array.from({ length: jobs }, worker));
  }
}

function show(run, results) {
  const good = results.filter(result => !result.problems.length);
  const checks = results.reduce((sum, { checks }) => ({ good: sum.good + checks.good, all: sum.all + checks.all }), { good: 0, all: 0 });
  const expected = results.filter(result => result.excused).length;
  console.log(
    `${run.name}: ${good.length}/${results.length} scenarios, ${checks.good}/${checks.all} checks` +
      (expected ? `, ${expected} failing as expected` : '')
  );
  for (const { scenario, problems } of results) {
    for (const { id, text } of problems) console.log(`  FAIL ${scenario}:${id}  ${text.slice(0, 400)}`);
  }
}

async function main() {
  const options = parse(process.argv.slice(2));
  const plan = [...serverPlan(), ...tasksPlan(), ...clientPlan(), ...authPlan()];
  if (options.list) return plan.forEach(run => console.log(run.name));
  isolate();
  const wanted = plan.filter(run => run.name.includes(options.only));
  const needed = new Set(wanted.flatMap(run => [run.name, run.baseline]));
  const expected = readExpected(path.join(here, 'expected-failures.txt'));
  const done = new Map(); // run's name -> { checks: Map, results }
  let passed = 0;
  let failed = 0;
  await execute(plan.filter(run => needed.has(run.name)), options.jobs, async run => {
    const outcome = await run.perform({ ...options, expected, baseline: done.get(run.baseline)?.checks });
    done.set(run.name, outcome);
    for (const { problems } of outcome.results) problems.length ? failed++ : passed++;
    show(run, outcome.results);
  });
  for (const entry of stale(expected, done)) {
    console.log(`  STALE expected-failures.txt:${entry.line}: ${entry.run} | ${entry.scenario} passes`);
    failed++;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}

await main();
