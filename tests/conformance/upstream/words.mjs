// Small words that the upstream's tools, prompts and resources are written in.
import { setTimeout as sleep } from 'node:timers/promises';
import { createRequestStateCodec, inputRequired } from '@modelcontextprotocol/server';

export { sleep };
export const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
export const wav = Buffer.from(
  'RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x02\0\0\0\0\0',
  'latin1'
).toString('base64');

export const string = { type: 'string' };
export const object = (properties, required) => ({ type: 'object', properties, ...(required && { required }) });

export const textBlock = text => ({ type: 'text', text });
export const imageBlock = { type: 'image', data: png, mimeType: 'image/png' };
export const resourceBlock = (uri, mimeType, text) => ({ type: 'resource', resource: { uri, mimeType, text } });
export const text = value => ({ content: [textBlock(value)] });
export const says = (...blocks) => ({
  messages: blocks.map(block => ({ role: 'user', content: typeof block === 'string' ? textBlock(block) : block }))
});

// Questions to the client. A modern client gets them as an input_required result; for a legacy client the
// SDK turns them into requests of the server.
export const form = (message, properties) =>
  inputRequired.elicit({ message, requestedSchema: object(properties, Object.keys(properties)) });
export const sample = (question, maxTokens) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: textBlock(question) }], maxTokens });
export const ask = (inputRequests, requestState) =>
  inputRequired({ inputRequests, ...(requestState !== undefined && { requestState }) });

// One key a process: a requestState that was tampered with is refused.
export const states = createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });
