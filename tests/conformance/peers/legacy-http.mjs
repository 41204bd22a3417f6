// A scripted legacy server over Streamable HTTP: sessions, a GET stream for what belongs to no request, and
// event streams on POST for what does.
import http from 'node:http';
import { randomUUID } from 'node:crypto';
import { Refusal, answer, isRequest, isResponse, notification, request } from './words.mjs';

class Session {
  constructor({ respond, record, version }) {
    Object.assign(this, { respond, record, version, id: randomUUID() });
    this.running = new Map(); // id of a request -> AbortController
    this.waiting = new Map(); // id of our own request -> { resolve, reject, method }
    this.unsent = []; // until the GET stream is there
    this.asked = 0;
  }
  text(message, method) {
    const text = JSON.stringify(message);
    this.record({ from: 'server', version: this.version, text, method });
    return text;
  }
  announce(method, params) {
    const event = `data: ${this.text(notification(method, params))}\n\n`;
    if (this.stream) this.stream.write(event);
    else this.unsent.push(event);
  }
  open(res) {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': this.id });
    res.write(`: open\n\n${this.unsent.splice(0).join('')}`);
    this.stream = res;
    res.on('close', () => { if (this.stream === res) this.stream = undefined; });
  }
  async serve(message, res) {
    const event = (body, method) => {
      if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': this.id });
      res.write(`data: ${this.text(body, method)}\n\n`);
    };
    const abort = new AbortController();
    this.running.set(message.id, abort);
    const reply = await answer(this.respond, message, {
      era: 'legacy',
      version: this.version,
      signal: abort.signal,
      notify: (method, params) => event(notification(method, params)),
      announce: (method, params) => this.announce(method, params),
      ask: (method, params) =>
        new Promise((resolve, reject) => {
          const id = `s${++this.asked}`;
          this.waiting.set(id, { resolve, reject, method });
          event(request(id, method, params));
        })
    });
    this.running.delete(message.id);
    if (abort.signal.aborted) return res.end(); // a cancelled request is not answered
    if (res.headersSent) {
      event(reply, message.method);
      return res.end();
    }
    const headers = { 'content-type': 'application/json', 'mcp-session-id': this.id };
    res.writeHead(200, headers).end(this.text(reply, message.method));
  }
  take(message) {
    if (isResponse(message)) {
      const call = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.error) call?.reject(new Refusal(message.error.code, message.error.message, message.error.data));
      else call?.resolve(message.result);
    } else if (message.method === 'notifications/cancelled') {
      this.running.get(message.params.requestId)?.abort();
    } else {
      this.respond(message, { era: 'legacy', version: this.version, announce: (m, p) => this.announce(m, p) });
    }
  }
}

async function post(req, res, sessions, { respond, record }) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const message = JSON.parse(text);
  let session = sessions.get(req.headers['mcp-session-id']);
  const opens = message.method === 'initialize';
  if (opens) {
    session = new Session({ respond, record, version: message.params.protocolVersion });
    sessions.set(session.id, session);
  }
  const version = session?.version ?? '2025-11-25';
  // What comes before any session may be a probe of the modern era: it is nobody's legacy message.
  record({ from: 'gateway', version, text, headers: req.headers, excused: !session, method: session?.waiting.get(message.id)?.method });
  if (!session) return res.writeHead(req.headers['mcp-session-id'] ? 404 : 400).end();
  if (!opens && req.headers['mcp-protocol-version'] !== version) return res.writeHead(400).end();
  if (isRequest(message)) return session.serve(message, res);
  session.take(message);
  res.writeHead(202).end();
}

// serveLegacyHttp({ respond, record }) -> { url, announce(method, params), close() }
export async function serveLegacyHttp({ respond, record = () => {} }) {
  const sessions = new Map();
  const server = http.createServer((req, res) => {
    if (req.method === 'POST') {
      return post(req, res, sessions, { respond, record }).catch(error => {
        console.error(error);
        res.destroy();
      });
    }
    const session = sessions.get(req.headers['mcp-session-id']);
    if (!session) return res.writeHead(404).end();
    if (req.method === 'GET') return session.open(res);
    sessions.delete(session.id);
    res.writeHead(200).end();
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise(resolve => server.close(resolve));
  };
  const announce = (method, params) => { for (const session of sessions.values()) session.announce(method, params); };
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, announce, close };
}
