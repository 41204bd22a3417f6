// The bundled example server: alone on stdio, and behind the gateway as in the minimal configuration.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { eras } from './clients.mjs';
import { serversUp, startGateway, switchyard } from './harness.mjs';

const exampleServer = { command: switchyard, args: ['example-server'] };
let gateway;

before(async () => {
  gateway = await startGateway({ servers: { example: exampleServer } });
  await serversUp(gateway.url, ['example']);
});
after(() => gateway?.stop());

const ways = {
  'on stdio': { prefix: '', connect: era => eras[era].stdio(exampleServer) },
  'behind the gateway': { prefix: 'example__', connect: era => eras[era].http(gateway.url) }
};

for (const era of Object.keys(eras)) {
  for (const [way, { prefix, connect }] of Object.entries(ways)) {
    describe(`${era} client, example server ${way}`, { timeout: 60_000 }, () => {
      let client;
      before(async () => { client = await connect(era); });
      after(() => client?.close());

      it('lists four tools', async () => {
        const names = (await client.tools()).map(tool => tool.name);
        assert.deepEqual(names, ['add', 'count', 'echo', 'time'].map(name => prefix + name));
      });

      it('adds, echoes and tells the time', async () => {
        assert.deepEqual((await client.call(`${prefix}add`, { a: 40, b: 2 })).structuredContent, { sum: 42 });
        assert.equal(await client.text(`${prefix}echo`, { message: 'hé' }), 'hé');
        const { time, unix } = (await client.call(`${prefix}time`, { offset: '+02:00' })).structuredContent;
        assert.match(time, /\+02:00$/);
        assert.equal(Date.parse(time) / 1000, unix);
      });

      it('counts with progress while it does other things', async () => {
        const heard = [];
        const count = client.text(`${prefix}count`, { to: 4, interval_ms: 50 }, { onprogress: p => heard.push(p.progress) });
        assert.equal(await client.text(`${prefix}echo`, { message: 'meanwhile' }), 'meanwhile');
        assert.equal(await count, 'counted to 4');
        // the last one comes with the result, and then the SDK's client may drop it
        assert.deepEqual(heard.slice(0, 3), [1, 2, 3]);
      });

      it('stops counting when told to', async () => {
        const abort = new AbortController();
        const count = client.call(`${prefix}count`, { to: 1000, interval_ms: 20 }, { signal: abort.signal, onprogress: () => abort.abort() });
        await assert.rejects(count);
        assert.equal(await client.text(`${prefix}echo`, { message: 'still here' }), 'still here');
      });

      it('has a prompt, a resource and a template, and completes', async () => {
        assert.deepEqual((await client.prompts()).map(prompt => prompt.name), [`${prefix}greet`]);
        assert.match((await client.prompt(`${prefix}greet`, { name: 'Ada' })).messages[0].content.text, /Ada/);
        const ref = { type: 'ref/prompt', name: `${prefix}greet` };
        assert.deepEqual((await client.complete(ref, 'name', 'G')).completion.values, ['Grace']);
        const [about] = await client.resources();
        assert.match((await client.read(about.uri)).contents[0].text, /Switchyard/);
        const [greeting] = await client.templates();
        assert.equal((await client.read(greeting.uriTemplate.replace('{name}', 'Ken'))).contents[0].text, 'Hello, Ken!');
      });

      it('refuses an unknown tool', async () => {
        await assert.rejects(client.call(`${prefix}nope`), error => error.code === -32602);
      });
    });
  }
}
