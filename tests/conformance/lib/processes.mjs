// Children with a log file each, ended by id, and never left behind.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';

const children = new Set();

// A child leads a group of its own: what it started itself goes with it.
function signalGroup(child, signal) {
  try {
    if (child.pid) process.kill(-child.pid, signal);
  } catch {
    // it has ended
  }
}

// Ends them when this process ends in whatever way it can still notice.
process.on('exit', () => { for (const child of children) signalGroup(child, 'SIGKILL'); });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

// start(command, args, { log, env, stdin }) -> { child, ended: Promise<{ code, signal }>, stop(), kill() }
export function start(command, args, { log, env, stdin = 'ignore' }) {
  mkdirSync(path.dirname(log), { recursive: true });
  const file = createWriteStream(log);
  const child = spawn(command, args, {
    stdio: [stdin, 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    detached: true
  });
  children.add(child);
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  const ended = new Promise(resolve => {
    child.on('error', error => { file.write(`${error.message}\n`); resolve({ code: null, signal: null }); });
    child.on('close', (code, signal) => resolve({ code, signal }));
  }).then(end => {
    children.delete(child);
    file.end();
    return end;
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(late);
  };
  return { child, ended, stop, kill: () => signalGroup(child, 'SIGKILL') };
}

// Runs to its end, or for so long. Resolves { code, timedOut, output }.
export async function run(command, args, { log, env, limitMs }) {
  const job = start(command, args, { log, env });
  let output = '';
  job.child.stdout.setEncoding('utf8').on('data', chunk => { output += chunk; });
  let timedOut = false;
  const timer = setTimeout(() => { timedOut = true; job.kill(); }, limitMs);
  const { code } = await job.ended;
  clearTimeout(timer);
  return { code, timedOut, output };
}

// A child that prints its URL, http://127.0.0.1:PORT/mcp, when it listens.
export async function listening(command, args, options) {
  const job = start(command, args, options);
  const url = await new Promise((resolve, reject) => {
    let seen = '';
    const timer = setTimeout(() => { job.stop(); reject(new Error(`no URL within 20 s, see ${options.log}`)); }, 20_000);
    const read = chunk => {
      seen = (seen + chunk).slice(-4096);
      const match = /http:\/\/127\.0\.0\.1:\d+\/mcp/.exec(seen);
      if (match) { clearTimeout(timer); resolve(match[0]); }
    };
    job.child.stdout.setEncoding('utf8').on('data', read);
    job.child.stderr.setEncoding('utf8').on('data', read);
    job.ended.then(() => { clearTimeout(timer); reject(new Error(`ended before it listened, see ${options.log}`)); });
  });
  return { ...job, url };
}
