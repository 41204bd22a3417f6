// The patterns of docs/patterns.md against the program, in the official clients of both eras: each
// call as it stands there, to a service that is new, gives the reply that stands under it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { eras } from './clients.mjs';
import { startOrchestration } from './harness.mjs';

const page = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../docs/patterns.md');

// [{ title, calls: [{ tool, request, reply }] }]
function patternsOf(text) {
  const sections = text.split(/^## /m).slice(1);
  return sections.map(section => {
    const calls = section.split(/^### /m).slice(1).map(example => {
      const [request, reply] = [...example.matchAll(/^```json\n(.*?)\n```$/gms)].map(match => JSON.parse(match[1]));
      return { tool: example.match(/^\w+/)[0], request, reply };
    });
    return { title: section.slice(0, section.indexOf('\n')), calls };
  });
}

// Without the time that it is, from which fences of locks count on, too.
function timeless(value, tool) {
  return JSON.parse(JSON.stringify(value), (key, member) => {
    if (typeof member === 'string' && /^\d{4}-\d\d-\d\dT[\d:]+Z$/.test(member)) return 'a time';
    return tool === 'acquire_file_lock' && key === 'fence' ? 'a fence' : member;
  });
}

const patterns = patternsOf(readFileSync(page, 'utf8'));

it('the page has four patterns', () => {
  assert.deepEqual(patterns.map(pattern => pattern.title), ['Hub and spoke', 'Peer to peer', 'Assembly line', 'Hierarchical']);
  assert.ok(patterns.every(({ calls }) => calls.length > 10));
});

for (const era of Object.keys(eras)) {
  describe(`${era} client in the patterns of agents`, { timeout: 60_000 }, () => {
    for (const { title, calls } of patterns) {
      it(title, async () => {
        const gateway = await startOrchestration();
        const client = await eras[era].http(gateway.url);
        try {
          for (const { tool, request, reply } of calls) {
            const { structuredContent } = await client.call(`orchestration_${tool}`, request);
            assert.deepEqual(timeless(structuredContent, tool), timeless(reply, tool), `${tool} ${JSON.stringify(request)}`);
          }
        } finally {
          await client.close();
          await gateway.stop();
        }
      });
    }
  });
}
