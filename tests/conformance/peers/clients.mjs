// Scripted clients of both eras over HTTP. They send what they are told to and record what comes.
//
// Both give: call(method, params, { on, signal }) -> result or a Refusal; on(notification) sees what comes on
// the call's stream before the result, `invalid` says that the request is wrong on purpose; listen(filter, on) hears changes until stop() is called; close().
import { Refusal, encodeHeader, isRequest, meta, modern, nameOf, notification, request, result } from './words.mjs';

const accept = 'application/json, text/event-stream';

// Whole events of a stream, as their data; comments and other fields are skipped.
export async function* events(response) {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    rest += decoder.decode(chunk, { stream: true });
    for (let end; (end = rest.indexOf('\n\n')) >= 0; rest = rest.slice(end + 2)) {
      const data = rest.slice(0, end).split('\n').filter(line => line.startsWith('data:'));
      const text = data.map(line => line.slice(line[5] === ' ' ? 6 : 5)).join('\n');
      if (text) yield text;
    }
  }
}

class Client {
  constructor({ url, version, record, capabilities = {} }) {
    Object.assign(this, { url, version, record, capabilities, sent: 0 });
    this.info = { name: `scripted-${version}`, version: '1.0.0' };
  }
  heard(text, method) {
    this.record({ from: 'gateway', version: this.version, text, method });
    return JSON.parse(text);
  }
  async post(message, { signal, method, invalid } = {}) {
    const text = JSON.stringify(message);
    this.record({ from: 'client', version: this.version, text, method, excused: invalid });
    const headers = { 'content-type': 'application/json', accept, ...this.headers(message) };
    return fetch(this.url, { method: 'POST', headers, body: text, signal });
  }
  // The answer to one request, whichever way it comes.
  async answer(message, response, on) {
    const method = message.method;
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
      for await (const text of events(response)) {
        const heard = this.heard(text, method);
        if (heard.id === message.id && !('method' in heard)) return heard;
        if (isRequest(heard)) this.asked(heard);
        else on?.(heard);
      }
      throw new Error(`the stream of ${method} ended without an answer`);
    }
    const text = await response.text();
    if (!text) throw new Error(`${method}: HTTP ${response.status} without a body`);
    return this.heard(text, method);
  }
  async call(method, params, { on, signal, invalid } = {}) {
    const message = this.message(++this.sent, method, params);
    const reply = await this.answer(message, await this.post(message, { signal, invalid }), on);
    if (reply.id !== message.id) throw new Error(`answered ${JSON.stringify(reply.id)} to ${message.id}`);
    if (reply.error) throw new Refusal(reply.error.code, reply.error.message, reply.error.data);
    return reply.result;
  }
  asked() {
    throw new Error('a request from the server that nobody expects');
  }
}

export class ModernClient extends Client {
  constructor(options) {
    super({ ...options, version: modern });
    this.era = 'modern';
  }
  async open() {
    this.server = await this.call('server/discover');
    return this;
  }
  headers(message) {
    const name = nameOf(message);
    return {
      'mcp-protocol-version': modern,
      'mcp-method': message.method,
      ...(name !== undefined && { 'mcp-name': encodeHeader(name) })
    };
  }
  message(id, method, params = {}) {
    const own = { [meta.version]: modern, [meta.capabilities]: this.capabilities, [meta.clientInfo]: this.info };
    return request(id, method, { ...params, _meta: { ...own, ...params._meta } });
  }
  // Resolves when the server has acknowledged.
  async listen(filter, on) {
    const abort = new AbortController();
    const message = this.message(++this.sent, 'subscriptions/listen', { notifications: filter });
    const response = await this.post(message, { signal: abort.signal });
    return new Promise((resolve, reject) => {
      const stop = () => abort.abort();
      const take = heard => {
        if (heard.method === 'notifications/subscriptions/acknowledged') resolve({ stop, honoured: heard.params.notifications });
        else on(heard);
      };
      this.answer(message, response, take).then(
        reply => (reply.error ? reject(new Refusal(reply.error.code, reply.error.message)) : undefined),
        error => (abort.signal.aborted ? undefined : reject(error))
      );
    });
  }
  async close() {}
}

export class LegacyClient extends Client {
  constructor(options) {
    super(options);
    this.era = 'legacy';
    this.answers = options.answers ?? {}; // method of a server's request -> params => result
  }
  async open() {
    const params = { protocolVersion: this.version, capabilities: this.capabilities, clientInfo: this.info };
    this.server = await this.call('initialize', params);
    await this.post(notification('notifications/initialized'));
    return this;
  }
  headers() {
    // 2025-03-26 knows no version header.
    const says = this.server && this.version !== '2025-03-26';
    return { ...(this.session && { 'mcp-session-id': this.session }), ...(says && { 'mcp-protocol-version': this.version }) };
  }
  message(id, method, params) {
    return request(id, method, params);
  }
  async post(message, options) {
    const response = await super.post(message, options);
    this.session ??= response.headers.get('mcp-session-id') ?? undefined;
    return response;
  }
  asked(message) {
    if (message.method === 'ping') return this.post(result(message.id, {}), { method: 'ping' });
    const play = this.answers[message.method];
    if (!play) return super.asked();
    return this.post(result(message.id, play(message.params)), { method: message.method });
  }
  cancel(id, reason = 'enough') {
    return this.post(notification('notifications/cancelled', { requestId: id, reason }));
  }
  // A legacy client hears every change on its GET stream; resolves when that is open.
  async listen(_filter, on) {
    const abort = new AbortController();
    const headers = { accept: 'text/event-stream', ...this.headers() };
    const response = await fetch(this.url, { headers, signal: abort.signal });
    if (response.status !== 200) throw new Error(`GET: HTTP ${response.status}`);
    const read = async () => {
      for await (const text of events(response)) {
        const heard = this.heard(text);
        if (isRequest(heard)) this.asked(heard);
        else on(heard);
      }
    };
    read().catch(error => { if (!abort.signal.aborted) throw error; });
    return { stop: () => abort.abort() };
  }
  async close() {
    await fetch(this.url, { method: 'DELETE', headers: this.headers() });
  }
}
