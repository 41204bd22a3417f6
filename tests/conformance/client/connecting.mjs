// The scenarios in which accounts are connected by people: first one for the gateway's own requests, by the
// link that whoever runs it asks for; then, where that was good, one of a caller, whose client is asked to open
// the page in the middle of its call.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { ready, untilDown } from '../lib/gateway.mjs';
import { connectAt } from './browser.mjs';

const admin = 'an-admin-token-of-tests';

// settingsFor(program, folder) -> { more, key }: sections of the configuration, and the caller's key.
export function settingsFor(program, folder) {
  // The key on stdout, the line for the configuration beside it.
  const { stdout, stderr } = spawnSync(program, ['key', 'new', 'caller'], { encoding: 'utf8' });
  const text = stdout + stderr;
  const dir = path.join(folder, 'vault');
  rmSync(dir, { recursive: true, force: true });
  const key = /^swy_\w+$/m.exec(text)[0];
  const more = {
    auth: { api_keys: [{ name: 'caller', hash: /sha256:\w+:\w+/.exec(text)[0] }] },
    admin: { token: admin },
    credentials: { dir, keys: [randomBytes(32).toString('hex')] }
  };
  return { more, key };
}

async function ownLink(url) {
  const response = await fetch(new URL('/admin/connections', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ server: 'upstream', action: 'connect' })
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`no link for the gateway's own account: ${response.status} ${body}`);
  return JSON.parse(body).url;
}

function expectEnd(got, wanted) {
  if (got !== wanted) throw new Error(`connecting ended with "${got}", not "${wanted}"`);
}

// Makes a call as a caller who has no account yet, and connects one when asked to.
async function callAsked({ url, key, modern }) {
  const info = { name: 'conformance-client', version: '1.0.0' };
  const versionNegotiation = { mode: modern ? 'auto' : 'legacy' };
  const client = new Client(info, { capabilities: { elicitation: { url: {} } }, versionNegotiation });
  let asked = 0;
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    asked++;
    expectEnd(await connectAt(params.url), 'Connected');
    return { action: 'accept' };
  });
  const headers = { authorization: `Bearer ${key}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  try {
    const { tools } = await client.listTools();
    const { content, isError } = await client.callTool({ name: tools[0].name, arguments: {} });
    if (isError || content[0].text !== 'test') throw new Error(`the call got ${JSON.stringify(content)}`);
  } finally {
    await client.close();
  }
  if (!asked) throw new Error('the caller was not asked to connect an account');
}

// play({ url, plainUrl, key, modern, account })
export async function play(target) {
  const { connects, stays, again } = target.account;
  expectEnd(await connectAt(await ownLink(target.url)), connects);
  if (connects !== 'Connected') return;
  if (stays) return untilDown(target.plainUrl, reason => reason.includes(stays));
  if (again) {
    await untilDown(target.plainUrl, reason => reason.includes(again));
    expectEnd(await connectAt(await ownLink(target.url)), connects);
  }
  await ready(target.plainUrl, false);
  await callAsked(target);
}
