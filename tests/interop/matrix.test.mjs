// Both client eras against both server eras on both transports: eight combinations, one set of checks.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { checks } from './checks.mjs';
import { eras } from './clients.mjs';
import { fixture, node, serversUp, startFixture, startGateway } from './harness.mjs';

const servers = ['lhttp', 'mhttp', 'lstdio', 'mstdio'];
let gateway, lhttp, mhttp;

before(async () => {
  [lhttp, mhttp] = await Promise.all([startFixture('legacy-http.mjs', 'lhttp'), startFixture('modern-http.mjs', 'mhttp')]);
  gateway = await startGateway({
    servers: {
      lhttp: { url: lhttp.url },
      mhttp: { url: mhttp.url },
      lstdio: node(fixture('legacy-stdio.mjs'), 'lstdio'),
      mstdio: node(fixture('modern-stdio.mjs'), 'mstdio')
    }
  });
  await serversUp(gateway.url, servers);
});
after(async () => {
  await gateway?.stop();
  await Promise.all([lhttp?.stop(), mhttp?.stop()]);
});

for (const era of Object.keys(eras)) {
  for (const name of servers) {
    describe(`${era} client, server ${name}`, { timeout: 90_000 }, () => {
      const connect = () => eras[era].http(gateway.url);
      let client;
      before(async () => { client = await connect(); });
      after(() => client?.close());

      for (const [title, check] of Object.entries(checks)) {
        it(title, () => check({ client, connect, name, prefix: `${name}__` }));
      }
    });
  }
}

describe('the gateway as one server', { timeout: 60_000 }, () => {
  it('answers a ping of a legacy client', async () => {
    const client = await eras.legacy.http(gateway.url);
    try {
      assert.deepEqual(await client.ping(), {});
    } finally {
      await client.close();
    }
  });

  it('shows both eras the same names in the same order', async () => {
    const lists = await Promise.all(
      Object.values(eras).map(async ({ http }) => {
        const client = await http(gateway.url);
        try {
          const tools = (await client.tools()).map(tool => tool.name);
          const prompts = (await client.prompts()).map(prompt => prompt.name);
          return { tools, prompts };
        } finally {
          await client.close();
        }
      })
    );
    assert.deepEqual(lists[0], lists[1]);
  });

  it('carries calls of one client to four servers at once', async () => {
    for (const { http } of Object.values(eras)) {
      const client = await http(gateway.url);
      try {
        await Promise.all(
          Array.from({ length: 40 }, async (_, i) => {
            const value = `${client.era} ${i}`;
            assert.equal(await client.text(`${servers[i % 4]}__mirror`, { value, delay: (i * 13) % 50 }), value);
          })
        );
      } finally {
        await client.close();
      }
    }
  });
});
