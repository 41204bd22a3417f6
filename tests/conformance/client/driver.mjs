// The client of the suite's client mode: a good client on the official SDK, with the gateway in between when
// CONFORMANCE_GATEWAY names one. The suite calls it as `node driver.mjs URL`.
import { startGateway } from '../lib/gateway.mjs';
import { accounts } from './accounts.mjs';
import * as connecting from './connecting.mjs';
import { scenarios } from './scenarios.mjs';

const scenario = process.env.MCP_CONFORMANCE_SCENARIO;
const version = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '2025-11-25';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const program = process.env.CONFORMANCE_GATEWAY;
const account = accounts[scenario];
const server = { url: process.argv.at(-1), ...(account && { credentials: account.credentials(context) }) };
const down = account?.down ?? false;
const folder = process.env.CONFORMANCE_LOGS;
const connects = account?.connects && connecting.settingsFor(program, folder);
// The suite's authorization servers are on this machine.
const more = { ...(account && { fetch: { allow: ['localhost'] } }), ...connects?.more };

const play = account ? scenarios.tools_list : scenarios[scenario];
if (!play) throw new Error(`no client for the scenario ${scenario}`);

const gateway = program ? await startGateway({ program, server, folder, name: 'gateway', more, down }) : undefined;
try {
  if (connects) await connecting.play({ ...gateway, key: connects.key, modern: version === '2026-07-28', account });
  else if (!down) await play({ url: gateway?.url ?? server.url, version, context });
} finally {
  await gateway?.stop();
}
