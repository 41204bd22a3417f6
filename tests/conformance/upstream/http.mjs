// The upstream over Streamable HTTP, both eras at one URL: 2026-07-28 through the SDK's handler, legacy
// sessions, with resumption, through its transport. Prints its URL.
import http from 'node:http';
import { randomUUID } from 'node:crypto';
import { classifyInboundRequest, createMcpHandler, isInitializeRequest } from '@modelcontextprotocol/server';
import {
  NodeStreamableHTTPServerTransport,
  localhostHostValidation,
  localhostOriginValidation,
  toNodeHandler
} from '@modelcontextprotocol/node';
import { build, changesOnConnection } from './server.mjs';

// Keeps each event of a session until it ends: a run is short.
function eventStore() {
  const events = [];
  return {
    storeEvent: async (streamId, message) => {
      const id = `${streamId}::${String(events.length).padStart(8, '0')}`;
      events.push({ id, streamId, message });
      return id;
    },
    replayEventsAfter: async (last, { send }) => {
      const streamId = last.split('::')[0];
      for (const event of events) {
        // A priming event has no message.
        const said = Object.keys(event.message ?? {}).length > 0;
        if (event.streamId === streamId && event.id > last && said) await send(event.id, event.message);
      }
      return streamId;
    }
  };
}

// A modern request has a server of its own, so what is shown is kept here.
const shown = { tools: false, prompts: false };
const toggle = (kind, announce) => {
  shown[kind] = !shown[kind];
  announce();
};
const modernChanges = () => ({
  tools: () => toggle('tools', () => handler.notify.toolsChanged()),
  prompts: () => toggle('prompts', () => handler.notify.promptsChanged())
});
const handler = createMcpHandler(
  () => build(modernChanges, shown),
  { legacy: 'reject', onerror: error => console.error('handler:', error.message) }
);
const modern = toNodeHandler(handler);
const hostIsGood = localhostHostValidation();
const originIsGood = localhostOriginValidation();
const sessions = new Map(); // id -> transport

const refuse = (res, status, code, message) =>
  res
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }));

async function bodyOf(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

async function openSession() {
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: eventStore(),
    retryInterval: 500,
    onsessioninitialized: id => sessions.set(id, transport)
  });
  transport.onclose = () => sessions.delete(transport.sessionId);
  await build(changesOnConnection).connect(transport);
  return transport;
}

async function legacy(req, res, body) {
  const id = req.headers['mcp-session-id'];
  if (sessions.has(id)) return sessions.get(id).handleRequest(req, res, body);
  if (id) return refuse(res, 404, -32001, 'Session not found');
  if (req.method !== 'POST' || !isInitializeRequest(body)) {
    return refuse(res, 400, -32000, 'Bad Request: Session ID required');
  }
  const transport = await openSession();
  return transport.handleRequest(req, res, body);
}

async function serve(req, res) {
  if (!hostIsGood(req, res) || !originIsGood(req, res)) return;
  if (new URL(req.url, 'http://x').pathname !== '/mcp') return void res.writeHead(404).end();
  let body;
  if (req.method === 'POST') {
    try {
      body = await bodyOf(req);
    } catch {
      return refuse(res, 400, -32700, 'Parse error');
    }
  }
  const { kind } = classifyInboundRequest({
    httpMethod: req.method,
    protocolVersionHeader: req.headers['mcp-protocol-version'],
    mcpMethodHeader: req.headers['mcp-method'],
    body
  });
  const isLegacy = kind === 'legacy' || req.method !== 'POST';
  await (isLegacy ? legacy(req, res, body) : modern(req, res, body));
}

http
  .createServer((req, res) =>
    serve(req, res).catch(error => {
      console.error(error);
      if (!res.headersSent) refuse(res, 500, -32603, 'Internal error');
    })
  )
  .listen(Number(process.argv[2] ?? 0), '127.0.0.1', function () {
    console.log(`http://127.0.0.1:${this.address().port}/mcp`);
  });
