// Starts what a test needs (the gateway, fixtures over HTTP) and ends it again, by pid.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

import { eras } from './clients.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
export const switchyard = path.resolve(process.env.SWITCHYARD ?? path.join(here, '../../build/release/switchyard'));
export const fixture = file => path.join(here, 'fixtures', file);
const realServer = name => path.join(here, 'node_modules/@modelcontextprotocol', name, 'dist/index.js');

export function temporaryFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), 'switchyard-interop-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

// Tries until `probe` gives something truthy; what it throws meanwhile is the reason when time is up.
export async function until(what, probe, limitMs = 30_000) {
  const end = Date.now() + limitMs;
  let last;
  do {
    try {
      const value = await probe();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(100);
  } while (Date.now() < end);
  throw new Error(`timed out waiting for ${what}`, { cause: last });
}

// A child that prints its URL, http://127.0.0.1:PORT/mcp, when it listens.
async function listening(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let log = '';
  let ended = false;
  const exit = new Promise(resolve => {
    child.on('exit', (code, signal) => { ended = true; resolve({ code, signal }); });
    child.on('error', error => { ended = true; log += error.message; resolve({ code: null, signal: null }); });
  });
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no URL from ${command} within 20 s:\n${log}`)), 20_000);
    const read = chunk => {
      log += chunk;
      const match = /http:\/\/127\.0\.0\.1:(\d+)\/mcp/.exec(log);
      if (match) { clearTimeout(timer); resolve(match[0]); }
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    exit.then(() => { clearTimeout(timer); reject(new Error(`${command} ended before it listened:\n${log}`)); });
  });
  const stop = async (signal = 'SIGTERM') => {
    if (!ended) child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    const result = await exit;
    clearTimeout(late);
    return result;
  };
  return { url, port: Number(new URL(url).port), pid: child.pid, exit, stop, log: () => log };
}

export const startFixture = (file, name, port = 0) => listening(process.execPath, [fixture(file), name, String(port)]);

// JSON is YAML, so the configuration needs no writer of its own.
export function writeConfig(folder, config) {
  const file = path.join(folder, 'switchyard.yaml');
  writeFileSync(file, JSON.stringify(config, null, 2));
  return file;
}

export async function startGateway(config) {
  const { folder, remove } = temporaryFolder();
  const file = writeConfig(folder, { listen: '127.0.0.1:0', ...config });
  try {
    const gateway = await listening(switchyard, ['serve', '--config', file]);
    return { ...gateway, stop: async signal => { const result = await gateway.stop(signal); remove(); return result; } };
  } catch (error) {
    remove();
    throw error;
  }
}

// The gateway listens before its servers are up: wait until the names of its tools are as wanted.
function listed(url, what, wanted) {
  return until(what, async () => {
    const client = await eras.legacy.http(url);
    try {
      return wanted((await client.tools()).map(tool => tool.name));
    } finally {
      await client.close();
    }
  });
}

// Each of them has a tool.
export const serversUp = (url, names) => listed(url, `tools of ${names.join(', ')}`,
  tools => names.every(name => tools.some(tool => tool.startsWith(`${name}__`))));

// A gateway with the service for tasks and agents alone, new and up.
export async function startOrchestration() {
  const gateway = await startGateway({ servers: {}, orchestration: {} });
  await listed(gateway.url, 'the service', tools => tools.includes('orchestration_create_task'));
  return gateway;
}

export const node = (file, ...args) => ({ command: process.execPath, args: [file, ...args] });
export const everything = () => node(realServer('server-everything'), 'stdio');
export const filesystem = folder => node(realServer('server-filesystem'), folder);
export const memory = file => ({ ...node(realServer('server-memory')), env: { MEMORY_FILE_PATH: file } });
