// A scripted server of 2026-07-28 over Streamable HTTP. It is strict where the specification lets a server be:
// headers that do not mirror the body are refused.
import http from 'node:http';
import { Refusal, answer, decodeHeader, failure, isRequest, meta, modern, nameOf, notification } from './words.mjs';

const statuses = { '-32020': 400, '-32021': 400, '-32022': 400, '-32601': 404, '-32700': 400 };

function refusalOf(headers, message) {
  const given = message.params?._meta ?? {};
  const differ = (name, value, wanted) => new Refusal(-32020, `${name} is ${value}, the body says ${wanted}`);
  if (!isRequest(message)) return undefined;
  if (given[meta.version] === undefined || given[meta.capabilities] === undefined) {
    return new Refusal(-32602, 'the required members of _meta are missing');
  }
  if (headers['mcp-protocol-version'] !== given[meta.version]) {
    return differ('MCP-Protocol-Version', headers['mcp-protocol-version'], given[meta.version]);
  }
  if (given[meta.version] !== modern) {
    return new Refusal(-32022, 'unsupported version', { supported: [modern], requested: given[meta.version] });
  }
  if (headers['mcp-method'] !== message.method) return differ('Mcp-Method', headers['mcp-method'], message.method);
  const name = nameOf(message);
  if (name !== undefined && decodeHeader(headers['mcp-name']) !== name) return differ('Mcp-Name', headers['mcp-name'], name);
  return undefined;
}

// One POST: plain JSON unless a notification comes before the result.
async function serve(req, res, { respond, record }) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const message = JSON.parse(text);
  record({ from: 'gateway', version: modern, text, headers: req.headers });
  const say = (status, body) => {
    const out = JSON.stringify(body);
    record({ from: 'server', version: modern, text: out, method: message.method });
    res.writeHead(status, { 'content-type': 'application/json' }).end(out);
  };
  const refusal = refusalOf(req.headers, message);
  if (refusal) return say(refusal.code === -32602 ? 400 : (statuses[refusal.code] ?? 200), failure(message.id, refusal));
  if (!isRequest(message)) return res.writeHead(202).end();

  const abort = new AbortController();
  res.on('close', () => abort.abort());
  const event = body => {
    if (res.destroyed) return;
    if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    const out = JSON.stringify(body);
    record({ from: 'server', version: modern, text: out, method: message.method });
    res.write(`data: ${out}\n\n`);
  };
  const reply = await answer(respond, message, {
    era: 'modern',
    version: modern,
    signal: abort.signal,
    notify: (method, params) => event(notification(method, params))
  });
  if (res.destroyed) return;
  if (!res.headersSent) return say(reply.error ? (statuses[reply.error.code] ?? 200) : 200, reply);
  event(reply);
  res.end();
}

// serveModernHttp({ respond, record, port }) -> { url, close() }
export async function serveModernHttp({ respond, record = () => {}, port = 0 }) {
  const server = http.createServer((req, res) => {
    if (req.method !== 'POST') return res.writeHead(405, { allow: 'POST' }).end();
    serve(req, res, { respond, record }).catch(error => {
      console.error(error);
      res.destroy();
    });
  });
  await new Promise(resolve => server.listen(port, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise(resolve => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, close };
}
