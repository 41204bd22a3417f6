// The gateway as a stdio server: `switchyard serve --stdio`, spawned by the clients themselves.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { checks } from './checks.mjs';
import { eras } from './clients.mjs';
import { fixture, node, startFixture, switchyard, temporaryFolder, writeConfig } from './harness.mjs';

const servers = ['lstdio', 'mhttp'];
let temporary, mhttp, config;

before(async () => {
  temporary = temporaryFolder();
  mhttp = await startFixture('modern-http.mjs', 'mhttp');
  config = writeConfig(temporary.folder, {
    servers: { lstdio: node(fixture('legacy-stdio.mjs'), 'lstdio'), mhttp: { url: mhttp.url } }
  });
});
after(async () => {
  await mhttp?.stop();
  temporary?.remove();
});

for (const era of Object.keys(eras)) {
  const connect = async () => {
    const client = await eras[era].stdio({ command: switchyard, args: ['serve', '--stdio', '--config', config] });
    // Asked at once and only once, as hosts do.
    const tools = await client.tools();
    for (const name of servers) {
      assert.ok(tools.some(tool => tool.name.startsWith(`${name}__`)), `the first list has no tool of ${name}`);
    }
    return client;
  };
  for (const name of servers) {
    describe(`${era} client on stdio, server ${name}`, { timeout: 90_000 }, () => {
      let client;
      before(async () => { client = await connect(); });
      after(() => client?.close());

      for (const [title, check] of Object.entries(checks)) {
        it(title, () => check({ client, connect, name, prefix: `${name}__` }));
      }
    });
  }
}
