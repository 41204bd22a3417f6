// A scripted server on a pair of streams, one message a line: stdio in either era.
import { createInterface } from 'node:readline';
import { Refusal, answer, isRequest, isResponse, modern, notification, request } from './words.mjs';

// serveLines({ input, output, respond, era, record }) -> { announce(method, params), ended }
export function serveLines({ input, output, respond, era, record = () => {} }) {
  let version = era === 'modern' ? modern : undefined; // a legacy peer's is known after initialize
  let asked = 0;
  const running = new Map(); // id of a request -> AbortController
  const waiting = new Map(); // id of our own request -> { resolve, reject, method }
  const say = (message, method) => {
    const text = JSON.stringify(message);
    record({ from: 'server', version, text, method, excused: version === undefined });
    output.write(`${text}\n`);
  };
  const ask = (method, params) =>
    new Promise((resolve, reject) => {
      const id = `s${++asked}`;
      waiting.set(id, { resolve, reject, method });
      say(request(id, method, params));
    });
  const announce = (method, params) => say(notification(method, params));

  async function onRequest(message) {
    if (message.method === 'initialize' && era === 'legacy') version = message.params.protocolVersion;
    const abort = new AbortController();
    running.set(message.id, abort);
    const context = { era, version, signal: abort.signal, notify: announce, announce, ask };
    const reply = await answer(respond, message, context);
    running.delete(message.id);
    if (!abort.signal.aborted) say(reply, message.method);
  }
  function onResponse(message) {
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) call?.reject(new Refusal(message.error.code, message.error.message, message.error.data));
    else call?.resolve(message.result);
  }
  createInterface({ input }).on('line', text => {
    const message = JSON.parse(text);
    // The version of initialize itself is the one that it asks for; what comes before is a probe of the other
    // era and nobody's legacy message.
    const spoken = message.method === 'initialize' ? message.params.protocolVersion : version;
    const method = isResponse(message) ? waiting.get(message.id)?.method : undefined;
    record({ from: 'gateway', version: spoken, text, method, excused: spoken === undefined });
    if (isRequest(message)) onRequest(message);
    else if (isResponse(message)) onResponse(message);
    else if (message.method === 'notifications/cancelled') running.get(message.params.requestId)?.abort();
    else respond(message, { era, version, announce, ask });
  });
  return { announce, ended: new Promise(resolve => input.on('close', resolve)) };
}
