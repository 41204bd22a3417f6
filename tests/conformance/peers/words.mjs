// What scripted peers of both sides share: names of the protocol, errors, and how a server is written.
//
// A server is a function `respond(request, context)` that returns a result or throws a Refusal. context:
//   era, version    what the peer on the other side speaks with us
//   signal          fires when the request is cancelled
//   notify(method, params)  a notification that belongs to this request
//   ask(method, params)     legacy only: a request to the client; resolves its result
//   announce(method, params) legacy only: a notification outside of any request
export const modern = '2026-07-28';
export const legacy = ['2025-11-25', '2025-06-18', '2025-03-26'];
export const meta = {
  version: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId'
};
export const tasksExtension = 'io.modelcontextprotocol/tasks';
export const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

// A JSON-RPC error that a peer answers with, or got.
export class Refusal extends Error {
  constructor(code, message, data) {
    super(message);
    Object.assign(this, { code, data });
  }
  toJson() {
    return { code: this.code, message: this.message, ...(this.data !== undefined && { data: this.data }) };
  }
}

export const request = (id, method, params) => ({ jsonrpc: '2.0', id, method, ...(params && { params }) });
export const notification = (method, params) => ({ jsonrpc: '2.0', method, ...(params && { params }) });
export const result = (id, value) => ({ jsonrpc: '2.0', id, result: value });
export const failure = (id, error) => ({ jsonrpc: '2.0', ...(id !== undefined && { id }), error: error.toJson() });
export const isRequest = message => 'method' in message && 'id' in message;
export const isResponse = message => !('method' in message);

// The member of params that the header Mcp-Name mirrors.
const named = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId'
};
export const nameOf = message => message.params?.[named[message.method]];

export function encodeHeader(value) {
  const text = String(value);
  const plain = /^[\x20-\x7e]*$/.test(text) && text === text.trim() && !/^=\?base64\?.*\?=$/.test(text);
  return plain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}
export function decodeHeader(value) {
  const match = /^=\?base64\?(.*)\?=$/.exec(value ?? '');
  return match ? Buffer.from(match[1], 'base64').toString() : value;
}

// Runs respond and turns what it throws into an error; anything but a Refusal is a bug of the script.
export async function answer(respond, message, context) {
  try {
    return result(message.id, await respond(message, context));
  } catch (error) {
    if (error instanceof Refusal) return failure(message.id, error);
    return failure(message.id, new Refusal(-32603, `the script failed: ${error.stack}`));
  }
}
