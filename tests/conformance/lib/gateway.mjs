// A gateway with one server behind a transparent endpoint: what the suite sees is that server, unrenamed.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listening } from './processes.mjs';

// Asks until `good` says so of what the gateway knows of its servers.
async function until(url, good) {
  const end = Date.now() + 15_000;
  let last = 'no answer';
  while (Date.now() < end) {
    try {
      const response = await fetch(new URL('/readyz', url));
      last = await response.text();
      if (response.ok && good(JSON.parse(last).servers)) return;
    } catch (error) {
      last = error.message;
    }
    await sleep(50);
  }
  throw new Error(`the gateway's server is not as it should be: ${last}`);
}

// Until the gateway has asked its server; unless `down`, until that is up.
export const ready = (url, down) => until(url, servers => down || servers.every(server => server.up));

// Until it is down for a reason of which `is` says so.
export const untilDown = (url, is) => until(url, servers => servers.some(server => !server.up && is(server.reason ?? '')));

// startGateway({ program, server, folder, name, pageSize, more, down }) -> { url of the endpoint, plainUrl of /mcp, stop() }
// `more`: further sections of its configuration. `down`: the server is not expected to come up.
export async function startGateway({ program, server, folder, name, pageSize = 0, more = {}, down = false }) {
  mkdirSync(folder, { recursive: true });
  const config = path.join(folder, `${name}.yaml`);
  const settings = {
    listen: '127.0.0.1:0',
    servers: { upstream: server },
    endpoints: { suite: { servers: ['upstream'], transparent: true } },
    log: { level: 'debug' },
    page_size: pageSize,
    ...more
  };
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(settings, null, 2));
  const job = await listening(program, ['serve', '--config', config], { log: path.join(folder, `${name}.log`) });
  try {
    await ready(job.url, down);
  } catch (error) {
    await job.stop();
    throw error;
  }
  return { ...job, plainUrl: job.url, url: `${job.url}/suite` };
}
