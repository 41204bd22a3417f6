// Three published servers behind one gateway, used by the official clients of both eras.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { eras } from './clients.mjs';
import { everything, filesystem, memory, serversUp, startGateway, temporaryFolder } from './harness.mjs';
import { realChecks } from './real-checks.mjs';

let gateway, temporary;

before(async () => {
  temporary = temporaryFolder();
  const { folder } = temporary;
  gateway = await startGateway({
    servers: { everything: everything(), filesystem: filesystem(folder), memory: memory(path.join(folder, 'memory.jsonl')) }
  });
  await serversUp(gateway.url, Object.keys(realChecks));
});
after(async () => {
  await gateway?.stop();
  temporary?.remove();
});

for (const era of Object.keys(eras)) {
  for (const [name, checks] of Object.entries(realChecks)) {
    describe(`${era} client, server ${name}`, { timeout: 60_000 }, () => {
      let client;
      before(async () => { client = await eras[era].http(gateway.url); });
      after(() => client?.close());

      for (const [title, check] of Object.entries(checks)) {
        it(title, () => check({ client, prefix: `${name}__`, folder: temporary.folder }));
      }
    });
  }
}

it('two clients of different eras use three servers at once', { timeout: 60_000 }, async () => {
  const clients = await Promise.all(Object.keys(eras).map(era => eras[era].http(gateway.url)));
  try {
    await Promise.all(
      clients.flatMap(client =>
        Array.from({ length: 20 }, async (_, i) => {
          assert.equal(await client.text('everything__echo', { message: `${client.era} ${i}` }), `Echo: ${client.era} ${i}`);
          assert.match(await client.text('filesystem__list_allowed_directories'), /switchyard-interop/);
          assert.match(await client.text('memory__read_graph'), /entities/);
        })
      )
    );
  } finally {
    await Promise.all(clients.map(client => client.close()));
  }
});
