// Which runs there are. A run is a name, the run it is compared with, and how to perform it; each of its
// scenarios is one test.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { accounts } from '../client/accounts.mjs';
import { startGateway } from './gateway.mjs';
import { listening } from './processes.mjs';
import { runClientScenario, runServerScenarios, runServerVersion, scenarios } from './suite.mjs';
import { clientProblems, count, excuse, problems } from './verdict.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const file = name => path.join(here, '..', name);
const modern = '2026-07-28';
const versions = ['2025-03-26', '2025-06-18', '2025-11-25', modern];
const eraOf = version => (version === modern ? 'modern' : 'legacy');

function judge(name, checks, judgement, expected) {
  const results = [...checks].map(([scenario, list]) => {
    const found = judgement(list, scenario);
    const open = excuse(expected, name, scenario, found);
    return { scenario, checks: count(list), problems: open, excused: found.length > open.length };
  });
  return { checks, results };
}

// Starts the upstream and, unless this is a direct run, the gateway; gives `use` the URL; stops both.
async function withTarget({ name, program, upstream, server, folder }, use) {
  const started = [];
  try {
    let url;
    if (!server || server.url) {
      const log = path.join(folder, `${name}-upstream.log`);
      const job = await listening(process.execPath, [file(`upstream/${upstream}.mjs`)], { log });
      started.push(job);
      url = job.url;
    }
    if (server) {
      const settings = server.url ? { ...server, url } : server;
      const gateway = await startGateway({ program, server: settings, folder, name });
      started.push(gateway);
      url = gateway.url;
    }
    return await use(url);
  } finally {
    for (const job of started.reverse()) await job.stop();
  }
}

// upstreamOver(transport, { http, stdio }, era) -> the server's entry in the gateway's configuration
function entry(transport, script, era) {
  if (transport === 'direct') return undefined;
  return transport === 'http' ? { url: true, era } : { command: process.execPath, args: [file(`upstream/${script}.mjs`)], era };
}

function serverRun({ name, baseline, upstream, server, run }) {
  const perform = async ({ gateway, out, expected, baseline: direct }) => {
    const id = name.replace(/ /g, '_');
    const folder = path.join(out, 'logs');
    const target = { name: id, program: gateway, upstream, server, folder };
    const checks = await withTarget(target, url => run(url, path.join(out, id)));
    return judge(name, checks, (list, scenario) => problems(list, direct?.get(scenario)), expected);
  };
  return { name, baseline, perform };
}

// Every version directly; then through the gateway, over HTTP and stdio, with the upstream in the suite's own
// era, and with the upstream pinned to the other era.
export function serverPlan() {
  const all = scenarios('server');
  const runs = [];
  const add = (version, transport, era) => {
    const names = all.filter(({ tags }) => tags.includes(version)).map(({ name }) => name);
    const direct = `${version} direct`;
    runs.push(
      serverRun({
        name: transport === 'direct' ? direct : `${version} ${transport} ${era}`,
        baseline: transport === 'direct' ? undefined : direct,
        upstream: 'http',
        server: entry(transport, 'stdio', era),
        run: (url, folder) => runServerVersion(url, version, names, folder)
      })
    );
  };
  for (const transport of ['direct', 'http', 'stdio']) for (const version of versions) add(version, transport, eraOf(version));
  for (const transport of ['http', 'stdio']) {
    add(modern, transport, 'legacy');
    add('2025-11-25', transport, 'modern');
  }
  return runs;
}

export function tasksPlan() {
  const names = scenarios('server').map(({ name }) => name).filter(name => name.startsWith('tasks-'));
  return ['direct', 'http', 'stdio'].map(transport =>
    serverRun({
      name: `tasks ${transport}`,
      baseline: transport === 'direct' ? undefined : 'tasks direct',
      upstream: 'tasks-http',
      server: entry(transport, 'tasks-stdio', 'modern'),
      run: (url, folder) => runServerScenarios(url, modern, names, folder)
    })
  );
}

// Authorization is not that client's business, and extensions have their own tests.
const inScope = ({ name, tags }) => !name.startsWith('auth/') && !tags.includes('extension');

async function playServer({ name, version, names, gateway, out }) {
  const folder = path.join(out, name.replace(/ /g, '_'));
  const command = `${process.execPath} ${file('client/driver.mjs')}`;
  const checks = new Map();
  for (const scenario of names) {
    const env = { CONFORMANCE_GATEWAY: gateway, CONFORMANCE_LOGS: path.join(folder, 'logs', scenario) };
    checks.set(scenario, await runClientScenario(command, version, scenario, path.join(folder, scenario), env));
  }
  return checks;
}

// The suite plays the server; in front of it a good client, directly and then through the gateway. The client
// speaks the scenario's era, or the other one: then the gateway alone is who the suite sees.
export function clientPlan() {
  const all = scenarios('client').filter(inScope);
  const run = (version, way) => ({
    name: `client ${version} ${way}`,
    baseline: way === 'direct' ? undefined : `client ${version} direct`,
    perform: async ({ gateway, out, expected }) => {
      const name = `client ${version} ${way}`;
      const names = all.filter(({ tags }) => tags.includes(version)).map(({ name }) => name);
      const checks = await playServer({ name, version, names, gateway: way === 'direct' ? '' : gateway, out });
      return judge(name, checks, clientProblems, expected);
    }
  });
  return ['direct', 'gateway'].flatMap(way => ['2025-06-18', '2025-11-25', modern].map(version => run(version, way)));
}

// The suite plays an MCP server and its authorization server; the gateway is their client, by its configuration.
export function authPlan() {
  const all = scenarios('client').filter(({ name }) => name in accounts);
  return ['2025-03-26', '2025-11-25', modern].map(version => ({
    name: `client auth ${version}`,
    perform: async ({ gateway, out, expected }) => {
      const name = `client auth ${version}`;
      // Extensions belong to no version: once in each era.
      const extensions = version !== '2025-03-26';
      const belongs = ({ tags }) => (extensions && tags.includes('extension')) || tags.includes(version);
      const names = all.filter(belongs).map(({ name }) => name);
      const checks = await playServer({ name, version, names, gateway, out });
      return judge(name, checks, clientProblems, expected);
    }
  }));
}
