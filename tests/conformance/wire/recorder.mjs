// Every message that crossed one side of the gateway, as bytes, and what is wrong with them.
import { isRequest, meta, modern } from '../peers/words.mjs';
import { violations } from './schema.mjs';

// Members that only the modern era knows: none of them may reach a legacy peer.
const modernMembers = ['resultType', 'ttlMs', 'cacheScope', 'inputRequests', 'requestState', 'inputResponses'];
const modernMeta = Object.values(meta);

function leaks(message) {
  const body = message.result ?? message.params ?? {};
  const found = modernMembers.filter(name => name in body);
  const inMeta = Object.keys(body._meta ?? {}).filter(name => modernMeta.includes(name));
  return [...found, ...inMeta].map(name => `${name} in a legacy message`);
}

export class Recorder {
  constructor(side) {
    this.side = side;
    this.messages = [];
    this.record = entry => this.messages.push(entry);
  }
  mark() {
    return this.messages.length;
  }
  // What was sent since a mark: [{ from, version, message, method }], parsed.
  since(mark = 0, wanted = () => true) {
    return this.messages.slice(mark).map(entry => ({ ...entry, message: JSON.parse(entry.text) })).filter(wanted);
  }
  // Texts, one for each message since a mark with which something is wrong.
  problems(mark = 0) {
    return this.messages.slice(mark).flatMap(entry => {
      if (entry.excused) return [];
      const message = JSON.parse(entry.text);
      const found = violations(entry.version, message, entry.method);
      // To a modern client nobody sends requests.
      const toModernClient = this.side === 'client side' && entry.from === 'gateway' && entry.version === modern;
      if (toModernClient && isRequest(message)) found.push('a request to a modern client');
      if (entry.version !== modern) found.push(...leaks(message));
      if (!found.length) return [];
      return [`${this.side}, from ${entry.from}, ${entry.version}:\n    ${found.join('\n    ')}\n    in ${entry.text.slice(0, 1000)}`];
    });
  }
}
