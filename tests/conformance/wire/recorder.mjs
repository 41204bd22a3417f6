// Every message that crossed one side of the gateway, as bytes, and what is wrong with them.
import { meta, modern } from '../peers/words.mjs';
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
  // Texts, one for each thing that is wrong with what was sent since a mark.
  problems(mark = 0) {
    return this.messages.slice(mark).flatMap(entry => {
      if (entry.excused) return [];
      const message = JSON.parse(entry.text);
      const found = violations(entry.version, message, entry.method);
      // A modern server's streams end without a request, so the gateway has nothing to answer there.
      if (entry.version === modern && entry.from === 'server' && 'method' in message && 'id' in message) found.push('a request from a modern server');
      if (entry.version !== modern) found.push(...leaks(message));
      return found.map(text => `${this.side}, from ${entry.from}, ${entry.version}: ${text}\n    ${entry.text.slice(0, 600)}`);
    });
  }
}
